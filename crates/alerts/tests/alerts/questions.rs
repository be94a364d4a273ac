//! What rules ask, how rows are read, and that steps add up to windows.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

use cordwood_alerts::{Cell, CheckedRule, Group, Reading, Rule, Tally, Value, Window};
use cordwood_event::Timestamp;
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000_000;

fn rule(json: &str) -> CheckedRule {
    let rule: Rule = serde_json::from_str(json).unwrap();
    rule.check().unwrap()
}

/// A rule with a threshold that nothing here depends on.
fn measuring(members: &str) -> CheckedRule {
    rule(&format!(
        r#"{{"condition": {{"type": "threshold", "operator": "higher_than", "value": 5}}, {members}}}"#
    ))
}

fn check(rule: &CheckedRule, question: &str, in_steps: Option<&str>) {
    assert_eq!(rule.question().key(), question);
    let steps = rule.question_in_steps();
    assert_eq!(steps.as_ref().map(|steps| steps.key()), in_steps);
    for question in [Some(rule.question()), steps].into_iter().flatten() {
        let parsed = cordwood_query::parse(question.key()).unwrap().query;
        assert_eq!(parsed.to_string(), question.key(), "it is a query");
        assert_eq!(parsed, *question.query());
    }
}

#[test]
fn one_query_asks_for_all_values_of_all_groups() {
    check(
        &measuring(r#""query": "level:error", "group_by": ["service"]"#),
        "level:error | stats count() as _1 by service",
        Some("level:error | stats count() as _1 by dt:1m, service"),
    );
    check(
        &measuring(
            r#""query": "*", "measure": {"ratio": {"of": "level:error"}}, "group_by": ["host"], "window_s": 90, "check_every_s": 60,
               "further_conditions": [{"measure": "count()", "operator": "higher_than", "value": 100}, {"measure": "rate()", "operator": "lower_than", "value": 9}]"#,
        ),
        "* | stats count() if (level:error) as _1, count() as _2 by host",
        Some("* | stats count() if (level:error) as _1, count() as _2 by dt:30s, host"),
    );
    check(
        &measuring(
            r#""query": "a | parse \"took <ms:number>ms\" | stats p95(ms) by host", "window_s": 60"#,
        ),
        "a | parse \"took <ms:number>ms\" | stats p95(ms) as _1 by host",
        None,
    );
    // Without groups, the number of events says whether there were any.
    check(
        &measuring(r#""query": "*", "measure": "max(ms)""#),
        "* | stats max(ms) as _1, count() as _2",
        Some("* | stats max(ms) as _1, count() as _2 by dt:1m"),
    );
    check(
        &rule(
            r#"{"query": "*", "group_by": ["host"], "condition": {"type": "absence", "of": "members"}}"#,
        ),
        "* | stats count() as _1 by host",
        Some("* | stats count() as _1 by dt:1m, host"),
    );
    check(
        &rule(
            r#"{"query": "level:error", "condition": {"type": "new_pattern", "field": "stack_trace"}}"#,
        ),
        "level:error | patterns stack_trace",
        None,
    );
    check(
        &rule(
            r#"{"query": "*", "measure": "avg(ms)", "group_by": ["host"], "condition": {"type": "relative", "operator": "changes_by", "by_percent": 5}}"#,
        ),
        "* | stats avg(ms) as _1, count() as _2 by host",
        None,
    );
}

#[test]
fn questions_that_ask_the_same_are_one() {
    let state = RandomState::new();
    let questions = [
        r#""query": "level:error AND service:api", "window_s": 60"#,
        r#""query": "level:error  service:api", "confirmation_s": 60, "severity": "info""#,
        r#""query": "level:error service:api | stats count()""#,
        r#""query": "level:error service:api", "measure": "rate()""#,
    ]
    .map(|members| measuring(members).question());
    let mut hashes = HashSet::new();
    for question in &questions {
        assert_eq!(*question, questions[0]);
        hashes.insert(state.hash_one(question));
    }
    assert_eq!(hashes.len(), 1);
    let other = measuring(r#""query": "level:error service:api", "measure": "max(ms)""#);
    assert_ne!(other.question(), questions[0]);
}

fn window() -> Window {
    Window::ending(Timestamp::from_nanos(10 * MINUTE), 300)
}

fn readings(rule: &CheckedRule, rows: &[&[Cell<'_>]]) -> BTreeMap<Group, Reading> {
    let question = rule.question();
    let rows = rows.iter().filter_map(|row| question.read(row));
    let tallies = rows.map(|row| (row.group, row.tally)).collect();
    rule.readings(&tallies, window())
}

fn host(name: Option<&str>) -> Group {
    Group::new(vec![("host".to_owned(), name.map(str::to_owned))])
}

#[test]
fn rows_become_readings() {
    let ratio = measuring(
        r#""query": "*", "measure": {"ratio": {"of": "level:error"}}, "group_by": ["host"], "except_groups": ["db-*"],
           "further_conditions": [{"measure": "rate()", "operator": "higher_than", "value": 1}]"#,
    );
    let (three, forty) = (Cell::Integer(3), Cell::Integer(40));
    let found = readings(
        &ratio,
        &[
            &[Cell::Text("web-1"), three, forty],
            &[Cell::Null, Cell::Integer(0), Cell::Float(600.0)],
            &[Cell::Integer(7), Cell::Integer(0), Cell::Integer(0)],
            &[Cell::Text("db-1"), three, forty],
            &[Cell::Text("short row"), three],
        ],
    );
    let number = |number: f64| Some(Value::Number(number));
    let expected = [
        (Some("web-1"), number(7.5), 40.0 / 300.0),
        (None, number(0.0), 2.0),
        (Some("7"), None, 0.0),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (name, value, rate) in expected {
        assert_eq!(found[&host(name)].value, value);
        assert_eq!(found[&host(name)].further, [number(rate)]);
    }
}

#[test]
fn no_event_is_nothing_found_where_there_are_no_groups() {
    let count = measuring(r#""query": "level:error""#);
    assert!(readings(&count, &[&[Cell::Integer(0)]]).is_empty());
    let found = readings(&count, &[&[Cell::Integer(2)]]);
    assert_eq!(found[&Group::whole()].value, Some(Value::Number(2.0)));
    let errors = measuring(r#""query": "*", "measure": "count() if (level:error)""#);
    assert!(readings(&errors, &[&[Cell::Integer(0), Cell::Integer(0)]]).is_empty());
    let found = readings(&errors, &[&[Cell::Integer(0), Cell::Integer(9)]]);
    assert_eq!(found[&Group::whole()].value, Some(Value::Number(0.0)));
}

#[test]
fn patterns_are_groups_by_their_id() {
    let rule = rule(r#"{"query": "*", "condition": {"type": "new_pattern"}}"#);
    let share = Cell::Float(0.5);
    let found = readings(
        &rule,
        &[
            &[
                Cell::Text("took <*>"),
                Cell::Text("1f"),
                Cell::Integer(5),
                share,
                Cell::Null,
                Cell::Null,
            ],
            &[
                Cell::Null,
                Cell::Null,
                Cell::Integer(9),
                share,
                Cell::Null,
                Cell::Null,
            ],
        ],
    );
    let pattern = Group::new(vec![("pattern".to_owned(), Some("1f".to_owned()))]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[&pattern].text.as_deref(), Some("took <*>"));
    assert_eq!(found[&pattern].value, Some(Value::Number(5.0)));
}

#[test]
fn of_a_long_text_there_is_the_beginning() {
    let rule = measuring(r#""query": "*", "measure": "last(body)", "group_by": ["host"]"#);
    let body = "x".repeat(100_000);
    let found = readings(&rule, &[&[Cell::Text("a"), Cell::Text(&body)]]);
    let Some(Value::Text(text)) = &found[&host(Some("a"))].value else {
        panic!("{found:?}");
    };
    assert!(text.len() < 1100 && text.ends_with("x…"), "{}", text.len());
}

#[test]
fn a_roster_is_filled_from_a_question_of_its_own() {
    let rule = rule(
        r#"{"query": "app:*", "group_by": ["host"], "condition": {"type": "absence", "of": "members", "roster_days": 2}}"#,
    );
    let now = Timestamp::from_nanos(100 * 24 * 60 * MINUTE);
    let (question, window) = rule.roster_question(now).unwrap();
    assert_eq!(question.key(), "app:* | stats max(dt) as _last by host");
    assert_eq!(window, Window::ending(now, 2 * 86_400));
    let row = question
        .read(&[Cell::Text("web-1"), Cell::Time(now)])
        .unwrap();
    assert_eq!(
        (row.group, row.tally.time()),
        (host(Some("web-1")), Some(now))
    );
    assert!(measuring(r#""query": "*""#).roster_question(now).is_none());
}

proptest! {
    /// Whatever a measure is, the values of steps make that of the whole window.
    #[test]
    fn steps_add_up_to_windows(values in prop::collection::vec(prop::collection::vec(0u16..100, 0..5), 1..6)) {
        let all: Vec<u16> = values.iter().flatten().copied().collect();
        for (measure, of) in [
            ("count()", (|values| (!values.is_empty()).then_some(values.len() as f64)) as fn(&[u16]) -> Option<f64>),
            ("sum(x)", |values| (!values.is_empty()).then(|| values.iter().copied().map(f64::from).sum())),
            ("min(x)", |values| values.iter().min().copied().map(f64::from)),
            ("max(x)", |values| values.iter().max().copied().map(f64::from)),
            ("first(x)", |values| values.first().copied().map(f64::from)),
            ("last(x)", |values| values.last().copied().map(f64::from)),
        ] {
            let rule = measuring(&format!(r#""query": "*", "measure": "{measure}", "group_by": ["host"]"#));
            let steps = rule.question_in_steps().unwrap();
            let mut tally = Tally::default();
            for values in &values {
                let cell = of(values).map_or(Cell::Null, Cell::Float);
                let row = steps.read(&[Cell::Time(Timestamp::from_nanos(0)), Cell::Text("a"), cell]).unwrap();
                rule.add_up(&mut tally, &row.tally);
            }
            let readings = rule.readings(&BTreeMap::from([(host(Some("a")), tally)]), window());
            let expected = of(&all).map(Value::Number);
            prop_assert_eq!(&readings[&host(Some("a"))].value, &expected, "{}", measure);
        }
    }
}
