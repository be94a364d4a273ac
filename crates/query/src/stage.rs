//! What may follow a filter after `|`: each stage takes the rows or the table before it. One file per part that
//! several stages share; what a stage means is said here and in `docs/query-language.md`.

mod aggregate;
mod pattern;
mod sort;

pub use aggregate::{Aggregate, Function, GroupKey, Interval, Percentile};
pub use pattern::{Capture, CaptureKind, ParsePattern, PatternPart};
pub use sort::{Direction, SortKey};

use crate::{FieldName, Filter};

/// The columns of the table that [`Stage::Patterns`] makes: the pattern, its id, how many events have it and which share of them, the
/// times of the first and of the last.
pub const PATTERN_COLUMNS: [&str; 6] = ["pattern", "id", "count", "share", "first", "last"];

/// One stage. Rows are events with their fields; a table has named columns.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// `stats count(), p95(duration_ms) as p95 by service, dt:5m`: rows to a table with a row per group.
    Stats {
        /// The columns computed; at least one.
        aggregates: Vec<Aggregate>,
        /// The columns grouped by, which come first in the table; none makes one group of everything.
        by: Vec<GroupKey>,
    },
    /// `timechart 1m count() by level`: like `stats … by dt:1m, level`, in order of time, with a row for every
    /// interval of the range, events or not.
    Timechart {
        /// How long each interval is.
        interval: Interval,
        /// The columns computed; at least one.
        aggregates: Vec<Aggregate>,
        /// What else is grouped by.
        by: Vec<FieldName>,
    },
    /// `top 10 path`: like `stats count() by path`, the greatest counts first, limited.
    Top {
        /// How many rows.
        limit: u64,
        /// The fields; at least one.
        by: Vec<FieldName>,
    },
    /// `patterns`: rows to a table of what their texts have in common, with counts, the commonest first.
    Patterns {
        /// The field whose text is looked at; `message` unless it is named.
        field: FieldName,
    },
    /// `where p95 > 800`: those rows for which the filter holds; on a table its fields are the columns.
    Where(Filter),
    /// `sort by p95 desc`.
    Sort(Vec<SortKey>),
    /// `limit 20`: the first rows.
    Limit(u64),
    /// `fields dt, service, message`: these fields or columns only, in this order.
    Fields(Vec<FieldName>),
    /// `dedup request_id`: the first row for each combination of values.
    Dedup(Vec<FieldName>),
    /// `parse "user=<user> took <ms:number>ms"`: adds a field for each capture to the rows in whose text the
    /// pattern occurs; the others stay as they are.
    Parse {
        /// The field whose text is read; `message` unless `parse … from field` says otherwise.
        from: FieldName,
        /// What to find.
        pattern: ParsePattern,
    },
}
