//! The two windows that are compared, and those before them that say what is usual.

use cordwood_event::Timestamp;
use cordwood_query::TimeBounds;
use serde::{Deserialize, Serialize};

use super::{Baseline, WhatChangedRequest};
use crate::Error;
use crate::range::range;

const HOUR_NANOS: i64 = 3_600_000_000_000;
const DAY_NANOS: i64 = 24 * HOUR_NANOS;

/// The window unless told otherwise.
const LENGTH_DEFAULT: i64 = HOUR_NANOS;
/// A longer window is a matter of trends, and each of the windows before it would take as long again.
const LENGTH_MAX: i64 = 31 * DAY_NANOS;
/// In a shorter one nothing can be told from chance.
const LENGTH_MIN: i64 = 1_000_000_000;

/// So many windows before say what is usual: enough for a spread, and a week of days.
pub(super) const PAST_WINDOWS: usize = 6;

/// One thing of each window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both<T> {
    /// Of the window asked about.
    pub current: T,
    /// Of the one it is compared with.
    pub baseline: T,
}

impl<T> Both<T> {
    pub(super) fn map<U>(self, mut map: impl FnMut(T) -> U) -> Both<U> {
        Both {
            current: map(self.current),
            baseline: map(self.baseline),
        }
    }

    pub(super) fn as_ref(&self) -> Both<&T> {
        Both {
            current: &self.current,
            baseline: &self.baseline,
        }
    }

    pub(super) fn zip<U>(self, other: Both<U>) -> Both<(T, U)> {
        Both {
            current: (self.current, other.current),
            baseline: (self.baseline, other.baseline),
        }
    }
}

impl<T, E> Both<Result<T, E>> {
    pub(super) fn transpose(self) -> Result<Both<T>, E> {
        Ok(Both {
            current: self.current?,
            baseline: self.baseline?,
        })
    }
}

/// The windows of a request.
pub(super) fn windows(
    request: &WhatChangedRequest,
    now: Timestamp,
) -> Result<Both<TimeBounds>, Error> {
    let current = current(request, now)?;
    let length = nanos(current);
    let baseline = match &request.baseline {
        Baseline::Previous => earlier(current, length),
        Baseline::Yesterday => earlier(current, DAY_NANOS),
        Baseline::LastWeek => earlier(current, 7 * DAY_NANOS),
        Baseline::Between { from, to } => between(from, to, now)?,
    };
    if !current.intersection(baseline).is_empty() {
        return Err(Error::InvalidParameter {
            parameter: "baseline",
            message: format!(
                "the baseline ({} to {}) and the window ({} to {}) have events in common: of these no change can be told",
                baseline.first, baseline.last, current.first, current.last
            ),
            hint: Some(
                "take a baseline that ends before the window begins, or a shorter window".into(),
            ),
        });
    }
    Ok(Both { current, baseline })
}

fn current(request: &WhatChangedRequest, now: Timestamp) -> Result<TimeBounds, Error> {
    let asked = range(request.from.as_deref(), request.to.as_deref(), now)?;
    // What is still to come has no events yet.
    let last = asked.last.min(now);
    let first = match asked.first {
        Timestamp::MIN => later(last, -LENGTH_DEFAULT),
        first => first,
    };
    checked("from", TimeBounds { first, last })
}

fn between(from: &str, to: &str, now: Timestamp) -> Result<TimeBounds, Error> {
    let asked = range(Some(from), Some(to), now)?;
    let last = asked.last.min(now);
    checked(
        "baseline_from",
        TimeBounds {
            first: asked.first,
            last,
        },
    )
}

fn checked(parameter: &'static str, window: TimeBounds) -> Result<TimeBounds, Error> {
    let invalid = |message: &str, hint: &str| {
        Err(Error::InvalidParameter {
            parameter,
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        })
    };
    match nanos(window) {
        _ if window.is_empty() => invalid(
            "the window lies in the future",
            "ask about a time that has passed",
        ),
        length if length < LENGTH_MIN => invalid(
            "the window is shorter than a second",
            "ask about at least a minute",
        ),
        length if length > LENGTH_MAX => invalid(
            "the window is longer than 31 days",
            "ask about the hours around the change",
        ),
        _ => Ok(window),
    }
}

