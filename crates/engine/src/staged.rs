//! A question with stages: what is asked, what is answered, and which way it goes.
//!
//! Stages that look at one row at a time are done where the row lies. What groups rows is done part by part, and what
//! the parts give is merged; what needs the order of rows takes them in that order, as far as it must. What is left
//! works on the table that came of it.

mod aggregating;
mod block_tally;
mod local;
mod merging;
mod of_part;
mod open_tally;
mod ordered;
mod outline;
mod pattern_counts;
mod pattern_texts;
mod patterns;
mod pipeline;
mod range;
mod tables;
mod tally;

use std::sync::Arc;

use cordwood_event::{Event, Value, path};
use cordwood_query::Stage;
use cordwood_store::{Reservation, Snapshot};

use crate::aggregate::Approximation;
use crate::budget::Cut;
use crate::engine::Engine;
use crate::groups::Held;
use crate::row::kept::{Added, KeptRow};
use crate::row::tabular::cell_of;
use crate::run::Run;
use crate::top::Found;
use crate::{Account, AnswerMemory, Error, Incomplete, Position, SearchRequest, Table, Total};
pub(crate) use local::{LocalStage, pass};
use ordered::Ordered;
pub(crate) use outline::Outline;
pub use pattern_counts::{LEVELS, Pattern, Patterns, PatternsRequest};
use pipeline::{Ending, Pipeline};
pub(crate) use pipeline::{defer_fields, local_stage};
pub use tally::{Grouping, Kept, Tally, TallyRequest};

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 1024;

/// A question with stages.
#[derive(Clone, Debug)]
pub struct StagedRequest {
    /// Which events the stages begin with: its filter, sources, range and order count, its limit and total do not.
    pub search: SearchRequest,
    /// What is made of them.
    pub stages: Vec<Stage>,
    /// How many events, or rows of the table, are given back at most.
    pub rows_max: usize,
}

/// What came of the stages.
#[derive(Clone, Debug, PartialEq)]
pub enum Staged {
    /// Events, with the fields that stages added.
    Events {
        /// In the order asked for, or that of the last `sort`.
        events: Vec<Event>,
        /// Where the next page begins; `None` when nothing can follow, and when a stage needs all rows before it.
        next: Option<Position>,
    },
    /// A table.
    Table(Table),
}

/// The answer, and what there is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct StagedAnswer {
    /// What came of the stages.
    pub result: Staged,
    /// The columns that are not exact.
    pub approximate: Vec<Approximation>,
    /// The last sequence number the question could see, as in [`SearchAnswer`](crate::SearchAnswer).
    pub up_to_sequence: u64,
    /// Completeness, range and cost.
    pub account: Account,
    /// The memory the events or the table take; to be kept as long as they are.
    pub memory: AnswerMemory,
}

impl Engine {
    /// Runs the stages over the events that match. Blocks the caller as [`Engine::search`] does, and as there,
    /// whatever cuts it short is said in the account.
    pub fn run_stages(
        &self,
        snapshot: &Snapshot,
        request: &StagedRequest,
    ) -> Result<StagedAnswer, Error> {
        let started = self.clock().now();
        let means = self.means(&request.search);
        let mut pipeline = Pipeline::new(request, &means.budget);
        let search = pipeline.search_of(request);
        if let Some(patterns) = &pipeline.patterns {
            patterns.know(self.known_patterns(&search.sources));
        }
        let planned = self.plan(snapshot, &search, &means.budget);
        let (up_to_sequence, held) = (planned.0.up_to_sequence, Arc::new(Held::new(means.memory)));
        let range = range::lasting(self, &planned.0, snapshot, &search)?;
        let mut run = Run::new(&means, planned.0, planned.1);
        let (Made { result, memory }, approximate) = match pipeline.ending.clone() {
            Ending::Groups(aggregation) if pipeline.ordered.is_empty() => {
                let groups = aggregating::aggregate(&mut run, &pipeline, &aggregation, &held)?;
                finish_groups(&mut run, (&mut pipeline, request.rows_max), groups, range)?
            }
            ending => {
                let mut stream = Ordered::new(&pipeline, request.rows_max);
                stream.pursue(&mut run, &held)?;
                let rows = std::mem::take(&mut stream.rows);
                let is_resumable = pipeline.ordered.is_empty();
                match ending {
                    Ending::Groups(_) => {
                        let groups = stream.groups.take().ok_or(Error::Broken)?;
                        finish_groups(&mut run, (&mut pipeline, request.rows_max), groups, range)?
                    }
                    Ending::Columns(names) => {
                        let working = rows.iter().map(KeptRow::bytes).sum();
                        let made = make_table(&mut run, request.rows_max, working, |run| {
                            let table = project(run, &names, &rows)?;
                            finish_table(run, &mut pipeline, table, range)
                        })?;
                        (made, Vec::new())
                    }
                    Ending::Events => {
                        let page = Page {
                            rows_max: request.rows_max,
                            is_resumable,
                        };
                        (fetch(&mut run, rows, page)?, Vec::new())
                    }
                }
            }
        };
        let mut account = run.account();
        account.elapsed = self.clock().now().saturating_duration_since(started);
        Ok(StagedAnswer {
            result,
            approximate,
            up_to_sequence,
            account,
            memory: memory.into(),
        })
    }
}

