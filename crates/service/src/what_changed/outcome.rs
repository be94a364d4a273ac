//! What of events may have changed: which of them count as one of a kind, and how many of them that is.

use std::ops::Bound;

use cordwood_event::Level;
use cordwood_query::{Clause, FieldName, Filter, Range, Target, Test};
use serde::{Deserialize, Serialize};

use super::evidence::{Direction, Observation, drawn_rate};
use super::windows::Both;

/// A kind of change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Events of level error or above, or of a status from 500 on.
    Errors,
    /// Events of level warn, or of a status from 400 on, that are no errors.
    Warnings,
    /// Events that took longer than nineteen of twenty did in the baseline.
    Slowness {
        /// The field with the duration.
        field: String,
        /// What nineteen of twenty stayed below, in its unit.
        threshold: f64,
    },
    /// Events that match what was asked to be explained.
    Asked,
    /// Events that are neither errors nor warnings.
    Volume,
}

impl ChangeKind {
    /// Its name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            ChangeKind::Errors => "errors",
            ChangeKind::Warnings => "warnings",
            ChangeKind::Slowness { .. } => "slowness",
            ChangeKind::Asked => "asked",
            ChangeKind::Volume => "volume",
        }
    }

    /// Whether events are counted by time; else by how many others there are.
    pub(super) fn is_volume(&self) -> bool {
        *self == ChangeKind::Volume
    }

    /// Whether its events are left out of the volume: that of failures is a change of its own.
    pub(super) fn is_no_volume(&self) -> bool {
        matches!(self, ChangeKind::Errors | ChangeKind::Warnings)
    }
}

/// Events of one kind.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) kind: ChangeKind,
    /// Which events are.
    pub(super) filter: Filter,
}

/// Errors, by level and by the fields that hold a status.
pub(super) fn errors(statuses: &[String]) -> Outcome {
    Outcome {
        kind: ChangeKind::Errors,
        filter: worse_than(Level::Error, "500", statuses),
    }
}

/// What is worth a warning, but no error.
pub(super) fn warnings(statuses: &[String]) -> Outcome {
    let errors = errors(statuses).filter;
    Outcome {
        kind: ChangeKind::Warnings,
        filter: Filter::and(vec![
            worse_than(Level::Warn, "400", statuses),
            errors.negated(),
        ]),
    }
}

/// The slowest of twenty, given what the others stayed below.
pub(super) fn slowness(field: &str, threshold: f64) -> Outcome {
    let above = Bound::Excluded(threshold.to_string());
    Outcome {
        kind: ChangeKind::Slowness {
            field: field.to_owned(),
            threshold,
        },
        filter: in_range(Target::Field(FieldName::new(field)), above),
    }
}

fn worse_than(level: Level, status: &str, statuses: &[String]) -> Filter {
    let level = in_range(Target::Level, Bound::Included(level.name().to_owned()));
    let statuses = statuses.iter().map(|field| {
        let target = Target::Field(FieldName::new(field.clone()));
        in_range(target, Bound::Included(status.to_owned()))
    });
    Filter::or(std::iter::once(level).chain(statuses).collect())
}

fn in_range(target: Target, lower: Bound<String>) -> Filter {
    let range = Range::new(lower, Bound::Unbounded).expect("it has a lower end");
    Filter::Clause(Clause {
        target,
        test: Test::Range(range),
    })
}

/// How many events a part has, and how many of them are of the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Numbers {
    pub(super) events: Both<u64>,
    pub(super) hits: Both<u64>,
}

/// What is expected of parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expectation {
    /// Of all events of the baseline, how many are of the kind.
    pub(super) rate: f64,
    /// How much longer the current window is than the baseline.
    pub(super) longer: f64,
    /// By how much everything went up or down alike.
    pub(super) drift: f64,
}

impl Outcome {
    /// What of a part was observed and what was to be expected.
    pub(super) fn observe(&self, numbers: Numbers, expectation: &Expectation) -> Observation {
        let observed = float(numbers.hits.current);
        let usual = match self.kind.is_volume() {
            true => float(numbers.hits.baseline) * expectation.longer,
            false => {
                let events = float(numbers.events.baseline);
                let rate = drawn_rate(float(numbers.hits.baseline), events, expectation.rate);
                float(numbers.events.current) * rate
            }
        };
        let expected = usual * expectation.drift;
        Observation {
            observed,
            expected: match self.kind.is_volume() {
                true => unsurprised(observed, expected),
                false => expected,
            },
        }
    }

    /// Whether a change in this direction is one to be explained.
    pub(super) fn is_about(&self, direction: Direction, of_all: Direction) -> bool {
        self.kind.is_volume() || direction == Direction::Up || of_all == Direction::Down
    }
}

/// A part that was never seen may have had a few events by chance.
fn unsurprised(observed: f64, expected: f64) -> f64 {
    const UNSEEN_EVENTS: f64 = 20.0;
    match observed > expected {
        true => (expected + UNSEEN_EVENTS).min(observed),
        false => expected,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of events are below 2^53"
)]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
