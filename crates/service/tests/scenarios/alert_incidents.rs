//! Ten incidents, each planted in hours of events that come as they happen, under one and the same set of alerts as an engineer would have it: the right
//! one fires, of the right group, within one check and its confirmation of the moment at which the events themselves say so, and no other does that
//! the incident does not explain.

use cordwood_service::{AlertChanges, KeptEvent};
use serde_json::Value;

use crate::alerts::{TICK, Watch, rule_of};
use crate::corpus::incident::{HOURS, Incident, lines};

const EVENTS: u64 = 60_000;
const SEED: u64 = 1;
const LINES_PER_BODY: usize = 5_000;
const HOUR_S: i64 = 3_600;
/// In the last hour: when the incident begins, and for how long it is looked on.
const ONSET_S: i64 = 8 * 60;
const LOOKED_ON_S: i64 = 14 * 60;
/// How long before that the alerts are made.
const WATCHED_BEFORE_S: i64 = 11 * 60;
const CHECK_EVERY_S: i64 = 60;

/// All alerts, each checked every minute.
const ALERTS: [(&str, &str); 11] = [
    (
        "errors of a host",
        r#"{"query": "*", "measure": {"ratio": {"of": "level:error"}}, "group_by": ["host"], "confirmation_s": 120,
            "condition": {"type": "threshold", "operator": "higher_than", "value": 20, "recovery_value": 10},
            "further_conditions": [{"measure": "count()", "operator": "higher_than_or_equal", "value": 20}]}"#,
    ),
    (
        "errors of a region",
        r#"{"query": "*", "measure": {"ratio": {"of": "level:error"}}, "group_by": ["region"],
            "condition": {"type": "threshold", "operator": "higher_than", "value": 15, "recovery_value": 5}}"#,
    ),
    (
        "errors behind an upstream",
        r#"{"query": "upstream:*", "measure": {"ratio": {"of": "level:error"}}, "group_by": ["upstream"],
            "condition": {"type": "threshold", "operator": "higher_than", "value": 25, "recovery_value": 10}}"#,
    ),
    (
        "timeouts",
        r#"{"query": "message:timeout", "group_by": ["service", "upstream"],
            "condition": {"type": "threshold", "operator": "higher_than_or_equal", "value": 5}}"#,
    ),
    (
        "errors of a path",
        r#"{"query": "*", "measure": {"ratio": {"of": "level:error"}}, "group_by": ["path"],
            "condition": {"type": "threshold", "operator": "higher_than", "value": 20, "recovery_value": 10}}"#,
    ),
    (
        "something new goes wrong",
        r#"{"query": "level:(error OR warn)", "condition": {"type": "new_pattern", "events": 2}, "cause": "new: {pattern}"}"#,
    ),
    (
        "refused tenants",
        r#"{"query": "*", "measure": {"ratio": {"of": "status:429"}}, "group_by": ["tenant"],
            "condition": {"type": "threshold", "operator": "higher_than", "value": 30, "recovery_value": 10},
            "further_conditions": [{"measure": "count()", "operator": "higher_than_or_equal", "value": 20}]}"#,
    ),
    (
        "slow paths",
        r#"{"query": "*", "measure": "p95(duration_ms)", "group_by": ["path"], "window_s": 600,
            "condition": {"type": "threshold", "operator": "higher_than", "value": 500, "recovery_value": 200}}"#,
    ),
    (
        "silent services",
        r#"{"query": "*", "group_by": ["service"], "condition": {"type": "absence", "of": "members"}}"#,
    ),
    (
        "silent hosts",
        r#"{"query": "*", "group_by": ["host"], "condition": {"type": "absence", "of": "members"}}"#,
    ),
    (
        "busy clients",
        r#"{"query": "*", "group_by": ["client"], "window_s": 600,
            "condition": {"type": "relative", "operator": "increases_by", "by_percent": 200, "against": "previous", "events_min": 100}}"#,
    ),
];

/// What is to be told of an incident.
struct Expected {
    /// The incident's name: its alert and the group.
    told: &'static str,
    window_s: i64,
    confirmation_s: i64,
    /// Whether the alert's condition holds of the events of a window, and of those of the window before.
    holds: fn(&[&Value], &[&Value]) -> bool,
    /// Beginnings of the names of others, which the incident explains.
    explained: &'static [&'static str],
}

fn count(events: &[&Value], is_meant: impl Fn(&Value) -> bool) -> usize {
    events.iter().filter(|event| is_meant(event)).count()
}

/// Whether of the events of a group more than so many percent are of another kind.
fn exceeds(
    events: &[&Value],
    (field, value): (&str, &str),
    percent: usize,
    is_of: impl Fn(&Value) -> bool,
) -> bool {
    let all = count(events, |event| event[field] == value);
    let of = count(events, |event| event[field] == value && is_of(event));
    of * 100 > percent * all
}

