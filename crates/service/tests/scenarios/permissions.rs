//! Who may do what, and that a client knows nothing of another.

use std::collections::BTreeSet;

use cordwood_service::{
    Access, Caller, Error, NewApiToken, NewSource, Scope, SourceChanges, SourceFilter, Wake,
};

use crate::audit;
use crate::ledger::{Ledger, json};

type UseCase = (
    &'static str,
    Access,
    fn(&Ledger, &Caller) -> Result<(), Error>,
);

type ActOnSource = fn(&Ledger, &Caller, &str) -> Result<(), Error>;

/// Every use case with the least access that allows it.
const USE_CASES: &[UseCase] = &[
    ("ingest as", Access::Write, |ledger, caller| {
        ledger
            .service()
            .ingest_as(caller, "web", json("{}"))
            .map(drop)
    }),
    ("create a source", Access::Admin, |ledger, caller| {
        let name = format!("made by {}", caller.token_name());
        let new = NewSource {
            name,
            ..NewSource::default()
        };
        ledger.service().create_source(caller, &new).map(drop)
    }),
    ("list sources", Access::Read, |ledger, caller| {
        ledger
            .service()
            .list_sources(caller, &SourceFilter::default())
            .map(drop)
    }),
    ("look at a source", Access::Read, |ledger, caller| {
        ledger.service().source(caller, "web").map(drop)
    }),
    ("change a source", Access::Admin, |ledger, caller| {
        let changes = SourceChanges::default();
        ledger
            .service()
            .update_source(caller, "web", &changes)
            .map(drop)
    }),
    ("rotate a token", Access::Admin, |ledger, caller| {
        ledger
            .service()
            .rotate_source_token(caller, "web", None)
            .map(drop)
    }),
    ("delete a source", Access::Admin, |ledger, caller| {
        let doomed = format!("doomed by {}", caller.token_name());
        ledger.create_source(&doomed);
        ledger.service().delete_source(caller, &doomed)
    }),
    ("create an API token", Access::Admin, |ledger, caller| {
        let new = new_token(Access::Read, caller.scope().clone());
        ledger.service().create_api_token(caller, &new).map(drop)
    }),
    ("list API tokens", Access::Admin, |ledger, caller| {
        ledger.service().list_api_tokens(caller).map(drop)
    }),
    ("revoke an API token", Access::Admin, |ledger, caller| {
        let new = new_token(Access::Read, caller.scope().clone());
        let made = ledger
            .service()
            .create_api_token(&ledger.admin(), &new)
            .unwrap();
        ledger
            .service()
            .revoke_api_token(caller, made.api_token.id)
            .map(drop)
    }),
    ("write down a call", Access::Read, audit::write_one),
    ("list calls", Access::Admin, |ledger, caller| {
        ledger.service().audit(caller, None, None).map(drop)
    }),
    ("admit", Access::Write, |ledger, caller| {
        ledger.service().admit_as(caller, "web", 10).map(drop)
    }),
    ("count patterns", Access::Read, |ledger, caller| {
        let request = cordwood_service::PatternsRequest::default();
        let cancel = cordwood_service::Cancel::default();
        let service = ledger.service();
        service.patterns(caller, &request, &cancel).map(drop)
    }),
    ("list new patterns", Access::Read, |ledger, caller| {
        let since = ledger.now();
        ledger.service().new_patterns(caller, &[], since).map(drop)
    }),
    ("search", Access::Read, |ledger, caller| {
        let request = cordwood_service::SearchRequest::default();
        ledger
            .service()
            .search(caller, &request, &cordwood_service::Cancel::default())
            .map(drop)
    }),
    ("tail", Access::Read, |ledger, caller| {
        let request = cordwood_service::TailRequest::default();
        let (wake, cancel) = (Wake::new(|| {}), cordwood_service::Cancel::default());
        let tail = ledger.service().tail(caller, &request, wake, &cancel);
        tail.map(drop)
    }),
    ("ask what changed", Access::Read, |ledger, caller| {
        let request = cordwood_service::WhatChangedRequest::default();
        ledger
            .service()
            .what_changed(caller, &request, &cordwood_service::Cancel::default())
            .map(drop)
    }),
    ("count events by time", Access::Read, |ledger, caller| {
        let request = cordwood_service::HistogramRequest::default();
        ledger
            .service()
            .histogram(caller, &request, &cordwood_service::Cancel::default())
            .map(drop)
    }),
    ("list fields", Access::Read, |ledger, caller| {
        let request = cordwood_service::FacetsRequest::default();
        ledger
            .service()
            .facets(caller, &request, &cordwood_service::Cancel::default())
            .map(drop)
    }),
    ("complete a query", Access::Read, |ledger, caller| {
        let request = cordwood_service::CompleteRequest::default();
        ledger
            .service()
            .complete(caller, &request, &cordwood_service::Cancel::default())
            .map(drop)
    }),
    ("follow an id", Access::Read, |ledger, caller| {
        let request = cordwood_service::TraceRequest {
            subject: cordwood_service::TraceSubject::Value("4711".to_owned()),
            sources: Vec::new(),
            from: None,
            to: None,
            limit: None,
            deadline: None,
        };
        ledger
            .service()
            .trace(caller, &request, &cordwood_service::Cancel::default())
            .map(drop)
    }),
    ("open an incident", Access::Write, |ledger, caller| {
        let new = named("made");
        ledger.service().open_incident(caller, &new).map(drop)
    }),
    ("list incidents", Access::Read, |ledger, caller| {
        let request = cordwood_service::IncidentsRequest::default();
        ledger.service().list_incidents(caller, &request).map(drop)
    }),
    ("show an incident", Access::Read, |ledger, caller| {
        ledger.service().incident(caller, &opened(ledger)).map(drop)
    }),
    ("read a timeline", Access::Read, |ledger, caller| {
        let id = opened(ledger);
        ledger.service().incident_timeline(caller, &id).map(drop)
    }),
    ("read kept events", Access::Read, |ledger, caller| {
        let id = opened(ledger);
        ledger.service().incident_events(caller, &id).map(drop)
    }),
    ("read an explanation", Access::Read, |ledger, caller| {
        let id = opened(ledger);
        ledger.service().incident_explanation(caller, &id).map(drop)
    }),
    ("find related incidents", Access::Read, |ledger, caller| {
        let id = opened(ledger);
        ledger.service().related_incidents(caller, &id).map(drop)
    }),
    ("write a report", Access::Read, |ledger, caller| {
        let id = opened(ledger);
        ledger.service().incident_report(caller, &id).map(drop)
    }),
    (
        "acknowledge an incident",
        Access::Write,
        |ledger, caller| {
            let (service, id) = (ledger.service(), opened(ledger));
            service.acknowledge_incident(caller, &id, None).map(drop)
        },
    ),
    ("resolve an incident", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        service.resolve_incident(caller, &id, None).map(drop)
    }),
    ("reopen an incident", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        service.reopen_incident(caller, &id, None).map(drop)
    }),
    ("escalate an incident", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        let to = cordwood_service::EscalatedTo::default();
        service.escalate_incident(caller, &id, &to).map(drop)
    }),
    ("change an incident", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        let changes = cordwood_service::IncidentChanges::default();
        service.update_incident(caller, &id, &changes).map(drop)
    }),
    ("merge incidents", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        let other = opened(ledger);
        service.merge_incidents(caller, &id, &[other]).map(drop)
    }),
    ("comment on an incident", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        service.comment_on_incident(caller, &id, "hm").map(drop)
    }),
    ("pin events", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), opened(ledger));
        let (events, cancel) = (["1-1".to_owned()], cordwood_service::Cancel::default());
        let pinned = service.pin_incident_events(caller, &id, &events, &cancel);
        pinned.map(drop)
    }),
    ("delete an incident", Access::Admin, |ledger, caller| {
        ledger.service().delete_incident(caller, &opened(ledger))
    }),
    ("make a silence", Access::Write, |ledger, caller| {
        ledger.service().create_silence(caller, &brief()).map(drop)
    }),
    ("list silences", Access::Read, |ledger, caller| {
        ledger.service().list_silences(caller, None).map(drop)
    }),
    ("show a silence", Access::Read, |ledger, caller| {
        ledger
            .service()
            .silence(caller, &silenced(ledger))
            .map(drop)
    }),
    ("change a silence", Access::Write, |ledger, caller| {
        let (service, id) = (ledger.service(), silenced(ledger));
        let changes = cordwood_service::SilenceChanges::default();
        service.update_silence(caller, &id, &changes).map(drop)
    }),
    ("end a silence", Access::Write, |ledger, caller| {
        let id = silenced(ledger);
        ledger.service().end_silence(caller, &id).map(drop)
    }),
    ("make an alert", Access::Write, |ledger, caller| {
        let name = format!("made by {}", caller.token_name());
        make_alert(ledger, caller, &name).map(drop)
    }),
    ("list alerts", Access::Read, |ledger, caller| {
        ledger.service().list_alerts(caller).map(drop)
    }),
    ("look at an alert", Access::Read, |ledger, caller| {
        let id = alerted(ledger);
        ledger.service().alert(caller, &id).map(drop)
    }),
    ("change an alert", Access::Write, |ledger, caller| {
        let id = alerted(ledger);
        let changes = cordwood_service::AlertChanges::default();
        let service = ledger.service();
        service.update_alert(caller, &id, &changes).map(drop)
    }),
    ("delete an alert", Access::Write, |ledger, caller| {
        let id = alerted(ledger);
        ledger.service().delete_alert(caller, &id)
    }),
    (
        "read the checks of an alert",
        Access::Read,
        |ledger, caller| {
            let id = alerted(ledger);
            let checks = ledger.service().alert_checks(caller, &id, None, None);
            checks.map(drop)
        },
    ),
    (
        "list who an alert expects",
        Access::Read,
        |ledger, caller| {
            let id = expecting(ledger);
            ledger.service().alert_members(caller, &id).map(drop)
        },
    ),
    (
        "retire whom an alert expects",
        Access::Write,
        |ledger, caller| {
            let (service, id) = (ledger.service(), expecting(ledger));
            let member = [("host".to_owned(), Some("web-1".to_owned()))].into();
            service.retire_member(caller, &id, &member, "").map(drop)
        },
    ),
    (
        "list templates of alerts",
        Access::Read,
        |ledger, caller| ledger.service().list_rule_templates(caller).map(drop),
    ),
    (
        "look at a template of alerts",
        Access::Read,
        |ledger, caller| {
            let id = templated(ledger, caller);
            ledger.service().rule_template(caller, &id).map(drop)
        },
    ),
    (
        "see how clients stand to a template",
        Access::Read,
        |ledger, caller| {
            let (service, id) = (ledger.service(), templated(ledger, caller));
            service.rule_template_clients(caller, &id).map(drop)
        },
    ),
    (
        "apply a template of alerts",
        Access::Write,
        |ledger, caller| {
            let (service, id) = (ledger.service(), templated(ledger, caller));
            let clients = cordwood_service::TemplateClients::All;
            let applied = service.apply_rule_template(caller, &id, &clients);
            applied.map(drop)
        },
    ),
    (
        "put alerts back to their template",
        Access::Write,
        |ledger, caller| {
            let (service, id) = (ledger.service(), templated(ledger, caller));
            let clients = cordwood_service::TemplateClients::All;
            let put_back = service.put_back_rule_template(caller, &id, &clients);
            put_back.map(drop)
        },
    ),
    ("back-test an alert", Access::Read, |ledger, caller| {
        let request = cordwood_service::BackTestRequest {
            alert: Some(alerted(ledger)),
            days: Some(1),
            ..cordwood_service::BackTestRequest::default()
        };
        let (service, cancel) = (ledger.service(), cordwood_service::Cancel::default());
        service.back_test(caller, &request, &cancel).map(drop)
    }),
    ("create a channel", Access::Write, |ledger, caller| {
        create_channel(ledger, caller, "made").map(drop)
    }),
    ("list channels", Access::Read, |ledger, caller| {
        ledger.service().list_channels(caller).map(drop)
    }),
    ("look at a channel", Access::Read, |ledger, caller| {
        create_channel(ledger, &ledger.admin(), "shown")?;
        ledger.service().channel(caller, "shown").map(drop)
    }),
    ("change a channel", Access::Write, |ledger, caller| {
        create_channel(ledger, &ledger.admin(), "changed")?;
        let changes = cordwood_service::ChannelChanges::default();
        ledger
            .service()
            .update_channel(caller, "changed", &changes)
            .map(drop)
    }),
    ("delete a channel", Access::Write, |ledger, caller| {
        create_channel(ledger, &ledger.admin(), "deleted")?;
        ledger.service().delete_channel(caller, "deleted")
    }),
    ("try a channel", Access::Write, |ledger, caller| {
        create_channel(ledger, &ledger.admin(), "tried")?;
        ledger.service().test_channel(caller, "tried").map(drop)
    }),
    (
        "read the log of a channel",
        Access::Read,
        |ledger, caller| {
            create_channel(ledger, &ledger.admin(), "logged")?;
            ledger
                .service()
                .deliveries(caller, "logged", None, None)
                .map(drop)
        },
    ),
];

