//! The quest for rows in order: what a stage needs to see one after the other.
//!
//! Parts come back in any order and their times overlap. A row is passed on once no part that is still out can hold one
//! before it, so that a stage such as `dedup` sees rows in their order and a `limit` stops the run early.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::sync::Arc;

use cordwood_query::SortKey;
use cordwood_store::Part;

use super::local::{LocalStage, pass};
use super::of_part::{Sorted, Work, sorted_at};
use super::pipeline::{Ending, OrderedStage, Pipeline};
use super::tables::{compare, identity, sort_values};
use crate::budget::{Budget, Cut};
use crate::evaluate::Failure;
use crate::groups::{Groups, Held};
use crate::key::Key;
use crate::matching::PartRows;
use crate::narrow::Pruned;
use crate::part::{Fate, PartAnswer};
use crate::plan::{Plan, PlannedPart};
use crate::row::kept::KeptRow;
use crate::run::{Quest, Run};
use crate::sorting::sort_by;
use crate::table::SortValue;
use crate::top::Rank;
use crate::{Error, Incomplete};

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 512;

/// A stage with what it remembers.
enum Stateful {
    Local(LocalStage),
    Limit(u64),
    Dedup(Vec<usize>, HashSet<Vec<Vec<Key>>>),
    Sort(Sorting),
}

/// The rows to be sorted; only the first `rows_max` of them are kept.
struct Sorting {
    keys: Vec<(usize, SortKey)>,
    rows_max: usize,
    rows: Vec<(Vec<SortValue>, KeptRow)>,
    /// The last of `rows_max` rows: what comes later has to stand before it.
    bound: Option<Arc<[SortValue]>>,
}

/// Whether a stage takes more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    GoesOn,
    Done,
}

/// Rows under way through the stages.
pub(super) struct Ordered {
    work: Work,
    stages: Vec<Stateful>,
    /// What came through all stages, unless it is grouped.
    pub(super) rows: Vec<KeptRow>,
    pub(super) groups: Option<Groups>,
    rows_max: usize,
    flow: Flow,
}

impl Ordered {
    pub(super) fn new(pipeline: &Pipeline, rows_max: usize) -> Ordered {
        let is_last = pipeline.on_table.is_empty();
        let rows_max = match &pipeline.ending {
            // One more, to know whether there are more.
            Ending::Events => rows_max.saturating_add(1),
            Ending::Columns(_) if is_last => rows_max.saturating_add(1),
            Ending::Columns(_) | Ending::Groups(_) => usize::MAX,
        };
        let stages = pipeline.ordered.iter().enumerate().map(|(index, stage)| {
            let later = pipeline.ordered.get(index + 1..).unwrap_or_default();
            Stateful::new(stage, later, rows_max)
        });
        Ordered {
            work: Work {
                fields: Arc::clone(&pipeline.fields),
                local: pipeline.local.clone().into(),
                rows_wanted: needed_by(&pipeline.ordered, rows_max),
                sorted: match pipeline.ordered.split_first() {
                    Some((OrderedStage::Sort(keys), later)) => Some(Sorted {
                        keys: keys.clone().into(),
                        rows_max: needed_by(later, rows_max),
                        bound: None,
                    }),
                    _ => None,
                },
                different_by: match pipeline.ordered.first() {
                    Some(OrderedStage::Dedup(by)) => Some(by.clone().into()),
                    _ => None,
                },
            },
            stages: stages.collect(),
            rows: Vec::new(),
            groups: match &pipeline.ending {
                Ending::Groups(aggregation) => Some(Groups::new(aggregation)),
                _ => None,
            },
            rows_max,
            flow: if rows_max == 0 {
                Flow::Done
            } else {
                Flow::GoesOn
            },
        }
    }

    /// More of the first rows than these are not needed.
    pub(super) fn rows_wanted(&self) -> usize {
        self.work.rows_wanted
    }

