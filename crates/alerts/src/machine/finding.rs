//! A reading held against a condition, and whether that would be the same with more events than were found.

use super::verdict::Verdict;
use crate::{
    Anomaly, AnomalyDirection, Condition, Operator, Reading, Relative, RelativeOperator, Threshold,
    ThresholdValue, Value,
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

/// A verdict on what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    verdict: Verdict,
    /// Whether it would be the same if there were more events.
    stands: bool,
}

impl Finding {
    const UNKNOWN: Finding = Finding {
        verdict: Verdict::Unknown,
        stands: false,
    };

    /// Clear, as long as there is nothing more.
    const CLEAR: Finding = Finding {
        verdict: Verdict::Clear,
        stands: false,
    };

    /// The verdict by what could be heard.
    pub(super) fn heard(self, listening: Listening) -> Verdict {
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

/// What a rule's own condition says of a reading that has a value.
pub(super) fn of_condition(condition: &Condition, reading: &Reading) -> Finding {
    let where_found = |verdict: Verdict| Finding {
        verdict,
        stands: true,
    };
    match condition {
        Condition::Threshold(threshold) => by_threshold(threshold, reading.value.as_ref()),
        Condition::Matches {} | Condition::NewPattern(_) => match is_found(reading) {
            true => where_found(Verdict::Breached),
            false => Finding::CLEAR,
        },
        Condition::Absence(_) => match is_found(reading) {
            true => where_found(Verdict::Clear),
            false => Finding {
                verdict: Verdict::Breached,
                stands: false,
            },
        },
        Condition::Relative(relative) => by_change(relative, reading),
        Condition::Anomaly(anomaly) => by_usual(anomaly, reading),
    }
}

/// A condition without a value does not hold.
pub(super) fn by_threshold(threshold: &Threshold, value: Option<&Value>) -> Finding {
    match (&threshold.value, value) {
        (_, None) => Finding::CLEAR,
        (ThresholdValue::Text(target), Some(value)) => by_text(threshold.operator, value, target),
        (ThresholdValue::Number(target), Some(value)) => match number(value) {
            Some(value) => by_number(threshold, value, *target),
            None => Finding::CLEAR,
        },
    }
}

/// A text that is a number is one, as everywhere in the language.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => {
            let number: Option<f64> = text.trim().parse().ok();
            number.filter(|number| number.is_finite())
        }
    }
}

fn by_text(operator: Operator, value: &Value, target: &str) -> Finding {
    let is_same = match value {
        Value::Number(number) => number.to_string() == target,
        Value::Text(text) => text == target,
    };
    let verdict = match is_same == (operator == Operator::Equal) {
        true => Verdict::Breached,
        false => Verdict::Clear,
    };
    Finding {
        verdict,
        stands: true,
    }
}

fn by_number(threshold: &Threshold, value: f64, target: f64) -> Finding {
    let back = threshold.recovery_value;
    // More events than were found can only raise a value: what lies on the far side of the target stays there.
    let (is_back, stands) = match threshold.operator {
        Operator::HigherThan => (back.is_none_or(|back| value <= back), value > target),
        Operator::HigherThanOrEqual => (back.is_none_or(|back| value <= back), value >= target),
        Operator::LowerThan => (back.is_none_or(|back| value >= back), value >= target),
        Operator::LowerThanOrEqual => (back.is_none_or(|back| value >= back), value > target),
        Operator::Equal | Operator::NotEqual => (true, value > target),
    };
    let verdict = if threshold.operator.holds(value, target) {
        Verdict::Breached
    } else if is_back {
        Verdict::Clear
    } else {
        Verdict::Between
    };
    Finding { verdict, stands }
}

fn by_change(relative: &Relative, reading: &Reading) -> Finding {
    let value = reading.value.as_ref().and_then(Value::number);
    let Some((value, reference)) = value.zip(reading.reference) else {
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
    let size = change.abs();
    let exceeds = |part: f64| {
        let percent = |by: f64| size * 100.0 >= part * by * reference.center.abs();
        let spread = |by: f64| size >= part * by * reference.spread;
        is_news && relative.by_percent.is_none_or(percent) && relative.by_spread.is_none_or(spread)
    };
    off_by(exceeds, change)
}

fn by_usual(anomaly: &Anomaly, reading: &Reading) -> Finding {
    let value = reading.value.as_ref().and_then(Value::number);
    let Some((value, reference)) = value.zip(reading.reference) else {
        return Finding::UNKNOWN;
    };
    let off = value - reference.center;
    let is_that_way = match anomaly.direction {
        AnomalyDirection::Any => off != 0.0,
        AnomalyDirection::Higher => off > 0.0,
        AnomalyDirection::Lower => off < 0.0,
    };
    let allowed = spreads_allowed(anomaly.sensitivity) * reference.spread;
    off_by(|part: f64| is_that_way && off.abs() > part * allowed, off)
}

/// The verdict on a value that is off by `off`, by whether that exceeds a part of what is allowed.
fn off_by(exceeds: impl Fn(f64) -> bool, off: f64) -> Finding {
    let verdict = if exceeds(1.0) {
        Verdict::Breached
    } else if exceeds(CLEAR_BELOW) {
        Verdict::Between
    } else {
        Verdict::Clear
    };
    Finding {
        verdict,
        stands: off > 0.0,
    }
}

/// How many spreads a value may be off. At 50 five, which of values that vary by chance alone one in two million is; at 0 half, at 100 twice as many.
fn spreads_allowed(sensitivity: u8) -> f64 {
    2.5 * 4f64.powf(f64::from(sensitivity) / 100.0)
}
