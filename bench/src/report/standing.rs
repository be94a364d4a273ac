//! How our answers stand against the fastest of the others.

use std::time::Duration;

use crate::question::Figure;

/// An answer slower than the fastest other by no more than this counts as just as fast: nobody notices it, and
/// it is about what HTTP costs, which the others that were measured in process did not pay.
const MARGIN_MS: f64 = 3.0;

/// Our time for a question and that of the fastest other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    ours_ms: f64,
    fastest: Figure,
}

impl Standing {
    pub(super) fn new(ours: Duration, fastest: Figure) -> Standing {
        Standing {
            ours_ms: ours.as_secs_f64() * 1000.0,
            fastest,
        }
    }

    /// How many times as long as ours the fastest other took.
    pub(super) fn ratio(&self) -> f64 {
        self.fastest.ms / self.ours_ms
    }

    /// Whether ours is at least as fast, or slower by no more than the margin.
    pub(super) fn is_reached(&self) -> bool {
        self.ours_ms <= self.fastest.ms + MARGIN_MS
    }

    pub(super) fn describe(&self) -> String {
        let ratio = match self.ratio() {
            ratio if ratio < 1.0 => format!("{ratio:.2}"),
            ratio => format!("{ratio:.1}"),
        };
        format!("{} {} {ratio}×", self.fastest.system, self.fastest.ms)
    }
}

/// The geometric mean of the ratios: a question twice as fast and one half as fast cancel out, whatever they take.
pub(super) fn geometric_mean(standings: &[Standing]) -> f64 {
    let logarithms: f64 = standings.iter().map(|standing| standing.ratio().ln()).sum();
    (logarithms / standings.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Standing, geometric_mean};
    use crate::question::Figure;

    fn standing(ours_ms: u64, ms: f64) -> Standing {
        let system = "other";
        Standing::new(Duration::from_millis(ours_ms), Figure { system, ms })
    }

    #[test]
    fn as_fast_is_within_the_margin() {
        for (ours_ms, theirs_ms, expected) in [
            (10, 20.0, true),
            (10, 10.0, true),
            (13, 10.0, true),
            (14, 10.0, false),
            (2, 0.5, true),
            (1000, 990.0, false),
        ] {
            assert_eq!(
                standing(ours_ms, theirs_ms).is_reached(),
                expected,
                "{ours_ms} {theirs_ms}"
            );
        }
    }

    #[test]
    fn twice_and_half_as_fast_cancel_out() {
        for (ratios, expected) in [(&[2.0, 0.5][..], 1.0), (&[4.0, 9.0], 6.0), (&[10.0], 10.0)] {
            let standings: Vec<_> = ratios
                .iter()
                .map(|ratio| standing(10, 10.0 * ratio))
                .collect();
            let mean = geometric_mean(&standings);
            assert!((mean - expected).abs() < 1e-9, "{ratios:?}: {mean}");
        }
    }
}
