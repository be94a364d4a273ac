//! Alerts as people have them: they fire once, on what arrives, and say so when they cannot know. Days pass in milliseconds.

use std::time::Duration;

use cordwood_service::rules::Rule;
use cordwood_service::{
    Access, Alert, AlertChanges, AlertRound, BackTestRequest, Cancel, ClientId, Error, Incident,
    IncidentsRequest,
};

use crate::ledger::{HOUR, Ledger, MINUTE};

/// How far marks and checks are apart at least.
pub(crate) const TICK: Duration = Duration::from_secs(10);

/// A ledger with a source that is watched.
pub(crate) struct Watch {
    pub(crate) ledger: Ledger,
    pub(crate) token: String,
}

impl Watch {
    pub(crate) fn new() -> Watch {
        let ledger = Ledger::new();
        let token = ledger.create_source("shop").token.reveal().to_owned();
        Watch { ledger, token }
    }

    pub(crate) fn alert(&self, name: &str, rule: &str) -> Alert {
        let made = self.try_alert(name, rule);
        made.unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn try_alert(&self, name: &str, rule: &str) -> Result<Alert, Error> {
        let new = AlertChanges {
            name: Some(name.to_owned()),
            rule: Some(rule_of(rule)),
            ..AlertChanges::default()
        };
        let service = self.ledger.service();
        service.create_alert(&self.ledger.admin(), None, &new)
    }

    pub(crate) fn shown(&self, name: &str) -> Alert {
        let service = self.ledger.service();
        service.alert(&self.ledger.admin(), name).unwrap()
    }

    /// Sends so many events, which happened so long ago.
    pub(crate) fn send(&self, count: usize, fields: &str, ago: Duration) {
        let now = self.ledger.now().as_nanos() / 1_000_000;
        let dt = now - i64::try_from(ago.as_millis()).unwrap();
        let event = format!(r#"{{"dt":{dt},{fields}}}"#);
        let body = format!("[{}]", vec![event; count].join(","));
        self.ledger.send(&self.token, &body).unwrap();
    }

    /// Lets time pass, with the checks that are due.
    pub(crate) fn pass(&self, time: Duration) -> AlertRound {
        self.pass_with(time, |_| ())
    }

    /// The same, with something done before each ten seconds.
    pub(crate) fn pass_with(&self, time: Duration, each: impl Fn(&Watch)) -> AlertRound {
        let mut sum = AlertRound::default();
        for _ in 0..time.as_secs() / TICK.as_secs() {
            each(self);
            self.ledger.advance(TICK);
            let round = self.ledger.service().check_alerts().unwrap();
            sum.checks += round.checks;
            sum.failed += round.failed;
            sum.questions += round.questions;
            sum.opened += round.opened;
        }
        sum
    }

    /// The incidents, the first first.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        let request = IncidentsRequest::default();
        let service = self.ledger.service();
        let page = service.list_incidents(&self.ledger.admin(), &request);
        let mut incidents = page.unwrap().incidents;
        incidents.reverse();
        incidents
    }

    /// Their names, those that are over with a tick.
    pub(crate) fn told(&self) -> Vec<String> {
        let incidents = self.incidents();
        let told = incidents.iter().map(|incident| {
            let mark = if incident.resolved.is_some() {
                " ✓"
            } else {
                ""
            };
            format!("{}{mark}", incident.name)
        });
        told.collect()
    }
}

pub(crate) fn rule_of(json: &str) -> Rule {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

pub(crate) const ERROR: &str = r#""level":"error","message":"payment failed","host":"web-1""#;

pub(crate) const MANY_ERRORS: &str = r#"{"query": "level:error", "window_s": 60, "check_every_s": 60, "recovery_s": 60,
    "condition": {"type": "threshold", "operator": "higher_than", "value": 5}}"#;

pub(crate) const SILENT_HOSTS: &str = r#"{"query": "*", "group_by": ["host"], "window_s": 300, "check_every_s": 60,
    "recovery_s": 0, "condition": {"type": "absence", "of": "members"}}"#;

