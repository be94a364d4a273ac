//! ISO 8601 and RFC 3339, and what people write when they mean them.
//!
//! `2026-03-27T10:15:30.123Z`, a space or `_` for the `T`, a comma for the point, `/` for the dashes, offsets as `Z`,
//! `UTC`, `+02:00`, `+0200` or `+02`, a clock without seconds, the compact `20260327T101530Z`. Without an
//! offset the time is UTC. A date alone is its midnight.

use cordwood_event::Timestamp;

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

/// The time that `text` is, if it is one as RFC 3339 writes them, in UTC: `2026-03-27T10:15:30.123Z`. The short way for most
/// times; [`read`] says the same of them.
pub(crate) fn read_utc(text: &[u8]) -> Option<Timestamp> {
    let (head, rest) = text.split_first_chunk()?;
    #[rustfmt::skip]
    let [c, e, n, t, b'-', m, o, b'-', d, a, b'T', h, r, b':', i, u, b':', s, z] = *head else {
        return None;
    };
    let digits = [c, e, n, t, m, o, d, a, h, r, i, u, s, z];
    let are_digits = |all, digit: &u8| all & digit.is_ascii_digit();
    if !digits.iter().fold(true, are_digits) {
        return None;
    }
    let number = |tens: u8, ones: u8| u32::from(tens & 15) * 10 + u32::from(ones & 15);
    let year = number(c, e) * 100 + number(n, t);
    let date = Date::new(i64::from(year), number(m, o), number(d, a))?;
    let nanos = match rest {
        [b'Z'] => 0,
        [b'.', fraction @ .., b'Z'] => {
            let mut cursor = Cursor::new(fraction);
            let nanos = cursor.fraction_digits()?;
            cursor.peek().is_none().then_some(nanos)?
        }
        _ => return None,
    };
    let clock = Clock::new(number(h, r), number(i, u), number(s, z), nanos)?;
    instant(date, clock, 0)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What the short way takes is what the long one reads; and it takes every time that is written so.
        #[test]
        fn the_short_way_reads_the_same(
            text in "2[0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.,][0-9]{0,12})?(Z|z|\\+00:00| |)",
            changed in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut text = text.into_bytes();
            if let Some((at, byte)) = changed {
                let at = at.index(text.len());
                text[at] = byte;
            }
            let long = read(&text).filter(|reading| reading.length == text.len());
            let long = long.map(|reading| reading.timestamp);
            let is_usual = text.ends_with(b"Z") && text.get(10) == Some(&b'T') && !text.contains(&b',');
            match read_utc(&text) {
                Some(timestamp) => prop_assert_eq!(Some(timestamp), long),
                None if is_usual && changed.is_none() => prop_assert_eq!(None, long),
                None => {}
            }
        }
    }
}
