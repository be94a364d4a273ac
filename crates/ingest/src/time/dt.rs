//! The value of `dt`: every form that the ingest contract names.
//!
//! UNIX times in seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude, as a number or as text;
//! ISO 8601 and RFC 3339 with the liberties of [`iso`]; a date alone, which is its midnight in UTC.

use cordwood_event::{Scalar, Timestamp};

use super::{from_parts, iso};

/// The time that a field's value names, if it names one.
pub(crate) fn parse(value: Scalar<'_>) -> Option<Timestamp> {
    match value {
        Scalar::Int(number) => Timestamp::from_unix_integer(number),
        Scalar::Float(number) => Timestamp::from_unix_float(number),
        Scalar::Str(text) => iso::read_utc(text.as_bytes()).or_else(|| parse_text(text.trim())),
        Scalar::Null | Scalar::Bool(_) | Scalar::Json(_) => None,
    }
}

fn parse_text(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    match iso::read(bytes).or_else(|| iso::read_date(bytes)) {
        Some(reading) if is_zone_note(bytes.get(reading.length..)?) => Some(reading.timestamp),
        Some(_) => None,
        None => parse_number(text),
    }
}

/// Nothing, or the name of the zone in brackets that Java and `Temporal` append (RFC 9557).
fn is_zone_note(rest: &[u8]) -> bool {
    rest.is_empty() || (rest.starts_with(b"[") && rest.ends_with(b"]"))
}

fn parse_number(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        return Timestamp::from_unix_integer(number);
    }
    let (whole, fraction) = text.split_once('.')?;
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_plain(whole.strip_prefix('-').unwrap_or(whole)) || !is_plain(fraction) {
        return None;
    }
    match exact_seconds(whole, fraction) {
        Some(timestamp) => Some(timestamp),
        None => Timestamp::from_unix_float(text.parse().ok()?),
    }
}

/// Seconds with a decimal fraction keep all their nine digits, which a float of them cannot. `None` when the
/// number is not one of seconds since 1970.
fn exact_seconds(whole: &str, fraction: &str) -> Option<Timestamp> {
    const SECONDS_MAX: i64 = 100_000_000_000;
    let seconds = whole.parse::<i64>().ok()?;
    if whole.starts_with('-') || seconds >= SECONDS_MAX {
        return None;
    }
    let nanos = super::cursor::Cursor::new(fraction.as_bytes()).fraction_digits()?;
    from_parts(seconds, i64::from(nanos))
}
