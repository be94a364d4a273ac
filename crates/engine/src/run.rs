//! A search under way: parts are handed to the threads in the order in which they can matter, until what is left
//! cannot change the answer any more.
//!
//! One thread, the caller's, hands out parts and gathers what comes back, so that the rows found need no lock. It
//! hands out a part at a time through the pool's common queue: searches side by side take turns.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use cordwood_event::Event;
use cordwood_query::TimeBounds;
use cordwood_store::{BlockHandle, MemoryBudget, Part, Reservation};
use rayon::ThreadPool;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::budget::{Budget, Cut};
use crate::evaluate::Failure;
use crate::fetch::{self, Fetched};
use crate::narrow::Pruned;
use crate::part::{self, Fate, PartAnswer};
use crate::plan::{Plan, Planned, PlannedPart};
use crate::top::{Found, Rank, TopRows};
use crate::{Account, BlockCounts, Error, Incomplete, Order, Position, Total};

/// How often the caller's thread looks whether it should give up while the others are busy.
const PATIENCE: Duration = Duration::from_millis(10);

/// Parts handed out per thread, so that none waits for the next.
const PARTS_IN_FLIGHT_PER_THREAD: usize = 2;

/// When the events of an answer take more memory than this, the page ends early. Far above a page of ordinary
/// events, far below the default memory ceiling of the process.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// What a search works with.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    pub(crate) pool: &'a ThreadPool,
    pub(crate) memory: &'a MemoryBudget,
    pub(crate) budget: Budget,
}

/// What came of a part that was handed out.
struct Returned {
    part: usize,
    outcome: Result<Result<PartAnswer, Failure>, Error>,
}

/// A search, part of the way.
pub(crate) struct Run<'a> {
    means: &'a Means<'a>,
    plan: Arc<Plan>,
    next_part: usize,
    /// Parts handed out, with the memory they were allowed.
    in_flight: BTreeMap<usize, Option<Reservation>>,
    /// Parts given up because the search was cut short.
    unreached: BTreeSet<usize>,
    top: TopRows,
    matches: u64,
    cut: Option<Incomplete>,
    incomplete: Vec<Incomplete>,
    blocks: BlockCounts,
    segments: u64,
    rows_scanned: u64,
    bytes_scanned: u64,
}

/// What a finished search gives; the account lacks only the time it took.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Event>,
    pub(crate) matches: u64,
    pub(crate) next: Option<Position>,
    pub(crate) account: Account,
}

