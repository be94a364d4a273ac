//! The error log of Apache, and other lines that open with a date in words.
//!
//! ```text
//! [Thu Jun 09 06:07:04 2005] [notice] LDAP: Built with OpenLDAP LDAP SDK
//! [Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] …
//! [10-Oct-2000 13:55:36 UTC] PHP Warning:  …
//! ```

use cordwood_event::Timestamp;

use super::{Head, level, syslog};
use crate::time::cursor::Cursor;
use crate::time::{Date, Reading, instant};

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let line = line.strip_prefix(b"[").unwrap_or(line);
    let reading = syslog::asctime(line).or_else(|| day_first(line))?;
    let rest = line.get(reading.length..)?;
    Some(Head::new(reading.timestamp, level::in_words(rest)))
}

/// `10-Oct-2000 13:55:36 UTC` of PHP, `Thu, 09 Jun 2005 06:07:04 +0000` of mail (RFC 5322).
fn day_first(text: &[u8]) -> Option<Reading> {
    let mut cursor = Cursor::new(text);
    if cursor.weekday_name().is_some() {
        cursor.eat(b',')?;
        cursor.eat(b' ')?;
    }
    let day = cursor.one_or_two_digits()?;
    let separator = cursor.one_of(b"- ")?;
    let month = cursor.month_name()?;
    cursor.eat(separator)?;
    let year = cursor.digits(4)?;
    cursor.eat(b' ')?;
    let clock = cursor.clock()?;
    let offset_seconds = offset(&mut cursor);
    let date = Date::new(i64::from(year), month, day)?;
    let timestamp = instant(date, clock, offset_seconds)?;
    let length = cursor.length();
    Some(Reading { timestamp, length })
}

fn offset(cursor: &mut Cursor<'_>) -> i64 {
    let mut attempt = *cursor;
    let Some(seconds) = attempt.eat(b' ').and_then(|()| attempt.offset()) else {
        return 0;
    };
    *cursor = attempt;
    seconds
}
