//! Android's logcat, in its `threadtime` and `time` layouts.
//!
//! ```text
//! 03-17 16:13:38.811  1702  2395 D WindowManager: …
//! 03-17 16:13:38.811 D/WindowManager( 1702): …
//! ```

use cordwood_event::{Level, Timestamp};

use super::Head;
use crate::time::Date;
use crate::time::cursor::Cursor;

pub(super) fn read(line: &[u8], received_at: Timestamp) -> Option<Head> {
    let mut cursor = Cursor::new(line);
    let month = cursor.digits(2)?;
    cursor.eat(b'-')?;
    let day = cursor.digits(2)?;
    cursor.eat(b' ')?;
    let clock = cursor.clock()?;
    cursor.eat(b' ')?;
    let level = thread_layout(cursor).or_else(|| tag_layout(cursor))?;
    let timestamp = Date::latest(month, day, clock, received_at)?;
    Some(Head::new(timestamp, Some(level)))
}

fn thread_layout(mut cursor: Cursor<'_>) -> Option<Level> {
    for _ in ["process", "thread"] {
        cursor.skip(b' ');
        cursor.integer()?;
        cursor.eat(b' ')?;
    }
    cursor.skip(b' ');
    let level = priority(&mut cursor)?;
    cursor.eat(b' ')?;
    Some(level)
}

fn tag_layout(mut cursor: Cursor<'_>) -> Option<Level> {
    let level = priority(&mut cursor)?;
    cursor.eat(b'/')?;
    Some(level)
}

fn priority(cursor: &mut Cursor<'_>) -> Option<Level> {
    Some(match cursor.one_of(b"VDIWEFA")? {
        b'V' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        _ => Level::Fatal,
    })
}
