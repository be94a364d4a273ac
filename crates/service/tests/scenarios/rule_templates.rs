//! Templates of alerts: given to clients, followed by those that are still as they were given, and left alone by those that are not.

use cordwood_service::rules::Rule;
use cordwood_service::{
    Access, AlertChanges, Caller, CarriedTo, ChannelChanges, ChannelKind, ChannelOwner, ClientId,
    ClientOfTemplate, Error, NewSource, RuleTemplate, RuleTemplateChanges, TemplateClients,
};

use crate::ledger::{Ledger, MINUTE};

/// A provider with two clients, each with a source of its own, beside the one that was made first.
struct Provider {
    ledger: Ledger,
    acme: ClientId,
    bolt: ClientId,
}

impl Provider {
    fn new() -> Provider {
        let mut ledger = Ledger::new();
        let (acme, bolt) = (ledger.create_client("acme"), ledger.create_client("bolt"));
        ledger.create_source_of("web", Some(acme));
        ledger.create_source_of("web", Some(bolt));
        ledger.create_source_of("db", Some(bolt));
        Provider { ledger, acme, bolt }
    }

    fn admin(&self) -> Caller {
        self.ledger.admin()
    }

    fn template(&self, new: &RuleTemplateChanges) -> RuleTemplate {
        let service = self.ledger.service();
        service.create_rule_template(&self.admin(), new).unwrap()
    }

    fn apply(&self, clients: &TemplateClients) -> Vec<ClientOfTemplate> {
        let service = self.ledger.service();
        service
            .apply_rule_template(&self.admin(), "errors", clients)
            .unwrap()
    }

    fn put_back(&self, clients: &TemplateClients) -> Vec<ClientOfTemplate> {
        let service = self.ledger.service();
        service
            .put_back_rule_template(&self.admin(), "errors", clients)
            .unwrap()
    }

    fn change(&self, changes: &RuleTemplateChanges, to: CarriedTo) -> Vec<ClientOfTemplate> {
        let service = self.ledger.service();
        let changed = service.update_rule_template(&self.admin(), "errors", changes, to);
        changed.unwrap().1
    }

    fn standings(&self) -> Vec<ClientOfTemplate> {
        let service = self.ledger.service();
        service
            .rule_template_clients(&self.admin(), "errors")
            .unwrap()
    }

    /// Changes the alert that a client has of the template, as its own people would.
    fn drift(&self, client: ClientId, changes: &AlertChanges) {
        let them = self.ledger.caller(Access::Write, &[client]);
        let service = self.ledger.service();
        service.update_alert(&them, "errors", changes).unwrap();
    }

    fn value_of(&self, client: ClientId) -> String {
        let them = self.ledger.caller(Access::Read, &[client]);
        let alert = self.ledger.service().alert(&them, "errors").unwrap();
        serde_json::to_value(&alert.rule).unwrap()["condition"]["value"].to_string()
    }
}

fn above(value: u32) -> Rule {
    let rule = format!(
        r#"{{"query": "level:error", "condition": {{"type": "threshold", "operator": "higher_than", "value": {value}}}}}"#
    );
    serde_json::from_str(&rule).unwrap()
}

fn errors() -> RuleTemplateChanges {
    RuleTemplateChanges {
        name: Some("errors".to_owned()),
        rule: Some(above(5)),
        ..RuleTemplateChanges::default()
    }
}

fn with_rule(value: u32) -> AlertChanges {
    AlertChanges {
        rule: Some(above(value)),
        ..AlertChanges::default()
    }
}

/// `acme: applied`, and behind it why not.
fn said(clients: &[ClientOfTemplate]) -> Vec<String> {
    let said = clients.iter().map(|of| {
        let obstacle = of
            .obstacle
            .as_ref()
            .map_or_else(String::new, |why| format!(", {why}"));
        match of.done {
            Some(done) => format!("{}: {done:?}{obstacle}", of.client_name),
            None => format!("{}: v{:?}{obstacle}", of.client_name, of.version),
        }
    });
    said.collect()
}

