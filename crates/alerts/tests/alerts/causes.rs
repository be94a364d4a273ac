//! What is said of an episode.

use cordwood_alerts::limits::CAUSE_TOLD_BYTES_MAX;
use cordwood_alerts::{Group, Reading, Reference, Rule, Telling, Value};
use cordwood_event::Timestamp;

fn reading(value: f64) -> Reading {
    Reading::of(Value::Number(value))
}

fn cause(members: &str, reading: &Reading) -> String {
    let json = format!(r#"{{"query": "*", "group_by": ["host"], {members}}}"#);
    let rule: Rule = serde_json::from_str(&json).unwrap();
    let group = Group::new(vec![("host".to_owned(), Some("web-3".to_owned()))]);
    let time = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
    rule.check().unwrap().cause(&Telling {
        rule_name: "Slow",
        group: &group,
        reading,
        since: time("2026-03-27T10:00:00Z"),
        at: time("2026-03-27T12:05:00Z"),
    })
}

#[test]
fn each_kind_of_condition_has_its_sentence() {
    let against = |value: f64, center: f64| Reading {
        reference: Some(Reference {
            center,
            spread: 12.5,
            events: 0.0,
        }),
        ..reading(value)
    };
    let threshold = r#""condition": {"type": "threshold", "operator": "higher_than", "value": 5}"#;
    for (members, reading, expected) in [
        (
            format!(r#""measure": "rate()", {threshold}"#),
            reading(7.25),
            "rate() of host web-3 is 7.25 / s, above 5 / s",
        ),
        (
            format!(r#""measure": "count() if (level:error)", {threshold}"#),
            reading(12_345.0),
            "count() if (level:error) of host web-3 is 12 345, above 5",
        ),
        (
            format!(r#""measure": {{"ratio": {{"of": "level:error"}}}}, {threshold}"#),
            reading(100.0 / 3.0),
            "the share of level:error of host web-3 is 33.33 %, above 5 %",
        ),
        (threshold.to_owned(), Reading::default(), "nothing was found of host web-3 for 5 min"),
        (r#""condition": {"type": "matches"}"#.to_owned(), reading(2.0), "2 events of host web-3 in 5 min"),
        (
            r#""condition": {"type": "absence", "of": "members"}"#.to_owned(),
            Reading::default(),
            "host web-3 has sent nothing for 2 h 5 min",
        ),
        (
            r#""condition": {"type": "relative", "operator": "changes_by", "by_percent": 5, "against": "last_week"}"#.to_owned(),
            against(60.0, 100.0),
            "count() of host web-3 is 60, down 40 % from 100 at the same time a week before",
        ),
        (
            r#""condition": {"type": "anomaly"}"#.to_owned(),
            against(240.0, 100.0),
            "count() of host web-3 is 240, usually 100 ± 12.5 at this time",
        ),
    ] {
        assert_eq!(cause(&members, &reading), expected, "{members}");
    }
}

#[test]
fn templates_are_filled_in() {
    let rest = r#""labels": {"team": "pay"}, "severity": "critical",
        "condition": {"type": "threshold", "operator": "lower_than_or_equal", "value": 5}"#;
    for (template, expected) in [
        ("{rule} on {group}", "Slow on host web-3"),
        (
            "{{series_name}}: {{ value }} is {operator} {threshold}",
            "web-3: 3 is at or below 5",
        ),
        (
            "{labels.team}/{severity}/{group.host}",
            "pay/critical/web-3",
        ),
        (
            "since {since}, for {duration}, in {window}",
            "since 2026-03-27T10:00:00.000Z, for 2 h 5 min, in 5 min",
        ),
        (
            r"\\{rule}: {cause}",
            "{rule}: count() of host web-3 is 3, at or below 5",
        ),
    ] {
        let told = cause(&format!(r#""cause": "{template}", {rest}"#), &reading(3.0));
        assert_eq!(told, expected, "{template}");
    }
}

#[test]
fn a_cause_stays_short() {
    let template = "{cause}".repeat(140);
    let members = format!(r#""cause": "{template}", "condition": {{"type": "matches"}}"#);
    let told = cause(&members, &reading(3.0));
    assert_eq!(told.len(), CAUSE_TOLD_BYTES_MAX + "…".len());
}
