//! A question under way: parts are handed to the threads in the order in which they can matter, until what is left
//! cannot change the answer any more.
//!
//! One thread, the caller's, hands out parts and gathers what comes back, so that what is found needs no lock. It
//! hands out a part at a time to the pool, or a few where each takes little, and there questions side by side take turns. What is looked for
//! is said by a [`Quest`]; this file knows only parts, budgets and the account.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use cordwood_query::TimeBounds;
use cordwood_store::{BlockHandle, MemoryBudget, Part, Reservation};

use crate::answer_memory::AnswerBudget;
use crate::budget::{Budget, Cut};
use crate::evaluate::Failure;
use crate::part::{Fate, PartAnswer};
use crate::plan::{Plan, Planned, PlannedPart};
use crate::pool::Share;
use crate::top::Rank;
use crate::{Account, BlockCounts, Error, Incomplete, Order};

/// How often the caller's thread looks whether it should give up while the others are busy.
pub(crate) const PATIENCE: Duration = Duration::from_millis(10);

/// Tasks handed out per thread, so that none waits for the next.
const TASKS_IN_FLIGHT_PER_THREAD: usize = 2;

/// How long a task is to take where parts take less: several times what it takes to hand it to a thread and to hear of it, and little
/// beside what others wait for their turn anyway.
const TASK_TIME: Duration = Duration::from_micros(300);

/// A task that takes longer hands back what is left of it, because its parts are not like those before: others wait for their turn.
const TASK_TIME_MAX: Duration = Duration::from_millis(1);

/// The most parts of a task: with more, handing it out is next to nothing beside it.
const PARTS_AT_ONCE_MAX: usize = 64;

/// What a question works with.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    pub(crate) share: Share<'a>,
    pub(crate) memory: &'a MemoryBudget,
    pub(crate) answers: &'a AnswerBudget,
    pub(crate) budget: Budget,
}

/// What is looked for in the parts, and what becomes of it.
pub(crate) trait Quest {
    /// What one part has to give.
    type Found: Send + 'static;

    /// Whether the part can still change the answer.
    fn can_matter(&self, part: &PlannedPart) -> bool;

    /// Whether every part can, whatever the others give: then several are handed out together where each takes little time.
    fn asks_every_part(&self) -> bool {
        false
    }

    /// What the part at an index of the plan has to give, if its directory alone says so. Asked on the thread that hands
    /// out: giving a part to another thread and hearing of it takes longer than this does.
    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<Self::Found>, Failure>>;

    /// The work on the part at an index of the plan, to be done on another thread.
    fn work_on(
        &self,
        part: usize,
    ) -> impl FnOnce(&Plan, &Budget) -> Result<PartAnswer<Self::Found>, Failure> + Send + 'static;

    /// Takes what a part gave; parts come back in any order. An error cuts the run short.
    fn take(&mut self, part: usize, found: Self::Found) -> Result<(), Incomplete>;

    /// Learns that a part cannot be read and will give nothing.
    fn give_up(&mut self, _part: usize) -> Result<(), Incomplete> {
        Ok(())
    }
}

/// What became of a part, if working on it did not panic.
type Outcome<F> = Result<Result<PartAnswer<F>, Failure>, Error>;

/// What came of parts that were handed out together.
struct Returned<F> {
    /// One at least.
    parts: Vec<(usize, Outcome<F>)>,
    /// How long all of them took.
    took: Duration,
    /// Parts that there was no time for.
    undone: Vec<usize>,
}

/// Parts handed out together.
struct InFlight {
    parts: Vec<usize>,
    /// The memory that the largest of them was allowed: they are worked on one after the other.
    _reservation: Option<Reservation>,
}

