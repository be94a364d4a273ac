//! The histogram of a query: how many of its events lie in each interval of time, by level.

use std::collections::BTreeMap;

use cordwood_engine::{self as engine, Cancel, Incomplete, Staged, StagedRequest};
use cordwood_event::{Level, Timestamp};
use cordwood_query::{
    Aggregate, Clause, Filter, Function, GroupKey, Interval, Query, Stage, Target, Test, TimeBounds,
};
use cordwood_store::Snapshot;

use super::{Account, Cell, Question, SearchRequest, Table, account_of, staged};
use crate::ingest::RETRY_AFTER_BUSY;
use crate::sources::within;
use crate::{Access, Caller, Error, QueryProblem, Service};

/// Buckets at most, unless asked otherwise: about as many bars as are told apart above a list of events.
pub const HISTOGRAM_BUCKETS_DEFAULT: usize = 60;
/// Buckets at most: a bar for each pixel of half a screen.
pub const HISTOGRAM_BUCKETS_MAX: usize = 1000;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Widths that people read off an axis. Below a second for a burst, above a day for an archive.
const WIDTHS: [i64; 33] = [
    SECOND / 1000,
    SECOND / 500,
    SECOND / 200,
    SECOND / 100,
    SECOND / 50,
    SECOND / 20,
    SECOND / 10,
    SECOND / 5,
    SECOND / 2,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
    91 * DAY,
    364 * DAY,
    3640 * DAY,
];

/// A question for a histogram.
#[derive(Clone, Debug, Default)]
pub struct HistogramRequest {
    /// The query, its sources, range and deadline; the rest does not count. Without an end, the range ends where the events
    /// of the sources do.
    pub search: SearchRequest,
    /// How many buckets at most, [`HISTOGRAM_BUCKETS_DEFAULT`] when `None`, up to [`HISTOGRAM_BUCKETS_MAX`]; their width follows.
    pub buckets: Option<usize>,
    /// How wide the buckets are instead, such as `5m`.
    pub interval: Option<String>,
}

/// How many events there are in each bucket.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// How wide the buckets are; they begin at whole multiples of it, counted from 1970.
    pub interval: Interval,
    /// From when to when, both inclusive; `None` when there are no events to say.
    pub range: Option<(Timestamp, Timestamp)>,
    /// All buckets of the range, empty ones too, in order of time.
    pub buckets: Vec<TimeBucket>,
    /// All of them together.
    pub totals: LevelTotals,
    /// What was read to answer.
    pub account: Account,
    /// Remarks on the query text.
    pub hints: Vec<QueryProblem>,
}

/// One bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeBucket {
    /// Where it begins; it ends where the next one does.
    pub start: Timestamp,
    /// The events in it.
    pub counts: LevelTotals,
}

/// Some events, and how many of them have each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelTotals {
    /// All.
    pub events: u64,
    by_level: [u64; Level::ALL.len()],
}

impl LevelTotals {
    /// The levels there are, in order of severity, `None` first: events whose level is not known.
    pub fn levels(&self) -> impl Iterator<Item = (Option<Level>, u64)> {
        let known: u64 = self.by_level.iter().sum();
        let unknown = (None, self.events.saturating_sub(known));
        let levels = Level::ALL.into_iter().map(Some).zip(self.by_level);
        let all = std::iter::once(unknown).chain(levels);
        all.filter(|(_, events)| *events > 0)
    }

    fn add(&mut self, other: &LevelTotals) {
        self.events += other.events;
        for (events, more) in self.by_level.iter_mut().zip(other.by_level) {
            *events += more;
        }
    }

    /// From the cells of a row: the count of all, and that of each level.
    fn of_cells(cells: &[Cell]) -> LevelTotals {
        let mut counts = cells.iter().map(|cell| match cell {
            Cell::Int(count) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        });
        let events = counts.next().unwrap_or(0);
        let mut by_level = [0; Level::ALL.len()];
        for (events, count) in by_level.iter_mut().zip(counts) {
            *events = count;
        }
        LevelTotals { events, by_level }
    }
}

