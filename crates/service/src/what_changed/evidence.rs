//! How strongly two counts speak for a change.
//!
//! The measure is the expectation-based scan statistic (D. Neill, "Expectation-based scan statistics for monitoring spatial
//! time series data", 2009): the logarithm of how much likelier a count is if its rate changed than if it stayed, in nats. It
//! is greatest for the part of the events that holds all of a change and nothing else: a broader part is expected to have
//! more, a narrower one has less. Chance alone gives as many nats as the logarithm of the number of parts looked at. Pure arithmetic; it knows neither
//! events nor fields.

use serde::{Deserialize, Serialize};

use super::outcome::float;

/// A rise or fall by less than this is the day's own restlessness: counts of logs vary more than dice do, and with many
/// events any difference would be certain.
pub(super) const TOLERATED: f64 = 1.3;

/// Less is not told of: e^12 against one.
pub(super) const EVIDENCE_MIN: f64 = 12.0;

/// The least that makes the strongest of so many parts a cause: the more parts are looked at, the more chance gives the strongest of them.
pub(super) fn evidence_min(parts: usize) -> f64 {
    EVIDENCE_MIN + float(parts.max(1) as u64).ln()
}

/// Fewer events more, or less, than expected are no change to speak of.
const EXCESS_MIN: f64 = 5.0;

/// As many events at the usual rate are taken as seen before, so that a part of few events is not taken at its word.
pub(super) const PRIOR_EVENTS: f64 = 100.0;

/// Which way a count went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// There are more than expected.
    Up,
    /// There are fewer.
    Down,
}

/// What was counted, and what was to be expected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Observation {
    pub(super) observed: f64,
    pub(super) expected: f64,
}

impl Observation {
    /// More than expected; less than zero when there are fewer.
    pub(super) fn excess(self) -> f64 {
        self.observed - self.expected
    }

    pub(super) fn direction(self) -> Direction {
        match self.excess() >= 0.0 {
            true => Direction::Up,
            false => Direction::Down,
        }
    }

    /// The evidence that it went either way beyond what is tolerated; 0 if it did not.
    pub(super) fn evidence(self) -> f64 {
        if self.excess().abs() < EXCESS_MIN {
            return 0.0;
        }
        let tolerated = match self.direction() {
            Direction::Up => self.expected * TOLERATED,
            Direction::Down => self.expected / TOLERATED,
        };
        let is_beyond = match self.direction() {
            Direction::Up => self.observed > tolerated,
            Direction::Down => self.observed < tolerated,
        };
        if !is_beyond {
            return 0.0;
        }
        let likelihood = match self.observed > 0.0 && tolerated > 0.0 {
            true => self.observed * (self.observed / tolerated).ln(),
            false => 0.0,
        };
        (likelihood + tolerated - self.observed).max(0.0)
    }
}

/// The rate of a part, drawn towards the rate of all by as many events as [`PRIOR_EVENTS`].
pub(super) fn drawn_rate(hits: f64, events: f64, rate_of_all: f64) -> f64 {
    (hits + PRIOR_EVENTS * rate_of_all) / (events + PRIOR_EVENTS)
}

/// By how much everything went up or down alike: of each field the ratio in the middle, by weight, and of these the one
/// nearest to 1. The field that tells the changed part best leaves most of its values as they were.
pub(super) fn drift(fields: impl Iterator<Item = Vec<Observation>>) -> f64 {
    let middles = fields.filter_map(middle_ratio);
    let middle = middles.min_by(|a, b| a.ln().abs().total_cmp(&b.ln().abs()));
    middle.unwrap_or(1.0)
}

/// The ratio of observed to expected in the middle, by weight; `None` of too few values to have a middle.
fn middle_ratio(values: Vec<Observation>) -> Option<f64> {
    /// Of two values, either may be the one that changed.
    const VALUES_MIN: usize = 3;
    /// A ratio of fewer is chance.
    const EXPECTED_MIN: f64 = 3.0;
    /// A field whose values are all gone says nothing of how the others went.
    const RATIO_MIN: f64 = 1e-3;
    let weighty = values.into_iter().filter(|of| of.expected >= EXPECTED_MIN);
    let mut ratios: Vec<(f64, f64)> = weighty
        .map(|of| (of.observed / of.expected, of.expected))
        .collect();
    if ratios.len() < VALUES_MIN {
        return None;
    }
    ratios.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let half: f64 = ratios.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut before = 0.0;
    let middle = ratios.iter().find(|(_, weight)| {
        before += weight;
        before >= half
    });
    middle.map(|(ratio, _)| ratio.max(RATIO_MIN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidence(observed: f64, expected: f64) -> f64 {
        Observation { observed, expected }.evidence()
    }

    #[test]
    fn the_part_that_holds_the_change_and_nothing_else_has_the_most() {
        // A thousand errors more in a part that is expected to have ten.
        let exact = evidence(1010.0, 10.0);
        assert!(exact > evidence(1200.0, 200.0), "a broader part");
        assert!(exact > evidence(505.0, 5.0), "half of it");
        assert!(evidence(1200.0, 200.0) > EVIDENCE_MIN);
    }

    #[test]
    fn what_is_tolerated_or_tiny_has_none() {
        for (observed, expected) in [
            (1290.0, 1000.0),
            (780.0, 1000.0),
            (4.0, 0.1),
            (0.0, 4.0),
            (0.0, 0.0),
            (1e9, 0.9e9),
        ] {
            assert!(
                evidence(observed, expected) == 0.0,
                "{observed} of {expected}"
            );
        }
        assert!(evidence(0.0, 40.0) > EVIDENCE_MIN, "gone quiet");
    }

    #[test]
    fn the_strongest_of_many_needs_more() {
        // A user who had seventeen events and has none now.
        let gone = evidence(0.0, 17.0);
        assert!(gone > evidence_min(1) && gone > evidence_min(0));
        assert!(gone < evidence_min(1000), "one of a thousand");
        assert!(evidence(0.0, 40.0) > evidence_min(1000));
    }

    #[test]
    fn few_events_are_drawn_to_the_rate_of_all() {
        assert!((drawn_rate(0.0, 0.0, 0.02) - 0.02).abs() < 1e-9);
        assert!(drawn_rate(1.0, 1.0, 0.02) < 0.04);
        assert!((drawn_rate(5000.0, 10_000.0, 0.02) - 0.5).abs() < 0.01);
    }

    #[test]
    fn a_single_value_does_not_move_the_drift() {
        let of = |ratios: [f64; 4]| {
            let values = ratios.map(|ratio| Observation {
                observed: 100.0 * ratio,
                expected: 100.0,
            });
            drift(std::iter::once(values.to_vec()))
        };
        assert!((of([1.1, 1.1, 1.1, 40.0]) - 1.1).abs() < 1e-9);
        assert!((of([0.0, 1.1, 1.1, 1.1]) - 1.1).abs() < 1e-9);
        assert!((drift(std::iter::empty()) - 1.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn evidence_is_a_number_and_grows_with_the_change(
            observed in 0.0f64..1e7,
            more in 0.0f64..1e6,
            expected in 0.0f64..1e7,
        ) {
            let (less, greater) = (evidence(observed, expected), evidence(observed + more, expected));
            prop_assert!(less.is_finite() && less >= 0.0);
            if observed >= expected {
                prop_assert!(greater >= less - 1e-6 * less);
            }
        }
    }
}