fn named(name: &str) -> cordwood_service::NewIncident {
    cordwood_service::NewIncident {
        name: name.to_owned(),
        ..cordwood_service::NewIncident::default()
    }
}

/// An incident of the first client.
fn opened(ledger: &Ledger) -> String {
    let opened = ledger.service().open_incident(&ledger.admin(), &named("x"));
    opened.unwrap().0.id.0.to_string()
}

fn brief() -> cordwood_service::NewSilence {
    cordwood_service::NewSilence {
        clients: cordwood_service::SilencedClients::One(None),
        matchers: Vec::new(),
        starts_at: None,
        ends_at: Some("now+1h".to_owned()),
        weekly: None,
        lets_pass: None,
        comment: String::new(),
    }
}

fn silenced(ledger: &Ledger) -> String {
    let made = ledger.service().create_silence(&ledger.admin(), &brief());
    made.unwrap().id.to_string()
}

/// Makes an alert under a name of its own.
fn make_alert(
    ledger: &Ledger,
    caller: &Caller,
    name: &str,
) -> Result<cordwood_service::Alert, Error> {
    let rule = serde_json::json!({ "query": "level:error", "condition": { "type": "matches" } });
    let new = cordwood_service::AlertChanges {
        name: Some(name.to_owned()),
        rule: Some(serde_json::from_value(rule).unwrap()),
        ..cordwood_service::AlertChanges::default()
    };
    let clients = ledger.service().list_clients(caller)?;
    let client = clients.first().map(|client| client.id);
    ledger.service().create_alert(caller, client, &new)
}

