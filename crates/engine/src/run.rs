//! A question under way: parts are handed to the threads in the order in which they can matter, until what is left
//! cannot change the answer any more.
//!
//! One thread, the caller's, hands out parts and gathers what comes back, so that what is found needs no lock. It
//! hands out a part at a time to the pool, where questions side by side take turns. What is looked for
//! is said by a [`Quest`]; this file knows only parts, budgets and the account.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
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

/// Parts handed out per thread, so that none waits for the next.
const PARTS_IN_FLIGHT_PER_THREAD: usize = 2;

/// So many parts at once are settled by a thread: some tenths of a millisecond's worth as a rule.
const PARTS_SETTLED_AT_ONCE: usize = 64;

/// Fewer parts are settled one by one: waking other threads takes as long.
const SETTLED_TOGETHER_MIN: usize = 16;

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

    /// What the part at an index of the plan has to give, if its directory alone says so. Asked on the thread that hands
    /// out: giving a part to another thread and hearing of it takes longer than this does.
    fn settle(
        &self,
        plan: &Plan,
        part: usize,
        budget: &Budget,
    ) -> Option<Result<PartAnswer<Self::Found>, Failure>>;

    /// The same of many parts, as work for another thread: if the quest asks every part whatever the others give.
    fn settle_many(&self, _parts: Range<usize>) -> Option<impl SettleMany<Self::Found>> {
        None::<fn(&Plan, &Budget) -> Vec<SettledPart<Self::Found>>>
    }

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

/// What a part had to give, and which it was.
pub(crate) type SettledPart<F> = (usize, Result<PartAnswer<F>, Failure>);

/// Work that settles what it can of many parts.
pub(crate) trait SettleMany<F>:
    FnOnce(&Plan, &Budget) -> Vec<SettledPart<F>> + Send + 'static
{
}

impl<F, W> SettleMany<F> for W where
    W: FnOnce(&Plan, &Budget) -> Vec<SettledPart<F>> + Send + 'static
{
}

/// What came of a part that was handed out.
struct Returned<F> {
    part: usize,
    outcome: Result<Result<PartAnswer<F>, Failure>, Error>,
}

/// A question, part of the way.
pub(crate) struct Run<'a> {
    means: &'a Means<'a>,
    pub(crate) plan: Arc<Plan>,
    next_part: usize,
    /// By index, the parts that were settled together, before any was handed out; empty if none was asked so.
    settled: Vec<bool>,
    /// Parts handed out, with the memory they were allowed.
    in_flight: BTreeMap<usize, Option<Reservation>>,
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
            settled: Vec::new(),
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
        self.settle_together(quest)?;
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
                self.unreached
                    .extend(std::mem::take(&mut self.in_flight).into_keys());
                break;
            }
        }
        self.settle_left_over();
        Ok(())
    }

    /// Settles what it can of all parts, on all threads, if there are so many that this pays.
    fn settle_together<Q: Quest>(&mut self, quest: &mut Q) -> Result<(), Error> {
        let parts = self.plan.parts.len();
        if parts < SETTLED_TOGETHER_MIN {
            return Ok(());
        }
        let runs = (0..parts).step_by(PARTS_SETTLED_AT_ONCE);
        let runs = runs.map(|first| first..parts.min(first + PARTS_SETTLED_AT_ONCE));
        let Some(work) = runs.map(|run| quest.settle_many(run)).collect() else {
            return Ok(());
        };
        let work: Vec<_> = work;
        let tasks = work.into_iter().map(|settle| {
            let (plan, budget) = (Arc::clone(&self.plan), self.means.budget.clone());
            move || settle(&plan, &budget)
        });
        let done = self.means.share.do_all(tasks, &self.means.budget)?;
        self.settled = vec![false; parts];
        for (part, outcome) in done.into_iter().flatten().flatten() {
            self.settled[part] = true;
            self.take(quest, part, outcome);
        }
        Ok(())
    }

    fn hand_out<Q: Quest>(&mut self, quest: &mut Q, sender: &Sender<Returned<Q::Found>>) {
        let in_flight_max = self.means.share.threads() * PARTS_IN_FLIGHT_PER_THREAD;
        while self.in_flight.len() < in_flight_max
            && self.cut.is_none()
            && let Some(part) = self.plan.parts.get(self.next_part)
            && quest.can_matter(part)
        {
            if self.settled.get(self.next_part) == Some(&true) {
                self.next_part += 1;
                continue;
            }
            if self.settled.is_empty()
                && let Some(outcome) = quest.settle(&self.plan, self.next_part, &self.means.budget)
            {
                self.take(quest, self.next_part, outcome);
                self.next_part += 1;
                continue;
            }
            let reservation = match &part.part {
                Part::Open(_) => None,
                Part::Block(block) => {
                    let Some(reserved) = self.means.memory.try_reserve(working_bytes(block)) else {
                        if self.in_flight.is_empty() {
                            self.cut = Some(Incomplete::Memory);
                        }
                        return;
                    };
                    Some(reserved)
                }
            };
            self.in_flight.insert(self.next_part, reservation);
            self.spawn(quest, self.next_part, sender.clone());
            self.next_part += 1;
        }
    }

    fn spawn<Q: Quest>(&self, quest: &Q, part: usize, sender: Sender<Returned<Q::Found>>) {
        let plan = Arc::clone(&self.plan);
        let budget = self.means.budget.clone();
        let work = quest.work_on(part);
        self.means.share.spawn(move || {
            let work = || work(&plan, &budget);
            let outcome = catch_unwind(AssertUnwindSafe(work)).map_err(|_| Error::Broken);
            // Nobody listens to a run that was cut short.
            let _ = sender.send(Returned { part, outcome });
        });
    }

    fn gather<Q: Quest>(
        &mut self,
        quest: &mut Q,
        receiver: &Receiver<Returned<Q::Found>>,
    ) -> Result<(), Error> {
        match receiver.recv_timeout(PATIENCE) {
            Ok(returned) => {
                self.in_flight.remove(&returned.part);
                self.take(quest, returned.part, returned.outcome?);
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

    /// Counts the parts that were never handed out: cut off, or beyond what could matter.
    fn settle_left_over(&mut self) {
        let left = self.next_part..self.plan.parts.len();
        let left = left.filter(|part| self.settled.get(*part) != Some(&true));
        let left: Vec<usize> = left.collect();
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
