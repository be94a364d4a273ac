//! A UNIX time first: seconds with or without a fraction, milliseconds, microseconds or nanoseconds.
//!
//! ```text
//! 1286536309.586    921 192.168.0.68 TCP_MISS/200 507 POST http://…
//! 1700000000123 …
//! ```

use cordwood_event::Timestamp;

use super::{Head, level};
use crate::time::cursor::Cursor;
use crate::time::from_parts;

/// A number at the start of a line is taken for a time only within these years, 2000 to 2100.
const SECONDS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let mut cursor = Cursor::new(line);
    let timestamp = time(&mut cursor)?;
    let level = level::in_words(cursor.rest());
    Some(Head::new(timestamp, level))
}

/// A UNIX time that ends its word.
pub(super) fn time(cursor: &mut Cursor<'_>) -> Option<Timestamp> {
    let (number, digits) = cursor.integer()?;
    let (seconds, nanos) = match digits {
        9 | 10 => (number, i64::from(cursor.fraction())),
        13 => (number / 1_000, number % 1_000 * 1_000_000),
        16 => (number / 1_000_000, number % 1_000_000 * 1_000),
        19 => (number / 1_000_000_000, number % 1_000_000_000),
        _ => return None,
    };
    let ends_word = matches!(
        cursor.peek(),
        None | Some(b' ' | b'\t' | b']' | b',' | b'|' | b':')
    );
    if !ends_word || !SECONDS.contains(&seconds) {
        return None;
    }
    from_parts(seconds, nanos)
}
