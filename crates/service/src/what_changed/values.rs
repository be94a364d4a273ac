//! Values that are there in one window alone.

use super::counts::{Counts, FieldCounts};
use super::outcome::float;
use super::part::FieldValue;
use super::windows::Both;

/// Values that are told of, those of most events first.
const VALUES_MAX: usize = 20;
/// Of one field.
const VALUES_OF_FIELD_MAX: usize = 5;
/// With fewer events, or fewer expected, a value may be missing by chance.
const EVENTS_MIN: f64 = 20.0;
/// A field of which more than this part of the values come and go changes its values by nature.
const CHURN_MAX: f64 = 0.5;

/// A value of one window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LoneValue {
    pub(super) value: FieldValue,
    pub(super) events: u64,
}

/// The values of the current window that the baseline has none of; `longer` is how much longer the current window is.
pub(super) fn new_values(events: &Both<Counts>, longer: f64) -> Vec<LoneValue> {
    only_in(&events.current, &events.baseline, 1.0 / longer)
}

/// The values of the baseline that the current window has none of.
pub(super) fn vanished_values(events: &Both<Counts>, longer: f64) -> Vec<LoneValue> {
    only_in(&events.baseline, &events.current, longer)
}

fn only_in(counts: &Counts, other: &Counts, scale: f64) -> Vec<LoneValue> {
    let mut found = Vec::new();
    for (field, of_field) in counts.fields() {
        let Some(of_other) = other.field(field) else {
            continue;
        };
        let is_known = of_field.is_whole() && of_other.is_whole() && !of_other.rows.is_empty();
        if is_known && !has_churn(of_field, of_other) {
            found.extend(lone(field, of_field, of_other, scale));
        }
    }
    found.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.value.cmp(&b.value)));
    found.truncate(VALUES_MAX);
    found
}

fn has_churn(counts: &FieldCounts, other: &FieldCounts) -> bool {
    /// A field with fewer values may well have one more.
    const VALUES_MIN: usize = 4;
    let of_one = counts
        .rows
        .keys()
        .filter(|value| !other.rows.contains_key(*value));
    let (of_one, all) = (of_one.count() as u64, counts.rows.len());
    all >= VALUES_MIN && float(of_one) > float(all as u64) * CHURN_MAX
}

fn lone(field: &str, counts: &FieldCounts, other: &FieldCounts, scale: f64) -> Vec<LoneValue> {
    let is_lone = |value: &String, rows: u64| {
        let expected = float(rows) * scale;
        !other.rows.contains_key(value) && float(rows).min(expected) >= EVENTS_MIN
    };
    let lone = counts
        .rows
        .iter()
        .filter(|(value, rows)| is_lone(value, **rows));
    let mut lone: Vec<LoneValue> = lone
        .map(|(value, rows)| LoneValue {
            value: FieldValue {
                field: field.to_owned(),
                value: value.clone(),
            },
            events: *rows,
        })
        .collect();
    lone.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.value.cmp(&b.value)));
    lone.truncate(VALUES_OF_FIELD_MAX);
    lone
}
