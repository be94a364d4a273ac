//! `field:[a TO b]` and `field:>5`: ranges of numbers or of text.

use std::cmp::Ordering;
use std::ops::Bound;

use cordwood_event::Number;

use crate::NumberInterval;

/// A range with at least one end, the ends as they were written.
///
/// When every end it has is a number, it is a range of numbers: it holds number values by value, and text
/// that as a whole is a number, so that a field sent as `"1500"` by one program and `1500` by
/// another is compared alike. Otherwise it is a range of text, in the order of code points, and holds
/// text values only. On `level` the ends are levels, in the order of severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    lower: Bound<String>,
    upper: Bound<String>,
}

impl Range {
    /// The range between two ends; `None` when there is no end at all, which is no condition on the value.
    pub fn new(lower: Bound<String>, upper: Bound<String>) -> Option<Range> {
        if lower == Bound::Unbounded && upper == Bound::Unbounded {
            return None;
        }
        Some(Range { lower, upper })
    }

    /// The lower end.
    pub fn lower(&self) -> Bound<&str> {
        self.lower.as_ref().map(String::as_str)
    }

    /// The upper end.
    pub fn upper(&self) -> Bound<&str> {
        self.upper.as_ref().map(String::as_str)
    }

    /// The interval it is, when it is a range of numbers.
    pub fn numbers(&self) -> Option<NumberInterval> {
        Some(NumberInterval {
            lower: number_end(self.lower())?,
            upper: number_end(self.upper())?,
        })
    }

    /// Whether `text` lies between the ends in the order of code points.
    pub fn contains_text(&self, text: &str) -> bool {
        let is_above = match self.lower() {
            Bound::Unbounded => true,
            Bound::Included(lower) => lower <= text,
            Bound::Excluded(lower) => lower < text,
        };
        is_above
            && match self.upper() {
                Bound::Unbounded => true,
                Bound::Included(upper) => text <= upper,
                Bound::Excluded(upper) => text < upper,
            }
    }

    /// Whether the lower end lies after the upper one.
    pub(crate) fn is_inverted(&self) -> bool {
        if let Some(interval) = self.numbers() {
            return match (end_of(interval.lower), end_of(interval.upper)) {
                (Some(lower), Some(upper)) => lower.compare(upper) == Ordering::Greater,
                _ => false,
            };
        }
        match (end_of(self.lower()), end_of(self.upper())) {
            (Some(lower), Some(upper)) => lower > upper,
            _ => false,
        }
    }
}

fn number_end(end: Bound<&str>) -> Option<Bound<Number>> {
    Some(match end {
        Bound::Unbounded => Bound::Unbounded,
        Bound::Included(text) => Bound::Included(Number::parse(text)?),
        Bound::Excluded(text) => Bound::Excluded(Number::parse(text)?),
    })
}

/// What stands at an end, whether it belongs to the range or not.
pub(crate) fn end_of<T>(bound: Bound<T>) -> Option<T> {
    match bound {
        Bound::Included(end) | Bound::Excluded(end) => Some(end),
        Bound::Unbounded => None,
    }
}
