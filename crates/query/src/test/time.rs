//! `dt:>now-1h`, `dt:2026-03-27`, `dt:[a TO b]`: tests of the event's time.

use std::fmt;
use std::ops::Bound;

use cordwood_event::Timestamp;

use crate::TimeBounds;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_MINUTE: i64 = 60 * NANOS_PER_SECOND;
const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

/// The units of `now-1h`, the longest first.
const OFFSET_UNITS: [(char, i64); 5] = [
    ('w', 7 * NANOS_PER_DAY),
    ('d', NANOS_PER_DAY),
    ('h', 60 * NANOS_PER_MINUTE),
    ('m', NANOS_PER_MINUTE),
    ('s', NANOS_PER_SECOND),
];

/// A test of the event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeTest {
    /// `dt:2026-03-27`, `dt:2026-03-27T10:15Z`: within the last unit that is written, a day, minute,
    /// second or fraction of one.
    During(TimePoint),
    /// `dt:[a TO b]`, `dt:>a`. At an end a date is its whole day, a time the very instant.
    Between(Bound<TimePoint>, Bound<TimePoint>),
}

/// A time in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimePoint {
    /// A day of UTC, by its midnight.
    Date(Timestamp),
    /// An instant, and the last unit it was written with.
    Instant(Timestamp, TimeUnit),
    /// `now`, earlier or later by so many nanoseconds, a multiple of a second.
    Now(i64),
}

/// The last unit of a written time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// `10:15`
    Minute,
    /// `10:15:30`
    Second,
    /// `10:15:30.123`: the number of decimals, 1 to 9.
    Decimals(u8),
}

/// Why a text is no time of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// It is none of the forms.
    #[error("not a time")]
    Malformed,
    /// It is one, but outside the years 1677 to 2262 that a timestamp of 64 bits spans.
    #[error("outside the years 1677 to 2262")]
    OutOfRange,
}

impl TimePoint {
    /// Reads a date, an instant in RFC 3339 (seconds and zone may be missing; no zone is UTC), a UNIX time
    /// of at least nine digits, or `now` with an offset.
    pub fn parse(text: &str) -> Result<TimePoint, InvalidTime> {
        if let Some(offset) = text.strip_prefix("now") {
            return parse_offset(offset).map(TimePoint::Now);
        }
        if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return parse_unix(text);
        }
        let (date, time) = split_date(text).ok_or(InvalidTime::Malformed)?;
        let Some(time) = time else {
            let midnight = format!("{date}T00:00:00Z");
            return instant(&midnight).map(TimePoint::Date);
        };
        let (clock, zone) = split_zone(time);
        let unit = unit_of(clock).ok_or(InvalidTime::Malformed)?;
        let seconds = if unit == TimeUnit::Minute { ":00" } else { "" };
        instant(&format!("{date}T{clock}{seconds}{zone}"))
            .map(|instant| TimePoint::Instant(instant, unit))
    }

    /// The instants it stands for at the end of a range, first and last.
    pub fn as_end(self, now: Timestamp) -> TimeBounds {
        match self {
            TimePoint::Date(midnight) => span_from(midnight, NANOS_PER_DAY),
            TimePoint::Instant(instant, _) => span_from(instant, 1),
            TimePoint::Now(offset) => span_from(
                Timestamp::from_nanos(now.as_nanos().saturating_add(offset)),
                1,
            ),
        }
    }

    /// The instants it stands for on its own.
    fn as_whole(self, now: Timestamp) -> TimeBounds {
        match self {
            TimePoint::Instant(instant, unit) => span_from(instant, unit.nanos()),
            TimePoint::Date(_) | TimePoint::Now(_) => self.as_end(now),
        }
    }
}

impl TimeUnit {
    fn nanos(self) -> i64 {
        match self {
            TimeUnit::Minute => NANOS_PER_MINUTE,
            TimeUnit::Second => NANOS_PER_SECOND,
            TimeUnit::Decimals(decimals) => 10_i64.pow(9 - u32::from(decimals.min(9))),
        }
    }
}

impl TimeTest {
    /// The instants for which it holds.
    pub fn bounds(&self, now: Timestamp) -> TimeBounds {
        let (lower, upper) = match self {
            TimeTest::During(point) => return point.as_whole(now),
            TimeTest::Between(lower, upper) => (lower, upper),
        };
        let first = match lower {
            Bound::Unbounded => Some(Timestamp::MIN),
            Bound::Included(point) => Some(point.as_end(now).first),
            Bound::Excluded(point) => step(point.as_end(now).last, 1),
        };
        let last = match upper {
            Bound::Unbounded => Some(Timestamp::MAX),
            Bound::Included(point) => Some(point.as_end(now).last),
            Bound::Excluded(point) => step(point.as_end(now).first, -1),
        };
        match (first, last) {
            (Some(first), Some(last)) => TimeBounds { first, last },
            _ => TimeBounds::NONE,
        }
    }

    /// Whether both ends are fixed and the lower lies after the upper.
    pub(crate) fn is_inverted(&self) -> bool {
        let TimeTest::Between(lower, upper) = self else {
            return false;
        };
        let (Some(lower), Some(upper)) =
            (super::range::end_of(*lower), super::range::end_of(*upper))
        else {
            return false;
        };
        let zero = Timestamp::default();
        match (lower, upper) {
            (TimePoint::Now(lower), TimePoint::Now(upper)) => lower > upper,
            (TimePoint::Now(_), _) | (_, TimePoint::Now(_)) => false,
            _ => lower.as_end(zero).first > upper.as_end(zero).last,
        }
    }
}

