//! A query asked of events as they arrive: the filter by the one-event matcher, then the stages that look at one row alone.
//!
//! What is found here is what a search finds of the same events, but for deletions: those never mean what is yet to come. One
//! query may not hold up the others: past a deadline it gives up, even in the middle of a text, and says how many events it
//! did not look at.

mod deadline;
mod row;
mod stages;

use std::ops::Bound;
use std::time::Instant;

use cordwood_event::{Event, EventId, Scalar, Timestamp, Value};
use cordwood_query::{Filter, Matcher, Origin, Query, Stage, Target, Test, TimePoint, TimeTest};
use cordwood_store::OpenRows;

pub use stages::TogetherStage;

use crate::staged::defer_fields;
use crate::{Cell, Clock, SearchedSource};
use deadline::Deadline;
use stages::RowStages;

/// Rows between two looks at the clock: the matcher takes well below a microsecond for most.
const ROWS_PER_CHECK: usize = 64;

/// Fewer rows than these are tested one by one: to find out which fields of a batch each clause reaches takes longer.
const ROWS_WORTH_PREPARING: usize = 4;

/// A query compiled to be asked of what arrives.
#[derive(Debug)]
pub struct LiveQuery {
    filter: Filter,
    matcher: Matcher,
    stages: Vec<Stage>,
    row_stages: RowStages,
    now: Timestamp,
    is_relative: bool,
    deadline: Deadline,
}

/// What a query makes of an event that matches.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveRow {
    /// The event, with what stages have added.
    Event(Event),
    /// Its fields under [`LiveQuery::columns`].
    Columns(EventId, Vec<Cell>),
}

impl LiveRow {
    /// The event it was.
    pub fn id(&self) -> EventId {
        match self {
            LiveRow::Event(event) => event.id,
            LiveRow::Columns(id, _) => *id,
        }
    }

    /// About the memory it takes.
    pub fn bytes(&self) -> u64 {
        let held: u64 = match self {
            LiveRow::Event(event) => event.fields.iter().map(field_bytes).sum(),
            LiveRow::Columns(_, cells) => cells.iter().map(Cell::bytes).sum(),
        };
        size_of::<LiveRow>() as u64 + held
    }
}

fn field_bytes(field: &(Box<str>, Value)) -> u64 {
    let (path, value) = field;
    let text = match value.as_scalar() {
        Scalar::Str(text) | Scalar::Json(text) => text.len(),
        Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_) => 0,
    };
    (size_of_val(field) + path.len() + text) as u64
}

/// What came of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examined {
    /// What matches, in the order of arrival.
    pub rows: Vec<LiveRow>,
    /// How many events were not looked at because time was up: the last ones.
    pub unexamined: u64,
}

impl LiveQuery {
    /// Compiles a query, with relative times counted from `now`. Fails on a stage that needs events together.
    pub fn new(query: &Query, clock: Clock, now: Timestamp) -> Result<LiveQuery, TogetherStage> {
        TogetherStage::find(&query.stages)?;
        let mut stages = defer_fields(query.stages.clone());
        let leading = stages.iter().map_while(|stage| match stage {
            Stage::Where(filter) => Some(filter.clone()),
            _ => None,
        });
        let leading: Vec<Filter> = leading.collect();
        stages.drain(..leading.len());
        let mut members = vec![query.filter.clone()];
        members.extend(leading);
        let filter = Filter::and(members);
        let deadline = Deadline::new(clock);
        let compiler = deadline.compiler(now);
        Ok(LiveQuery {
            matcher: compiler.matcher(&filter),
            row_stages: RowStages::new(&stages, &compiler),
            is_relative: is_relative(&filter) || stages.iter().any(is_stage_relative),
            filter,
            stages,
            now,
            deadline,
        })
    }

    /// What a search for the same events has to ask, before [`pass`](Self::pass).
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether [`pass`](Self::pass) may leave out events that the filter finds.
    pub fn is_selective(&self) -> bool {
        self.stages
            .iter()
            .any(|stage| matches!(stage, Stage::Where(_)))
    }

    /// The names of the columns, if the stages keep only some fields.
    pub fn columns(&self) -> Option<&[String]> {
        self.row_stages.columns()
    }

    /// Lets the time go on that relative times are counted from.
    pub fn set_now(&mut self, now: Timestamp) {
        if self.is_relative && now != self.now {
            self.now = now;
            self.compile();
        }
    }

    /// Looks at the events of a batch of a source until a time, on the clock it was made with.
    pub fn examine(
        &mut self,
        rows: &OpenRows,
        source: &SearchedSource,
        until: Instant,
    ) -> Examined {
        let mut examined = Examined::default();
        if !self.filter.admits_source(source.id, &source.name) {
            return examined;
        }
        self.deadline.set(until);
        let batch = rows.batch();
        let prepared = (batch.len() >= ROWS_WORTH_PREPARING).then(|| self.matcher.in_batch(batch));
        let kept = source.kept();
        for (row, event) in batch.events().enumerate() {
            if row.is_multiple_of(ROWS_PER_CHECK) && self.deadline.has_passed() {
                examined.unexamined = (batch.len() - row) as u64;
                break;
            }
            let origin = Origin {
                source: source.id,
                source_name: &source.name,
                sequence: rows.sequence(row),
            };
            let is_match = kept.contains(event.timestamp())
                && match &prepared {
                    Some(prepared) => prepared.matches(event, &origin),
                    None => self.matcher.matches(event, &origin),
                };
            let copied = is_match.then(|| Event::copy_of(event, source.id, origin.sequence));
            let passed = copied.and_then(|event| self.row_stages.pass(event, &source.name));
            if self.deadline.has_interrupted() {
                examined.unexamined = (batch.len() - row) as u64;
                break;
            }
            examined.rows.extend(passed);
        }
        drop(prepared);
        if self.deadline.has_interrupted() {
            self.compile();
        }
        examined
    }

    /// Takes an event that the filter has found through the stages, until a time; `None` if they leave it out, or if
    /// the time is up.
    pub fn pass(&mut self, event: Event, source_name: &str, until: Instant) -> Option<LiveRow> {
        self.deadline.set(until);
        let passed = self.row_stages.pass(event, source_name);
        if self.deadline.has_interrupted() {
            self.compile();
            return None;
        }
        passed
    }

    fn compile(&mut self) {
        self.deadline = self.deadline.anew();
        let compiler = self.deadline.compiler(self.now);
        self.matcher = compiler.matcher(&self.filter);
        self.row_stages = RowStages::new(&self.stages, &compiler);
    }
}

/// Whether a filter counts times from now.
fn is_relative(filter: &Filter) -> bool {
    let clauses = filter.clauses();
    clauses.iter().any(|clause| {
        let mut tests = clause.test.alternatives().iter();
        clause.target == Target::Time && tests.any(counts_from_now)
    })
}

fn is_stage_relative(stage: &Stage) -> bool {
    matches!(stage, Stage::Where(filter) if is_relative(filter))
}

fn counts_from_now(test: &Test) -> bool {
    let is_now = |point: &TimePoint| matches!(point, TimePoint::Now(_));
    let ends = |bound: &Bound<TimePoint>| match bound {
        Bound::Included(point) | Bound::Excluded(point) => is_now(point),
        Bound::Unbounded => false,
    };
    match test {
        Test::Time(TimeTest::During(point)) => is_now(point),
        Test::Time(TimeTest::Between(lower, upper)) => ends(lower) || ends(upper),
        _ => false,
    }
}
