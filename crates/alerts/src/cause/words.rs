//! A measure, a value and what it is held against, in words.

use crate::check::CheckedMeasure;
use crate::{Against, CheckedRule, Condition, Reading, Reference, ThresholdValue, Value, figures};
use cordwood_query::Function;

/// A value with its unit.
pub(crate) fn measured(measure: &CheckedMeasure, value: &Value) -> String {
    let unit = match measure {
        CheckedMeasure::Ratio { .. } => " %",
        CheckedMeasure::Function {
            function: Function::Rate,
            ..
        } => " / s",
        CheckedMeasure::Function { .. } => "",
    };
    format!("{}{unit}", figures::value(value))
}

/// What is measured: `p95(duration_ms)`.
pub(super) fn measure(measure: &CheckedMeasure) -> String {
    match measure {
        CheckedMeasure::Ratio { of, .. } => format!("the share of {of}"),
        CheckedMeasure::Function {
            function,
            condition: None,
        } => function.to_string(),
        CheckedMeasure::Function {
            function,
            condition: Some(condition),
        } => {
            format!("{function} if ({condition})")
        }
    }
}

/// What stands between the value and what it is compared with.
pub(super) fn operator(rule: &CheckedRule, reading: &Reading) -> &'static str {
    match &rule.rule.condition {
        Condition::Threshold(threshold) => threshold.operator.words(),
        Condition::Matches {} | Condition::NewPattern(_) => "at or above",
        Condition::Absence(_) => "equal to",
        Condition::Relative(_) | Condition::Anomaly(_) => {
            let value = reading
                .value
                .as_ref()
                .and_then(Value::number)
                .unwrap_or_default();
            let center = reading.reference.map_or(0.0, |reference| reference.center);
            if value >= center { "above" } else { "below" }
        }
    }
}

/// What the value is compared with.
pub(super) fn target(rule: &CheckedRule, reading: &Reading) -> String {
    match &rule.rule.condition {
        Condition::Threshold(threshold) => match &threshold.value {
            ThresholdValue::Number(value) => measured(&rule.measure, &Value::Number(*value)),
            ThresholdValue::Text(text) => text.clone(),
        },
        Condition::Matches {} => "1".to_owned(),
        Condition::NewPattern(pattern) => pattern.events.to_string(),
        Condition::Absence(_) => "0".to_owned(),
        Condition::Relative(relative) => {
            let center = expected(rule, reading);
            format!("{center} {}", against(relative.against))
        }
        Condition::Anomaly(_) => expectation(rule, reading),
    }
}

/// Operator and target: `above 5 %`.
pub(super) fn limit(rule: &CheckedRule, reading: &Reading) -> String {
    match &rule.rule.condition {
        Condition::Anomaly(_) => format!("usually {}", expectation(rule, reading)),
        _ => format!("{} {}", operator(rule, reading), target(rule, reading)),
    }
}

/// Center and spread: `100 ± 12`.
pub(crate) fn expectation(rule: &CheckedRule, reading: &Reading) -> String {
    match reading.reference {
        Some(Reference { spread, .. }) => {
            format!("{} ± {}", expected(rule, reading), figures::number(spread))
        }
        None => "not known".to_owned(),
    }
}

fn expected(rule: &CheckedRule, reading: &Reading) -> String {
    match reading.reference {
        Some(Reference { center, .. }) => measured(&rule.measure, &Value::Number(center)),
        None => "not known".to_owned(),
    }
}

/// When a window compared with was.
pub(super) fn against(against: Against) -> &'static str {
    match against {
        Against::Previous => "in the window before",
        Against::Yesterday => "at the same time yesterday",
        Against::LastWeek => "at the same time a week before",
    }
}