/// The `nanos` instants from `first` on, cut at the end of time.
fn span_from(first: Timestamp, nanos: i64) -> TimeBounds {
    let last = Timestamp::from_nanos(first.as_nanos().saturating_add(nanos - 1));
    TimeBounds { first, last }
}

fn step(timestamp: Timestamp, nanos: i64) -> Option<Timestamp> {
    timestamp
        .as_nanos()
        .checked_add(nanos)
        .map(Timestamp::from_nanos)
}

/// Reads `+5m`, `-1h` or nothing.
fn parse_offset(text: &str) -> Result<i64, InvalidTime> {
    if text.is_empty() {
        return Ok(0);
    }
    let unit = text.chars().next_back().ok_or(InvalidTime::Malformed)?;
    let nanos = OFFSET_UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, nanos)| *nanos)
        .ok_or(InvalidTime::Malformed)?;
    let count = text.strip_suffix(unit).ok_or(InvalidTime::Malformed)?;
    let digits = count
        .strip_prefix(['+', '-'])
        .ok_or(InvalidTime::Malformed)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidTime::Malformed);
    }
    let count: i64 = count.parse().map_err(|_| InvalidTime::OutOfRange)?;
    count.checked_mul(nanos).ok_or(InvalidTime::OutOfRange)
}

fn parse_unix(text: &str) -> Result<TimePoint, InvalidTime> {
    let number = text.parse().map_err(|_| InvalidTime::OutOfRange)?;
    let timestamp = Timestamp::from_unix_integer(number).ok_or(InvalidTime::OutOfRange)?;
    let unit = match text.len() {
        0..=11 => TimeUnit::Second,
        12..=14 => TimeUnit::Decimals(3),
        15..=17 => TimeUnit::Decimals(6),
        _ => TimeUnit::Decimals(9),
    };
    Ok(TimePoint::Instant(timestamp, unit))
}

/// Splits `2026-03-27T…` into date and time of day.
fn split_date(text: &str) -> Option<(&str, Option<&str>)> {
    const DATE_BYTES: usize = 10;
    let (date, rest) = text.split_at_checked(DATE_BYTES)?;
    let is_date = date.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !is_date {
        return None;
    }
    if rest.is_empty() {
        return Some((date, None));
    }
    rest.strip_prefix(['T', 't', ' '])
        .map(|time| (date, Some(time)))
}

/// Splits the zone off a time of day; without one it is UTC.
fn split_zone(time: &str) -> (&str, &str) {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return (clock, "Z");
    }
    match time.find(['+', '-']) {
        Some(index) => time.split_at(index),
        None => (time, "Z"),
    }
}

/// The last unit of `HH:MM[:SS[.decimals]]`.
fn unit_of(clock: &str) -> Option<TimeUnit> {
    let is_pair = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, rest) = clock.split_once(':')?;
    let (minute, second) = match rest.split_once(':') {
        Some((minute, second)) => (minute, Some(second)),
        None => (rest, None),
    };
    if !is_pair(hour) || !is_pair(minute) {
        return None;
    }
    let Some(second) = second else {
        return Some(TimeUnit::Minute);
    };
    let Some((second, decimals)) = second.split_once('.') else {
        return is_pair(second).then_some(TimeUnit::Second);
    };
    let are_digits = decimals.bytes().all(|byte| byte.is_ascii_digit());
    let count = u8::try_from(decimals.len()).ok()?;
    (is_pair(second) && are_digits && (1..=9).contains(&count)).then_some(TimeUnit::Decimals(count))
}

fn instant(text: &str) -> Result<Timestamp, InvalidTime> {
    if let Some(timestamp) = Timestamp::parse_rfc3339(text) {
        return Ok(timestamp);
    }
    match text.parse::<jiff::Timestamp>() {
        Ok(_) => Err(InvalidTime::OutOfRange),
        Err(_) => Err(InvalidTime::Malformed),
    }
}

impl fmt::Display for TimePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimePoint::Date(midnight) => fmt_instant(f, *midnight, "%Y-%m-%d"),
            TimePoint::Instant(instant, TimeUnit::Minute) => {
                fmt_instant(f, *instant, "%Y-%m-%dT%H:%MZ")
            }
            TimePoint::Instant(instant, TimeUnit::Second) => {
                fmt_instant(f, *instant, "%Y-%m-%dT%H:%M:%SZ")
            }
            TimePoint::Instant(instant, TimeUnit::Decimals(decimals)) => {
                fmt_instant(f, *instant, &format!("%Y-%m-%dT%H:%M:%S.%{decimals}fZ"))
            }
            TimePoint::Now(0) => f.write_str("now"),
            TimePoint::Now(offset) => {
                let (name, nanos) = OFFSET_UNITS
                    .iter()
                    .find(|(_, nanos)| offset % nanos == 0)
                    .unwrap_or(&('s', NANOS_PER_SECOND));
                write!(f, "now{:+}{name}", offset / nanos)
            }
        }
    }
}

fn fmt_instant(f: &mut fmt::Formatter<'_>, timestamp: Timestamp, format: &str) -> fmt::Result {
    let instant = jiff::Timestamp::from_nanosecond(i128::from(timestamp.as_nanos()))
        .expect("every 64-bit count of nanoseconds lies within jiff's range");
    write!(f, "{}", instant.strftime(format))
}
