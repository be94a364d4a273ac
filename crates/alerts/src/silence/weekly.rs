//! Hours that come back every week, on the clock of a place.
//!
//! Where a clock is put forward over the beginning or the end, that is the moment in which it is; where it is put back, the hour that comes twice is silent
//! both times.

use cordwood_event::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::invalid::Mistakes;

/// `{"days": ["sat", "sun"], "from": "22:00", "to": "06:00", "time_zone": "Europe/Berlin"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weekly {
    /// On which days it begins.
    pub days: Vec<Weekday>,
    /// At what time it begins, in hours and minutes.
    pub from: String,
    /// At what time it ends: on the next day unless that is later than it begins.
    pub to: String,
    /// The place whose clock that is, by its IANA name.
    pub time_zone: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days of the week")]
pub enum Weekday {
    #[serde(alias = "monday")]
    Mon,
    #[serde(alias = "tuesday")]
    Tue,
    #[serde(alias = "wednesday")]
    Wed,
    #[serde(alias = "thursday")]
    Thu,
    #[serde(alias = "friday")]
    Fri,
    #[serde(alias = "saturday")]
    Sat,
    #[serde(alias = "sunday")]
    Sun,
}

impl Weekday {
    fn of(date: Date) -> Weekday {
        match date.weekday() {
            jiff::civil::Weekday::Monday => Weekday::Mon,
            jiff::civil::Weekday::Tuesday => Weekday::Tue,
            jiff::civil::Weekday::Wednesday => Weekday::Wed,
            jiff::civil::Weekday::Thursday => Weekday::Thu,
            jiff::civil::Weekday::Friday => Weekday::Fri,
            jiff::civil::Weekday::Saturday => Weekday::Sat,
            jiff::civil::Weekday::Sunday => Weekday::Sun,
        }
    }
}

/// Weekly hours with their texts parsed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CheckedWeekly {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone: TimeZone,
}

/// Which of two equal times of a clock that was put back is meant.
#[derive(Clone, Copy, Debug)]
enum Bound {
    Start,
    End,
}

impl Weekly {
    pub(super) fn check(&self, mistakes: &mut Mistakes) -> Option<CheckedWeekly> {
        mistakes.require(!self.days.is_empty(), "weekly.days", || {
            "Name at least one day, such as `mon`.".to_owned()
        });
        let from = time("weekly.from", &self.from, mistakes);
        let to = time("weekly.to", &self.to, mistakes);
        let zone = TimeZone::get(&self.time_zone).ok();
        mistakes.require(zone.is_some(), "weekly.time_zone", || {
            format!(
                "`{}` is no time zone; write an IANA name such as `Europe/Berlin` or `UTC`.",
                self.time_zone
            )
        });
        let mut days = self.days.clone();
        days.sort_unstable();
        days.dedup();
        let ((from, to), zone) = from.zip(to).zip(zone)?;
        Some(CheckedWeekly {
            days,
            from,
            to,
            zone,
        })
    }
}

fn time(attribute: &str, text: &str, mistakes: &mut Mistakes) -> Option<Time> {
    let time = Time::strptime("%H:%M", text).ok();
    mistakes.require(time.is_some(), attribute, || {
        format!("`{text}` is no time of day; write hours and minutes, such as `22:00`.")
    });
    time
}

impl CheckedWeekly {
    /// Until when the hours last that the instant lies in.
    pub(super) fn lasts_until(&self, now: Timestamp) -> Option<Timestamp> {
        let instant = jiff::Timestamp::from_nanosecond(now.as_nanos().into()).ok()?;
        let today = self.zone.to_datetime(instant).date();
        // Hours that began yesterday may go on over midnight.
        let days = [today.yesterday().ok(), Some(today)];
        let ends = days.into_iter().flatten().filter_map(|day| {
            let (start, end) = self.hours_of(day)?;
            (start <= now && now < end).then_some(end)
        });
        ends.max()
    }

    /// When the hours of a day begin and end; `None` on other days.
    fn hours_of(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&Weekday::of(day)) {
            return None;
        }
        let last_day = match self.to > self.from {
            true => day,
            false => day.checked_add(1.day()).ok()?,
        };
        let start = self.instant(day.to_datetime(self.from), Bound::Start)?;
        let end = self.instant(last_day.to_datetime(self.to), Bound::End)?;
        Some((start, end))
    }

    /// When the clock shows this.
    fn instant(&self, shown: DateTime, bound: Bound) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let instant = match (ambiguous.offset(), bound) {
            (AmbiguousOffset::Unambiguous { .. }, _) => ambiguous.compatible().ok()?,
            (AmbiguousOffset::Fold { .. }, Bound::Start) => ambiguous.earlier().ok()?,
            (AmbiguousOffset::Fold { .. }, Bound::End) => ambiguous.later().ok()?,
            // Never shown: the moment in which the clock is put forward over it.
            (AmbiguousOffset::Gap { .. }, _) => {
                let after = ambiguous.later().ok()?;
                self.zone.preceding(after).next()?.timestamp()
            }
        };
        let nanos = i64::try_from(instant.as_nanosecond()).ok()?;
        Some(Timestamp::from_nanos(nanos))
    }
}
