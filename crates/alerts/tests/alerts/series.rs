//! Random rules and random rows of checks: values around the threshold, groups that come and go, checks that fail, are missed or heard a part.

use std::collections::BTreeMap;

use cordwood_alerts::{
    Absence, AbsenceOf, CheckedRule, Condition, Group, Heard, IncidentPer, Observation,
    OnMissingData, Operator, Outcome, Reading, Reference, Relative, RelativeOperator, Rule,
    Threshold, ThresholdValue, Value, Window,
};
use cordwood_event::Timestamp;
use proptest::prelude::*;

/// 2026-03-01T00:00:00Z
pub(crate) const START: Timestamp = Timestamp::from_nanos(1_772_323_200_000_000_000);

pub(crate) const SECOND: i64 = 1_000_000_000;

/// A rule and its checks.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) rule: CheckedRule,
    pub(crate) checks: Vec<Observation>,
}

/// What a check brings, before it has a time.
#[derive(Clone, Debug)]
struct Raw {
    /// How many checks were missed before it.
    missed: i64,
    outcome: Option<(bool, Vec<Option<u8>>)>,
}

pub(crate) fn group(name: usize) -> Group {
    Group::new(vec![("host".to_owned(), Some(format!("web-{name}")))])
}

fn raw() -> impl Strategy<Value = Raw> {
    let value = prop_oneof![5 => (0u8..=10).prop_map(Some), 1 => Just(None)];
    let readings = (prop::bool::weighted(0.15), prop::collection::vec(value, 3));
    let outcome = prop_oneof![9 => readings.prop_map(Some), 1 => Just(None)];
    let missed = prop_oneof![15 => Just(0i64), 1 => 1i64..40];
    (missed, outcome).prop_map(|(missed, outcome)| Raw { missed, outcome })
}

fn threshold() -> impl Strategy<Value = Condition> {
    let operator = prop::sample::select(vec![
        Operator::HigherThan,
        Operator::HigherThanOrEqual,
        Operator::LowerThan,
        Operator::LowerThanOrEqual,
        Operator::Equal,
        Operator::NotEqual,
    ]);
    (operator, 0u8..=8, prop::option::of(0u8..=3)).prop_map(|(operator, value, band)| {
        let value = f64::from(value);
        let band = band.map(f64::from);
        let recovery_value = match operator {
            Operator::HigherThan | Operator::HigherThanOrEqual => band.map(|band| value - band),
            Operator::LowerThan | Operator::LowerThanOrEqual => band.map(|band| value + band),
            Operator::Equal | Operator::NotEqual => None,
        };
        Condition::Threshold(Threshold {
            operator,
            value: ThresholdValue::Number(value),
            recovery_value,
        })
    })
}

fn other_conditions() -> impl Strategy<Value = Condition> {
    prop_oneof![
        Just(Condition::Matches {}),
        Just(Condition::Absence(Absence {
            of: AbsenceOf::Members,
            roster_days: 1,
        })),
        prop::sample::select(vec![
            RelativeOperator::IncreasesBy,
            RelativeOperator::DecreasesBy,
            RelativeOperator::ChangesBy,
        ])
        .prop_map(|operator| {
            let json = r#"{"operator": "changes_by", "by_percent": 40, "events_min": 2}"#;
            let relative: Relative = serde_json::from_str(json).unwrap();
            Condition::Relative(Relative {
                operator,
                ..relative
            })
        }),
    ]
}

fn rules(condition: impl Strategy<Value = Condition>) -> impl Strategy<Value = CheckedRule> {
    let policy = prop::sample::select(vec![
        OnMissingData::TreatAsZero,
        OnMissingData::DontFire,
        OnMissingData::TreatAsPrevious,
        OnMissingData::Fire,
    ]);
    let rhythm = (prop::sample::select(vec![30u32, 60, 300]), 1u32..4);
    let patience = (0u32..8, prop::option::of(0u32..8), 0u32..12);
    let per = prop::sample::select(vec![IncidentPer::Rule, IncidentPer::Group]);
    (condition, prop::option::of(policy), rhythm, patience, per).prop_map(
        |(condition, policy, (every, windows), (confirmation, recovery, cooldown), per)| {
            let leaves_choice =
                matches!(condition, Condition::Threshold(_) | Condition::Relative(_));
            let rule = Rule {
                group_by: vec!["host".to_owned()],
                check_every_s: every,
                window_s: every * windows,
                confirmation_s: confirmation * 45,
                recovery_s: recovery.map(|recovery| recovery * 45),
                cooldown_s: cooldown * 45,
                on_missing_data: policy.filter(|_| leaves_choice),
                incident_per: per,
                ..Rule::new("*", condition)
            };
            rule.check().unwrap()
        },
    )
}

fn series_of(rules: impl Strategy<Value = CheckedRule>) -> impl Strategy<Value = Series> {
    (rules, prop::collection::vec(raw(), 1..80)).prop_map(|(rule, raws)| {
        let mut at = START;
        let mut checks = Vec::with_capacity(raws.len());
        for raw in raws {
            let steps = (raw.missed + 1) * i64::from(rule.rule().check_every_s);
            at = Timestamp::from_nanos(at.as_nanos() + steps * SECOND);
            let window = Window::ending(at, rule.rule().window_s);
            let outcome = outcome(&rule, raw);
            checks.push(Observation { window, outcome });
        }
        Series { rule, checks }
    })
}

fn outcome(rule: &CheckedRule, raw: Raw) -> Outcome {
    let Some((is_partly, values)) = raw.outcome else {
        return Outcome::Failed("the deadline was reached".to_owned());
    };
    let values = values.into_iter().enumerate();
    let readings: BTreeMap<Group, Reading> = values
        .filter_map(|(name, value)| Some((group(name), reading(rule, f64::from(value?)))))
        .collect();
    Outcome::Seen {
        readings,
        heard: match is_partly {
            true => Heard::Partly("the server was down".to_owned()),
            false => Heard::All,
        },
    }
}

fn reading(rule: &CheckedRule, value: f64) -> Reading {
    let mut reading = Reading::of(Value::Number(value));
    if matches!(rule.rule().condition, Condition::Relative(_)) {
        reading.events = Some(value);
        reading.reference = Some(Reference {
            center: 5.0,
            spread: 1.0,
            events: 5.0,
        });
    }
    reading
}

/// A threshold rule, an incident for each group, and its checks.
pub(crate) fn thresholds() -> impl Strategy<Value = Series> {
    let rules = rules(threshold()).prop_map(|rule| {
        let mut rule = rule.rule().clone();
        rule.incident_per = IncidentPer::Group;
        rule.check().unwrap()
    });
    series_of(rules)
}

/// Any rule and its checks.
pub(crate) fn any() -> impl Strategy<Value = Series> {
    series_of(rules(prop_oneof![threshold(), other_conditions()]))
}
