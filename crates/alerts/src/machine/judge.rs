//! What is to be thought of a group by what was found of it.

use super::Machine;
use super::verdict::Verdict;
use crate::check::CheckedFurther;
use crate::{
    Anomaly, AnomalyDirection, CheckedRule, Condition, Group, OnMissingData, Operator, Reading,
    Reference, Relative, RelativeOperator, Threshold, ThresholdValue, Value,
};

/// Relative conditions and anomalies have no recovery value to write down; they are clear again when they are off by less than this part of what
/// breaches them.
const CLEAR_BELOW: f64 = 0.75;

/// Whether all that was sent in the window could arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    /// It could.
    ToAll,
    /// Not all: there may have been more than was found.
    ToSome,
}

/// A verdict, and whether it stands when there were more events than were found.
#[derive(Clone, Copy, Debug)]
struct Finding {
    verdict: Verdict,
    stands: bool,
}

impl Finding {
    fn new(is_breached: bool, is_clear: bool, stands: bool) -> Finding {
        let verdict = match (is_breached, is_clear) {
            (true, _) => Verdict::Breached,
            (false, true) => Verdict::Clear,
            (false, false) => Verdict::Between,
        };
        Finding { verdict, stands }
    }

    const UNKNOWN: Finding = Finding {
        verdict: Verdict::Unknown,
        stands: false,
    };

    /// Clear, unless what was not heard says otherwise.
    const CLEAR: Finding = Finding {
        verdict: Verdict::Clear,
        stands: false,
    };

    fn heard(self, listening: Listening) -> Verdict {
        match listening {
            Listening::ToSome if !self.stands => Verdict::Unknown,
            Listening::ToAll | Listening::ToSome => self.verdict,
        }
    }
}

/// Whether anything was found of the group.
pub(super) fn is_found(reading: &Reading) -> bool {
    match &reading.value {
        None => false,
        Some(Value::Number(number)) => *number != 0.0,
        Some(Value::Text(_)) => true,
    }
}

impl Machine<'_> {
    pub(super) fn judge(
        &self,
        group: &Group,
        reading: Option<&Reading>,
        listening: Listening,
    ) -> Verdict {
        if !self.rule.is_about(group) {
            return Verdict::Clear;
        }
        if let Condition::NewPattern(pattern) = &self.rule.rule.condition {
            let is_enough = reading
                .and_then(count)
                .is_some_and(|count| count >= f64::from(pattern.events));
            let is_new = reading.is_some_and(|reading| self.is_new_pattern(group, reading));
            return Finding::new(is_enough && is_new, true, is_enough && is_new).heard(listening);
        }
        let reading =
            reading.filter(|reading| reading.value.is_some() || reading.reference.is_some());
        match reading {
            Some(reading) if reading.value.is_some() => judged(self.rule, reading, listening),
            missing => self.judge_missing(group, missing, listening),
        }
    }

    /// Whether a pattern was never seen before: neither told of, nor there before the rule.
    fn is_new_pattern(&self, group: &Group, reading: &Reading) -> bool {
        let patterns = &self.state.patterns;
        !patterns.knows(group)
            && match reading.first_seen {
                Some(first_seen) => first_seen >= self.state.listens_since,
                None => patterns.is_taught(),
            }
    }

    fn judge_missing(
        &self,
        group: &Group,
        reading: Option<&Reading>,
        listening: Listening,
    ) -> Verdict {
        if listening == Listening::ToSome {
            return Verdict::Unknown;
        }
        match self.rule.on_missing {
            OnMissingData::Fire => Verdict::Breached,
            OnMissingData::DontFire => Verdict::Clear,
            OnMissingData::TreatAsZero => {
                let reference = reading.and_then(|reading| reading.reference);
                let reference = reference.or(self.reference_of_none);
                judged(self.rule, &zero(self.rule, reference), listening)
            }
            OnMissingData::TreatAsPrevious => {
                let last = self
                    .state
                    .groups
                    .get(group)
                    .and_then(|state| state.last.as_ref());
                last.map_or(Verdict::Unknown, |last| judged(self.rule, last, listening))
            }
        }
    }
}

/// What a group reads that has no events.
pub(super) fn zero(rule: &CheckedRule, reference: Option<Reference>) -> Reading {
    let further = rule.further.iter();
    let of_none = |further: &CheckedFurther| {
        further
            .measure
            .adds_up_events()
            .then_some(Value::Number(0.0))
    };
    Reading {
        value: Some(Value::Number(0.0)),
        further: further.map(of_none).collect(),
        events: Some(0.0),
        reference,
        ..Reading::default()
    }
}

