//! A question under way: parts are handed to the threads in the order in which they can matter, until what is left
//! cannot change the answer any more.
//!
//! One thread, the caller's, hands out parts and gathers what comes back, so that what is found needs no lock. It
//! hands out a part at a time to the pool, where questions side by side take turns. What is looked for
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

/// Parts handed out per thread, so that none waits for the next.
const PARTS_IN_FLIGHT_PER_THREAD: usize = 2;

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
                self.unreached
                    .extend(std::mem::take(&mut self.in_flight).into_keys());
                break;
            }
        }
        self.settle_left_over();
        Ok(())
    }

    fn hand_out<Q: Quest>(&mut self, quest: &mut Q, sender: &Sender<Returned<Q::Found>>) {
        let in_flight_max = self.means.share.threads() * PARTS_IN_FLIGHT_PER_THREAD;
        while self.in_flight.len() < in_flight_max
            && self.cut.is_none()
            && let Some(part) = self.plan.parts.get(self.next_part)
            && quest.can_matter(part)
        {
            let settled = quest.settle(&self.plan, self.next_part, &self.means.budget);
            if let Some(outcome) = settled {
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
        if let Some(cut) = self.cut.take() {
            self.unreached.extend(left);
            self.incomplete.push(cut);
        } else {
            self.blocks.beyond_limit += self.count_blocks(left);
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