fn is_error(event: &Value) -> bool {
    event["level"] == "error"
}

fn says(event: &Value, text: &str) -> bool {
    event["message"]
        .as_str()
        .is_some_and(|message| message.contains(text))
}

fn expected(incident: Incident) -> Expected {
    let base = Expected {
        told: "",
        window_s: 300,
        confirmation_s: 0,
        holds: |_, _| false,
        explained: &[],
    };
    match incident {
        Incident::BadVersion => Expected {
            told: "something new goes wrong",
            holds: |events, _| count(events, |event| says(event, "no price rule")) >= 2,
            ..base
        },
        Incident::RateLimited => Expected {
            told: "refused tenants: t-3",
            holds: |events, _| {
                exceeds(events, ("tenant", "t-3"), 30, |event| {
                    event["status"] == 429
                }) && count(events, |event| event["tenant"] == "t-3") >= 20
            },
            explained: &["something new goes wrong"],
            ..base
        },
        Incident::DependencyTimeout => Expected {
            told: "timeouts: cart-api, orders-db",
            holds: |events, _| {
                let is_meant = |event: &Value| {
                    says(event, "timeout")
                        && event["service"] == "cart-api"
                        && event["upstream"] == "orders-db"
                };
                count(events, is_meant) >= 5
            },
            ..base
        },
        Incident::RegionDns => Expected {
            told: "errors of a region: us-east",
            holds: |events, _| exceeds(events, ("region", "us-east"), 15, is_error),
            explained: &["errors of a host"],
            ..base
        },
        Incident::FeatureFlag => Expected {
            told: "errors of a path: /cart/items",
            holds: |events, _| exceeds(events, ("path", "/cart/items"), 20, is_error),
            explained: &["something new goes wrong"],
            ..base
        },
        Incident::ExpiredCertificate => Expected {
            told: "errors behind an upstream: tax.example.com",
            holds: |events, _| exceeds(events, ("upstream", "tax.example.com"), 25, is_error),
            explained: &["something new goes wrong"],
            ..base
        },
        Incident::NoisyClient => Expected {
            told: "busy clients: 10.0.0.7",
            window_s: 600,
            holds: |events, before| {
                let of = |events| count(events, |event| event["client"] == "10.0.0.7");
                of(events) >= 100 && of(events) >= 3 * of(before)
            },
            ..base
        },
        Incident::DiskFull => Expected {
            told: "errors of a host: prod-11",
            confirmation_s: 120,
            holds: |events, _| exceeds(events, ("host", "prod-11"), 20, is_error),
            ..base
        },
        Incident::SlowQuery => Expected {
            told: "slow paths: /search",
            window_s: 600,
            holds: |events, _| {
                exceeds(events, ("path", "/search"), 5, |event| {
                    event["duration_ms"].as_f64().unwrap() > 500.0
                })
            },
            ..base
        },
        Incident::GoneQuiet => Expected {
            told: "silent services: mail-worker",
            holds: |events, _| count(events, |event| event["service"] == "mail-worker") == 0,
            ..base
        },
    }
}

/// The events of the trial, each with its time in milliseconds, and the second at which they begin.
struct Events {
    start_s: i64,
    lines: Vec<(i64, String)>,
}

impl Events {
    fn of(incident: Incident, start_s: i64) -> Events {
        let lines = lines(
            incident,
            SEED,
            EVENTS,
            u64::try_from(start_s * 1000).unwrap(),
        );
        let time = |line: &String| {
            let (_, rest) = line.split_once("\"dt\":").unwrap();
            rest.get(..13).unwrap().parse().unwrap()
        };
        let lines = lines.into_iter().map(|line| (time(&line), line)).collect();
        Events { start_s, lines }
    }

    /// Those after one second and up to another.
    fn between(&self, after_s: i64, up_to_s: i64) -> &[(i64, String)] {
        let place = |second: i64| self.lines.partition_point(|(at, _)| *at <= second * 1000);
        &self.lines[place(after_s)..place(up_to_s)]
    }

    /// When the condition holds first, on the grid of checks.
    fn breached_at(&self, expected: &Expected, from_s: i64) -> Option<i64> {
        let since = from_s - 2 * expected.window_s;
        let parsed: Vec<(i64, Value)> = self
            .between(since, i64::MAX / 1000)
            .iter()
            .map(|(at, line)| (*at, serde_json::from_str(line).unwrap()))
            .collect();
        let window = |end_s: i64| -> Vec<&Value> {
            let of = |(at, _): &&(i64, Value)| {
                *at > (end_s - expected.window_s) * 1000 && *at <= end_s * 1000
            };
            parsed.iter().filter(of).map(|(_, event)| event).collect()
        };
        (from_s..from_s + LOOKED_ON_S)
            .step_by(10)
            .find(|end| (expected.holds)(&window(*end), &window(*end - expected.window_s)))
    }
}

