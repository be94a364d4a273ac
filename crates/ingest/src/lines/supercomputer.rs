//! The logs of the machines at Sandia and Livermore (BGL, Thunderbird): an alert tag or `-`, seconds since the epoch,
//! the date and the node, then the line as the machine wrote it.
//!
//! ```text
//! - 1131566461 2005.11.09 R07-M0-N3 2005-11-09-12.01.01.250000 R07-M0-N3 RAS KERNEL INFO …
//! - 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: …
//! ```

use cordwood_event::{Level, Timestamp};

use super::{Head, epoch, level};
use crate::time::cursor::Cursor;
use crate::time::{Clock, Date, from_parts, instant};

pub(super) fn read(line: &[u8], _received_at: Timestamp) -> Option<Head> {
    let tag = line.iter().position(|byte| *byte == b' ')?;
    let mut cursor = Cursor::new(line.get(tag + 1..)?);
    let seconds = epoch::time(&mut cursor)?;
    cursor.eat(b' ')?;
    dotted_date(&mut cursor)?;
    cursor.eat(b' ')?;
    let rest = cursor.rest();
    let node = rest.iter().position(|byte| *byte == b' ')?;
    let written = rest.get(node + 1..)?;
    Some(match local_time(written) {
        Some(local) => Head::new(with_fraction_of(local, seconds)?, severity(written)),
        None => Head::new(seconds, level::after_tag(written)),
    })
}

fn dotted_date(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.digits(4)?;
    cursor.eat(b'.')?;
    cursor.digits(2)?;
    cursor.eat(b'.')?;
    cursor.digits(2)?;
    Some(())
}

/// `2005-06-03-15.42.50.675872`, in the zone of the machine.
fn local_time(text: &[u8]) -> Option<Timestamp> {
    let mut cursor = Cursor::new(text);
    let year = cursor.digits(4)?;
    cursor.eat(b'-')?;
    let month = cursor.digits(2)?;
    cursor.eat(b'-')?;
    let day = cursor.digits(2)?;
    cursor.eat(b'-')?;
    let hour = cursor.digits(2)?;
    cursor.eat(b'.')?;
    let minute = cursor.digits(2)?;
    cursor.eat(b'.')?;
    let second = cursor.digits(2)?;
    let clock = Clock::new(hour, minute, second, cursor.fraction())?;
    instant(Date::new(i64::from(year), month, day)?, clock, 0)
}

/// The epoch says which second it was, the local time what part of it.
fn with_fraction_of(local: Timestamp, seconds: Timestamp) -> Option<Timestamp> {
    const NANOS_PER_SECOND: i64 = 1_000_000_000;
    let fraction = local.as_nanos().rem_euclid(NANOS_PER_SECOND);
    from_parts(seconds.as_nanos().div_euclid(NANOS_PER_SECOND), fraction)
}

/// The fifth word after the node: `<time> <node> RAS KERNEL INFO`.
fn severity(written: &[u8]) -> Option<Level> {
    let word = written.split(|byte| *byte == b' ').nth(4)?;
    Level::parse(std::str::from_utf8(word).ok()?)
}