/// The windows that say what is usual, the baseline first: each as much before the one after it as the baseline is before
/// the current window, and as long as the current one.
pub(super) fn past(windows: Both<TimeBounds>) -> Vec<TimeBounds> {
    let step = windows
        .current
        .first
        .as_nanos()
        .saturating_sub(windows.baseline.first.as_nanos());
    let length = nanos(windows.current);
    if step < length {
        // The baseline lies behind the window, or is shorter than it and right before.
        return std::iter::successors(Some(earlier(windows.current, length)), |window| {
            Some(earlier(*window, length))
        })
        .take(PAST_WINDOWS)
        .collect();
    }
    (1..)
        .take(PAST_WINDOWS)
        .map(|steps: i64| earlier(windows.current, step.saturating_mul(steps)))
        .collect()
}

/// How long a window lasts; its ends belong to it.
pub(super) fn nanos(window: TimeBounds) -> i64 {
    let (first, last) = (window.first.as_nanos(), window.last.as_nanos());
    last.saturating_sub(first).saturating_add(1)
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
pub(super) fn seconds(window: TimeBounds) -> f64 {
    nanos(window) as f64 / 1e9
}

fn earlier(window: TimeBounds, by: i64) -> TimeBounds {
    TimeBounds {
        first: later(window.first, -by),
        last: later(window.last, -by),
    }
}

fn later(time: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_add(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn check(from: Option<&str>, to: Option<&str>, baseline: Baseline, expected: [&str; 4]) {
        let request = WhatChangedRequest {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            baseline,
            ..WhatChangedRequest::default()
        };
        let windows = windows(&request, time("2026-03-27T10:00:00Z")).unwrap();
        let ends = [
            windows.current.first,
            windows.current.last,
            windows.baseline.first,
            windows.baseline.last,
        ];
        assert_eq!(ends.map(|end| end.to_string()), expected);
    }

    #[test]
    fn windows_are_found() {
        let hour = [
            "2026-03-27T09:00:00.000Z",
            "2026-03-27T10:00:00.000Z",
            "2026-03-27T07:59:59.999999999Z",
            "2026-03-27T08:59:59.999999999Z",
        ];
        check(None, None, Baseline::Previous, hour);
        check(Some("now-1h"), Some("now"), Baseline::Previous, hour);
        check(
            Some("2026-03-27T08:00Z"),
            Some("2026-03-27T08:30Z"),
            Baseline::Yesterday,
            [
                "2026-03-27T08:00:00.000Z",
                "2026-03-27T08:30:00.000Z",
                "2026-03-26T08:00:00.000Z",
                "2026-03-26T08:30:00.000Z",
            ],
        );
        check(
            Some("2026-03-27"),
            Some("2026-03-27"),
            Baseline::LastWeek,
            [
                "2026-03-27T00:00:00.000Z",
                "2026-03-27T10:00:00.000Z",
                "2026-03-20T00:00:00.000Z",
                "2026-03-20T10:00:00.000Z",
            ],
        );
    }

    #[test]
    fn windows_that_make_no_sense_are_refused() {
        let between = |from: &str, to: &str| Baseline::Between {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let cases = [
            (Some("now-1h"), None, between("now-1h", "now"), "in common"),
            (Some("now-2d"), None, Baseline::Yesterday, "in common"),
            (Some("now-60d"), None, Baseline::Previous, "31 days"),
            (Some("now"), Some("now"), Baseline::Previous, "a second"),
            (Some("now+1h"), None, Baseline::Previous, "future"),
            (None, None, between("now", "now-3h"), "lies after"),
        ];
        for (from, to, baseline, message) in cases {
            let request = WhatChangedRequest {
                from: from.map(str::to_owned),
                to: to.map(str::to_owned),
                baseline,
                ..WhatChangedRequest::default()
            };
            let error = windows(&request, time("2026-03-27T10:00:00Z")).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }

    #[test]
    fn the_past_goes_back_in_equal_steps() {
        let window = |first: i64, last: i64| TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(last),
        };
        let firsts = |windows: Both<TimeBounds>| -> Vec<i64> {
            let past = past(windows).into_iter();
            past.map(|window| window.first.as_nanos()).collect()
        };
        let day_before = Both {
            current: window(1000, 1009),
            baseline: window(900, 909),
        };
        assert_eq!(firsts(day_before), [900, 800, 700, 600, 500, 400]);
        let shorter = Both {
            current: window(1000, 1009),
            baseline: window(995, 999),
        };
        assert_eq!(firsts(shorter), [990, 980, 970, 960, 950, 940]);
    }
}
