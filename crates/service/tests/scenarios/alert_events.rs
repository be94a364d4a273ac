//! What becomes of the incidents of alerts and of the events that show them: the last signs of what is silent, deletion, merging.

use std::time::Duration;

use cordwood_service::{
    Cancel, ChannelChanges, ChannelKind, ChannelOwner, Incident, KeptEvent, NewDeletion,
};
use serde_json::json;

use crate::alerts::Watch;
use crate::ledger::{HOUR, MINUTE};
use crate::receiver::Receiver;

const MANY_ERRORS: &str = r#"{"query": "level:error", "group_by": ["host"], "window_s": 60, "check_every_s": 60, "recovery_s": 60,
    "condition": {"type": "threshold", "operator": "higher_than", "value": 5}}"#;

const SILENT_HOSTS: &str = r#"{"query": "*", "group_by": ["host"], "window_s": 300, "check_every_s": 60,
    "recovery_s": 0, "condition": {"type": "absence", "of": "members"}}"#;

fn error_of(host: &str) -> String {
    format!(r#""level":"error","message":"payment of ann failed","user":"ann","host":"{host}""#)
}

fn kept(watch: &Watch, incident: &Incident) -> Vec<KeptEvent> {
    let service = watch.ledger.service();
    let id = incident.id.0.to_string();
    service.incident_events(&watch.ledger.admin(), &id).unwrap()
}

fn timeline(watch: &Watch, incident: &Incident) -> Vec<&'static str> {
    let service = watch.ledger.service();
    let id = incident.id.0.to_string();
    let entries = service.incident_timeline(&watch.ledger.admin(), &id);
    let entries = entries.unwrap();
    entries
        .iter()
        .map(|entry| entry.entry.kind.name())
        .collect()
}

fn channel_to(watch: &Watch, receiver: &Receiver) {
    let new = ChannelChanges {
        name: Some("ops".to_owned()),
        settings: json!({"url": receiver.url}).as_object().cloned(),
        is_default: Some(true),
        ..ChannelChanges::default()
    };
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    let owner = ChannelOwner::Client(None);
    service
        .create_channel(&admin, owner, ChannelKind::Webhook, &new)
        .unwrap();
}