/// The id of an alert that is there.
fn alerted(ledger: &Ledger) -> String {
    let admin = ledger.admin();
    let alerts = ledger.service().list_alerts(&admin).unwrap();
    let last = alerts.iter().map(|alert| alert.id).max().unwrap_or(0);
    let made = make_alert(ledger, &admin, &format!("alert after {last}"));
    made.unwrap().id.to_string()
}

/// The id of a template of which the caller's client has an alert; `rule_templates.rs` has who may make and change one.
fn templated(ledger: &Ledger, caller: &Caller) -> String {
    let rule = serde_json::json!({ "query": "level:error", "condition": { "type": "matches" } });
    let new = cordwood_service::RuleTemplateChanges {
        name: Some(format!("for {}", caller.token_name())),
        rule: Some(serde_json::from_value(rule).unwrap()),
        ..cordwood_service::RuleTemplateChanges::default()
    };
    let (service, admin) = (ledger.service(), ledger.admin());
    let made = service.create_rule_template(&admin, &new).unwrap().id;
    let all = cordwood_service::TemplateClients::All;
    let applied = service.apply_rule_template(&admin, &made.to_string(), &all);
    applied.unwrap();
    made.to_string()
}

/// The id of an alert that expects to hear of a host.
fn expecting(ledger: &Ledger) -> String {
    let (service, admin, id) = (ledger.service(), ledger.admin(), alerted(ledger));
    let rule = serde_json::json!({
        "query": "*", "group_by": ["host"], "condition": { "type": "absence", "of": "members" }
    });
    let changes = cordwood_service::AlertChanges {
        rule: Some(serde_json::from_value(rule).unwrap()),
        ..cordwood_service::AlertChanges::default()
    };
    service.update_alert(&admin, &id, &changes).unwrap();
    let sent = service.ingest_as(&admin, "web", json(r#"{"host":"web-1"}"#));
    sent.unwrap();
    for _ in 0..2 {
        ledger.advance(crate::ledger::MINUTE);
        service.check_alerts().unwrap();
    }
    id
}

/// A channel to a port that nobody listens on, under a name of its own for each caller.
fn create_channel(
    ledger: &Ledger,
    caller: &Caller,
    name: &str,
) -> Result<cordwood_service::Channel, Error> {
    let taken = ledger.service().list_channels(&ledger.admin())?;
    if let Some(known) = taken
        .into_iter()
        .find(|channel| channel.name == name && name != "made")
    {
        return Ok(known);
    }
    let settings = serde_json::json!({"url": "http://127.0.0.1:9/"});
    let new = cordwood_service::ChannelChanges {
        name: Some(format!(
            "{name}{}",
            if name == "made" {
                caller.token_name()
            } else {
                ""
            }
        )),
        settings: settings.as_object().cloned(),
        ..Default::default()
    };
    let owner = cordwood_service::ChannelOwner::Client(None);
    let kind = cordwood_service::ChannelKind::Webhook;
    ledger.service().create_channel(caller, owner, kind, &new)
}

fn new_token(access: Access, scope: Scope) -> NewApiToken {
    NewApiToken {
        name: "made".to_owned(),
        access,
        scope,
        expires_at: None,
    }
}

#[test]
fn each_use_case_needs_its_access() {
    for &(name, needed, act) in USE_CASES {
        let ledger = Ledger::new();
        let client = ledger.create_source("web").source.client;
        for access in [Access::Read, Access::Write, Access::Admin] {
            let caller = ledger.caller(access, &[client]);
            let answer = act(&ledger, &caller);
            match &answer {
                Ok(()) => assert!(access >= needed, "{name} with {access}"),
                Err(Error::Forbidden { needed: told, has }) => {
                    assert!(access < needed, "{name} with {access}");
                    assert_eq!((*told, *has), (needed, access), "{name}");
                }
                Err(error) => panic!("{name} with {access}: {error:?}"),
            }
        }
    }
}

/// The source of another client, by all its names, and one that never was: the answers differ in
/// nothing but the name that was asked for.
#[test]
fn a_source_of_another_client_is_as_good_as_none() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    ledger.create_source_of("web", Some(ours));
    let hidden = ledger.create_source_of("payments", Some(theirs)).source;
    let caller = ledger.caller(Access::Admin, &[ours]);
    let service = ledger.service();
    let acts: [ActOnSource; 9] = [
        |ledger, caller, name| ledger.service().source(caller, name).map(drop),
        |ledger, caller, name| {
            let changes = SourceChanges {
                ingesting_paused: Some(true),
                ..SourceChanges::default()
            };
            ledger
                .service()
                .update_source(caller, name, &changes)
                .map(drop)
        },
        |ledger, caller, name| {
            ledger
                .service()
                .rotate_source_token(caller, name, None)
                .map(drop)
        },
        |ledger, caller, name| ledger.service().delete_source(caller, name),
        |ledger, caller, name| {
            ledger
                .service()
                .ingest_as(caller, name, json("{}"))
                .map(drop)
        },
        |ledger, caller, name| ledger.service().admit_as(caller, name, 1).map(drop),
        |ledger, caller, name| {
            let request = cordwood_service::SearchRequest {
                sources: vec![name.to_owned()],
                ..Default::default()
            };
            let cancel = cordwood_service::Cancel::default();
            ledger.service().search(caller, &request, &cancel).map(drop)
        },
        |ledger, caller, name| {
            let request = cordwood_service::PatternsRequest {
                search: cordwood_service::SearchRequest {
                    sources: vec![name.to_owned()],
                    ..Default::default()
                },
                ..Default::default()
            };
            let cancel = cordwood_service::Cancel::default();
            let service = ledger.service();
            service.patterns(caller, &request, &cancel).map(drop)
        },
        |ledger, caller, name| {
            let (since, sources) = (ledger.now(), [name.to_owned()]);
            let service = ledger.service();
            service.new_patterns(caller, &sources, since).map(drop)
        },
    ];
    let hidden_id = hidden.id.to_string();
    let hidden_src = format!("src-{}", hidden.id);
    for act in acts {
        let pairs = [
            ("payments", "playmints"),
            (hidden_id.as_str(), "4711"),
            (hidden_src.as_str(), "src-4711"),
        ];
        for (of_others, of_nobody) in pairs {
            let told = act(&ledger, &caller, of_others).unwrap_err();
            let expected = act(&ledger, &caller, of_nobody).unwrap_err();
            assert_eq!(shape(&told, of_others), shape(&expected, of_nobody));
        }
    }
    let listed = service
        .list_sources(&caller, &SourceFilter::default())
        .unwrap();
    assert_eq!(listed.total, 1);
    assert_eq!(
        service
            .source(&ledger.admin(), "payments")
            .unwrap()
            .updated_at,
        hidden.updated_at
    );
}

fn shape(error: &Error, name: &str) -> (&'static str, String, Option<String>) {
    (
        error.code(),
        error.to_string().replace(name, "…"),
        error.hint(),
    )
}

#[test]
fn near_names_are_only_those_the_caller_sees() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    ledger.create_source_of("web-shop", Some(ours));
    ledger.create_source_of("web-shops", Some(theirs));
    let caller = ledger.caller(Access::Read, &[ours]);
    let error = ledger.service().source(&caller, "webshop").unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean web-shop?"));
    let error = ledger
        .service()
        .source(&ledger.admin(), "webshop")
        .unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("did you mean web-shop, web-shops?")
    );
}

