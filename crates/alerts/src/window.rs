//! A stretch of time that a check looks at.

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instant;

/// Nanoseconds of a number of seconds.
pub(crate) const fn nanos(seconds: u32) -> i64 {
    seconds as i64 * 1_000_000_000
}

/// The instant so many nanoseconds later, or earlier where they are negative.
pub(crate) const fn shifted(time: Timestamp, nanos: i64) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_add(nanos))
}

/// The nanoseconds from one instant to a later one; negative to an earlier.
pub(crate) const fn nanos_between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_nanos().saturating_sub(from.as_nanos())
}

/// From an instant, inclusive, until another, exclusive. Of a live check these are times of arrival, of a back-test and of
/// what a window is compared with, times of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Window {
    /// The first instant.
    #[serde(with = "instant")]
    pub start: Timestamp,
    /// The first instant after it.
    #[serde(with = "instant")]
    pub end: Timestamp,
}

impl Window {
    /// The window of so many seconds that ends there.
    pub fn ending(end: Timestamp, seconds: u32) -> Window {
        Window {
            start: shifted(end, -nanos(seconds)),
            end,
        }
    }

    /// How long it is.
    pub fn seconds(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "windows are days long, and a float counts nanoseconds exactly up to 104 days"
        )]
        let nanos = nanos_between(self.start, self.end) as f64;
        nanos / 1e9
    }

    /// The window as long that lies so many seconds before.
    pub(crate) fn earlier(&self, seconds: i64) -> Window {
        let nanos = seconds.saturating_mul(-1_000_000_000);
        Window {
            start: shifted(self.start, nanos),
            end: shifted(self.end, nanos),
        }
    }
}
