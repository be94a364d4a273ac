//! Syslog as files and sockets carry it: RFC 5424, RFC 3164, and the latter without its priority, as in
//! `/var/log/messages` on Linux and macOS.
//!
//! ```text
//! <34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - …
//! <34>Oct 11 22:14:15 mymachine su: …
//! Jun  9 08:15:42 gateway sshd(pam_unix)[4021]: …
//! ```

use cordwood_event::{Level, Timestamp};

use super::{Head, level};
use crate::time::cursor::Cursor;
use crate::time::{Clock, Date, Reading, instant, iso};

pub(super) fn read(line: &[u8], received_at: Timestamp) -> Option<Head> {
    let mut cursor = Cursor::new(line);
    let Some(priority) = priority(&mut cursor) else {
        let reading = month_first(line, received_at)?;
        let rest = line.get(reading.length..)?;
        return Some(Head::new(reading.timestamp, level::after_tag(rest)));
    };
    let rest = cursor.rest();
    let version = rest.strip_prefix(b"1 ");
    let reading = match version {
        Some(rest) => iso::read(rest),
        None => month_first(rest, received_at).or_else(|| iso::read(rest)),
    };
    Some(Head {
        timestamp: reading.map(|reading| reading.timestamp),
        level: severity(priority),
    })
}

/// `<34>`: facility times eight plus severity, of one to three digits.
fn priority(cursor: &mut Cursor<'_>) -> Option<i64> {
    const PRIORITY_MAX: i64 = 23 * 8 + 7;
    cursor.eat(b'<')?;
    let (priority, digits) = cursor.integer()?;
    cursor.eat(b'>')?;
    (digits <= 3 && priority <= PRIORITY_MAX).then_some(priority)
}

fn severity(priority: i64) -> Option<Level> {
    Level::from_number(priority % 8)
}

/// `Jun 14 15:16:01`, the day of one or two digits; some devices put a year behind the day.
pub(super) fn month_first(text: &[u8], received_at: Timestamp) -> Option<Reading> {
    let mut cursor = Cursor::new(text);
    let month = cursor.month_name()?;
    cursor.eat(b' ')?;
    cursor.skip(b' ');
    let day = cursor.one_or_two_digits()?;
    cursor.eat(b' ')?;
    cursor.skip(b' ');
    let year = year(&mut cursor);
    let clock = cursor.clock()?;
    let timestamp = match year {
        Some(year) => instant(Date::new(year, month, day)?, clock, 0)?,
        None => Date::latest(month, day, clock, received_at)?,
    };
    let length = cursor.length();
    Some(Reading { timestamp, length })
}

fn year(cursor: &mut Cursor<'_>) -> Option<i64> {
    let mut attempt = *cursor;
    let year = attempt.digits(4)?;
    attempt.eat(b' ')?;
    *cursor = attempt;
    Some(i64::from(year))
}

/// `Thu Jun 09 06:07:04.123456 2005`, as C's `asctime` writes it.
pub(super) fn asctime(text: &[u8]) -> Option<Reading> {
    let mut cursor = Cursor::new(text);
    cursor.weekday_name()?;
    cursor.eat(b' ')?;
    let month = cursor.month_name()?;
    cursor.eat(b' ')?;
    cursor.skip(b' ');
    let day = cursor.one_or_two_digits()?;
    cursor.eat(b' ')?;
    let clock: Clock = cursor.clock()?;
    cursor.eat(b' ')?;
    let year = cursor.digits(4)?;
    let timestamp = instant(Date::new(i64::from(year), month, day)?, clock, 0)?;
    let length = cursor.length();
    Some(Reading { timestamp, length })
}