    /// What is to be done with the rows of a part by what is known now.
    fn work_now(&self) -> Work {
        let mut work = self.work.clone();
        if let (Some(sorted), Some(Stateful::Sort(sorting))) =
            (&mut work.sorted, self.stages.first())
        {
            // Rows are passed on in order: those that are sorted come before all of a part that is still to be looked at.
            sorted.bound = sorting.bound.clone();
        }
        work
    }

    /// Takes all rows through the stages, as far as it must.
    pub(super) fn pursue(&mut self, run: &mut Run<'_>, held: &Held) -> Result<(), Error> {
        let mut stream = Stream {
            plan: Arc::clone(&run.plan),
            next_outstanding: 0,
            returned: BTreeSet::new(),
            waiting: BinaryHeap::new(),
            ordered: self,
            held,
            budget: run.means().budget.clone(),
        };
        run.pursue(&mut stream)?;
        let frontier = run.frontier();
        // What was found before a deadline passed is worth its time still.
        stream.budget = stream.budget.without_deadline();
        let flushed = stream
            .pass_on(frontier)
            .and_then(|()| stream.ordered.finish(0, stream.held, &stream.budget));
        if let Some(groups) = &mut self.groups {
            groups.ensure_whole();
        }
        match flushed {
            Ok(_) => Ok(()),
            Err(Stop::Incomplete(incomplete)) => {
                run.note(incomplete);
                Ok(())
            }
            Err(Stop::Broken) => Err(Error::Broken),
        }
    }

    /// Hands a row to the stage at `index` and those after it.
    fn push(
        &mut self,
        index: usize,
        mut row: KeptRow,
        (held, budget): (&Held, &Budget),
    ) -> Result<Flow, Stop> {
        let Some(stage) = self.stages.get_mut(index) else {
            return self.keep(row, held, budget);
        };
        match stage {
            Stateful::Local(local) => {
                let mut added = std::mem::take(&mut row.added);
                let is_kept = pass(std::slice::from_ref(local), &row, &mut added)?;
                row.added = added;
                if let Some(cut) = budget.interrupted() {
                    return Err(cut.into());
                }
                if !is_kept {
                    return Ok(Flow::GoesOn);
                }
            }
            Stateful::Limit(0) => return Ok(Flow::Done),
            Stateful::Limit(left) => *left -= 1,
            Stateful::Dedup(by, seen) => {
                let identity = identity(&row.extended(), by)?;
                let bytes = identity.iter().flatten().map(Key::bytes).sum::<u64>() + ENTRY_BYTES;
                if !seen.insert(identity) {
                    return Ok(Flow::GoesOn);
                }
                grow(held, bytes)?;
            }
            Stateful::Sort(sorting) => {
                sorting.add(row, held, budget)?;
                return Ok(Flow::GoesOn);
            }
        }
        let is_used_up = matches!(self.stages.get(index), Some(Stateful::Limit(0)));
        let flow = self.push(index + 1, row, (held, budget))?;
        Ok(if is_used_up { Flow::Done } else { flow })
    }

    /// Takes what stages have held back through those after them.
    fn finish(&mut self, index: usize, held: &Held, budget: &Budget) -> Result<Flow, Stop> {
        for index in index..self.stages.len() {
            if let Some(Stateful::Sort(sorting)) = self.stages.get_mut(index) {
                for (count, row) in sorting.take_sorted(budget)?.into_iter().enumerate() {
                    if count.is_multiple_of(ROWS_PER_CHECK) {
                        budget.check()?;
                    }
                    held.give_back(row.bytes());
                    if self.push(index + 1, row, (held, budget))? == Flow::Done {
                        break;
                    }
                }
            }
        }
        Ok(Flow::Done)
    }

