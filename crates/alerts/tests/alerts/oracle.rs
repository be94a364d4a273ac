//! The threshold machine a second time, as its definition reads: at each check the whole history is looked at anew.

use cordwood_alerts::{
    CheckedRule, Condition, Group, Heard, Observation, OnMissingData, Operator, Outcome, Threshold,
    ThresholdValue, Value,
};
use cordwood_event::Timestamp;

use crate::series::{SECOND, START, Series};

/// How a group stood at a check, where anybody knows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    Breached,
    Between,
    Clear,
}

/// A check of one group.
#[derive(Clone, Copy, Debug)]
struct Check {
    at: Timestamp,
    /// What of it no check before had looked at, in nanoseconds.
    fresh: i64,
    level: Option<Level>,
}

/// What happens to a group, with the time of the check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    Fires { at: Timestamp, since: Timestamp },
    Recovers { at: Timestamp, until: Timestamp },
}

/// All that happens to a group.
pub(crate) fn told(series: &Series, group: &Group) -> Vec<Told> {
    let rule = series.rule.rule();
    let checks = checks(series, group);
    let mut told = Vec::new();
    // Where what is going on began: the check after which the group fires, or does not any more.
    let mut begun = 0;
    let mut fires = false;
    let mut quiet_until = Timestamp::MIN;
    for now in 0..checks.len() {
        let (wanted, seconds) = match fires {
            false => (Level::Breached, Some(rule.confirmation_s)),
            true => (Level::Clear, rule.recovery_s),
        };
        let Some(seconds) = seconds else { continue };
        let from = |first: &usize| checks[*first].at >= quiet_until;
        let firsts = (begun..=now).filter(from);
        let held = firsts
            .filter_map(|first| Some((first, held(&checks[first..=now], wanted)?)))
            .next();
        let Some((first, nanos)) = held else { continue };
        if nanos < i64::from(seconds) * SECOND {
            continue;
        }
        let (at, first) = (checks[now].at, checks[first].at);
        told.push(match fires {
            false => Told::Fires { at, since: first },
            true => Told::Recovers { at, until: first },
        });
        if fires {
            quiet_until =
                Timestamp::from_nanos(at.as_nanos() + i64::from(rule.cooldown_s) * SECOND);
        } else {
            quiet_until = Timestamp::MIN;
        }
        fires = !fires;
        begun = now + 1;
    }
    told
}

/// For how long a level has held from the first of these checks to the last; `None` if it has not.
fn held(checks: &[Check], wanted: Level) -> Option<i64> {
    let (first, last) = (checks.first()?, checks.last()?);
    let holds = first.level == Some(wanted) && last.level == Some(wanted);
    let known = checks.iter().skip(1).filter(|check| check.level.is_some());
    let all = known.clone().all(|check| check.level == Some(wanted));
    (holds && all).then(|| known.map(|check| check.fresh).sum())
}

fn checks(series: &Series, group: &Group) -> Vec<Check> {
    let mut last: Option<f64> = None;
    let mut checked_until: Option<Timestamp> = None;
    let mut checks = Vec::new();
    for observation in &series.checks {
        let window = observation.window;
        let from = checked_until.map_or(window.start, |until| until.max(window.start));
        checks.push(Check {
            at: window.end,
            fresh: window.end.as_nanos() - from.as_nanos(),
            level: level(&series.rule, observation, group, &mut last),
        });
        checked_until = Some(window.end);
    }
    checks
}

fn level(
    rule: &CheckedRule,
    observation: &Observation,
    group: &Group,
    last: &mut Option<f64>,
) -> Option<Level> {
    let Outcome::Seen { readings, heard } = &observation.outcome else {
        return None;
    };
    let Condition::Threshold(threshold) = &rule.rule().condition else {
        panic!("a threshold is what this knows");
    };
    let is_all = *heard == Heard::All && observation.window.start >= START;
    let value = readings
        .get(group)
        .and_then(|reading| reading.value.as_ref())
        .and_then(Value::number);
    match value {
        Some(value) => {
            *last = Some(value);
            (is_all || is_certain(threshold, value)).then(|| compared(threshold, value))
        }
        None if !is_all => None,
        None => missing(rule, threshold, *last),
    }
}

/// Nothing was found of a group; if there ever was something.
fn missing(rule: &CheckedRule, threshold: &Threshold, last: Option<f64>) -> Option<Level> {
    let last = last?;
    Some(
        match rule
            .rule()
            .on_missing_data
            .unwrap_or(OnMissingData::TreatAsZero)
        {
            OnMissingData::TreatAsZero => compared(threshold, 0.0),
            OnMissingData::DontFire => Level::Clear,
            OnMissingData::TreatAsPrevious => compared(threshold, last),
            OnMissingData::Fire => Level::Breached,
        },
    )
}

fn compared(threshold: &Threshold, value: f64) -> Level {
    let ThresholdValue::Number(target) = threshold.value else {
        panic!("a number is what this knows");
    };
    let back = threshold.recovery_value.unwrap_or(target);
    let (is_breached, is_back) = match threshold.operator {
        Operator::HigherThan => (value > target, value <= back),
        Operator::HigherThanOrEqual => (value >= target, value <= back),
        Operator::LowerThan => (value < target, value >= back),
        Operator::LowerThanOrEqual => (value <= target, value >= back),
        Operator::Equal => (value == target, value != target),
        Operator::NotEqual => (value != target, value == target),
    };
    match (is_breached, is_back) {
        (true, _) => Level::Breached,
        (false, true) => Level::Clear,
        (false, false) => Level::Between,
    }
}

/// Whether the level would be the same with any number of events more.
fn is_certain(threshold: &Threshold, value: f64) -> bool {
    let ThresholdValue::Number(target) = threshold.value else {
        panic!("a number is what this knows");
    };
    let above = |more: u8| value + f64::from(more);
    let is_breached = |value: f64| threshold.operator.holds(value, target);
    (1..30).all(|more| is_breached(above(more)) == is_breached(value))
}