#[test]
fn a_threshold_fires_once_and_recovers_once() {
    let watch = Watch::new();
    watch.alert("many errors", MANY_ERRORS);
    watch.pass(MINUTE * 3);
    assert_eq!(watch.told(), [""; 0]);
    watch.send(6, ERROR, Duration::ZERO);
    watch.pass(MINUTE);
    assert_eq!(watch.told(), ["many errors"]);
    let incident = watch.incidents().remove(0);
    assert!(incident.cause.contains('6'), "{}", incident.cause);
    let events = watch
        .ledger
        .service()
        .incident_events(&watch.ledger.admin(), &incident.id.0.to_string());
    assert_eq!(events.unwrap().len(), 6);
    assert_eq!(watch.shown("many errors").status.is_firing, Some(true));
    watch.pass_with(MINUTE * 3, |watch| watch.send(1, ERROR, Duration::ZERO));
    assert_eq!(watch.told(), ["many errors"]);
    watch.pass(MINUTE * 4);
    assert_eq!(watch.told(), ["many errors ✓"]);
    assert_eq!(watch.shown("many errors").status.is_firing, Some(false));
}

#[test]
fn what_comes_late_counts_when_it_comes_and_what_comes_much_too_late_is_no_news() {
    let watch = Watch::new();
    let rule = MANY_ERRORS.replace("\"window_s\": 60", "\"window_s\": 60, \"lateness_s\": 600");
    watch.alert("late", &rule);
    watch.pass(MINUTE * 2);
    watch.send(50, ERROR, HOUR * 24);
    watch.pass(MINUTE * 2);
    assert_eq!(watch.told(), [""; 0], "an import of yesterday");
    watch.send(6, ERROR, MINUTE * 8);
    watch.pass(MINUTE);
    assert_eq!(watch.told(), ["late"]);
}

#[test]
fn no_event_is_in_two_windows() {
    let watch = Watch::new();
    let rule = MANY_ERRORS.replace("\"value\": 5", "\"value\": 3");
    watch.alert("few", &rule);
    // Three a minute, whenever the minute begins, are never four.
    watch.pass(MINUTE * 2);
    for _ in 0..20 {
        watch.send(1, ERROR, Duration::from_secs(7));
        watch.pass(TICK * 2);
    }
    assert_eq!(watch.told(), [""; 0]);
}

