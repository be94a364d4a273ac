//! HealthApp: a compact date, a clock without leading zeros, and milliseconds that are a count and no fraction.
//!
//! ```text
//! 20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579
//! 20171224-0:7:20:3|…
//! ```

use cordwood_event::Timestamp;

use super::Head;
use crate::time::cursor::Cursor;
use crate::time::{Clock, Date, instant};

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let mut cursor = Cursor::new(line);
    let (year, month, day) = (cursor.digits(4)?, cursor.digits(2)?, cursor.digits(2)?);
    cursor.eat(b'-')?;
    let hour = cursor.one_or_two_digits()?;
    cursor.eat(b':')?;
    let minute = cursor.one_or_two_digits()?;
    cursor.eat(b':')?;
    let second = cursor.one_or_two_digits()?;
    cursor.eat(b':')?;
    let (millis, _) = cursor.integer().filter(|(millis, _)| *millis < 1_000)?;
    cursor.eat(b'|')?;
    let nanos = u32::try_from(millis * 1_000_000).ok()?;
    let clock = Clock::new(hour, minute, second, nanos)?;
    let timestamp = instant(Date::new(i64::from(year), month, day)?, clock, 0)?;
    Some(Head::new(timestamp, None))
}
