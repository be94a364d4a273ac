//! Proxifier: month and day with a dot between them, in brackets.
//!
//! ```text
//! [10.30 16:49:06] chrome.exe - proxy.example.com:5070 open through proxy …
//! ```

use cordwood_event::Timestamp;

use super::Head;
use crate::time::Date;
use crate::time::cursor::Cursor;

pub(super) fn read(line: &[u8], received_at: Timestamp) -> Option<Head> {
    let mut cursor = Cursor::new(line);
    cursor.eat(b'[')?;
    let month = cursor.digits(2)?;
    cursor.eat(b'.')?;
    let day = cursor.digits(2)?;
    cursor.eat(b' ')?;
    let clock = cursor.clock()?;
    cursor.eat(b']')?;
    let timestamp = Date::latest(month, day, clock, received_at)?;
    Some(Head::new(timestamp, None))
}