#[test]
fn a_source_name_may_be_anothers_too() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let our_web = ledger.create_source_of("web", Some(ours)).source;
    let their_web = ledger.create_source_of("web", Some(theirs)).source;
    let caller = ledger.caller(Access::Read, &[ours]);
    assert_eq!(
        ledger.service().source(&caller, "web").unwrap().id,
        our_web.id
    );
    let error = ledger.service().source(&ledger.admin(), "web").unwrap_err();
    let both = vec![our_web.id.to_string(), their_web.id.to_string()];
    assert!(matches!(error, Error::Ambiguous { ids, .. } if ids == both));
}

#[test]
fn a_new_token_can_do_no_more_than_its_maker() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let caller = ledger.caller(Access::Admin, &[ours]);
    let of = |clients: &[u64]| {
        Scope::Clients(
            clients
                .iter()
                .map(|id| cordwood_service::ClientId(*id))
                .collect(),
        )
    };
    let wrong = [
        (Scope::AllClients, "can't be more than your own"),
        (of(&[theirs.0]), "does not exist"),
        (of(&[ours.0, 4711]), "does not exist"),
        (Scope::Clients(BTreeSet::new()), "can't be blank"),
    ];
    for (scope, message) in wrong {
        let error = ledger
            .service()
            .create_api_token(&caller, &new_token(Access::Read, scope.clone()));
        let Err(Error::InvalidValues(values)) = error else {
            panic!("{scope:?} was allowed");
        };
        assert_eq!(values[0].field, "clients");
        assert_eq!(values[0].message, message, "{scope:?}");
    }
    assert!(
        ledger
            .service()
            .create_api_token(&caller, &new_token(Access::Admin, of(&[ours.0])))
            .is_ok()
    );
}