impl Service {
    /// Counts the events of a query by time and level.
    pub fn histogram(
        &self,
        caller: &Caller,
        request: &HistogramRequest,
        cancel: &Cancel,
    ) -> Result<Histogram, Error> {
        caller.require(Access::Read)?;
        let buckets_max = within(
            "buckets",
            request.buckets,
            HISTOGRAM_BUCKETS_DEFAULT,
            HISTOGRAM_BUCKETS_MAX,
        )?;
        let search = SearchRequest {
            cursor: None,
            batch_size: None,
            total: false,
            ..request.search.clone()
        };
        let mut question = self.understand(caller, &search)?;
        check_stages(&question.query)?;
        let snapshot = self.store.snapshot();
        let mut asked = self.engine_request(&question, &search, cancel);
        let internal = |error| Error::internal("counting events", error);
        let range = self.engine.closed_range(&snapshot, &asked);
        let range = range.map_err(internal)?;
        let interval = interval_of(request, range, buckets_max)?;
        if let Some(range) = range {
            asked.range = asked.range.intersection(range);
        }
        question.query.stages.push(counting(interval));
        let (table, account) = self.count_buckets(&question, &snapshot, asked)?;
        question.query.stages.pop();
        let account = account_of(&question, &account, &snapshot);
        let buckets = range.map_or(Vec::new(), |range| fill(&table, range, interval));
        let mut totals = LevelTotals::default();
        buckets.iter().for_each(|bucket| totals.add(&bucket.counts));
        Ok(Histogram {
            interval,
            range: range.map(|range| (range.first, range.last)),
            buckets,
            totals,
            account,
            hints: question.hints,
        })
    }

    fn count_buckets(
        &self,
        question: &Question,
        snapshot: &Snapshot,
        asked: engine::SearchRequest,
    ) -> Result<(Table, engine::Account), Error> {
        let staged = StagedRequest {
            search: asked,
            stages: question.query.stages.clone(),
            // The first bucket begins before the range does.
            rows_max: HISTOGRAM_BUCKETS_MAX + 1,
        };
        let counted = self.engine.run_stages(snapshot, &staged);
        let counted = counted.map_err(|error| Error::internal("counting events", error))?;
        let incomplete = &counted.account.incomplete;
        if incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        self.counters.count_search(&counted.account);
        match counted.result {
            Staged::Table(table) => {
                if table.rows.is_empty() && incomplete.contains(&Incomplete::Memory) {
                    return Err(Error::Busy {
                        retry_after: RETRY_AFTER_BUSY,
                    });
                }
                Ok((table, counted.account))
            }
            Staged::Events { .. } => Ok((Table::default(), counted.account)),
        }
    }
}

/// Refuses stages after which there are no events left to count.
fn check_stages(query: &Query) -> Result<(), Error> {
    if !staged::makes_table(&query.stages) {
        return Ok(());
    }
    Err(Error::InvalidParameter {
        parameter: "query",
        message: "a histogram counts events, and the stages of this query make a table of them"
            .to_owned(),
        hint: Some(
            "leave out `stats`, `timechart`, `top`, `patterns` and `fields` with all that follows; or ask for the query itself"
                .to_owned(),
        ),
    })
}

/// How wide the buckets are: as asked, or as narrow as the number of buckets allows.
fn interval_of(
    request: &HistogramRequest,
    range: Option<TimeBounds>,
    buckets_max: usize,
) -> Result<Interval, Error> {
    let Some(asked) = &request.interval else {
        return Ok(chosen(range, buckets_max));
    };
    let wrong = |message: String, hint: &str| Error::InvalidParameter {
        parameter: "interval",
        message,
        hint: Some(hint.to_owned()),
    };
    let interval = Interval::parse(asked.trim()).ok_or_else(|| {
        let message = format!("`interval` is `{asked}` and has to be an interval of time");
        wrong(
            message,
            "write a whole number and a unit: ms, s, m, h, d or w, as in `5m`",
        )
    })?;
    let buckets = range.map_or(0, |range| buckets_in(range, interval.nanos));
    if buckets > HISTOGRAM_BUCKETS_MAX as i128 {
        let message = format!(
            "the range has {buckets} intervals of {asked}, and a histogram at most {HISTOGRAM_BUCKETS_MAX}"
        );
        return Err(wrong(message, "take a longer interval or a shorter range"));
    }
    Ok(interval)
}

