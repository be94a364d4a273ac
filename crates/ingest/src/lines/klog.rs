//! The logs of Kubernetes (klog) and of glog before it: the level is the first letter.
//!
//! ```text
//! I0612 14:13:05.123456       1 controller.go:114] …
//! W20260612 14:13:05.123456 12345 main.cc:7] …
//! ```

use cordwood_event::{Level, Timestamp};

use super::Head;
use crate::time::cursor::Cursor;
use crate::time::{Date, instant};

pub(super) fn read(line: &[u8], received_at: Timestamp) -> Option<Head> {
    let mut cursor = Cursor::new(line);
    let level = match cursor.one_of(b"IWEF")? {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        _ => Level::Fatal,
    };
    let timestamp = with_year(cursor).or_else(|| without_year(cursor, received_at))?;
    Some(Head::new(timestamp, Some(level)))
}

fn with_year(mut cursor: Cursor<'_>) -> Option<Timestamp> {
    let year = cursor.digits(4)?;
    let date = Date::new(i64::from(year), cursor.digits(2)?, cursor.digits(2)?)?;
    cursor.eat(b' ')?;
    instant(date, cursor.clock()?, 0)
}

fn without_year(mut cursor: Cursor<'_>, received_at: Timestamp) -> Option<Timestamp> {
    let month = cursor.digits(2)?;
    let day = cursor.digits(2)?;
    cursor.eat(b' ')?;
    Date::latest(month, day, cursor.clock()?, received_at)
}