    fn keep(&mut self, row: KeptRow, held: &Held, budget: &Budget) -> Result<Flow, Stop> {
        if let Some(groups) = &mut self.groups {
            // Of one row, so that what it adds is seen and paid for.
            let mut of_row = groups.afresh();
            of_row.add(&row.extended())?;
            groups.merge(of_row, held, budget)?;
            return Ok(Flow::GoesOn);
        }
        grow(held, row.bytes())?;
        self.rows.push(row);
        Ok(if self.rows.len() >= self.rows_max {
            Flow::Done
        } else {
            Flow::GoesOn
        })
    }
}

/// About what an entry of a set takes beside its keys.
const ENTRY_BYTES: u64 = 64;

fn grow(held: &Held, bytes: u64) -> Result<(), Stop> {
    if held.try_grow(bytes) {
        return Ok(());
    }
    Err(Stop::Incomplete(Incomplete::Kept {
        bytes_max: held.bytes_max(),
    }))
}

/// Why rows go no further.
enum Stop {
    Incomplete(Incomplete),
    /// A row that is kept cannot be unreadable.
    Broken,
}

impl From<Incomplete> for Stop {
    fn from(incomplete: Incomplete) -> Stop {
        Stop::Incomplete(incomplete)
    }
}

impl From<Cut> for Stop {
    fn from(cut: Cut) -> Stop {
        Stop::Incomplete(cut.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        match failure {
            Failure::Cut(cut) => cut.into(),
            Failure::Unreadable(_) | Failure::OutOfReach(_) => Stop::Broken,
        }
    }
}

/// How many of the first rows the stages need at most, if `rows_max` are to come out.
fn needed_by(stages: &[OrderedStage], rows_max: usize) -> usize {
    match stages.first() {
        None => rows_max,
        Some(OrderedStage::Limit(limit)) => {
            let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
            limit.min(needed_by(stages.get(1..).unwrap_or_default(), rows_max))
        }
        Some(_) => usize::MAX,
    }
}

impl Stateful {
    fn new(stage: &OrderedStage, later: &[OrderedStage], rows_max: usize) -> Stateful {
        match stage {
            OrderedStage::Local(local) => Stateful::Local(local.clone()),
            OrderedStage::Limit(limit) => Stateful::Limit(*limit),
            OrderedStage::Dedup(by) => Stateful::Dedup(by.clone(), HashSet::new()),
            OrderedStage::Sort(keys) => Stateful::Sort(Sorting {
                keys: keys.clone(),
                rows_max: needed_by(later, rows_max),
                rows: Vec::new(),
                bound: None,
            }),
        }
    }
}

impl Sorting {
    fn add(&mut self, row: KeptRow, held: &Held, budget: &Budget) -> Result<(), Stop> {
        let values = sort_values(&row.extended(), &self.keys)?;
        let bound = self.bound.as_ref();
        if bound.is_some_and(|bound| compare(&values, bound, &self.keys).is_ge()) {
            return Ok(());
        }
        grow(held, row.bytes())?;
        self.rows.push((values, row));
        if self.rows.len() >= sorted_at(self.rows_max) {
            self.sort(&budget.without_deadline())?;
            for (_, dropped) in self.rows.drain(self.rows_max.min(self.rows.len())..) {
                held.give_back(dropped.bytes());
            }
            self.bound = self.rows.last().map(|(values, _)| values.as_slice().into());
        }
        Ok(())
    }

    /// Equals stay in the order they came.
    fn sort(&mut self, budget: &Budget) -> Result<(), Cut> {
        let keys = &self.keys;
        sort_by(&mut self.rows, budget, |(a, _), (b, _)| compare(a, b, keys))
    }

    fn take_sorted(&mut self, budget: &Budget) -> Result<Vec<KeptRow>, Cut> {
        self.sort(budget)?;
        let rows = std::mem::take(&mut self.rows).into_iter();
        Ok(rows.take(self.rows_max).map(|(_, row)| row).collect())
    }
}

/// Rows that wait until it is certain which comes next.
struct Stream<'a> {
    plan: Arc<Plan>,
    /// The first part that has not come back.
    next_outstanding: usize,
    /// Those behind it that have.
    returned: BTreeSet<usize>,
    waiting: BinaryHeap<Reverse<Waiting>>,
    ordered: &'a mut Ordered,
    held: &'a Held,
    budget: Budget,
}

