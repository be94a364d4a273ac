//! Which earlier windows a condition needs, and what they let expect.

use std::collections::BTreeMap;

use cordwood_alerts::{CheckedRule, Earlier, Group, Reading, Reference, Rule, Value, Window};
use cordwood_event::Timestamp;

const HOUR_S: i64 = 3_600;

fn rule(measure: &str, condition: &str) -> CheckedRule {
    let json = format!(
        r#"{{"query": "*", "measure": "{measure}", "window_s": 3600, "check_every_s": 600, "condition": {condition}}}"#
    );
    let rule: Rule = serde_json::from_str(&json).unwrap();
    rule.check().unwrap()
}

fn grouped(measure: &str, condition: &str) -> CheckedRule {
    let json = format!(
        r#"{{"query": "*", "measure": "{measure}", "group_by": ["host"], "window_s": 3600, "check_every_s": 600, "condition": {condition}}}"#
    );
    let rule: Rule = serde_json::from_str(&json).unwrap();
    rule.check().unwrap()
}

fn window() -> Window {
    Window::ending(
        Timestamp::parse_rfc3339("2026-03-20T10:00:00Z").unwrap(),
        3600,
    )
}

/// How many hours before the window each of its references is.
fn check_windows(condition: &str, expected: &[i64]) {
    let references = rule("count()", condition).references(window());
    let hours = references.iter().map(|earlier| {
        assert!((earlier.seconds() - 3600.0).abs() < 1e-9);
        (window().end.as_nanos() - earlier.end.as_nanos()) / 1_000_000_000 / HOUR_S
    });
    assert_eq!(hours.collect::<Vec<_>>(), expected, "{condition}");
}

#[test]
fn each_condition_names_the_windows_it_needs() {
    check_windows(ANOMALY, &(1..=14).map(|day| day * 24).collect::<Vec<_>>());
    check_windows(
        r#"{"type": "threshold", "operator": "equal", "value": 1}"#,
        &[],
    );
    check_windows(
        r#"{"type": "relative", "operator": "changes_by", "by_percent": 5}"#,
        &[1],
    );
    check_windows(
        r#"{"type": "relative", "operator": "changes_by", "by_percent": 5, "against": "last_week"}"#,
        &[168],
    );
    check_windows(
        r#"{"type": "relative", "operator": "changes_by", "by_spread": 5}"#,
        &(1..=12).collect::<Vec<_>>(),
    );
    check_windows(
        r#"{"type": "relative", "operator": "changes_by", "by_spread": 5, "against": "yesterday"}"#,
        &(1..=7).map(|day| day * 24).collect::<Vec<_>>(),
    );
    check_windows(
        r#"{"type": "relative", "operator": "changes_by", "by_spread": 5, "against": "last_week"}"#,
        &[168, 336, 504, 672],
    );
}

fn counts(values: &[Option<f64>]) -> Vec<Earlier> {
    let earlier = values.iter().map(|value| {
        let reading = Reading {
            events: *value,
            ..Reading::of(Value::Number((*value)?))
        };
        Some(BTreeMap::from([(Group::whole(), reading)]))
    });
    earlier.collect()
}

fn reference(rule: &CheckedRule, earlier: &[Earlier]) -> Option<Reference> {
    let mut readings = BTreeMap::from([(Group::whole(), Reading::of(Value::Number(1.0)))]);
    rule.hold_against(&mut readings, earlier);
    readings[&Group::whole()].reference
}

const ANOMALY: &str = r#"{"type": "anomaly"}"#;

#[test]
fn what_is_usual_is_the_median_and_hardly_moved_by_a_bad_day() {
    let some = |values: &[f64]| counts(&values.iter().copied().map(Some).collect::<Vec<_>>());
    for (measure, values, center, spread) in [
        // Distances 20, 10, 0, 10, 20: their median is 10.
        (
            "count()",
            &[980.0, 990.0, 1000.0, 1010.0, 1020.0][..],
            1000.0,
            50.0,
        ),
        ("sum(x)", &[80.0, 90.0, 100.0, 110.0, 120.0], 100.0, 14.826),
        (
            "sum(x)",
            &[80.0, 90.0, 100.0, 110.0, 100_000.0],
            100.0,
            14.826,
        ),
        // Counts that are alike by chance vary by the square root of them, and by one event where there was none.
        ("count()", &[100.0, 100.0, 100.0], 100.0, 10.0),
        ("count()", &[0.0, 0.0, 0.0, 0.0], 0.0, 1.0),
        ("rate()", &[0.01, 0.01, 0.01], 0.01, 6.0 / 3600.0),
        ("p95(x)", &[200.0, 200.0, 200.0], 200.0, 10.0),
    ] {
        let found = reference(&rule(measure, ANOMALY), &some(values)).unwrap();
        assert!(
            (found.center - center).abs() < 1e-9,
            "{measure} {values:?}: {found:?}"
        );
        assert!(
            (found.spread - spread).abs() < 1e-9,
            "{measure} {values:?}: {found:?}"
        );
    }
}