/// A question, part of the way.
pub(crate) struct Run<'a> {
    means: &'a Means<'a>,
    pub(crate) plan: Arc<Plan>,
    next_part: usize,
    /// Parts that come before the next one: a task had no time for them, or there was no memory for it.
    put_back: BTreeSet<usize>,
    /// How many parts to hand out together, as those took that came back last.
    parts_at_once: usize,
    /// What is handed out, by the first of its parts.
    in_flight: BTreeMap<usize, InFlight>,
    /// Parts given up because the run was cut short.
    unreached: BTreeSet<usize>,
    cut: Option<Incomplete>,
    pub(crate) incomplete: Vec<Incomplete>,
    blocks: BlockCounts,
    segments: u64,
    rows_scanned: u64,
    bytes_scanned: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(means: &'a Means<'a>, plan: Plan, planned: Planned) -> Run<'a> {
        means.budget.caller().plan_parts(plan.parts.len() as u64);
        Run {
            means,
            plan: Arc::new(plan),
            next_part: 0,
            put_back: BTreeSet::new(),
            parts_at_once: 1,
            in_flight: BTreeMap::new(),
            unreached: BTreeSet::new(),
            cut: None,
            incomplete: planned.incomplete,
            blocks: planned.blocks,
            segments: planned.segments,
            rows_scanned: 0,
            bytes_scanned: 0,
        }
    }

    pub(crate) fn means(&self) -> &'a Means<'a> {
        self.means
    }

    /// Hands out and gathers until the quest is fulfilled or the run is cut short.
    pub(crate) fn pursue<Q: Quest>(&mut self, quest: &mut Q) -> Result<(), Error> {
        let (sender, receiver) = channel();
        loop {
            self.hand_out(quest, &sender);
            if self.in_flight.is_empty() {
                break;
            }
            if self.cut.is_none() {
                self.gather(quest, &receiver)?;
            }
            if self.cut.is_some() {
                // Whatever is still evaluated notices by itself, and its outcome is of no use any more.
                let in_flight = std::mem::take(&mut self.in_flight).into_values();
                let parts = in_flight.flat_map(|in_flight| in_flight.parts);
                self.unreached.extend(parts);
                break;
            }
        }
        self.settle_left_over();
        Ok(())
    }

    fn hand_out<Q: Quest>(&mut self, quest: &mut Q, sender: &Sender<Returned<Q::Found>>) {
        let in_flight_max = self.means.share.threads() * TASKS_IN_FLIGHT_PER_THREAD;
        while self.in_flight.len() < in_flight_max {
            let parts = self.next_parts(quest);
            let Some(first) = parts.first().copied() else {
                return;
            };
            let Some(reservation) = self.reserve_for(&parts) else {
                // They come next, once others have given back what they were allowed.
                self.put_back.extend(parts);
                if self.in_flight.is_empty() {
                    self.cut = Some(Incomplete::Memory);
                }
                return;
            };
            self.spawn(quest, &parts, sender.clone());
            let in_flight = InFlight {
                parts,
                _reservation: reservation,
            };
            self.in_flight.insert(first, in_flight);
        }
    }

    /// The memory that parts may take, one after the other; open rows take none.
    fn reserve_for(&self, parts: &[usize]) -> Option<Option<Reservation>> {
        let bytes = parts
            .iter()
            .filter_map(|part| match &self.plan.parts[*part].part {
                Part::Open(_) => None,
                Part::Block(block) => Some(working_bytes(block)),
            });
        match bytes.max() {
            None => Some(None),
            Some(bytes) => self.means.memory.try_reserve(bytes).map(Some),
        }
    }

    /// The next parts to hand out together; what can be settled on the way is. None when nothing is left that can matter.
    fn next_parts<Q: Quest>(&mut self, quest: &mut Q) -> Vec<usize> {
        let at_once = match quest.asks_every_part() {
            true => self.parts_at_once.min(self.fair_part()),
            false => 1,
        };
        let mut parts = Vec::with_capacity(at_once);
        while parts.len() < at_once
            && let Some(part) = self.put_back.first().copied()
            && quest.can_matter(&self.plan.parts[part])
        {
            self.put_back.remove(&part);
            parts.push(part);
        }
        while parts.len() < at_once
            && self.cut.is_none()
            && let Some(part) = self.plan.parts.get(self.next_part)
            && quest.can_matter(part)
        {
            let index = self.next_part;
            self.next_part += 1;
            match quest.settle(&self.plan, index, &self.means.budget) {
                Some(outcome) => self.take(quest, index, outcome),
                None => parts.push(index),
            }
        }
        if self.cut.is_some() {
            self.unreached.extend(parts.drain(..));
        }
        parts
    }

    fn spawn<Q: Quest>(&self, quest: &Q, parts: &[usize], sender: Sender<Returned<Q::Found>>) {
        let plan = Arc::clone(&self.plan);
        let budget = self.means.budget.clone();
        let work: Vec<_> = parts
            .iter()
            .map(|part| (*part, quest.work_on(*part)))
            .collect();
        self.means.share.spawn(move || {
            let began = budget.now();
            let mut work = work.into_iter();
            let mut parts = Vec::with_capacity(work.len());
            let mut took = Duration::ZERO;
            let mut goes_on = true;
            while goes_on && let Some((part, work)) = work.next() {
                let work = || work(&plan, &budget);
                let outcome = catch_unwind(AssertUnwindSafe(work)).map_err(|_| Error::Broken);
                took = budget.now().saturating_duration_since(began);
                goes_on = took < TASK_TIME_MAX && !matches!(outcome, Ok(Err(Failure::Cut(_))));
                parts.push((part, outcome));
            }
            let undone = work.map(|(part, _)| part).collect();
            // Nobody listens to a run that was cut short.
            let _ = sender.send(Returned {
                parts,
                took,
                undone,
            });
        });
    }

    fn gather<Q: Quest>(
        &mut self,
        quest: &mut Q,
        receiver: &Receiver<Returned<Q::Found>>,
    ) -> Result<(), Error> {
        match receiver.recv_timeout(PATIENCE) {
            Ok(returned) => {
                self.pace(returned.parts.len(), returned.took);
                let first = returned.parts.first().map(|(first, _)| *first);
                first.and_then(|first| self.in_flight.remove(&first));
                self.put_back.extend(returned.undone);
                for (part, outcome) in returned.parts {
                    self.take(quest, part, outcome?);
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(cut) = self.means.budget.check() {
                    self.cut_short(cut);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Err(Error::Broken),
        }
        Ok(())
    }

    /// How many of the parts that are left a task may have, so that all threads come to their end together: guided self-scheduling
    /// (Polychronopoulos, Kuck, 1987), with as many tasks in flight as there are shares.
    fn fair_part(&self) -> usize {
        let left = self.plan.parts.len() - self.next_part + self.put_back.len();
        let shares = self.means.share.threads() * TASKS_IN_FLIGHT_PER_THREAD;
        left.div_ceil(shares).max(1)
    }

    /// Has as many parts handed out together as take the time of a task, if they take as long as these.
    fn pace(&mut self, parts: usize, took: Duration) {
        let each = took.as_nanos() / (parts as u128).max(1);
        let fitting = TASK_TIME.as_nanos() / each.max(1);
        let fitting = usize::try_from(fitting).unwrap_or(PARTS_AT_ONCE_MAX);
        self.parts_at_once = fitting.clamp(1, PARTS_AT_ONCE_MAX);
    }

    fn take<Q: Quest>(
        &mut self,
        quest: &mut Q,
        index: usize,
        outcome: Result<PartAnswer<Q::Found>, Failure>,
    ) {
        let outcome = match self.means.budget.interrupted() {
            Some(cut) => Err(Failure::Cut(cut)),
            None => outcome,
        };
        match outcome {
            Ok(answer) => {
                let caller = self.means.budget.caller();
                caller.count_part(answer.rows_scanned);
                self.count_fate(answer.fate);
                self.rows_scanned += answer.rows_scanned;
                self.bytes_scanned += answer.bytes_scanned;
                if let Err(incomplete) = quest.take(index, answer.found) {
                    self.cut.get_or_insert(incomplete);
                }
            }
            Err(Failure::Cut(cut)) => {
                self.unreached.insert(index);
                self.cut_short(cut);
            }
            Err(Failure::Unreadable(detail) | Failure::OutOfReach(detail)) => {
                self.blocks.unreadable += 1;
                self.note_unreadable(index, detail);
                if let Err(incomplete) = quest.give_up(index) {
                    self.cut.get_or_insert(incomplete);
                }
            }
        }
    }

    /// Takes note of what the answer may lack, once.
    pub(crate) fn note(&mut self, incomplete: Incomplete) {
        if !self.incomplete.contains(&incomplete) {
            self.incomplete.push(incomplete);
        }
    }

    fn count_fate(&mut self, fate: Fate) {
        match fate {
            Fate::OpenRows => {}
            Fate::CountedWhole => self.blocks.counted_whole += 1,
            Fate::Read => self.blocks.read += 1,
            Fate::Pruned(by) => self.blocks.count_pruned(by),
        }
    }

    pub(crate) fn count_bytes(&mut self, bytes: u64) {
        self.bytes_scanned += bytes;
    }

    fn cut_short(&mut self, cut: Cut) {
        self.cut.get_or_insert(cut.into());
    }

    fn note_unreadable(&mut self, index: usize, detail: String) {
        let part = &self.plan.parts[index];
        let rows = match &part.part {
            Part::Open(rows) => rows.batch().len() as u64,
            Part::Block(block) => u64::from(block.directory().rows),
        };
        self.incomplete.push(Incomplete::Unreadable {
            source: self.plan.sources[part.source].searched.id,
            range: part.times,
            rows,
            detail,
        });
    }

    /// Notes parts of which rows were found that are not given back.
    pub(crate) fn note_unreached(&mut self, parts: impl Iterator<Item = usize>) {
        self.unreached.extend(parts);
    }

    /// Notes a block that was read, and whose rows then could not be fetched.
    pub(crate) fn note_unfetched(&mut self, part: usize, detail: String) {
        if let Part::Block(_) = self.plan.parts[part].part {
            self.blocks.read -= 1;
            self.blocks.unreadable += 1;
        }
        self.note_unreadable(part, detail);
    }

    /// Counts the parts that nobody worked on: cut off, or beyond what could matter.
    fn settle_left_over(&mut self) {
        let put_back = std::mem::take(&mut self.put_back).into_iter();
        let left: Vec<usize> = put_back
            .chain(self.next_part..self.plan.parts.len())
            .collect();
        if let Some(cut) = self.cut.take() {
            self.unreached.extend(left);
            self.incomplete.push(cut);
        } else {
            self.blocks.beyond_limit += self.count_blocks(left.into_iter());
        }
        self.blocks.unreached = self.count_blocks(self.unreached.iter().copied());
    }

    fn count_blocks(&self, parts: impl Iterator<Item = usize>) -> u64 {
        let is_block = |index: &usize| matches!(self.plan.parts[*index].part, Part::Block(_));
        parts.filter(is_block).count() as u64
    }

    /// The place before which every match is known; `None` when all are.
    pub(crate) fn frontier(&self) -> Option<Rank> {
        let best = self
            .unreached
            .iter()
            .map(|index| self.plan.parts[*index].best);
        best.min()
    }

    pub(crate) fn account(self) -> Account {
        let covered = match self.frontier() {
            None => self.plan.range,
            Some(frontier) => self.covered_until(frontier),
        };
        Account {
            incomplete: self.incomplete,
            range: self.plan.range,
            covered,
            rows_scanned: self.rows_scanned,
            bytes_scanned: self.bytes_scanned,
            blocks: self.blocks,
            segments: self.segments,
            elapsed: Duration::ZERO,
        }
    }

    /// The whole instants of the range that come before `frontier`.
    fn covered_until(&self, frontier: Rank) -> TimeBounds {
        let range = self.plan.range;
        let Some(last) = frontier.place_before(self.plan.order) else {
            return TimeBounds::NONE;
        };
        let done = match self.plan.order {
            Order::NewestFirst => TimeBounds {
                first: last.timestamp,
                last: range.last,
            },
            Order::OldestFirst => TimeBounds {
                first: range.first,
                last: last.timestamp,
            },
        };
        range.intersection(done)
    }
}

/// The most memory that looking at a block takes: all of its columns decoded take about as much as its events did
/// when they were sent.
pub(crate) fn working_bytes(block: &BlockHandle) -> u64 {
    block.directory().source_bytes
}