#[test]
fn api_tokens_of_others_are_not_seen() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let admin = ledger.admin();
    let foreign = ledger.caller(Access::Read, &[ours, theirs]);
    let caller = ledger.caller(Access::Admin, &[ours]);
    let listed = ledger.service().list_api_tokens(&caller).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].id, caller.token_id());
    for hidden in [admin.token_id(), foreign.token_id(), 4711] {
        let error = ledger
            .service()
            .revoke_api_token(&caller, hidden)
            .unwrap_err();
        assert_eq!(
            shape(&error, &hidden.to_string()).1,
            "API token `…` was not found"
        );
    }
    assert_eq!(ledger.service().list_api_tokens(&admin).unwrap().len(), 3);
}

#[test]
fn a_source_is_made_for_a_client_one_sees() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    let theirs = ledger.create_client("theirs");
    let caller = ledger.caller(Access::Admin, &[ours]);
    let made = |client| {
        let new = NewSource {
            name: format!("for {client:?}"),
            client,
            ..NewSource::default()
        };
        ledger.service().create_source(&caller, &new)
    };
    assert_eq!(made(None).unwrap().source.client, ours);
    assert_eq!(made(Some(ours)).unwrap().source.client, ours);
    for client in [theirs, cordwood_service::ClientId(4711)] {
        let Err(Error::InvalidValues(values)) = made(Some(client)) else {
            panic!("{client} was allowed");
        };
        assert_eq!(
            (values[0].field.as_ref(), values[0].message.as_str()),
            ("client_id", "does not exist")
        );
    }
}

