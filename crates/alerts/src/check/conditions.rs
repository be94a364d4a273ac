//! Conditions: what they compare, and with what.

use super::CheckedFurther;
use super::measure::{CheckedMeasure, Measures};
use crate::invalid::Mistakes;
use crate::limits::{DAYS_MAX, FURTHER_CONDITIONS_MAX, NAME_BYTES_MAX, VALUE_BYTES_MAX};
use crate::{
    Anomaly, Condition, NewPattern, Operator, Relative, RelativeOperator, Rule, Threshold,
    ThresholdValue,
};

/// Checks the rule's own condition.
pub(super) fn check(rule: &Rule, measure: Option<&CheckedMeasure>, mistakes: &mut Mistakes) {
    match &rule.condition {
        Condition::Threshold(threshold) => {
            check_threshold("condition", threshold, measure, mistakes);
        }
        Condition::Matches {} => {}
        Condition::NewPattern(pattern) => check_new_pattern(pattern, mistakes),
        Condition::Absence(absence) => {
            check_days("condition.roster_days", absence.roster_days, mistakes);
        }
        Condition::Relative(relative) => check_relative(relative, mistakes),
        Condition::Anomaly(anomaly) => check_anomaly(anomaly, mistakes),
    }
}

/// The further conditions checked.
pub(super) fn further(
    rule: &Rule,
    measures: &Measures<'_>,
    own: Option<&CheckedMeasure>,
    mistakes: &mut Mistakes,
) -> Option<Vec<CheckedFurther>> {
    let count = rule.further_conditions.len();
    mistakes.require(
        count <= FURTHER_CONDITIONS_MAX,
        "further_conditions",
        || format!("At most {FURTHER_CONDITIONS_MAX} further conditions; these are {count}."),
    );
    let suits = matches!(
        rule.condition,
        Condition::Threshold(_) | Condition::Relative(_) | Condition::Anomaly(_)
    );
    mistakes.require(suits || count == 0, "further_conditions", || {
        format!(
            "`{}` looks at the events themselves; say more in the query.",
            rule.condition.name()
        )
    });
    let mut checked = Some(Vec::with_capacity(count));
    for (index, further) in rule.further_conditions.iter().enumerate() {
        let attribute = format!("further_conditions[{index}]");
        let measure = match &further.measure {
            Some(measure) => measures.check(&format!("{attribute}.measure"), measure, mistakes),
            None => own.cloned(),
        };
        let threshold = Threshold {
            operator: further.operator,
            value: further.value.clone(),
            recovery_value: further.recovery_value,
        };
        check_threshold(&attribute, &threshold, measure.as_ref(), mistakes);
        let further = measure.map(|measure| CheckedFurther { measure, threshold });
        checked = checked.zip(further).map(|(mut list, further)| {
            list.push(further);
            list
        });
    }
    checked
}

fn check_threshold(
    attribute: &str,
    threshold: &Threshold,
    measure: Option<&CheckedMeasure>,
    mistakes: &mut Mistakes,
) {
    let value_at = format!("{attribute}.value");
    match &threshold.value {
        ThresholdValue::Number(value) => {
            mistakes.require(value.is_finite(), &value_at, || {
                "The value must be a number.".to_owned()
            });
            check_recovery_value(attribute, threshold, *value, mistakes);
        }
        ThresholdValue::Text(text) => {
            mistakes.require(text.len() <= VALUE_BYTES_MAX, &value_at, || {
                format!("A text to compare with has at most {VALUE_BYTES_MAX} bytes.")
            });
            let is_equality = matches!(threshold.operator, Operator::Equal | Operator::NotEqual);
            mistakes.require(is_equality, &value_at, || {
                "A text has no order; write a number, or the operator `equal` or `not_equal`."
                    .to_owned()
            });
            let may_be_text = measure.is_none_or(CheckedMeasure::may_be_text);
            mistakes.require(may_be_text, &value_at, || {
                "This measure is a number; write one, or a measure such as `last(status)`."
                    .to_owned()
            });
            mistakes.require(
                threshold.recovery_value.is_none(),
                &format!("{attribute}.recovery_value"),
                || "A text has nothing between it and another; leave this out.".to_owned(),
            );
        }
    }
}

/// The recovery value lies where the condition does not hold: between the two, nothing changes.
fn check_recovery_value(
    attribute: &str,
    threshold: &Threshold,
    value: f64,
    mistakes: &mut Mistakes,
) {
    let Some(recovery) = threshold.recovery_value else {
        return;
    };
    let attribute = format!("{attribute}.recovery_value");
    let name = threshold.operator.name();
    match threshold.operator {
        Operator::Equal | Operator::NotEqual => mistakes.add(
            attribute,
            format!("`{name}` has nothing between holding and not; leave this out."),
        ),
        Operator::HigherThan | Operator::HigherThanOrEqual => {
            mistakes.require(recovery <= value, &attribute, || {
                format!(
                    "With `{name}` it recovers at or below the value {value}; this says {recovery}."
                )
            });
        }
        Operator::LowerThan | Operator::LowerThanOrEqual => {
            mistakes.require(recovery >= value, &attribute, || {
                format!(
                    "With `{name}` it recovers at or above the value {value}; this says {recovery}."
                )
            });
        }
    }
}

fn check_new_pattern(pattern: &NewPattern, mistakes: &mut Mistakes) {
    mistakes.require(pattern.events >= 1, "condition.events", || {
        "A pattern is news with its first event at the earliest; write 1 or more.".to_owned()
    });
    let is_named = (1..=NAME_BYTES_MAX).contains(&pattern.field.len());
    mistakes.require(is_named, "condition.field", || {
        format!("The name of a field has from 1 to {NAME_BYTES_MAX} bytes.")
    });
}

fn check_days(attribute: &str, days: u32, mistakes: &mut Mistakes) {
    mistakes.require((1..=DAYS_MAX).contains(&days), attribute, || {
        format!("From 1 to {DAYS_MAX} days; this says {days}.")
    });
}

fn check_relative(relative: &Relative, mistakes: &mut Mistakes) {
    let says_how_much = relative.by_percent.is_some() || relative.by_spread.is_some();
    mistakes.require(says_how_much, "condition.by_percent", || {
        "Say by how much: `by_percent`, `by_spread` or both.".to_owned()
    });
    for (attribute, by) in [
        ("condition.by_percent", relative.by_percent),
        ("condition.by_spread", relative.by_spread),
    ] {
        let is_positive = by.is_none_or(|by| by.is_finite() && by > 0.0);
        mistakes.require(is_positive, attribute, || {
            format!(
                "`{}` says which way; write how far as a number above 0.",
                relative.operator.name()
            )
        });
    }
    let is_possible = relative.operator != RelativeOperator::DecreasesBy
        || relative.by_percent.is_none_or(|by| by <= 100.0);
    mistakes.require(is_possible, "condition.by_percent", || {
        "Nothing decreases by more than 100 percent, which is to zero; write 100 or less."
            .to_owned()
    });
}

fn check_anomaly(anomaly: &Anomaly, mistakes: &mut Mistakes) {
    mistakes.require(anomaly.sensitivity <= 100, "condition.sensitivity", || {
        format!(
            "From 0, the most sensitive, to 100; this says {}.",
            anomaly.sensitivity
        )
    });
    check_days("condition.training_days", anomaly.training_days, mistakes);
}