fn finish_groups(
    run: &mut Run<'_>,
    (pipeline, rows_max): (&mut Pipeline, usize),
    groups: crate::groups::Groups,
    range: range::Lasting,
) -> Result<(Made, Vec<Approximation>), Error> {
    let mut approximate = groups.approximations();
    let shown = pipeline.shown(groups, &run.means().budget.without_deadline());
    let made = match shown {
        Ok(groups) => make_table(run, rows_max, groups.table_bytes(), |run| {
            let table = match table_of(run, pipeline, groups, range) {
                Ok(table) => table,
                Err(cut) => {
                    run.note(cut.into());
                    return Ok(Table::default());
                }
            };
            finish_table(run, pipeline, table, range)
        })?,
        Err(cut) => {
            run.note(cut.into());
            Made::nothing(run)
        }
    };
    if let Staged::Table(table) = &made.result {
        approximate.retain(|approximation| table.columns.contains(&approximation.column));
    }
    Ok((made, approximate))
}

/// Makes a table with so much memory to work with, and charges what is left of it as an answer. Without the memory there is no
/// table, and that is said.
fn make_table(
    run: &mut Run<'_>,
    rows_max: usize,
    working_bytes: u64,
    make: impl FnOnce(&mut Run<'_>) -> Result<Table, Error>,
) -> Result<Made, Error> {
    let answers = run.means().answers;
    let budget = run.means().budget.without_deadline();
    let working = answers.work(working_bytes, &budget);
    let mut table = Table::default();
    if working.is_some() {
        table = make(run)?;
        table.more |= table.rows.len() > rows_max;
        table.rows.truncate(rows_max);
    }
    let mut memory = answers.begin();
    if working.is_none() || !answers.grow(&mut memory, table.bytes(), &budget) {
        run.note(match budget.is_cancelled() {
            true => Incomplete::Cancelled,
            false => Incomplete::Memory,
        });
        return Ok(Made::nothing(run));
    }
    Ok(Made {
        result: Staged::Table(table),
        memory,
    })
}

/// What came of the stages, and the memory that takes.
struct Made {
    result: Staged,
    memory: Reservation,
}

impl Made {
    fn nothing(run: &Run<'_>) -> Made {
        Made {
            result: Staged::Table(Table::default()),
            memory: run.means().answers.begin(),
        }
    }
}

/// The table of the groups, in its order. What was found before a deadline passed is worth its time still.
fn table_of(
    run: &mut Run<'_>,
    pipeline: &Pipeline,
    groups: crate::groups::Groups,
    range: range::Lasting,
) -> Result<Table, Cut> {
    let budget = run.means().budget.without_deadline();
    let keys = groups.aggregation().keys.len();
    let mut table = groups.into_table(range.seconds(), &budget)?;
    if let Some(patterns) = &pipeline.patterns {
        return patterns::folded(table, patterns, &budget);
    }
    if let Some(timechart) = &pipeline.timechart
        && let Some(times) = range.times
        && let Err(incomplete) = timechart.fill(&mut table, times, &budget)
    {
        run.note(incomplete);
    }
    pipeline.order(&mut table, keys, &budget)?;
    Ok(table)
}

fn finish_table(
    run: &mut Run<'_>,
    pipeline: &mut Pipeline,
    mut table: Table,
    range: range::Lasting,
) -> Result<Table, Error> {
    for stage in std::mem::take(&mut pipeline.on_table) {
        let budget = &run.means().budget;
        match tables::apply(&stage, table, &pipeline.compiler, range, budget) {
            Ok(after) => table = after,
            Err(incomplete) => {
                run.note(incomplete);
                return Ok(Table::default());
            }
        }
    }
    Ok(table)
}

fn project(run: &mut Run<'_>, names: &[(String, usize)], rows: &[KeptRow]) -> Result<Table, Error> {
    let mut table = Table {
        columns: names.iter().map(|(name, _)| name.clone()).collect(),
        rows: Vec::with_capacity(rows.len()),
        more: false,
    };
    for (index, kept) in rows.iter().enumerate() {
        if index.is_multiple_of(ROWS_PER_CHECK) && run.means().budget.is_cancelled() {
            run.note(Incomplete::Cancelled);
            break;
        }
        let row = kept.extended();
        let cells = names.iter().map(|(_, field)| cell_of(&row, *field));
        let cells = cells.collect::<Result<_, _>>();
        table.rows.push(cells.map_err(|_| Error::Broken)?);
    }
    Ok(table)
}

/// What a page of events may hold.
struct Page {
    rows_max: usize,
    /// Whether the next page can go on after the last event.
    is_resumable: bool,
}

fn fetch(run: &mut Run<'_>, mut rows: Vec<KeptRow>, page: Page) -> Result<Made, Error> {
    let has_more = rows.len() > page.rows_max;
    rows.truncate(page.rows_max);
    let is_cancelled = run.incomplete.contains(&Incomplete::Cancelled);
    if is_cancelled {
        rows.clear();
    }
    let found: Vec<Found> = rows.iter().map(|row| row.found).collect();
    let fetched = run.fetch(&found)?;
    let frontier = run
        .frontier()
        .and_then(|frontier| frontier.place_before(run.plan.order));
    let next = match found
        .get(fetched.until.saturating_sub(1))
        .filter(|_| fetched.until > 0)
    {
        Some(last) if has_more || fetched.until < found.len() => Some(last.id),
        _ => frontier,
    };
    // Where no page follows, nobody else says that there is more.
    if let Some(cut) = fetched.cut
        && !page.is_resumable
    {
        run.note(cut);
    }
    let with_added = |(event, row): (Option<Event>, KeptRow)| Some(extended(event?, row.added));
    let events = fetched.events.into_iter().zip(rows);
    let result = Staged::Events {
        events: events.filter_map(with_added).collect(),
        next: next.filter(|_| page.is_resumable && !is_cancelled && page.rows_max > 0),
    };
    Ok(Made {
        result,
        memory: fetched.memory,
    })
}

/// The event with fields added, which take the place of those of the same name.
pub(crate) fn extended(mut event: Event, added: Vec<Added>) -> Event {
    for field in added {
        event
            .fields
            .retain(|(stored, _)| path::name(stored) != *field.name);
        let mut escaped = String::new();
        path::push_key(&mut escaped, &field.name, true);
        let mut value = Value::Null;
        field.value.visit(&mut |datum| {
            if let crate::datum::Datum::Scalar(scalar) = datum {
                value = scalar.to_value();
            }
        });
        event.fields.push((escaped.into(), value));
    }
    event
}

/// The search that a pipeline begins with.
fn plain_search(request: &SearchRequest) -> SearchRequest {
    SearchRequest {
        limit: 0,
        total: Total::NotAsked,
        ..request.clone()
    }
}
