//! What holds of every rule and every row of checks.

use std::collections::BTreeMap;

use cordwood_alerts::{
    CheckedRule, Closed, Condition, Effect, Group, Heard, IncidentPer, Observation, Opened,
    Operator, Outcome, Reading, RelativeOperator, Rule, RuleState, Value, Window, step,
};
use cordwood_event::Timestamp;
use proptest::prelude::*;

use crate::oracle::{self, Told};
use crate::scenario::written;
use crate::series::{self, SECOND, START, Series, group};

/// Each effect with the number of its check.
fn run(series: &Series) -> Vec<(usize, Effect)> {
    let mut state = RuleState::new(START);
    let mut told = Vec::new();
    for (index, observation) in series.checks.iter().enumerate() {
        let (next, effects) = step(&series.rule, &state, observation, observation.window.end);
        state = next;
        told.extend(effects.into_iter().map(|effect| (index, effect)));
    }
    told
}

fn opening(effect: &Effect) -> Option<&Opened> {
    match effect {
        Effect::Opened(opened) | Effect::Joined(opened) => Some(opened),
        _ => None,
    }
}

fn closing(effect: &Effect) -> Option<&Closed> {
    match effect {
        Effect::Left(closed) | Effect::Recovered(closed) => Some(closed),
        _ => None,
    }
}

/// What the machine tells of a group, as the oracle does.
fn told_of(series: &Series, of: &Group) -> Vec<Told> {
    let effects = run(series).into_iter();
    let told = effects.filter_map(|(index, effect)| {
        let at = series.checks[index].window.end;
        match effect {
            Effect::Opened(opened) if opened.group == *of => Some(Told::Fires {
                at,
                since: opened.since,
            }),
            Effect::Recovered(closed) if closed.group == *of => Some(Told::Recovers {
                at,
                until: closed.until,
            }),
            _ => None,
        }
    });
    told.collect()
}

