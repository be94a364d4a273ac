//! What is limited says so and loses nothing that is open: groups, members, patterns, and the episodes of a back-test.

use std::collections::BTreeMap;

use cordwood_alerts::limits::{EPISODES_MAX, GROUPS_MAX, PATTERNS_MAX, ROSTER_MAX};
use cordwood_alerts::{
    CheckedRule, Effect, Group, Heard, Observation, Outcome, Reading, Rule, RuleState, Value,
    Window, back_test, step,
};
use cordwood_event::Timestamp;

use crate::series::{SECOND, START, group};

fn rule(json: &str) -> CheckedRule {
    let rule: Rule = serde_json::from_str(json).unwrap();
    rule.check().unwrap()
}

/// The check that ends so many minutes after the start.
fn check(minute: i64, readings: impl IntoIterator<Item = (usize, f64)>) -> Observation {
    let end = Timestamp::from_nanos(START.as_nanos() + minute * 60 * SECOND);
    let readings = readings.into_iter();
    let readings: BTreeMap<Group, Reading> = readings
        .map(|(name, value)| (group(name), Reading::of(Value::Number(value))))
        .collect();
    Observation {
        window: Window::ending(end, 60),
        outcome: Outcome::Seen {
            readings,
            heard: Heard::All,
        },
    }
}

fn stepped(rule: &CheckedRule, state: &RuleState, check: &Observation) -> (RuleState, Vec<Effect>) {
    step(rule, state, check, check.window.end)
}

#[test]
fn groups_beyond_the_limit_are_counted_and_quiet_ones_make_room() {
    let rule = rule(
        r#"{"query": "*", "group_by": ["host"], "window_s": 60, "recovery_s": 0, "on_missing_data": "fire",
            "condition": {"type": "threshold", "operator": "higher_than", "value": 5}}"#,
    );
    let quiet = (0..GROUPS_MAX).map(|name| (name, 1.0));
    let (state, effects) = stepped(&rule, &RuleState::new(START), &check(1, quiet));
    assert_eq!((state.groups().len(), effects.len()), (GROUPS_MAX, 0));
    // All are there still, and one more that is breached takes the place of one that is not.
    let mut readings: Vec<(usize, f64)> = (0..=GROUPS_MAX).map(|name| (name, 1.0)).collect();
    readings[GROUPS_MAX].1 = 9.0;
    let (state, effects) = stepped(&rule, &state, &check(2, readings));
    assert!(matches!(&*effects, [Effect::Opened(opened)] if opened.group == group(GROUPS_MAX)));
    assert_eq!(
        (state.groups().len(), state.groups_left_out()),
        (GROUPS_MAX, 1)
    );
    // When all fire there is no room for further ones, and none of those that fire is forgotten.
    let breached = (0..GROUPS_MAX + 7).map(|name| (name, 9.0));
    let (state, effects) = stepped(&rule, &state, &check(3, breached));
    assert_eq!(
        (effects.len(), state.groups_left_out()),
        (GROUPS_MAX - 1, 7)
    );
    let (state, effects) = stepped(&rule, &state, &check(4, [(0, 1.0)]));
    assert!(
        matches!(&*effects, [Effect::Recovered(_)]),
        "the others are missing, and fire on"
    );
    assert_eq!(state.groups_left_out(), 0);
}

#[test]
fn members_beyond_the_roster_are_counted() {
    let rule = rule(
        r#"{"query": "*", "group_by": ["host"], "window_s": 60, "condition": {"type": "absence", "of": "members"}}"#,
    );
    let all = (0..ROSTER_MAX + 3).map(|name| (name, 1.0));
    let (state, _) = stepped(&rule, &RuleState::new(START), &check(1, all));
    assert_eq!(
        (state.roster().members().len(), state.roster().left_out()),
        (ROSTER_MAX, 3)
    );
    // As many as there is room for are told of, the rest is counted.
    let (state, effects) = stepped(&rule, &state, &check(2, []));
    assert_eq!(effects.len(), GROUPS_MAX);
    assert_eq!(state.groups_left_out(), ROSTER_MAX - GROUPS_MAX);
    assert_eq!(state.roster().left_out(), 0);
}