#[test]
fn an_incident_of_silence_keeps_the_last_signs_of_life() {
    let watch = Watch::new();
    let receiver = Receiver::start();
    channel_to(&watch, &receiver);
    watch.alert("silent", SILENT_HOSTS);
    let beat = |host: &str, number: usize| {
        format!(r#""level":"info","message":"beat {number}","host":"{host}""#)
    };
    watch.send(1, &beat("web-1", 0), Duration::ZERO);
    watch.pass_with(MINUTE * 5, |watch| {
        watch.send(1, &beat("web-2", 1), Duration::ZERO);
    });
    for number in 1..=30 {
        watch.send(
            1,
            &beat("web-1", number),
            Duration::from_millis(40 - number as u64),
        );
    }
    watch.pass_with(HOUR, |watch| {
        watch.send(1, &beat("web-2", 1), Duration::ZERO);
    });
    assert_eq!(watch.told(), ["silent: web-1"]);
    let incident = watch.incidents().remove(0);
    let kept = kept(&watch, &incident);
    let says = |number: usize| {
        let text = format!("\"beat {number}\"");
        kept.iter().any(|event| event.event.contains(&text))
    };
    assert_eq!(kept.len(), 20, "{kept:?}");
    assert!(says(30) && says(11) && !says(10), "{kept:?}");
    assert!(kept.iter().all(|event| event.event.contains("web-1")));
    let told = receiver.next();
    assert_eq!(told.told(), "opened: silent: web-1");
    let samples = told.body["data"]["samples"].as_array().unwrap();
    let messages: Vec<&str> = samples
        .iter()
        .map(|sample| sample["message"].as_str().unwrap())
        .collect();
    assert_eq!(messages, ["beat 30", "beat 29", "beat 28"]);
}

#[test]
fn a_share_is_shown_by_what_it_is_of() {
    let watch = Watch::new();
    let receiver = Receiver::start();
    channel_to(&watch, &receiver);
    let share = MANY_ERRORS.replace(
        r#""query": "level:error""#,
        r#""query": "*", "measure": {"ratio": {"of": "level:error"}}"#,
    );
    watch.alert("share", &share);
    watch.pass(MINUTE * 2);
    let fine = r#""level":"info","message":"paid","host":"web-1""#;
    watch.send(2, &error_of("web-1"), Duration::from_secs(1));
    watch.send(8, fine, Duration::ZERO);
    watch.pass(MINUTE);
    let told = receiver.next();
    assert_eq!(told.body["data"]["value"], "20 %");
    let samples = told.body["data"]["samples"].as_array().unwrap().clone();
    let levels: Vec<&str> = samples
        .iter()
        .map(|sample| sample["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["error", "error"], "not what went well");
}

#[test]
fn what_is_deleted_is_told_nobody_any_more() {
    let watch = Watch::new();
    let receiver = Receiver::start();
    channel_to(&watch, &receiver);
    watch.alert("errors", MANY_ERRORS);
    watch.pass(MINUTE * 2);
    receiver.answer_next("503 Service Unavailable", "ann cannot be told now");
    watch.send(9, &error_of("web-1"), Duration::ZERO);
    watch.pass(MINUTE);
    let first = receiver.next();
    assert_eq!(first.body["data"]["samples"].as_array().unwrap().len(), 3);
    let incident = watch.incidents().remove(0);
    assert_eq!(kept(&watch, &incident).len(), 9);
    let deletion = NewDeletion {
        query: "user:ann".to_owned(),
        sources: vec!["shop".to_owned()],
        ..NewDeletion::default()
    };
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    service
        .delete_events(&admin, &deletion, &Cancel::default())
        .unwrap();
    assert_eq!(kept(&watch, &incident), []);
    watch.ledger.advance(HOUR);
    let again = receiver.next();
    assert_eq!((again.told(), &again.key), (first.told(), &first.key));
    assert_eq!(again.body["data"]["samples"], json!([]));
    assert!(!again.body.to_string().contains("ann"), "{}", again.body);
    let log = service.deliveries(&admin, "ops", None, None).unwrap();
    let answers = format!("{log:?}");
    assert!(!answers.contains("ann cannot"), "{answers}");
}

#[test]
fn a_part_of_another_incident_goes_on_within_it() {
    let watch = Watch::new();
    watch.alert("errors", MANY_ERRORS);
    watch.pass(MINUTE * 2);
    let busy = |hosts: &'static [&'static str]| {
        move |watch: &Watch| {
            for host in hosts {
                watch.send(3, &error_of(host), Duration::ZERO);
            }
        }
    };
    watch.pass_with(MINUTE * 3, busy(&["web-1", "web-2"]));
    let told = watch.incidents();
    let [whole, part] = told.as_slice() else {
        panic!("{told:?}");
    };
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    let [into, id] = [whole, part].map(|incident| incident.id.0.to_string());
    service.merge_incidents(&admin, &into, &[id]).unwrap();
    // Nobody has said that it is over: it fires, opens nothing new, and is over when it is.
    watch.pass_with(MINUTE * 3, busy(&["web-1", "web-2"]));
    assert_eq!(watch.shown("errors").status.firing_count, 2);
    assert_eq!(watch.incidents().len(), 2);
    watch.pass_with(MINUTE * 5, busy(&["web-1"]));
    assert_eq!(watch.shown("errors").status.firing_count, 1);
    let now = watch.incidents();
    assert_eq!(now[0].resolved, None, "the whole goes on");
    let entries = ["opened", "opened", "merged", "merged", "left"];
    assert_eq!(timeline(&watch, &now[0]), entries);
    // What comes next is news of its own.
    watch.pass_with(MINUTE * 2, busy(&["web-1", "web-2"]));
    assert_eq!(watch.incidents().len(), 3);
}

#[test]
fn a_part_of_an_incident_that_somebody_resolved_is_resolved_by_hand() {
    let watch = Watch::new();
    watch.alert("errors", MANY_ERRORS);
    watch.pass(MINUTE * 2);
    let busy = |watch: &Watch| {
        watch.send(3, &error_of("web-1"), Duration::ZERO);
        watch.send(3, &error_of("web-2"), Duration::ZERO);
    };
    watch.pass_with(MINUTE * 3, busy);
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    let ids: Vec<String> = watch
        .incidents()
        .iter()
        .map(|incident| incident.id.0.to_string())
        .collect();
    service.merge_incidents(&admin, &ids[0], &ids[1..]).unwrap();
    service.resolve_incident(&admin, &ids[0], None).unwrap();
    watch.pass_with(MINUTE * 5, busy);
    assert_eq!(watch.incidents().len(), 2);
    assert_eq!(watch.shown("errors").status.firing_count, 0);
    watch.pass(MINUTE * 5);
    watch.pass_with(MINUTE * 2, busy);
    assert_eq!(watch.incidents().len(), 4);
}