#[test]
fn what_nobody_knows_is_no_reference() {
    let few = counts(&[Some(5.0), None, Some(5.0)]);
    assert_eq!(reference(&rule("count()", ANOMALY), &few), None);
    let one_day = r#"{"type": "anomaly", "training_days": 1}"#;
    assert!(reference(&rule("count()", one_day), &counts(&[Some(5.0)])).is_some());
    let percent = r#"{"type": "relative", "operator": "changes_by", "by_percent": 5}"#;
    assert_eq!(
        reference(&rule("count()", percent), &counts(&[None, Some(5.0)])),
        None
    );
    let found = reference(&rule("count()", percent), &counts(&[Some(7.0)])).unwrap();
    assert_eq!((found.center, found.events), (7.0, 7.0));
    // A known window without events: zero of what is counted, nothing of what is measured.
    let empty: Vec<Earlier> = vec![Some(BTreeMap::new())];
    assert_eq!(
        reference(&rule("count()", percent), &empty).map(|of| of.center),
        Some(0.0)
    );
    assert_eq!(reference(&rule("p95(x)", percent), &empty), None);
}

#[test]
fn what_is_usual_of_a_group_begins_with_it() {
    let rule = grouped("count()", ANOMALY);
    let host = Group::new(vec![("host".to_owned(), Some("web-1".to_owned()))]);
    let day = |count: Option<f64>| {
        let reading = count.map(|count| (host.clone(), Reading::of(Value::Number(count))));
        Some(reading.into_iter().collect::<BTreeMap<_, _>>())
    };
    let usual = |days: &[Earlier]| {
        let mut readings = BTreeMap::from([(host.clone(), Reading::of(Value::Number(60.0)))]);
        rule.hold_against(&mut readings, days);
        readings[&host].reference.map(|of| of.center)
    };
    let of = |counts: &[Option<f64>]| counts.iter().copied().map(day).collect::<Vec<_>>();
    // The nearest day is first. A group that is new has nothing that is usual, nor one of two days.
    assert_eq!(usual(&of(&[None; 7])), None);
    assert_eq!(usual(&of(&[Some(60.0), Some(60.0), None, None])), None);
    assert_eq!(
        usual(&of(&[Some(60.0), Some(61.0), Some(62.0), None])),
        Some(61.0)
    );
    // One that was there before and silent since was silent.
    assert_eq!(usual(&of(&[None, None, None, Some(9.0), None])), Some(0.0));
}

#[test]
fn a_group_that_is_gone_is_held_against_what_it_was() {
    let percent = r#"{"type": "relative", "operator": "decreases_by", "by_percent": 50}"#;
    let rule = rule("count()", percent);
    let mut readings = BTreeMap::new();
    rule.hold_against(&mut readings, &counts(&[Some(70.0)]));
    let reading = &readings[&Group::whole()];
    assert_eq!(
        (&reading.value, reading.reference.map(|of| of.center)),
        (&None, Some(70.0))
    );
}

#[test]
fn a_whole_that_is_gone_from_both_windows_is_held_against_nothing() {
    let percent = r#"{"type": "relative", "operator": "decreases_by", "by_percent": 50}"#;
    let rule = rule("count()", percent);
    let mut readings = BTreeMap::new();
    rule.hold_against(&mut readings, &[Some(BTreeMap::new())]);
    let reading = &readings[&Group::whole()];
    assert_eq!(reading.reference.map(|of| of.center), Some(0.0));
    let mut readings = BTreeMap::new();
    rule.hold_against(&mut readings, &[None]);
    assert_eq!(readings[&Group::whole()].reference, None);
}
