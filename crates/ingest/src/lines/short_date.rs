//! Dates with two digits for the year, as Hadoop's and Spark's default layouts write them: year, month, day.
//!
//! ```text
//! 17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: …
//! 081109 203615 148 INFO dfs.DataNode$PacketResponder: …
//! ```

use cordwood_event::Timestamp;

use super::{Head, level};
use crate::time::cursor::Cursor;
use crate::time::{Clock, Date, Reading, instant};

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let reading = with_slashes(line).or_else(|| compact(line))?;
    let rest = line.get(reading.length..)?;
    Some(Head::new(reading.timestamp, level::in_words(rest)))
}

fn with_slashes(line: &[u8]) -> Option<Reading> {
    let mut cursor = Cursor::new(line);
    let year = cursor.digits(2)?;
    cursor.eat(b'/')?;
    let month = cursor.digits(2)?;
    cursor.eat(b'/')?;
    let day = cursor.digits(2)?;
    cursor.eat(b' ')?;
    let clock = cursor.clock()?;
    reading(&cursor, (year, month, day), clock)
}

fn compact(line: &[u8]) -> Option<Reading> {
    let mut cursor = Cursor::new(line);
    let (year, month, day) = (cursor.digits(2)?, cursor.digits(2)?, cursor.digits(2)?);
    cursor.eat(b' ')?;
    let (hour, minute, second) = (cursor.digits(2)?, cursor.digits(2)?, cursor.digits(2)?);
    let clock = Clock::new(hour, minute, second, cursor.fraction())?;
    cursor.eat(b' ')?;
    reading(&cursor, (year, month, day), clock)
}

/// Years from 1970 to 2069, as POSIX reads two digits but for the year before the epoch.
fn reading(
    cursor: &Cursor<'_>,
    (year, month, day): (u32, u32, u32),
    clock: Clock,
) -> Option<Reading> {
    let century = if year < 70 { 2000 } else { 1900 };
    let date = Date::new(century + i64::from(year), month, day)?;
    let timestamp = instant(date, clock, 0)?;
    let length = cursor.length();
    Some(Reading { timestamp, length })
}
