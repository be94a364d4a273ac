//! Times as senders write them: the parts of a date and a clock, and the instant they name.
//!
//! The forms themselves are in the files below; each reads a prefix of a text and says where it ended, so
//! that the value of `dt` and the head of a log line go through the same code.

pub(crate) mod cursor;
pub(crate) mod dt;
pub(crate) mod iso;

use cordwood_event::Timestamp;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A time read from the head of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) timestamp: Timestamp,
    /// The bytes it took.
    pub(crate) length: usize,
}

/// A day of the (proleptic) Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

/// A time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) nanos: u32,
}

impl Date {
    /// `None` when there is no such day.
    pub(crate) fn new(year: i64, month: u32, day: u32) -> Option<Date> {
        let days = match month {
            2 if is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=days)
            .contains(&day)
            .then_some(Date { year, month, day })
    }

    /// The day in the latest year that does not put `clock` more than a day after `now`: for formats without a
    /// year. A day's grace, because such formats carry no offset either and the sender's clock may run
    /// up to 14 hours ahead of UTC.
    pub(crate) fn latest(month: u32, day: u32, clock: Clock, now: Timestamp) -> Option<Timestamp> {
        /// From one 29 February to the next there are at most eight years.
        const YEARS_BACK_MAX: i64 = 8;
        let grace = SECONDS_PER_DAY * NANOS_PER_SECOND;
        let newest = Timestamp::from_nanos(now.as_nanos().saturating_add(grace));
        let this_year = year_of(newest);
        (this_year - YEARS_BACK_MAX..=this_year)
            .rev()
            .filter_map(|year| instant(Date::new(year, month, day)?, clock, 0))
            .find(|timestamp| *timestamp <= newest)
    }

    /// Days since 1970-01-01, by the count of days in whole 400-year eras from a first of March (H. Hinnant,
    /// "chrono-compatible low-level date algorithms").
    fn days_since_epoch(self) -> i64 {
        let month = i64::from(self.month);
        let year = if month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

impl Clock {
    /// `None` when there is no such time. A leap second counts as the second before it, as in POSIX time.
    pub(crate) fn new(hour: u32, minute: u32, second: u32, nanos: u32) -> Option<Clock> {
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        Some(Clock {
            hour,
            minute,
            second: second.min(59),
            nanos,
        })
    }
}

/// The instant of a date and clock that are `offset_seconds` ahead of UTC; `None` beyond the range of a
/// [`Timestamp`].
pub(crate) fn instant(date: Date, clock: Clock, offset_seconds: i64) -> Option<Timestamp> {
    let seconds = date.days_since_epoch() * SECONDS_PER_DAY
        + i64::from(clock.hour) * 3_600
        + i64::from(clock.minute) * 60
        + i64::from(clock.second)
        - offset_seconds;
    from_parts(seconds, i64::from(clock.nanos))
}

/// The instant `nanos` after `seconds` since the epoch.
pub(crate) fn from_parts(seconds: i64, nanos: i64) -> Option<Timestamp> {
    let total = i128::from(seconds) * i128::from(NANOS_PER_SECOND) + i128::from(nanos);
    i64::try_from(total).ok().map(Timestamp::from_nanos)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The inverse of [`Date::days_since_epoch`], as far as the year.
fn year_of(timestamp: Timestamp) -> i64 {
    let days = timestamp
        .as_nanos()
        .div_euclid(NANOS_PER_SECOND * SECONDS_PER_DAY)
        + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let is_before_march = day_of_year >= 306;
    year_of_era + era * 400 + i64::from(is_before_march)
}