impl<'a> Run<'a> {
    pub(crate) fn new(means: &'a Means<'a>, plan: Plan, planned: Planned) -> Run<'a> {
        Run {
            means,
            top: TopRows::new(plan.rows_wanted),
            plan: Arc::new(plan),
            next_part: 0,
            in_flight: BTreeMap::new(),
            unreached: BTreeSet::new(),
            matches: 0,
            cut: None,
            incomplete: planned.incomplete,
            blocks: BlockCounts {
                total: planned.blocks_total,
                pruned_by_time: planned.blocks_outside_time,
                pruned_by_sequence: planned.blocks_too_new,
                pruned_by_tokens: planned.blocks_without_words,
                ..BlockCounts::default()
            },
            segments: planned.segments,
            rows_scanned: 0,
            bytes_scanned: 0,
        }
    }

    /// Searches to the end and fetches the events of one page of at most `limit`.
    pub(crate) fn finish(mut self, limit: usize) -> Result<Outcome, Error> {
        self.search()?;
        self.settle_left_over();
        self.answer(limit)
    }

    fn search(&mut self) -> Result<(), Error> {
        let (sender, receiver) = channel();
        loop {
            self.hand_out(&sender);
            if self.in_flight.is_empty() {
                return Ok(());
            }
            self.gather(&receiver)?;
            if self.cut.is_some() {
                // Whatever is still evaluated notices by itself, and its outcome is of no use any more.
                self.unreached
                    .extend(std::mem::take(&mut self.in_flight).into_keys());
                return Ok(());
            }
        }
    }

    fn hand_out(&mut self, sender: &Sender<Returned>) {
        let in_flight_max = self.means.pool.current_num_threads() * PARTS_IN_FLIGHT_PER_THREAD;
        while self.in_flight.len() < in_flight_max
            && let Some(part) = self.plan.parts.get(self.next_part)
            && self.can_matter(part)
        {
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
            self.spawn(self.next_part, sender.clone());
            self.next_part += 1;
        }
    }

    /// Whether a part can add a row to those found, or has to be counted.
    fn can_matter(&self, part: &PlannedPart) -> bool {
        self.plan.total == Total::Count || self.top.bound().is_none_or(|bound| part.best < bound)
    }

    fn spawn(&self, part: usize, sender: Sender<Returned>) {
        let plan = Arc::clone(&self.plan);
        let budget = self.means.budget.clone();
        let bound = self.top.bound();
        self.means.pool.spawn(move || {
            let search = || part::search(&plan, part, bound, &budget);
            let outcome = catch_unwind(AssertUnwindSafe(search)).map_err(|_| Error::Broken);
            // Nobody listens to a search that was cut short.
            let _ = sender.send(Returned { part, outcome });
        });
    }

    fn gather(&mut self, receiver: &Receiver<Returned>) -> Result<(), Error> {
        match receiver.recv_timeout(PATIENCE) {
            Ok(returned) => {
                self.in_flight.remove(&returned.part);
                self.take(returned.part, returned.outcome?);
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

    fn take(&mut self, index: usize, outcome: Result<PartAnswer, Failure>) {
        match outcome {
            Ok(answer) => {
                self.count_fate(answer.fate);
                self.matches += answer.matches;
                self.rows_scanned += answer.rows_scanned;
                self.bytes_scanned += answer.bytes_scanned;
                for found in answer.found {
                    self.top.offer(found);
                }
            }
            Err(Failure::Cut(cut)) => {
                self.unreached.insert(index);
                self.cut_short(cut);
            }
            Err(Failure::Unreadable(detail)) => {
                self.blocks.unreadable += 1;
                self.note_unreadable(index, detail);
            }
        }
    }

    fn count_fate(&mut self, fate: Fate) {
        let blocks = &mut self.blocks;
        let counter = match fate {
            Fate::OpenRows => return,
            Fate::CountedWhole => &mut blocks.counted_whole,
            Fate::Read => &mut blocks.read,
            Fate::Pruned(Pruned::Time) => &mut blocks.pruned_by_time,
            Fate::Pruned(Pruned::Sequence) => &mut blocks.pruned_by_sequence,
            Fate::Pruned(Pruned::Tokens) => &mut blocks.pruned_by_tokens,
            Fate::Pruned(Pruned::Statistics) => &mut blocks.pruned_by_statistics,
            Fate::Pruned(Pruned::AbsentColumn) => &mut blocks.pruned_by_absent_column,
            Fate::Pruned(Pruned::Dictionary) => &mut blocks.pruned_by_dictionary,
        };
        *counter += 1;
    }

    fn cut_short(&mut self, cut: Cut) {
        self.cut.get_or_insert(match cut {
            Cut::Deadline => Incomplete::Deadline,
            Cut::Cancelled => Incomplete::Cancelled,
        });
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
    fn frontier(&self) -> Option<Rank> {
        let best = self
            .unreached
            .iter()
            .map(|index| self.plan.parts[*index].best);
        best.min()
    }

    fn answer(mut self, limit: usize) -> Result<Outcome, Error> {
        let frontier = self.frontier();
        let mut found = std::mem::replace(&mut self.top, TopRows::new(0)).into_sorted();
        // A row beyond the frontier may not be the next: the following page finds it in its place.
        found.retain(|found| frontier.is_none_or(|frontier| found.rank < frontier));
        let has_more = found.len() > limit;
        found.truncate(limit);
        let mut next = match frontier {
            _ if has_more => found.last().map(|last| last.id),
            Some(frontier) if limit > 0 => frontier.place_before(self.plan.order),
            _ => None,
        };
        let is_cancelled = self.incomplete.contains(&Incomplete::Cancelled);
        let mut events = Vec::new();
        if is_cancelled {
            next = None;
        } else {
            let (fetched, fetched_until) = self.fetch(&found)?;
            events = fetched;
            if fetched_until < found.len() {
                next = found.get(fetched_until - 1).map(|last| last.id);
            }
        }
        Ok(Outcome {
            events,
            matches: self.matches,
            next,
            account: self.account(frontier),
        })
    }

    /// The events of the rows found, and how many of the rows that covers: fewer than all when the events are large.
    /// Rows of a block that turns out to be unreadable are noted and left out.
    fn fetch(&mut self, found: &[Found]) -> Result<(Vec<Event>, usize), Error> {
        let budget = self.means.budget.without_deadline();
        let groups = by_part(found);
        let mut events: Vec<Option<Event>> = found.iter().map(|_| None).collect();
        let mut bytes = 0;
        let mut groups_done = 0;
        for wave in groups.chunks(self.means.pool.current_num_threads()) {
            if bytes >= ANSWER_BYTES_MAX {
                break;
            }
            for (group, outcome) in wave.iter().zip(self.fetch_wave(wave, found, &budget)?) {
                match outcome {
                    Ok(fetched) => {
                        self.bytes_scanned += fetched.bytes_read;
                        bytes += fetched
                            .events
                            .iter()
                            .map(fetch::size_of_fields)
                            .sum::<u64>();
                        for (index, event) in group.rows.iter().zip(fetched.events) {
                            events[*index] = Some(event);
                        }
                    }
                    Err(Failure::Cut(_)) => self.incomplete.push(Incomplete::Cancelled),
                    Err(Failure::Unreadable(detail)) => self.note_unfetched(group.part, detail),
                }
            }
            groups_done += wave.len();
        }
        let first_left = groups.get(groups_done).and_then(|group| group.rows.first());
        let until = first_left.copied().unwrap_or(found.len());
        events.truncate(until);
        Ok((events.into_iter().flatten().collect(), until))
    }

    fn fetch_wave(
        &self,
        wave: &[Group],
        found: &[Found],
        budget: &Budget,
    ) -> Result<Vec<Result<Fetched, Failure>>, Error> {
        let fetch_group = |group: &Group| {
            let rows: Vec<Found> = group.rows.iter().map(|index| found[*index]).collect();
            fetch::fetch(&self.plan, group.part, &rows, budget)
        };
        let fetch_all = || match wave {
            [only] => vec![fetch_group(only)],
            _ => self
                .means
                .pool
                .install(|| wave.par_iter().map(fetch_group).collect()),
        };
        catch_unwind(AssertUnwindSafe(fetch_all)).map_err(|_| Error::Broken)
    }

    fn note_unfetched(&mut self, part: usize, detail: String) {
        if let Part::Block(_) = self.plan.parts[part].part {
            self.blocks.read -= 1;
            self.blocks.unreadable += 1;
        }
        self.note_unreadable(part, detail);
    }

    fn account(self, frontier: Option<Rank>) -> Account {
        let covered = match frontier {
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
fn working_bytes(block: &BlockHandle) -> u64 {
    block.directory().source_bytes
}

/// The rows found in one part, by their index among all found.
#[derive(Debug)]
struct Group {
    part: usize,
    rows: Vec<usize>,
}

/// Groups in the order of their first rows.
fn by_part(found: &[Found]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of_part: BTreeMap<u32, usize> = BTreeMap::new();
    for (index, found) in found.iter().enumerate() {
        let group = *group_of_part.entry(found.place.part).or_insert_with(|| {
            groups.push(Group {
                part: found.place.part as usize,
                rows: Vec::new(),
            });
            groups.len() - 1
        });
        groups[group].rows.push(index);
    }
    groups
}
