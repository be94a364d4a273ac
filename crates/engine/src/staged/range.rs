//! How long the range of a question lasts, and the intervals of a timechart in it.

use std::collections::HashSet;

use cordwood_event::Timestamp;
use cordwood_query::{Filter, Interval, Stage, TimeBounds};
use cordwood_store::Snapshot;

use crate::budget::Budget;
use crate::groups::{GroupColumn, interval_start};
use crate::key::Key;
use crate::plan::Plan;
use crate::row::tabular::TableFields;
use crate::survey::everything_of;
use crate::{Cell, Engine, Error, Incomplete, Order, SearchRequest, SearchedSource, Table};

/// Most rows a timechart has: a week by the minute for ten series.
const TIMECHART_ROWS_MAX: usize = 100_000;

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 1024;

/// The range asked for, or where that has no end, up to the last event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lasting {
    /// `None` when there is no end and no event.
    pub(super) times: Option<TimeBounds>,
}

impl Lasting {
    /// At least one, so that a rate is not that of a moment.
    #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
    pub(super) fn seconds(self) -> f64 {
        let nanos = self.times.map_or(0, |times| {
            i128::from(times.last.as_nanos()) - i128::from(times.first.as_nanos()) + 1
        });
        (nanos as f64 / 1e9).max(1.0)
    }
}

impl Engine {
    /// The range of a request where it has ends, and where it has none, the times between which the events of its sources
    /// lie; `None` when there is no event to close it by.
    pub fn closed_range(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
    ) -> Result<Option<TimeBounds>, Error> {
        let everything = everything_of(request);
        let budget = self.budget(&everything);
        let (plan, _) = self.plan(snapshot, &everything, &budget);
        let times = lasting(self, &plan, snapshot, &everything)?.times;
        let kept = everything.sources.iter().map(SearchedSource::kept);
        let kept = kept.fold(TimeBounds::NONE, TimeBounds::hull);
        let is_open = plan.range.first == Timestamp::MIN;
        let times = times.map(|times| match is_open {
            true => times.intersection(kept),
            false => times,
        });
        Ok(times.filter(|times| !times.is_empty()))
    }
}

pub(super) fn lasting(
    engine: &Engine,
    plan: &Plan,
    snapshot: &Snapshot,
    request: &SearchRequest,
) -> Result<Lasting, Error> {
    let range = plan.range;
    let is_open = range.first == Timestamp::MIN || range.last == Timestamp::MAX;
    let data = match is_open && has_deletions(plan) {
        true => visible_data(engine, plan, snapshot, request)?,
        false => stored_data(plan, snapshot),
    };
    let times = TimeBounds {
        first: match range.first {
            Timestamp::MIN => data.first,
            first => first,
        },
        last: match range.last {
            Timestamp::MAX => data.last,
            last => last,
        },
    };
    Ok(Lasting {
        times: (!times.is_empty()).then_some(times),
    })
}

fn has_deletions(plan: &Plan) -> bool {
    let mut deletions = plan.deletions.iter();
    deletions.any(|deletion| {
        let mut sources = plan.sources.iter();
        sources.any(|source| deletion.is_about(source.searched.id))
    })
}

/// The times between which the events of all sources lie.
fn stored_data(plan: &Plan, snapshot: &Snapshot) -> TimeBounds {
    let mut data = TimeBounds::NONE;
    for source in &plan.sources {
        if let Some(totals) = snapshot.totals(source.searched.id) {
            data = data.hull(TimeBounds {
                first: totals.time_min,
                last: totals.time_max,
            });
        }
    }
    data
}

