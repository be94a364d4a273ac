//! Times of many of the same thing, all kept, and what is said of them.

use std::time::Duration;

/// Times, in the order of their length once they are [`Latencies::sorted`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn sorted(mut times: Vec<Duration>) -> Latencies {
        times.sort_unstable();
        Latencies(times)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// By nearest rank: the least time that so many percent of all are not above. Zero if there are none.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    pub(crate) fn longest(&self) -> Duration {
        self.percentile(100)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Latencies;

    #[test]
    fn percentiles_are_times_that_occurred() {
        for (times, percent, expected) in [
            (vec![], 50, 0),
            (vec![7], 1, 7),
            (vec![7], 100, 7),
            (vec![3, 1, 2], 50, 2),
            (vec![4, 3, 2, 1], 50, 2),
            ((1..=200).collect(), 99, 198),
            ((1..=200).rev().collect(), 100, 200),
        ] {
            let durations = times.iter().map(|ms| Duration::from_millis(*ms)).collect();
            let found = Latencies::sorted(durations).percentile(percent);
            assert_eq!(
                found,
                Duration::from_millis(expected),
                "{percent} % of {times:?}"
            );
        }
    }
}