/// The verdict on a reading that has a value.
pub(super) fn judged(rule: &CheckedRule, reading: &Reading, listening: Listening) -> Verdict {
    let finding = match &rule.rule.condition {
        Condition::Threshold(threshold) => by_threshold(threshold, reading.value.as_ref()),
        Condition::Matches {} | Condition::NewPattern(_) => {
            let is_there = is_found(reading);
            Finding::new(is_there, !is_there, is_there)
        }
        Condition::Absence(_) => {
            let is_there = is_found(reading);
            Finding::new(!is_there, is_there, is_there)
        }
        Condition::Relative(relative) => by_change(relative, reading),
        Condition::Anomaly(anomaly) => by_usual(anomaly, reading),
    };
    let mut verdict = finding.heard(listening);
    for (index, further) in rule.further.iter().enumerate() {
        let value = reading.further.get(index).and_then(Option::as_ref);
        let none = further
            .measure
            .adds_up_events()
            .then_some(Value::Number(0.0));
        let finding = by_threshold(&further.threshold, value.or(none.as_ref()));
        verdict = verdict.and(finding.heard(listening));
    }
    verdict
}

fn count(reading: &Reading) -> Option<f64> {
    reading.value.as_ref().and_then(Value::number)
}

fn by_threshold(threshold: &Threshold, value: Option<&Value>) -> Finding {
    let Some(value) = value else {
        return Finding::CLEAR;
    };
    match &threshold.value {
        ThresholdValue::Text(target) => by_text(threshold.operator, value, target),
        ThresholdValue::Number(target) => match number(value) {
            Some(value) => by_number(threshold, value, *target),
            None => Finding::CLEAR,
        },
    }
}

/// A text that is a number is one, as everywhere in the language.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
    }
}

fn by_text(operator: Operator, value: &Value, target: &str) -> Finding {
    let is_same = match value {
        Value::Number(number) => number.to_string() == target,
        Value::Text(text) => text == target,
    };
    let is_breached = is_same == (operator == Operator::Equal);
    Finding::new(is_breached, !is_breached, true)
}

fn by_number(threshold: &Threshold, value: f64, target: f64) -> Finding {
    let is_breached = threshold.operator.holds(value, target);
    // More events than were found can only raise a value: what lies on the far side of the target stays there.
    let (is_clear, stands) = match threshold.operator {
        Operator::HigherThan => (is_at_most(value, threshold.recovery_value), value > target),
        Operator::HigherThanOrEqual => {
            (is_at_most(value, threshold.recovery_value), value >= target)
        }
        Operator::LowerThan => (
            is_at_least(value, threshold.recovery_value),
            value >= target,
        ),
        Operator::LowerThanOrEqual => {
            (is_at_least(value, threshold.recovery_value), value > target)
        }
        Operator::Equal | Operator::NotEqual => (true, value > target),
    };
    Finding::new(is_breached, is_clear, stands)
}

fn is_at_most(value: f64, recovery_value: Option<f64>) -> bool {
    recovery_value.is_none_or(|recovery| value <= recovery)
}

fn is_at_least(value: f64, recovery_value: Option<f64>) -> bool {
    recovery_value.is_none_or(|recovery| value >= recovery)
}

fn by_change(relative: &Relative, reading: &Reading) -> Finding {
    let (Some(value), Some(reference)) = (count(reading), reading.reference) else {
        return Finding::UNKNOWN;
    };
    let change = value - reference.center;
    let is_that_way = match relative.operator {
        RelativeOperator::IncreasesBy => change > 0.0,
        RelativeOperator::DecreasesBy => change < 0.0,
        RelativeOperator::ChangesBy => change != 0.0,
    };
    let events = reading.events.unwrap_or_default().max(reference.events);
    let is_news = is_that_way && events >= f64::from(relative.events_min);
    let exceeds = |part: f64| {
        let percent = relative
            .by_percent
            .is_none_or(|by| change.abs() * 100.0 >= part * by * reference.center.abs());
        let spread = relative
            .by_spread
            .is_none_or(|by| change.abs() >= part * by * reference.spread);
        is_news && percent && spread
    };
    Finding::new(exceeds(1.0), !exceeds(CLEAR_BELOW), change > 0.0)
}

fn by_usual(anomaly: &Anomaly, reading: &Reading) -> Finding {
    let (Some(value), Some(reference)) = (count(reading), reading.reference) else {
        return Finding::UNKNOWN;
    };
    let off = value - reference.center;
    let is_that_way = match anomaly.direction {
        AnomalyDirection::Any => off != 0.0,
        AnomalyDirection::Higher => off > 0.0,
        AnomalyDirection::Lower => off < 0.0,
    };
    let allowed = spreads_allowed(anomaly.sensitivity) * reference.spread;
    let exceeds = |part: f64| is_that_way && off.abs() > part * allowed;
    Finding::new(exceeds(1.0), !exceeds(CLEAR_BELOW), off > 0.0)
}

/// How many spreads a value may be off. At 50 five, which of values that vary by chance alone one in two million is; at 0 half, at 100 twice as many.
fn spreads_allowed(sensitivity: u8) -> f64 {
    2.5 * 4f64.powf(f64::from(sensitivity) / 100.0)
}
