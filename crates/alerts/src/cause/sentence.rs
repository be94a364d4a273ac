//! What is said of an episode whose rule has no template: a sentence for each kind of condition.

use super::{Telling, words};
use crate::window::{nanos, nanos_between};
use crate::{CheckedRule, Condition, Group, Reading, Value, figures};

/// The sentence. It begins with a small letter, as it may stand behind the name of the rule.
pub(super) fn sentence(rule: &CheckedRule, telling: &Telling<'_>) -> String {
    let reading = telling.reading;
    let whose = whose(telling.group);
    let window = figures::duration(nanos(rule.rule.window_s));
    match &rule.rule.condition {
        Condition::Absence(_) => silence(telling),
        Condition::Matches {} => format!("{}{whose} in {window}", events(reading)),
        Condition::NewPattern(_) => {
            let pattern = reading.text.as_deref().unwrap_or_default();
            format!("{} of a new pattern: {pattern}", events(reading))
        }
        _ if reading.value.is_none() => format!("nothing was found{whose} for {window}"),
        Condition::Threshold(_) => {
            format!("{}, {}", is(rule, telling), words::limit(rule, reading))
        }
        Condition::Relative(relative) => format!(
            "{}, {} {}",
            is(rule, telling),
            change(reading),
            words::against(relative.against)
        ),
        Condition::Anomaly(_) => format!(
            "{}, usually {} at this time",
            is(rule, telling),
            words::expectation(rule, reading)
        ),
    }
}

/// `p95(duration_ms) of host web-3 is 812`
fn is(rule: &CheckedRule, telling: &Telling<'_>) -> String {
    let value = rule
        .value_text(telling.reading)
        .unwrap_or_else(|| "nothing".to_owned());
    format!(
        "{}{} is {value}",
        words::measure(&rule.measure),
        whose(telling.group)
    )
}

fn silence(telling: &Telling<'_>) -> String {
    let length = figures::duration(nanos_between(telling.since, telling.at));
    match telling.group.fields().is_empty() {
        true => format!("no event for {length}"),
        false => format!("{} has sent nothing for {length}", telling.group),
    }
}

/// `up 140 % from 100`
fn change(reading: &Reading) -> String {
    let value = reading
        .value
        .as_ref()
        .and_then(Value::number)
        .unwrap_or_default();
    let center = reading.reference.map_or(0.0, |reference| reference.center);
    let way = if value >= center { "up" } else { "down" };
    let from = figures::number(center);
    match center == 0.0 {
        true => format!("{way} from {from}"),
        false => {
            let percent = (value - center).abs() / center.abs() * 100.0;
            format!("{way} {} % from {from}", figures::number(percent.round()))
        }
    }
}

fn events(reading: &Reading) -> String {
    match reading.value.as_ref().and_then(Value::number) {
        Some(1.0) => "1 event".to_owned(),
        count => format!("{} events", figures::number(count.unwrap_or_default())),
    }
}

fn whose(group: &Group) -> String {
    match group.fields().is_empty() {
        true => String::new(),
        false => format!(" of {group}"),
    }
}
