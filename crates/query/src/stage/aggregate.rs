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
    /// In nanoseconds; at least a millisecond.
    pub nanos: i64,
}