#[test]
fn a_silent_host_is_named_once_and_its_return_too() {
    let watch = Watch::new();
    let beat = |host: &str| format!(r#""level":"info","message":"beat","host":"{host}""#);
    let (one, two) = (beat("web-1"), beat("web-2"));
    // Who is expected is known from before the alert was made.
    watch.send(1, &two, MINUTE * 2);
    watch.alert("silent", SILENT_HOSTS);
    watch.pass_with(MINUTE * 4, |watch| {
        watch.send(1, &one, Duration::ZERO);
        watch.send(1, &two, Duration::ZERO);
    });
    assert_eq!(watch.told(), [""; 0]);
    watch.pass_with(MINUTE * 20, |watch| watch.send(1, &one, Duration::ZERO));
    assert_eq!(watch.told(), ["silent: web-2"]);
    watch.send(1, &two, Duration::ZERO);
    watch.pass_with(MINUTE * 2, |watch| watch.send(1, &one, Duration::ZERO));
    assert_eq!(watch.told(), ["silent: web-2 ✓"]);
}

#[test]
fn a_server_that_was_down_knows_nothing_of_silence() {
    let mut watch = Watch::new();
    let beat = r#""level":"info","message":"beat","host":"web-1""#;
    watch.alert("silent", SILENT_HOSTS);
    watch.pass_with(MINUTE * 10, |watch| watch.send(1, beat, Duration::ZERO));
    watch.ledger.close();
    watch.ledger.advance(HOUR);
    watch.ledger.reopen();
    watch.pass(MINUTE * 3);
    assert_eq!(watch.told(), [""; 0]);
    let status = watch.shown("silent").status;
    assert!(status.partly_heard.is_some(), "{status:?}");
    watch.pass_with(MINUTE * 10, |watch| watch.send(1, beat, Duration::ZERO));
    assert_eq!(watch.told(), [""; 0]);
    watch.pass(MINUTE * 7);
    assert_eq!(watch.told(), ["silent: web-1"]);
}

#[test]
fn what_came_before_the_server_went_down_is_told_when_it_is_back() {
    let mut watch = Watch::new();
    watch.alert("many errors", MANY_ERRORS);
    watch.pass(MINUTE * 3);
    // Nobody looks at these before the server goes down, for hours.
    watch.send(9, ERROR, Duration::ZERO);
    watch.ledger.reopen();
    watch.ledger.advance(HOUR * 5);
    watch.pass(TICK);
    let told: Vec<String> = watch.incidents().into_iter().map(|of| of.name).collect();
    assert_eq!(told, ["many errors"]);
    let events = watch
        .ledger
        .service()
        .incident_events(&watch.ledger.admin(), "1");
    assert_eq!(events.unwrap().len(), 9);
}

#[test]
fn a_source_that_is_paused_is_not_silent() {
    let watch = Watch::new();
    let beat = r#""level":"info","message":"beat","host":"web-1""#;
    watch.alert("silent", SILENT_HOSTS);
    watch.pass_with(MINUTE * 10, |watch| watch.send(1, beat, Duration::ZERO));
    let paused = cordwood_service::SourceChanges {
        ingesting_paused: Some(true),
        ..cordwood_service::SourceChanges::default()
    };
    let service = watch.ledger.service();
    service
        .update_source(&watch.ledger.admin(), "shop", &paused)
        .unwrap();
    watch.pass(MINUTE * 20);
    assert_eq!(watch.told(), [""; 0]);
    let reason = watch.shown("silent").status.partly_heard.unwrap();
    assert!(reason.contains("paused"), "{reason}");
}

#[test]
fn a_restart_in_the_middle_changes_nothing() {
    let run = |is_restarted: bool| {
        let mut watch = Watch::new();
        let rule = MANY_ERRORS.replace(
            "\"recovery_s\": 60",
            "\"recovery_s\": 120, \"confirmation_s\": 120",
        );
        watch.alert("many errors", &rule);
        watch.pass(MINUTE * 2);
        for minute in 0..12 {
            if is_restarted {
                watch.ledger.reopen();
            }
            if minute < 5 {
                watch.send(9, ERROR, Duration::ZERO);
            }
            watch.pass(MINUTE);
        }
        let incidents = watch.incidents();
        let of = |incident: &Incident| {
            (
                incident.started_at,
                incident.resolved.as_ref().map(|deed| deed.at),
            )
        };
        incidents.iter().map(of).collect::<Vec<_>>()
    };
    let expected = run(false);
    assert_eq!(expected.len(), 1);
    assert_eq!(run(true), expected);
}

#[test]
fn what_somebody_resolved_fires_again_only_after_it_was_clear() {
    let watch = Watch::new();
    watch.alert("many errors", MANY_ERRORS);
    watch.pass(MINUTE * 2);
    let busy = |watch: &Watch| watch.send(3, ERROR, Duration::ZERO);
    watch.pass_with(MINUTE * 3, busy);
    let id = watch.incidents()[0].id.0.to_string();
    let service = watch.ledger.service();
    service
        .resolve_incident(&watch.ledger.admin(), &id, None)
        .unwrap();
    watch.pass_with(MINUTE * 10, busy);
    assert_eq!(watch.told(), ["many errors ✓"]);
    watch.pass(MINUTE * 5);
    watch.pass_with(MINUTE * 2, busy);
    assert_eq!(watch.told(), ["many errors ✓", "many errors"]);
}

#[test]
fn a_pattern_never_seen_before_is_told_once() {
    let watch = Watch::new();
    let say = |text: &str| format!(r#""level":"info","message":"{text}""#);
    watch.send(5, &say("order 17 was shipped"), MINUTE);
    watch.ledger.service().learn_patterns().unwrap();
    watch.alert(
        "new",
        r#"{"query": "*", "window_s": 60, "check_every_s": 60, "condition": {"type": "new_pattern"}}"#,
    );
    watch.pass_with(MINUTE * 3, |watch| {
        watch.send(1, &say("order 18 was shipped"), Duration::ZERO);
    });
    assert_eq!(watch.told(), [""; 0]);
    watch.pass_with(MINUTE * 5, |watch| {
        watch.send(1, &say("disk sda1 is on fire"), Duration::ZERO);
    });
    let told = watch.incidents();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].cause.contains("on fire"), "{}", told[0].cause);
    let service = watch.ledger.service();
    let events = service.incident_events(&watch.ledger.admin(), &told[0].id.0.to_string());
    let events = events.unwrap();
    assert!(!events.is_empty());
    assert!(
        events.iter().all(|event| event.event.contains("on fire")),
        "{events:?}"
    );
}