fn send(watch: &Watch, lines: &[(i64, String)]) {
    for lines in lines.chunks(LINES_PER_BODY) {
        let lines: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
        let body = format!("[{}]", lines.join(","));
        watch.ledger.send(&watch.token, &body).unwrap();
    }
}

fn make_alerts(watch: &Watch) {
    let (service, admin) = (watch.ledger.service(), watch.ledger.admin());
    for (name, rule) in ALERTS {
        let new = AlertChanges {
            name: Some(name.to_owned()),
            rule: Some(rule_of(rule)),
            ..AlertChanges::default()
        };
        let made = service.create_alert(&admin, None, &new);
        made.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

fn check(incident: Incident) {
    let expected = expected(incident);
    let watch = Watch::new();
    let now_s = watch.ledger.now().as_nanos() / 1_000_000_000;
    let onset_s = now_s + WATCHED_BEFORE_S;
    let hours_s = (i64::try_from(HOURS).unwrap() - 1) * HOUR_S;
    let events = Events::of(incident, onset_s - ONSET_S - hours_s);
    send(&watch, events.between(events.start_s - 1, now_s));
    watch.ledger.service().learn_patterns().unwrap();
    make_alerts(&watch);
    let mut at_s = now_s;
    let mut opened: Vec<(String, i64)> = Vec::new();
    while at_s < onset_s + LOOKED_ON_S {
        let before_s = at_s;
        watch.ledger.advance(TICK);
        at_s += 10;
        send(&watch, events.between(before_s, at_s));
        let round = watch.ledger.service().check_alerts().unwrap();
        assert_eq!(round.failed, 0);
        if round.opened > 0 {
            let incidents = watch.incidents();
            let new = incidents.iter().skip(opened.len());
            opened.extend(new.map(|incident| (incident.name.clone(), at_s)));
        }
    }
    assert_told(incident, &expected, &events, onset_s, &opened);
    let incidents = watch.incidents();
    let right = incidents.iter().find(|of| is_told(&of.name, &expected));
    let right = right.unwrap_or_else(|| panic!("{incident:?}: {opened:?}"));
    let kept = watch
        .ledger
        .service()
        .incident_events(&watch.ledger.admin(), &right.id.0.to_string());
    let kept = kept.unwrap();
    assert!(!kept.is_empty(), "{incident:?}: nothing shows it");
    if expected.told == "something new goes wrong" {
        let message = incident.new_message().unwrap();
        let says = |event: &KeptEvent| event.event.contains(message);
        assert!(kept.iter().all(says), "{incident:?}: {kept:?}");
    }
}

/// The name of an incident of a pattern ends with its id.
fn is_told(name: &str, expected: &Expected) -> bool {
    name == expected.told || name.starts_with(&format!("{}: ", expected.told))
}

fn assert_told(
    incident: Incident,
    expected: &Expected,
    events: &Events,
    onset_s: i64,
    opened: &[(String, i64)],
) {
    let after: Vec<(&str, i64)> = opened
        .iter()
        .map(|(name, at)| (name.as_str(), at - onset_s))
        .collect();
    println!("{incident:?}: {after:?}");
    let breached = events.breached_at(expected, onset_s);
    let breached = breached.unwrap_or_else(|| panic!("{incident:?} is never seen")) - onset_s;
    let right: Vec<i64> = after
        .iter()
        .filter(|(name, _)| is_told(name, expected))
        .map(|(_, at)| *at)
        .collect();
    let [at] = right.as_slice() else {
        panic!("{incident:?}, seen after {breached} s: {after:?}");
    };
    let latest = breached + CHECK_EVERY_S + expected.confirmation_s;
    assert!(
        (breached..=latest).contains(at),
        "{incident:?}: seen after {breached} s, told after {at} s"
    );
    for (name, _) in &after {
        let is_explained = expected.explained.iter().any(|of| name.starts_with(of));
        assert!(
            is_told(name, expected) || is_explained,
            "{incident:?}: {after:?}"
        );
    }
}

#[test]
fn a_bad_version() {
    check(Incident::BadVersion);
}

#[test]
fn a_tenant_that_is_refused() {
    check(Incident::RateLimited);
}

#[test]
fn a_dependency_that_times_out() {
    check(Incident::DependencyTimeout);
}

#[test]
fn a_region_without_names() {
    check(Incident::RegionDns);
}

#[test]
fn a_feature_flag() {
    check(Incident::FeatureFlag);
}

#[test]
fn an_expired_certificate() {
    check(Incident::ExpiredCertificate);
}

#[test]
fn a_noisy_client() {
    check(Incident::NoisyClient);
}

#[test]
fn a_full_disk() {
    check(Incident::DiskFull);
}

#[test]
fn a_slow_query() {
    check(Incident::SlowQuery);
}

#[test]
fn a_service_gone_quiet() {
    check(Incident::GoneQuiet);
}