#[test]
fn the_pattern_known_for_longest_is_forgotten_first() {
    let rule = rule(
        r#"{"query": "*", "window_s": 60, "recovery_s": 0, "condition": {"type": "new_pattern"}}"#,
    );
    let mut state = RuleState::new(START);
    state.know_patterns((0..PATTERNS_MAX - 1).map(group));
    let opens = |state: &RuleState, minute: i64, name: usize| {
        let (state, effects) = stepped(&rule, state, &check(minute, [(name, 1.0)]));
        let opened = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Opened(_)));
        (state, opened.count())
    };
    let (state, opened) = opens(&state, 1, PATTERNS_MAX);
    assert_eq!(opened, 1, "there is room for one");
    let (state, opened) = opens(&state, 2, PATTERNS_MAX + 1);
    assert_eq!(opened, 1, "and then one from before the rule makes room");
    for (minute, name) in [(3, PATTERNS_MAX), (4, PATTERNS_MAX + 1), (5, 1)] {
        assert_eq!(opens(&state, minute, name).1, 0, "{name} is known");
    }
    assert_eq!(opens(&state, 6, 0).1, 1, "the first is not");
}

#[test]
fn a_back_test_says_how_bad_and_how_long() {
    let rule = rule(
        r#"{"query": "*", "group_by": ["host"], "window_s": 60, "recovery_s": 0,
            "condition": {"type": "threshold", "operator": "lower_than", "value": 5}}"#,
    );
    let failed = Observation {
        outcome: Outcome::Failed("was busy".to_owned()),
        ..check(6, [])
    };
    let checks = [
        check(1, [(1, 9.0), (2, 9.0)]),
        check(2, [(1, 4.0), (2, 9.0)]),
        check(3, [(1, 2.0), (2, 9.0)]),
        check(4, [(1, 3.0), (2, 1.0)]),
        check(5, [(1, 9.0), (2, 1.0)]),
        failed,
        check(7, [(1, 9.0), (2, 1.0)]),
    ];
    let told = back_test(&rule, RuleState::new(START), checks);
    assert_eq!((told.checks, told.checks_failed, told.notices), (7, 1, 3));
    assert!(
        (told.firing_s - 300.0).abs() < 1e-9,
        "from minute 2 to 7: {told:?}"
    );
    let [first, second] = &*told.episodes else {
        panic!("{told:?}");
    };
    assert_eq!(first.group, group(1));
    assert_eq!(first.peak.value, Some(Value::Number(2.0)));
    assert_eq!(first.limit, "below 5");
    assert!((first.firing_s - 180.0).abs() < 1e-9);
    assert!(first.recovered_at.is_some() && second.recovered_at.is_none());
    assert!(
        (second.firing_s - 180.0).abs() < 1e-9,
        "until the last check"
    );
}

#[test]
fn a_back_test_tells_a_thousand_episodes_and_counts_the_rest() {
    let rule = rule(
        r#"{"query": "*", "group_by": ["host"], "window_s": 60, "recovery_s": 0,
            "condition": {"type": "threshold", "operator": "higher_than", "value": 5}}"#,
    );
    let episodes = i64::try_from(EPISODES_MAX).unwrap() + 20;
    let checks = (0..2 * episodes).map(|minute| {
        let value = if minute % 2 == 0 { 9.0 } else { 1.0 };
        check(minute + 1, [(0, value)])
    });
    let told = back_test(&rule, RuleState::new(START), checks);
    assert_eq!(
        (told.episodes.len(), told.episodes_left_out),
        (EPISODES_MAX, 20)
    );
    assert_eq!(told.notices, 2 * (EPISODES_MAX as u64 + 20));
}

#[test]
fn a_state_of_another_version_is_refused() {
    let json = serde_json::to_string(&RuleState::new(START)).unwrap();
    let other = json.replace("\"version\":1", "\"version\":2");
    assert_ne!(json, other);
    assert!(serde_json::from_str::<RuleState>(&json).is_ok());
    let error = serde_json::from_str::<RuleState>(&other).unwrap_err();
    assert!(error.to_string().contains("version 2"), "{error}");
}