fn drifted(of: &ClientOfTemplate) -> Vec<String> {
    let differences = of.differences.iter();
    let told = differences.map(|of| format!("{} {} {}", of.attribute, of.template, of.rule));
    told.collect()
}

#[test]
fn a_client_that_cannot_have_it_holds_up_nobody() {
    let provider = Provider::new();
    provider.template(&RuleTemplateChanges {
        sources: Some(vec!["Web".to_owned()]),
        ..errors()
    });
    let own = AlertChanges {
        name: Some("Errors".to_owned()),
        ..with_rule(1)
    };
    let (service, admin) = (provider.ledger.service(), provider.admin());
    service
        .create_alert(&admin, Some(provider.bolt), &own)
        .unwrap();
    let done = provider.apply(&TemplateClients::All);
    let expected = [
        "default: Refused, it has no source `Web`; it has default",
        "acme: Applied",
        "bolt: Refused, it has an alert of its own with the name `errors`",
    ];
    assert_eq!(said(&done), expected);
    let alert = done[1].alert.unwrap().to_string();
    let alert = service.alert(&admin, &alert).unwrap();
    assert_eq!((alert.client, alert.sources.len()), (provider.acme, 1));
    assert_eq!(alert.template.map(|of| of.version), Some(1));
    let again = provider.apply(&TemplateClients::Named(vec![provider.acme]));
    assert_eq!(said(&again), ["acme: AlreadyThere"]);
    let listed = service.list_rule_templates(&admin).unwrap();
    assert_eq!((listed[0].alerts, listed[0].drifted), (1, 0));
}

#[test]
fn a_query_that_names_sources_needs_one_that_is_there() {
    let provider = Provider::new();
    let mut rule = above(5);
    rule.query = "_source:db level:error".to_owned();
    provider.template(&RuleTemplateChanges {
        rule: Some(rule),
        ..errors()
    });
    let done = provider.apply(&TemplateClients::Named(vec![provider.acme, provider.bolt]));
    let why = "the query names sources with `_source` of which it has none";
    assert_eq!(
        said(&done),
        [format!("acme: Refused, {why}"), "bolt: Applied".to_owned()]
    );
}

#[test]
fn drift_is_shown_attribute_by_attribute_and_can_be_put_back() {
    let provider = Provider::new();
    let template = provider.template(&errors());
    provider.apply(&TemplateClients::All);
    let changes = AlertChanges {
        description: Some("ours".to_owned()),
        sources: Some(vec!["db".to_owned()]),
        is_paused: Some(true),
        ..with_rule(9)
    };
    provider.drift(provider.bolt, &changes);
    let standings = provider.standings();
    assert_eq!(
        said(&standings),
        ["acme: vSome(1)", "bolt: vSome(1)", "default: vSome(1)"]
    );
    assert!(standings[0].differences.is_empty());
    let expected = [
        r#"description "" "ours""#,
        r#"source_names [] ["db"]"#,
        "condition.value 5.0 9.0",
    ];
    assert_eq!(drifted(&standings[1]), expected);
    assert!(standings[1].is_paused);
    let admin = provider.admin();
    let shown = provider
        .ledger
        .service()
        .rule_template(&admin, &template.id.to_string());
    let shown = shown.unwrap();
    assert_eq!((shown.alerts, shown.drifted), (3, 1));

    let done = provider.put_back(&TemplateClients::All);
    assert_eq!(
        said(&done),
        [
            "default: AlreadyThere",
            "acme: AlreadyThere",
            "bolt: PutBack"
        ]
    );
    let bolt = &provider.standings()[1];
    assert!(bolt.differences.is_empty() && bolt.is_paused, "{bolt:?}");
    assert_eq!(provider.value_of(provider.bolt), "5.0");
}

