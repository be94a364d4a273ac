//! The time of an event: nanoseconds since the UNIX epoch, UTC, in 64 bits (years 1677 to 2262).

use std::fmt;

/// An instant in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Timestamp {
    /// The earliest instant that can be represented.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The latest instant that can be represented.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// An instant from nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Timestamp {
        Timestamp(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// An instant from milliseconds since the epoch; `None` outside the range.
    pub fn from_millis(millis: i64) -> Option<Timestamp> {
        millis.checked_mul(1_000_000).map(Timestamp)
    }

    /// Parses RFC 3339 / ISO 8601 with an offset or `Z`; a space may stand for the `T`.
    /// `None` when the text is no such instant or lies outside the range.
    pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(instant.as_nanosecond()).ok().map(Timestamp)
    }

    /// Reads a UNIX time whose unit is told from its magnitude, as the ingest contract of Better
    /// Stack does: seconds below 10^11, milliseconds below 10^14, microseconds below 10^17, else
    /// nanoseconds. Seconds then reach the year 5138, milliseconds begin in 1973.
    pub fn from_unix_integer(number: i64) -> Option<Timestamp> {
        let nanos_per_unit = match number.unsigned_abs() {
            0..100_000_000_000 => NANOS_PER_SECOND,
            100_000_000_000..100_000_000_000_000 => 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        number.checked_mul(nanos_per_unit).map(Timestamp)
    }

    /// The same for a fractional number, as Fluent Bit sends; rounded to the microsecond, because
    /// a 64-bit float of seconds carries no more.
    pub fn from_unix_float(number: f64) -> Option<Timestamp> {
        if !number.is_finite() || number.abs() >= 9.2e18 {
            return None;
        }
        let micros_per_unit = match number.abs() {
            magnitude if magnitude < 1e11 => 1e6,
            magnitude if magnitude < 1e14 => 1e3,
            magnitude if magnitude < 1e17 => 1.0,
            _ => 1e-3,
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below 9.2e18, checked above"
        )]
        let micros = (number * micros_per_unit).round() as i64;
        micros.checked_mul(1_000).map(Timestamp)
    }
}

/// RFC 3339 in UTC with as many groups of three fractional digits as the value needs, at least one:
/// `2026-03-27T10:15:30.123Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.rem_euclid(NANOS_PER_SECOND);
        let precision = if nanos % 1_000_000 == 0 {
            3
        } else if nanos % 1_000 == 0 {
            6
        } else {
            9
        };
        let instant = jiff::Timestamp::from_nanosecond(i128::from(self.0))
            .expect("every 64-bit count of nanoseconds lies within jiff's range");
        write!(f, "{instant:.precision$}")
    }
}