/// The same, where the first or the last events may be deleted: asked for.
fn visible_data(
    engine: &Engine,
    plan: &Plan,
    snapshot: &Snapshot,
    request: &SearchRequest,
) -> Result<TimeBounds, Error> {
    let sources = plan.sources.iter().map(|source| SearchedSource {
        kept_from: None,
        ..source.searched.clone()
    });
    let sources: Vec<SearchedSource> = sources.collect();
    let mut data = TimeBounds::NONE;
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let answer = engine.search(
            snapshot,
            &SearchRequest {
                order,
                deadline: request.deadline,
                cancel: request.cancel.clone(),
                ..SearchRequest::newest(sources.clone(), Filter::All, 1, request.now)
            },
        )?;
        if let Some(event) = answer.events.first() {
            data = data.hull(TimeBounds {
                first: event.id.timestamp,
                last: event.id.timestamp,
            });
        }
    }
    Ok(data)
}

/// A timechart: the interval, and which of its functions count.
#[derive(Clone, Debug)]
pub(super) struct Timechart {
    interval: Interval,
    /// How many columns are grouped by, time among them.
    keys: usize,
    /// What each computed column is where there is no row.
    empty: Vec<Cell>,
}

impl Timechart {
    pub(super) fn of(stage: &Stage) -> Option<Timechart> {
        let Stage::Timechart {
            interval,
            aggregates,
            by,
        } = stage
        else {
            return None;
        };
        let empty = aggregates
            .iter()
            .map(|aggregate| GroupColumn::of_nothing(&aggregate.function));
        Some(Timechart {
            interval: *interval,
            keys: by.len() + 1,
            empty: empty.collect(),
        })
    }

    /// Adds a row for every interval in `times` and every combination of the other keys that has none.
    pub(super) fn fill(
        &self,
        table: &mut Table,
        times: TimeBounds,
        budget: &Budget,
    ) -> Result<(), Incomplete> {
        let series = self.series(table);
        let known: HashSet<Vec<Key>> = table
            .rows
            .iter()
            .map(|row| keys_of(row, self.keys))
            .collect();
        let mut start = interval_start(times.first, self.interval);
        loop {
            for (index, others) in series.iter().enumerate() {
                if index.is_multiple_of(ROWS_PER_CHECK) {
                    budget.check()?;
                }
                let keys: Vec<Cell> = [Cell::Time(start)]
                    .into_iter()
                    .chain(others.clone())
                    .collect();
                if known.contains(&keys_of(&keys, self.keys)) {
                    continue;
                }
                if table.rows.len() >= TIMECHART_ROWS_MAX {
                    table.sort_by_keys(self.keys, budget)?;
                    return Err(Incomplete::Rows {
                        rows_max: TIMECHART_ROWS_MAX as u64,
                    });
                }
                table
                    .rows
                    .push(keys.into_iter().chain(self.empty.clone()).collect());
            }
            let next = start.as_nanos().checked_add(self.interval.nanos);
            // The first interval may begin before time does.
            let next = next.map(|next| interval_start(Timestamp::from_nanos(next), self.interval));
            match next.filter(|next| *next <= times.last && *next > start) {
                Some(next) => start = next,
                None => break,
            }
        }
        table.sort_by_keys(self.keys, budget)?;
        Ok(())
    }

    /// The combinations of the other keys; nulls where there is no row at all.
    fn series(&self, table: &Table) -> Vec<Vec<Cell>> {
        let mut seen = HashSet::new();
        let mut series: Vec<Vec<Cell>> = Vec::new();
        for row in &table.rows {
            let others = row.get(1..self.keys).unwrap_or_default();
            if seen.insert(keys_of(others, self.keys)) {
                series.push(others.to_vec());
            }
        }
        if series.is_empty() {
            series.push(vec![Cell::Null; self.keys - 1]);
        }
        series
    }
}

fn keys_of(cells: &[Cell], count: usize) -> Vec<Key> {
    cells.iter().take(count).map(key_of).collect()
}

pub(super) fn key_of(cell: &Cell) -> Key {
    let mut key = Key::Null;
    cell.visit(&mut |datum| key = datum.leaf().map_or(Key::Null, Key::of));
    key
}

/// Where the columns of a table are, for the fields of a stage.
pub(super) fn fields_in<'a>(table: &'a Table, fields: &crate::row::FieldSet) -> TableFields<'a> {
    TableFields::new(&table.columns, fields)
}
