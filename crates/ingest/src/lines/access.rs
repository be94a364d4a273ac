//! Access logs in the Common Log Format of Apache and nginx, whose time stands in brackets behind the client.
//!
//! ```text
//! 127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326
//! ```

use cordwood_event::Timestamp;

use super::Head;
use crate::time::cursor::Cursor;
use crate::time::{Date, instant};

/// How far into a line the bracket may stand; names of hosts and users come before it.
const START_MAX: usize = 512;

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let start = line.get(..START_MAX).unwrap_or(line);
    let brackets = start.iter().enumerate().filter(|(_, byte)| **byte == b'[');
    let timestamp = brackets
        .filter_map(|(at, _)| line.get(at + 1..))
        .find_map(time)?;
    Some(Head::new(timestamp, None))
}

fn time(text: &[u8]) -> Option<Timestamp> {
    let mut cursor = Cursor::new(text);
    let day = cursor.digits(2)?;
    cursor.eat(b'/')?;
    let month = cursor.month_name()?;
    cursor.eat(b'/')?;
    let year = cursor.digits(4)?;
    cursor.eat(b':')?;
    let clock = cursor.clock()?;
    cursor.skip(b' ');
    let offset_seconds = cursor.offset().unwrap_or(0);
    cursor.eat(b']')?;
    instant(
        Date::new(i64::from(year), month, day)?,
        clock,
        offset_seconds,
    )
}