/// Whether the rule can fire because there are too few events.
fn fires_on_few(rule: &CheckedRule) -> bool {
    match &rule.rule().condition {
        Condition::Threshold(threshold) => {
            matches!(
                threshold.operator,
                Operator::LowerThan | Operator::LowerThanOrEqual | Operator::Equal
            )
        }
        Condition::Relative(relative) => relative.operator == RelativeOperator::DecreasesBy,
        Condition::Absence(_) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn thresholds_are_as_their_definition_reads(series in series::thresholds()) {
        for name in 0..3 {
            let group = group(name);
            prop_assert_eq!(told_of(&series, &group), oracle::told(&series, &group), "{}", group);
        }
    }

    #[test]
    fn an_episode_opens_once_and_recovers_once(series in series::any()) {
        let is_per_rule = series.rule.rule().incident_per == IncidentPer::Rule;
        let mut members: BTreeMap<u64, Vec<Group>> = BTreeMap::new();
        let mut last_episode = 0;
        for (_, effect) in run(&series) {
            if let Effect::Opened(opened) = &effect {
                prop_assert_eq!(opened.episode, last_episode + 1);
                prop_assert!(!is_per_rule || members.is_empty(), "there is one already");
                last_episode = opened.episode;
                members.insert(opened.episode, Vec::new());
            }
            if let Some(opened) = opening(&effect) {
                let fires = members.values().flatten().any(|member| *member == opened.group);
                prop_assert!(!fires, "{} fires already", opened.group);
                prop_assert!(members.contains_key(&opened.episode));
                members.entry(opened.episode).or_default().push(opened.group.clone());
            }
            if let Some(closed) = closing(&effect) {
                let of_episode = members.get_mut(&closed.episode).unwrap();
                prop_assert!(of_episode.contains(&closed.group));
                of_episode.retain(|member| *member != closed.group);
                let is_over = matches!(effect, Effect::Recovered(_));
                prop_assert_eq!(of_episode.is_empty(), is_over, "the last that leaves ends it");
                if is_over {
                    members.remove(&closed.episode);
                }
            }
        }
    }

    #[test]
    fn a_restart_between_any_two_checks_changes_nothing(series in series::any(), brought_twice in any::<bool>()) {
        let (mut lives, mut restarts) = (RuleState::new(START), RuleState::new(START));
        for observation in &series.checks {
            let now = observation.window.end;
            let (next, effects) = step(&series.rule, &lives, observation, now);
            let (restarted, same) = step(&series.rule, &written(restarts), observation, now);
            prop_assert_eq!(effects, same);
            prop_assert_eq!(&next, &restarted);
            restarts = restarted;
            if brought_twice {
                let (again, none) = step(&series.rule, &restarts, observation, now);
                prop_assert_eq!(none, vec![]);
                prop_assert_eq!(&again, &restarts);
            }
            lives = next;
        }
    }

    #[test]
    fn nothing_fires_on_what_is_not_known(series in series::any()) {
        for (index, effect) in run(&series) {
            let observation = &series.checks[index];
            let is_failing = matches!(effect, Effect::Failing { .. });
            match &observation.outcome {
                Outcome::Failed(_) => prop_assert!(is_failing),
                Outcome::Seen { heard, readings } => {
                    let is_all = *heard == Heard::All && observation.window.start >= START;
                    if let Some(opened) = opening(&effect) {
                        prop_assert!(is_all || !fires_on_few(&series.rule), "{:?}", observation);
                        prop_assert!(is_all || readings.contains_key(&opened.group));
                    }
                    prop_assert!(!is_failing);
                }
            }
        }
    }

    #[test]
    fn confirmation_and_recovery_last_as_long_as_said(series in series::any()) {
        let rule = series.rule.rule();
        let seconds = |from: Timestamp, to: Timestamp| (to.as_nanos() - from.as_nanos()) / SECOND;
        let mut recovered: BTreeMap<Group, Timestamp> = BTreeMap::new();
        for (index, effect) in run(&series) {
            let at = series.checks[index].window.end;
            if let Some(opened) = opening(&effect) {
                prop_assert!(seconds(opened.since, at) >= i64::from(rule.confirmation_s));
                if let Some(before) = recovered.get(&opened.group) {
                    prop_assert!(seconds(*before, at) >= i64::from(rule.cooldown_s + rule.confirmation_s));
                }
            }
            if let Some(closed) = closing(&effect) {
                prop_assert!(seconds(closed.until, at) >= i64::from(rule.recovery_s.unwrap()));
                recovered.insert(closed.group.clone(), at);
            }
        }
    }

    #[test]
    fn nothing_flaps_within_the_hysteresis(values in prop::collection::vec(31u8..=50, 1..200)) {
        let json = r#"{"query": "*", "recovery_s": 0, "window_s": 60, "condition":
            {"type": "threshold", "operator": "higher_than", "value": 50, "recovery_value": 30}}"#;
        let rule: Rule = serde_json::from_str(json).unwrap();
        let values = std::iter::once(51).chain(values.into_iter().flat_map(|value| [value, 51]));
        let mut at = START;
        let checks = values.map(|value| {
            at = Timestamp::from_nanos(at.as_nanos() + 60 * SECOND);
            let reading = Reading::of(Value::Number(f64::from(value)));
            Observation {
                window: Window::ending(at, 60),
                outcome: Outcome::Seen {
                    readings: BTreeMap::from([(Group::whole(), reading)]),
                    heard: Heard::All,
                },
            }
        });
        let series = Series { checks: checks.collect(), rule: rule.check().unwrap() };
        prop_assert_eq!(run(&series).len(), 1, "it opens, and that is all");
    }

    #[test]
    fn a_state_that_is_damaged_is_refused_or_goes_on(series in series::any(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut state = RuleState::new(START);
        for observation in &series.checks {
            state = step(&series.rule, &state, observation, observation.window.end).0;
        }
        let mut json = serde_json::to_vec(&state).unwrap();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(damaged) = serde_json::from_slice::<RuleState>(&json) {
            let mut state = damaged;
            for observation in &series.checks {
                state = step(&series.rule, &state, observation, observation.window.end).0;
            }
        }
    }
}