/// A row, ordered by its place.
struct Waiting(KeptRow);

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        self.0.found == other.0.found
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> std::cmp::Ordering {
        self.0.found.cmp(&other.0.found)
    }
}

impl Stream<'_> {
    /// Passes on the rows before `frontier`; all of them when there is none.
    fn pass_on(&mut self, frontier: Option<Rank>) -> Result<(), Stop> {
        let mut passed = 0usize;
        while self.ordered.flow == Flow::GoesOn
            && let Some(Reverse(Waiting(next))) = self.waiting.peek()
            && frontier.is_none_or(|frontier| next.found.rank < frontier)
            && let Some(Reverse(Waiting(row))) = self.waiting.pop()
        {
            if passed.is_multiple_of(ROWS_PER_CHECK)
                && let Err(cut) = self.budget.check()
            {
                self.waiting.push(Reverse(Waiting(row)));
                return Err(cut.into());
            }
            passed += 1;
            self.held.give_back(row.bytes());
            self.ordered.flow = self.ordered.push(0, row, (self.held, &self.budget))?;
        }
        Ok(())
    }

    fn advance_past(&mut self, part: usize) -> Result<(), Incomplete> {
        self.returned.insert(part);
        while self.returned.remove(&self.next_outstanding) {
            self.next_outstanding += 1;
        }
        let frontier = self
            .plan
            .parts
            .get(self.next_outstanding)
            .map(|part| part.best);
        match self.pass_on(frontier) {
            Ok(()) => Ok(()),
            Err(Stop::Incomplete(incomplete)) => Err(incomplete),
            Err(Stop::Broken) => Err(Incomplete::Cancelled),
        }
    }
}

impl Quest for Stream<'_> {
    type Found = Vec<KeptRow>;

    fn can_matter(&self, _part: &PlannedPart) -> bool {
        self.ordered.flow == Flow::GoesOn
    }

    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<Vec<KeptRow>>, Failure>> {
        let part = &plan.parts[part];
        let Part::Block(block) = &part.part else {
            return None;
        };
        if let Err(cut) = budget.check() {
            return Some(Err(cut.into()));
        }
        let rows = PartRows { plan, part, budget };
        let pruned = match rows.condition_in(block) {
            Ok(_) if self.ordered.work_now().needs_none_of(block) => Pruned::Statistics,
            Ok(_) => return None,
            Err(pruned) => pruned,
        };
        Some(Ok(PartAnswer::unread(Fate::Pruned(pruned), Vec::new())))
    }

    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<Vec<KeptRow>>, Failure> + Send + 'static
    {
        let work = self.ordered.work_now();
        let place = u32::try_from(part).expect("a snapshot has fewer than 2^32 parts");
        move |plan: &Plan, budget: &Budget| {
            let rows = PartRows {
                plan,
                part: &plan.parts[part],
                budget,
            };
            match &rows.part.part {
                Part::Open(open) => work.keep_open(&rows, open, place),
                Part::Block(block) => work.keep_block(&rows, block, place),
            }
        }
    }

    fn take(&mut self, part: usize, found: Vec<KeptRow>) -> Result<(), Incomplete> {
        for row in found {
            if !self.held.try_grow(row.bytes()) {
                return Err(Incomplete::Kept {
                    bytes_max: self.held.bytes_max(),
                });
            }
            self.waiting.push(Reverse(Waiting(row)));
        }
        self.advance_past(part)
    }

    fn give_up(&mut self, part: usize) -> Result<(), Incomplete> {
        self.advance_past(part)
    }
}
