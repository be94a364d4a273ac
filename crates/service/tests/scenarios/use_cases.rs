//! Who may do what: each use case with the access it needs.

use std::time::Duration;

use cordwood_service::{
    Access, Caller, Error, NewSource, SourceChanges, SourceFilter, ToolCall, ToolOutcome, Wake,
};

use crate::ledger::{Ledger, json};
use crate::permissions::new_token;

type UseCase = (
    &'static str,
    Access,
    fn(&Ledger, &Caller) -> Result<(), Error>,
);

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
    ("write down a call", Access::Read, |ledger, caller| {
        let call = ToolCall {
            tool: "logs_stats".to_owned(),
            arguments: "{}".to_owned(),
            outcome: ToolOutcome::Answered,
            answer_bytes: 2,
            elapsed: Duration::ZERO,
        };
        ledger.service().record_tool_call(caller, &call)
    }),
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
