//! ISO 8601 and RFC 3339, and what people write when they mean them.
//!
//! `2026-03-27T10:15:30.123Z`, a space or `_` for the `T`, a comma for the point, `/` for the dashes, offsets as `Z`,
//! `UTC`, `+02:00`, `+0200` or `+02`, a clock without seconds, the compact `20260327T101530Z`. Without an
//! offset the time is UTC. A date alone is its midnight.

use super::cursor::Cursor;
use super::{Clock, Date, Reading, instant};

/// Reads such a time, with a clock, from the head of `text`.
pub(crate) fn read(text: &[u8]) -> Option<Reading> {
    let mut cursor = Cursor::new(text);
    let (date, separator) = date(&mut cursor)?;
    cursor.one_of(b"T t_")?;
    cursor.skip(b' ');
    let clock = match separator {
        Some(_) => clock(&mut cursor)?,
        None => compact_clock(&mut cursor)?,
    };
    let offset_seconds = offset(&mut cursor);
    let timestamp = instant(date, clock, offset_seconds)?;
    let length = cursor.length();
    Some(Reading { timestamp, length })
}

/// Reads a date without a clock from the head of `text`.
pub(crate) fn read_date(text: &[u8]) -> Option<Reading> {
    let mut cursor = Cursor::new(text);
    let (date, _) = date(&mut cursor).filter(|(_, separator)| separator.is_some())?;
    let timestamp = instant(date, Clock::default(), 0)?;
    let length = cursor.length();
    Some(Reading { timestamp, length })
}

/// A date, and what stands between its parts: nothing in the compact form.
fn date(cursor: &mut Cursor<'_>) -> Option<(Date, Option<u8>)> {
    let year = cursor.digits(4)?;
    let separator = cursor.one_of(b"-/");
    let month = cursor.digits(2)?;
    if let Some(separator) = separator {
        cursor.eat(separator)?;
    }
    let day = cursor.digits(2)?;
    let date = Date::new(i64::from(year), month, day)?;
    Some((date, separator))
}

/// `hh:mm[:ss[.fraction]]`.
fn clock(cursor: &mut Cursor<'_>) -> Option<Clock> {
    let mut whole = *cursor;
    if let Some(clock) = whole.clock() {
        *cursor = whole;
        return Some(clock);
    }
    let hour = cursor.digits(2)?;
    cursor.eat(b':')?;
    let minute = cursor.digits(2)?;
    match cursor.peek() {
        Some(b':') => None,
        _ => Clock::new(hour, minute, 0, 0),
    }
}

/// `hhmmss[.fraction]`.
fn compact_clock(cursor: &mut Cursor<'_>) -> Option<Clock> {
    let hour = cursor.digits(2)?;
    let minute = cursor.digits(2)?;
    let second = cursor.digits(2)?;
    let nanos = cursor.fraction();
    Clock::new(hour, minute, second, nanos)
}

/// The offset right behind the clock, or after one space. What stands apart may be something else in a log line
/// (`-12 degrees`), so there it must have minutes; and nothing of a word may follow.
fn offset(cursor: &mut Cursor<'_>) -> i64 {
    let mut attempt = *cursor;
    let is_apart = attempt.eat(b' ').is_some();
    let before = attempt.length();
    let Some(seconds) = attempt.offset() else {
        return 0;
    };
    let taken = attempt.length() - before;
    let ends_word = !attempt.peek().is_some_and(|b| b.is_ascii_alphanumeric());
    let may_be_other = is_apart && seconds != 0 && taken < 5;
    if !ends_word || may_be_other {
        return 0;
    }
    *cursor = attempt;
    seconds
}
