//! What `stats` and `timechart` compute, and by what they group.

use crate::{FieldName, Filter};

/// One computed column: `p95(duration_ms) if (service:api) as slow`.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What is computed.
    pub function: Function,
    /// Only rows for which this holds are taken; `None` takes all of the group.
    pub condition: Option<Filter>,
    /// The name of the column: what `as` says, or the canonical text of the function, such as `p95(duration_ms)`.
    pub name: String,
}

/// A function over the rows of a group. A field that is absent or null is skipped; an array counts each of its
/// elements once; numbers written as text take part as numbers do in a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// `count()`: rows; `count(field)`: rows where the field is present and not null.
    Count(Option<FieldName>),
    /// `count_distinct(field)`: different values, compared by value as `field=` does.
    CountDistinct(FieldName),
    /// `sum(field)` of the numbers; null when there are none.
    Sum(FieldName),
    /// `avg(field)` of the numbers; null when there are none.
    Avg(FieldName),
    /// `min(field)`: the least number, or where there is no number the least text; of `dt`, the earliest time.
    Min(FieldName),
    /// `max(field)`: likewise the greatest.
    Max(FieldName),
    /// `median(field)`, `p50` to `p99.9`: the value at the nearest rank (the ⌈p·n/100⌉th of n sorted numbers).
    Percentile(Percentile, FieldName),
    /// `first(field)`: the value of the earliest row that has the field.
    First(FieldName),
    /// `last(field)`: of the latest.
    Last(FieldName),
    /// `rate()`: rows per second of the interval, or of the range where the group has no interval.
    Rate,
}

/// A percentile above 0 and below 100, in thousandths of a percent: `p95` is 95 000, `p99.9` is 99 900.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentile(pub u32);

impl Percentile {
    /// `p50`.
    pub const MEDIAN: Percentile = Percentile(50_000);

    /// Reads `95` or `99.9`: digits with up to three decimals. `None` for anything else, and at 0 and from 100 on.
    pub fn parse(text: &str) -> Option<Percentile> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |digits: &str, count_max: usize| {
            (1..=count_max).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !are_digits(whole, 2) || !are_digits(decimals, 3) {
            return None;
        }
        let thousandths: u32 = format!("{whole}{decimals:0<3}").parse().ok()?;
        (thousandths > 0).then_some(Percentile(thousandths))
    }
}

/// What rows are grouped by. A field that is absent or null is a group of its own, shown as null.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupKey {
    /// The value of a field.
    Field(FieldName),
    /// `dt:5m`: the start of the interval the event's time lies in; intervals are counted from 1970-01-01 UTC.
    Time(Interval),
}

/// A length of time above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// In nanoseconds; a whole number of milliseconds, at least one.
    pub nanos: i64,
}

impl Interval {
    /// The units, the longest first, with their nanoseconds.
    pub(crate) const UNITS: [(&'static str, i64); 6] = [
        ("w", 604_800_000_000_000),
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ];

    /// Reads a whole number and a unit, such as `5m`. `None` for anything else, for zero, and for what is longer
    /// than times can span.
    pub fn parse(text: &str) -> Option<Interval> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let (_, unit_nanos) = Interval::UNITS.iter().find(|(name, _)| *name == unit)?;
        let nanos = number.parse::<i64>().ok()?.checked_mul(*unit_nanos)?;
        (nanos > 0).then_some(Interval { nanos })
    }
}