fn chosen(range: Option<TimeBounds>, buckets_max: usize) -> Interval {
    let fits =
        |nanos: &&i64| range.is_none_or(|range| buckets_in(range, **nanos) <= buckets_max as i128);
    let widest = range.map_or(SECOND, |_| i64::MAX);
    let nanos = match range {
        None => MINUTE,
        Some(_) => WIDTHS.iter().find(fits).copied().unwrap_or(widest),
    };
    Interval { nanos }
}

/// How many intervals a range has a part of.
fn buckets_in(range: TimeBounds, nanos: i64) -> i128 {
    let index = |time: Timestamp| i128::from(time.as_nanos().div_euclid(nanos));
    index(range.last) - index(range.first) + 1
}

/// `stats count(), count() if (level=trace), … by dt:<interval>`: a row for each interval, whatever levels were sent.
fn counting(interval: Interval) -> Stage {
    let of_level = |level: Level| {
        Filter::Clause(Clause {
            target: Target::Level,
            test: Test::Equals(level.name().to_owned()),
        })
    };
    let conditions = std::iter::once(None).chain(Level::ALL.map(of_level).map(Some));
    let aggregates = conditions.enumerate().map(|(index, condition)| Aggregate {
        function: Function::Count(None),
        condition,
        name: index.to_string(),
    });
    Stage::Stats {
        aggregates: aggregates.collect(),
        by: vec![GroupKey::Time(interval)],
    }
}

/// A bucket for every interval of the range, with the counts of those that the table has.
fn fill(table: &Table, range: TimeBounds, interval: Interval) -> Vec<TimeBucket> {
    let rows = table.rows.iter().filter_map(|row| match row.split_first() {
        Some((Cell::Time(start), counts)) => {
            let index = start.as_nanos().div_euclid(interval.nanos);
            Some((index, LevelTotals::of_cells(counts)))
        }
        _ => None,
    });
    // A range that begins before all intervals do has its first events in one that begins with time.
    let mut counts: BTreeMap<i64, LevelTotals> = BTreeMap::new();
    rows.for_each(|(index, of_row)| counts.entry(index).or_default().add(&of_row));
    let index = |time: Timestamp| time.as_nanos().div_euclid(interval.nanos);
    let all = index(range.first)..=index(range.last);
    let buckets = all.map(|index| TimeBucket {
        start: Timestamp::from_nanos(index.saturating_mul(interval.nanos)),
        counts: counts.get(&index).copied().unwrap_or_default(),
    });
    buckets.take(HISTOGRAM_BUCKETS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_rise_and_suit_the_range() {
        assert!(WIDTHS.is_sorted_by(|a, b| a < b));
        let cases = [
            (0, MINUTE, 60, SECOND),
            (0, HOUR - 1, 60, MINUTE),
            (0, HOUR, 60, 2 * MINUTE),
            (0, HOUR - 1, 30, 2 * MINUTE),
            (0, DAY - 1, 60, 30 * MINUTE),
            (0, 7 * DAY - 1, 60, 3 * HOUR),
            (0, 30 * DAY - 1, 60, 12 * HOUR),
            (5, 5, 60, SECOND / 1000),
            (i64::MIN, i64::MAX, 60, 3640 * DAY),
        ];
        for (first, last, buckets, expected) in cases {
            let range = TimeBounds {
                first: Timestamp::from_nanos(first),
                last: Timestamp::from_nanos(last),
            };
            let found = chosen(Some(range), buckets).nanos;
            let is_minute = (first, last) == (0, MINUTE);
            let expected = if is_minute { 2 * SECOND } else { expected };
            assert_eq!(found, expected, "{first}..{last} in {buckets}");
            assert!(buckets_in(range, found) <= buckets as i128);
        }
    }
}