#[test]
fn a_change_is_carried_to_those_that_have_not_drifted() {
    let mut provider = Provider::new();
    provider.template(&errors());
    provider.apply(&TemplateClients::All);
    provider.drift(provider.bolt, &with_rule(9));
    let changed = RuleTemplateChanges {
        rule: Some(above(7)),
        ..RuleTemplateChanges::default()
    };
    let done = provider.change(&changed, CarriedTo::Undrifted);
    assert_eq!(
        said(&done),
        ["default: Carried", "acme: Carried", "bolt: LeftAlone"]
    );
    assert_eq!(drifted(&done[2]), ["condition.value 7.0 9.0"]);
    provider.ledger.reopen();
    assert_eq!(provider.value_of(provider.acme), "7.0");
    assert_eq!(provider.value_of(provider.bolt), "9.0");
    let versions: Vec<Option<u64>> = provider.standings().iter().map(|of| of.version).collect();
    assert_eq!(versions, [Some(2), Some(1), Some(2)]);
    // A change that alerts have nothing of changes none of them.
    let flag = RuleTemplateChanges {
        is_for_new_clients: Some(true),
        ..RuleTemplateChanges::default()
    };
    let done = provider.change(&flag, CarriedTo::Undrifted);
    assert_eq!(
        said(&done),
        [
            "default: AlreadyThere",
            "acme: AlreadyThere",
            "bolt: LeftAlone"
        ]
    );

    let done = provider.change(&changed, CarriedTo::All);
    assert_eq!(
        said(&done),
        [
            "default: AlreadyThere",
            "acme: AlreadyThere",
            "bolt: Carried"
        ]
    );
    assert_eq!(provider.value_of(provider.bolt), "7.0");
    // One whose sources do not fit any more keeps what it has.
    let elsewhere = RuleTemplateChanges {
        sources: Some(vec!["db".to_owned()]),
        ..RuleTemplateChanges::default()
    };
    let done = provider.change(&elsewhere, CarriedTo::Undrifted);
    let expected = [
        "default: Refused, it has no source `db`; it has default",
        "acme: Refused, it has no source `db`; it has web",
        "bolt: Carried",
    ];
    assert_eq!(said(&done), expected);
    assert_eq!(drifted(&done[1]), [r#"source_names ["db"] []"#]);
}

#[test]
fn clients_that_are_made_later_are_given_it_once_they_have_the_sources() {
    let mut provider = Provider::new();
    provider.template(&RuleTemplateChanges {
        is_for_new_clients: Some(true),
        ..errors()
    });
    let check = |provider: &Provider| {
        provider.ledger.advance(MINUTE);
        provider.ledger.service().check_alerts().unwrap();
    };
    check(&provider);
    assert!(
        provider.standings().iter().all(|of| of.alert.is_none()),
        "those of before"
    );
    let late = provider.ledger.create_client("late");
    check(&provider);
    let of_late = |provider: &Provider| provider.standings().pop().unwrap();
    assert_eq!(
        of_late(&provider).obstacle.as_deref(),
        Some("it has no source")
    );
    let source = NewSource {
        name: "web".to_owned(),
        client: Some(late),
        ..NewSource::default()
    };
    let admin = provider.admin();
    provider
        .ledger
        .service()
        .create_source(&admin, &source)
        .unwrap();
    check(&provider);
    let given = of_late(&provider).alert.unwrap().to_string();
    let alert = provider.ledger.service().alert(&admin, &given).unwrap();
    assert_eq!(
        (alert.client, alert.created_by),
        (late, Some(admin.token_id()))
    );
    // What its client deletes does not come back.
    provider
        .ledger
        .service()
        .delete_alert(&admin, &given)
        .unwrap();
    provider.ledger.reopen();
    check(&provider);
    assert_eq!(of_late(&provider).alert, None);
    assert_eq!(
        said(&provider.apply(&TemplateClients::Named(vec![late]))),
        ["late: Applied"]
    );
}

#[test]
fn alerts_outlive_their_template() {
    let mut provider = Provider::new();
    provider.template(&errors());
    provider.apply(&TemplateClients::Named(vec![provider.acme]));
    let admin = provider.admin();
    let service = provider.ledger.service();
    service.delete_rule_template(&admin, "errors").unwrap();
    provider.ledger.reopen();
    let alerts = provider.ledger.service().list_alerts(&admin).unwrap();
    assert_eq!((alerts.len(), alerts[0].template), (1, None));
}

#[test]
fn all_that_is_wrong_with_a_template_is_told_at_once() {
    let provider = Provider::new();
    let settings = serde_json::json!({"url": "http://127.0.0.1:9/"});
    let channel = ChannelChanges {
        name: Some("hook".to_owned()),
        settings: settings.as_object().cloned(),
        ..ChannelChanges::default()
    };
    let owner = ChannelOwner::Client(Some(provider.acme));
    let (service, admin) = (provider.ledger.service(), provider.admin());
    let channel = service.create_channel(&admin, owner, ChannelKind::Webhook, &channel);
    let mut rule = above(5);
    rule.query = "level:(error".to_owned();
    let wrong = RuleTemplateChanges {
        name: Some(" ".to_owned()),
        rule: Some(rule),
        sources: Some(vec!["7".to_owned()]),
        channels: Some(vec![channel.unwrap().id, 4711]),
        ..RuleTemplateChanges::default()
    };
    let Err(Error::InvalidValues(values)) = service.create_rule_template(&admin, &wrong) else {
        panic!("it was made");
    };
    let fields: Vec<&str> = values.iter().map(|value| value.field.as_ref()).collect();
    assert_eq!(
        fields,
        ["name", "query", "source_names", "channels", "channels"]
    );
    provider.template(&errors());
    let twice = service.create_rule_template(&admin, &errors());
    assert!(matches!(twice, Err(Error::InvalidValues(_))), "{twice:?}");
    for clients in [vec![], vec![ClientId(4711)]] {
        let clients = TemplateClients::Named(clients);
        let refused = service.apply_rule_template(&admin, "errors", &clients);
        assert!(
            matches!(refused, Err(Error::InvalidValues(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn templates_are_the_providers_and_a_client_sees_what_its_own_alerts_are_of() {
    let provider = Provider::new();
    provider.template(&errors());
    let service = provider.ledger.service();
    let them = provider.ledger.caller(Access::Admin, &[provider.acme]);
    let changes = RuleTemplateChanges::default();
    let acts = [
        service.create_rule_template(&them, &errors()).map(drop),
        service
            .update_rule_template(&them, "errors", &changes, CarriedTo::All)
            .map(drop),
        service.delete_rule_template(&them, "errors"),
    ];
    for act in acts {
        assert!(matches!(act, Err(Error::NeedsAllClients)), "{act:?}");
    }
    let writer = provider.ledger.caller(Access::Write, &[provider.acme]);
    let act = service.create_rule_template(&writer, &errors());
    assert!(matches!(act, Err(Error::Forbidden { .. })), "{act:?}");
    assert_eq!(service.list_rule_templates(&them).unwrap(), []);
    let hidden = service.rule_template(&them, "errors").unwrap_err();
    let nobodys = service.rule_template(&them, "absent").unwrap_err();
    let words = hidden.to_string().replace("errors", "absent");
    assert_eq!(
        (hidden.code(), words),
        (nobodys.code(), nobodys.to_string())
    );

    provider.apply(&TemplateClients::All);
    let shown = service.rule_template(&them, "errors").unwrap();
    assert_eq!(shown.alerts, 1, "no count of others");
    let standings = service.rule_template_clients(&them, "errors").unwrap();
    assert_eq!(said(&standings), ["acme: vSome(1)"]);
    let others = TemplateClients::Named(vec![provider.bolt]);
    let refused = service.put_back_rule_template(&them, "errors", &others);
    assert!(
        matches!(refused, Err(Error::InvalidValues(_))),
        "{refused:?}"
    );
}