#[test]
fn groups_are_judged_one_by_one() {
    let watch = Watch::new();
    let rule = MANY_ERRORS.replace("\"query\"", "\"group_by\": [\"host\"], \"query\"");
    watch.alert("errors", &rule);
    watch.pass(MINUTE * 2);
    watch.send(9, ERROR, Duration::ZERO);
    watch.send(2, &ERROR.replace("web-1", "web-2"), Duration::ZERO);
    watch.send(7, &ERROR.replace(r#","host":"web-1""#, ""), Duration::ZERO);
    watch.pass(MINUTE);
    let mut told = watch.told();
    told.sort();
    assert_eq!(told, ["errors: (none)", "errors: web-1"]);
    for incident in watch.incidents() {
        let service = watch.ledger.service();
        let events = service.incident_events(&watch.ledger.admin(), &incident.id.0.to_string());
        let expected = if incident.name.ends_with("web-1") {
            9
        } else {
            7
        };
        assert_eq!(events.unwrap().len(), expected, "{}", incident.name);
    }
}

#[test]
fn one_incident_for_all_groups_says_who_joins() {
    let watch = Watch::new();
    let rule = MANY_ERRORS.replace(
        "\"query\"",
        "\"group_by\": [\"host\"], \"incident_per\": \"rule\", \"query\"",
    );
    watch.alert("errors", &rule);
    watch.pass(MINUTE * 2);
    watch.pass_with(MINUTE, |watch| watch.send(3, ERROR, Duration::ZERO));
    watch.pass_with(MINUTE, |watch| {
        watch.send(3, ERROR, Duration::ZERO);
        watch.send(3, &ERROR.replace("web-1", "web-2"), Duration::ZERO);
    });
    assert_eq!(watch.told(), ["errors"]);
    let id = watch.incidents()[0].id.0.to_string();
    let timeline = watch
        .ledger
        .service()
        .incident_timeline(&watch.ledger.admin(), &id);
    let kinds: Vec<&str> = timeline
        .unwrap()
        .iter()
        .map(|entry| entry.entry.kind.name())
        .collect();
    assert_eq!(kinds, ["opened", "joined"]);
    watch.pass(MINUTE * 5);
    assert_eq!(watch.told(), ["errors ✓"]);
}

#[test]
fn a_check_that_fails_says_so_and_is_no_silence() {
    let watch = Watch::new();
    let new = AlertChanges {
        name: Some("errors".to_owned()),
        rule: Some(rule_of(MANY_ERRORS)),
        sources: Some(vec!["shop".to_owned()]),
        ..AlertChanges::default()
    };
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    service.create_alert(&admin, None, &new).unwrap();
    watch.pass(MINUTE * 2);
    assert_eq!(watch.shown("errors").status.failing, None);
    service.delete_source(&admin, "shop").unwrap();
    let round = watch.pass(MINUTE * 2);
    assert_eq!(round.failed, 2);
    let failing = watch.shown("errors").status.failing.unwrap();
    assert!(failing.reason.contains("sources"), "{failing:?}");
}

#[test]
fn rules_that_ask_the_same_are_asked_once() {
    let watch = Watch::new();
    for number in 0..10 {
        let rule = MANY_ERRORS.replace("\"value\": 5", &format!("\"value\": {number}"));
        watch.alert(&format!("over {number}"), &rule);
    }
    let round = watch.pass(MINUTE * 3);
    assert_eq!(round.checks, 30);
    assert_eq!(round.questions, 3);
}

#[test]
fn a_rule_sees_its_client_alone() {
    let mut watch = Watch::new();
    let other = watch.ledger.create_client("other");
    let theirs = watch.ledger.create_source_of("theirs", Some(other));
    let new = |client: ClientId| {
        let new = AlertChanges {
            name: Some("errors".to_owned()),
            rule: Some(rule_of(MANY_ERRORS)),
            ..AlertChanges::default()
        };
        let service = watch.ledger.service();
        service
            .create_alert(&watch.ledger.admin(), Some(client), &new)
            .unwrap()
    };
    let (ours, of_other) = (new(ClientId(1)), new(other));
    watch.pass(MINUTE * 2);
    watch.send(9, ERROR, Duration::ZERO);
    watch.pass(MINUTE);
    assert_eq!(watch.told(), ["errors"]);
    assert_eq!(watch.incidents()[0].client, ClientId(1));
    // Nor does a caller see the rule of another client, or name its sources.
    let service = watch.ledger.service();
    let caller = watch.ledger.caller(Access::Admin, &[other]);
    let seen = service.list_alerts(&caller).unwrap();
    assert_eq!(
        seen.iter().map(|alert| alert.id).collect::<Vec<_>>(),
        [of_other.id]
    );
    let missing = |id: u64| match service.alert(&caller, &id.to_string()) {
        Err(Error::NotFound { kind, .. }) => kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(missing(ours.id), missing(4711));
    let wrong = AlertChanges {
        sources: Some(vec!["shop".to_owned()]),
        ..AlertChanges::default()
    };
    let refused = service.update_alert(&watch.ledger.admin(), &of_other.id.to_string(), &wrong);
    assert!(
        matches!(refused, Err(Error::NotFound { kind: "source", .. })),
        "{refused:?}"
    );
    drop(theirs);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let watch = Watch::new();
    let wrong = r#"{"query": "level:(error", "window_s": 5, "check_every_s": 7,
        "condition": {"type": "threshold", "operator": "higher_than", "value": 5, "recovery_value": 9}}"#;
    let Err(Error::InvalidValues(values)) = watch.try_alert("", wrong) else {
        panic!("allowed");
    };
    let fields: Vec<&str> = values.iter().map(|value| value.field.as_ref()).collect();
    for expected in [
        "name",
        "query",
        "window_s",
        "check_every_s",
        "condition.recovery_value",
    ] {
        assert!(fields.contains(&expected), "{expected} in {fields:?}");
    }
}

#[test]
fn a_paused_alert_is_not_checked() {
    let watch = Watch::new();
    watch.alert("many errors", MANY_ERRORS);
    let paused = |is_paused| AlertChanges {
        is_paused: Some(is_paused),
        ..AlertChanges::default()
    };
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    service
        .update_alert(&admin, "many errors", &paused(true))
        .unwrap();
    watch.send(9, ERROR, Duration::ZERO);
    let round = watch.pass(MINUTE * 3);
    assert_eq!(round.checks, 0);
    service
        .update_alert(&admin, "many errors", &paused(false))
        .unwrap();
    watch.pass(MINUTE * 3);
    assert_eq!(
        watch.told(),
        [""; 0],
        "what came while it was paused is no news"
    );
    watch.send(9, ERROR, Duration::ZERO);
    watch.pass(MINUTE);
    assert_eq!(watch.told(), ["many errors"]);
}

#[test]
fn a_back_test_finds_what_was_told() {
    let watch = Watch::new();
    // Marks and events of one and the same time: what arrives at once is where it happened.
    watch.pass_with(HOUR, |watch| {
        watch.send(1, r#""level":"info","message":"fine""#, Duration::ZERO)
    });
    watch.alert("many errors", MANY_ERRORS);
    for bout in [7usize, 2, 9] {
        watch.pass_with(MINUTE * 10, |watch| {
            watch.send(1, r#""level":"info","message":"fine""#, Duration::ZERO)
        });
        watch.pass_with(MINUTE * 2, |watch| {
            watch.send(bout, ERROR, Duration::from_millis(1))
        });
    }
    watch.pass(MINUTE * 10);
    let live: Vec<_> = watch
        .incidents()
        .iter()
        .map(|incident| incident.started_at)
        .collect();
    let request = BackTestRequest {
        alert: Some("many errors".to_owned()),
        days: Some(1),
        ..BackTestRequest::default()
    };
    let service = watch.ledger.service();
    let answer = service.back_test(&watch.ledger.admin(), &request, &Cancel::default());
    let answer = answer.unwrap();
    let tested: Vec<_> = answer
        .outcome
        .episodes
        .iter()
        .map(|episode| episode.since)
        .collect();
    assert!(!live.is_empty());
    assert_eq!(tested.len(), live.len(), "{:#?}", answer.outcome);
    for (tested, live) in tested.iter().zip(&live) {
        let apart = (tested.as_nanos() - live.as_nanos()).abs();
        assert!(apart <= 60_000_000_000, "{tested} and {live}");
    }
    assert!(answer.complete);
    assert_eq!(answer.outcome.checks, 1440);
    assert!(answer.questions <= 3, "{} questions", answer.questions);
    assert!(answer.events.iter().all(|events| !events.is_empty()));
    // Nothing was opened by testing.
    assert_eq!(watch.incidents().len(), live.len());
}