#[test]
fn clients_are_listed_as_far_as_they_are_seen() {
    let mut ledger = Ledger::new();
    let ours = ledger.create_client("ours");
    ledger.create_client("theirs");
    let names = |caller: &Caller| -> Vec<String> {
        let clients = ledger.service().list_clients(caller).unwrap();
        clients.into_iter().map(|client| client.name).collect()
    };
    assert_eq!(names(&ledger.admin()), ["default", "ours", "theirs"]);
    assert_eq!(names(&ledger.caller(Access::Read, &[ours])), ["ours"]);
}

/// What sees the events of all clients is for those who may see them all.
#[test]
fn compactions_and_backups_are_for_admins_of_all_clients() {
    let ledger = Ledger::new();
    let client = ledger.create_source("web").source.client;
    let directory = ledger.dir().join("backup");
    let service = ledger.service();
    let answers = |caller: &Caller| {
        [
            service.start_compaction(caller).map(drop),
            service.compaction(caller).map(drop),
            service.start_backup(caller, &directory).map(drop),
            service.backup(caller).map(drop),
        ]
    };
    for answer in answers(&ledger.caller(Access::Admin, &[client])) {
        assert!(matches!(answer, Err(Error::NeedsAllClients)), "{answer:?}");
    }
    for answer in answers(&ledger.caller(Access::Write, &[client])) {
        assert!(matches!(answer, Err(Error::Forbidden { .. })), "{answer:?}");
    }
    for answer in answers(&ledger.admin()) {
        answer.unwrap();
    }
}
