//! One part of the snapshot searched: which of its rows match, and the first of them.

use cordwood_event::{EventId, Timestamp};
use cordwood_query::Origin;
use cordwood_store::{BlockHandle, OpenRows, Part};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::evaluate::{BlockClauses, Failure};
use crate::narrow::{self, Pruned, is_within};
use crate::plan::{Plan, PlannedPart};
use crate::selection::Selection;
use crate::top::{Found, Rank, RowPlace, TopRows};
use crate::{Order, Total};

/// How many open rows are matched between two looks at the budget: about a millisecond's worth.
const ROWS_PER_CHECK: usize = 512;

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Open rows were matched one by one.
    OpenRows,
    /// The block cannot hold a match.
    Pruned(Pruned),
    /// The block's matches were counted from its directory.
    CountedWhole,
    /// The block was evaluated.
    Read,
}

/// What a part has to give.
#[derive(Debug)]
pub(crate) struct PartAnswer {
    pub(crate) fate: Fate,
    /// The best rows, at most as many as the plan wants.
    pub(crate) found: Vec<Found>,
    /// How many rows match, if they were counted.
    pub(crate) matches: u64,
    pub(crate) rows_scanned: u64,
    pub(crate) bytes_scanned: u64,
}

impl PartAnswer {
    fn without_rows(fate: Fate, matches: u64) -> PartAnswer {
        PartAnswer {
            fate,
            found: Vec::new(),
            matches,
            rows_scanned: 0,
            bytes_scanned: 0,
        }
    }
}

/// Searches the part at `index` of the plan. Rows not better than `bound` are not wanted, only counted.
pub(crate) fn search(
    plan: &Plan,
    index: usize,
    bound: Option<Rank>,
    budget: &Budget,
) -> Result<PartAnswer, Failure> {
    let part = &plan.parts[index];
    let search = PartSearch {
        plan,
        part,
        place: u32::try_from(index).expect("a snapshot has fewer than 2^32 parts"),
        bound,
        budget,
    };
    match &part.part {
        Part::Open(rows) => search.open_rows(rows),
        Part::Block(block) => search.block(block),
    }
}

struct PartSearch<'a> {
    plan: &'a Plan,
    part: &'a PlannedPart,
    place: u32,
    bound: Option<Rank>,
    budget: &'a Budget,
}

impl PartSearch<'_> {
    fn is_counting(&self) -> bool {
        self.plan.total == Total::Count
    }

    /// Whether a row of this rank could be given back.
    fn is_wanted(&self, rank: Rank) -> bool {
        self.plan.rows_wanted > 0
            && self.bound.is_none_or(|bound| rank < bound)
            && self.plan.after.is_none_or(|after| rank > after)
    }

    /// Whether any row of the part could be.
    fn wants_rows(&self) -> bool {
        let order = self.plan.order;
        let is_behind_cursor = |after: Rank| Rank::worst_between(self.part.times, order) > after;
        self.plan.rows_wanted > 0
            && self.bound.is_none_or(|bound| self.part.best < bound)
            && self.plan.after.is_none_or(is_behind_cursor)
    }

    fn open_rows(&self, rows: &OpenRows) -> Result<PartAnswer, Failure> {
        let batch = rows.batch();
        let matcher = self.plan.matcher.in_batch(batch);
        let source = &self.plan.sources[self.part.source].searched;
        let mut top = TopRows::new(self.plan.rows_wanted);
        let mut answer = PartAnswer::without_rows(Fate::OpenRows, 0);
        for (row, event) in batch.events().enumerate() {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                self.budget.check()?;
            }
            let id = EventId {
                timestamp: event.timestamp(),
                sequence: rows.sequence(row),
            };
            if !self.plan.range.contains(id.timestamp) || id.sequence > self.plan.up_to_sequence {
                continue;
            }
            let rank = Rank::of(id, self.plan.order);
            let is_wanted = self.is_wanted(rank) && top.bound().is_none_or(|bound| rank < bound);
            if !is_wanted && !self.is_counting() {
                continue;
            }
            answer.rows_scanned += 1;
            let origin = Origin {
                source: source.id,
                source_name: &source.name,
                sequence: id.sequence,
            };
            if !matcher.matches(event, &origin) {
                continue;
            }
            answer.matches += 1;
            if is_wanted {
                top.offer(self.found(rank, id, row));
            }
        }
        answer.found = top.into_sorted();
        Ok(answer)
    }

    fn block(&self, handle: &BlockHandle) -> Result<PartAnswer, Failure> {
        self.budget.check()?;
        let directory = handle.directory();
        let clauses = &self.plan.clauses;
        let condition = &self.plan.sources[self.part.source].condition;
        let condition = match narrow::narrow(condition, clauses, directory, &self.part.absent) {
            Ok(condition) => condition,
            Err(pruned) => return Ok(PartAnswer::without_rows(Fate::Pruned(pruned), 0)),
        };
        if !self.wants_rows()
            && self.holds_whole_block(handle)
            && let Some(matches) = narrow::count(&condition, clauses, directory)
        {
            return Ok(PartAnswer::without_rows(Fate::CountedWhole, matches));
        }

        let block = OpenBlock::new(handle);
        let evaluator = BlockClauses::new(&block, clauses, self.budget);
        let selected = condition.evaluate(&evaluator, self.rows_in_range(&block)?)?;
        let mut answer = PartAnswer::without_rows(Fate::Read, 0);
        if self.is_counting() {
            answer.matches = selected.count() as u64;
        }
        if self.wants_rows() && !selected.is_empty() {
            answer.found = self.first_of(&selected, &block)?;
        }
        answer.bytes_scanned = block.bytes_read();
        if selected.is_empty() && !evaluator.has_tested_rows() {
            answer.fate = Fate::Pruned(Pruned::Dictionary);
        } else {
            answer.rows_scanned = block.rows() as u64;
        }
        Ok(answer)
    }

    /// Whether no row of the block lies outside the range or is too new.
    fn holds_whole_block(&self, handle: &BlockHandle) -> bool {
        is_within(self.part.times, self.plan.range)
            && handle.directory().sequences.1 <= self.plan.up_to_sequence
    }

    /// The rows that may be given back, or counted.
    fn rows_in_range(&self, block: &OpenBlock) -> Result<Selection, Failure> {
        let mut selected = Selection::all(block.rows());
        let range = self.plan.range;
        if !is_within(self.part.times, range) {
            let times = block.timestamps()?;
            let start = times.partition_point(|time| *time < range.first.as_nanos());
            let end = times.partition_point(|time| *time <= range.last.as_nanos());
            selected.keep_range(start..end);
        }
        let up_to_sequence = self.plan.up_to_sequence;
        if block.directory().sequences.1 > up_to_sequence {
            let sequences = block.sequences()?;
            selected = selected.filter(|row| {
                sequences
                    .get(row)
                    .is_some_and(|sequence| *sequence <= up_to_sequence)
            });
        }
        let order = self.plan.order;
        if !self.is_counting()
            && let Some(after) = self.plan.after
            && Rank::best_between(self.part.times, order) <= after
        {
            let (times, sequences) = (block.timestamps()?, block.sequences()?);
            selected = selected.filter(|row| {
                id_at(times, sequences, row).is_some_and(|id| Rank::of(id, order) > after)
            });
        }
        Ok(selected)
    }

    /// The rows of `selected` that come first, looked at from the end that holds them.
    fn first_of(&self, selected: &Selection, block: &OpenBlock) -> Result<Vec<Found>, Failure> {
        let (times, sequences) = (block.timestamps()?, block.sequences()?);
        let rows: Box<dyn Iterator<Item = usize>> = match self.plan.order {
            Order::NewestFirst => Box::new(selected.iter_backwards()),
            Order::OldestFirst => Box::new(selected.iter()),
        };
        let mut top = TopRows::new(self.plan.rows_wanted);
        for row in rows {
            let Some(id) = id_at(times, sequences, row) else {
                continue;
            };
            let bounds = [top.bound(), self.bound];
            let best = Rank::best_at(id.timestamp, self.plan.order);
            if bounds.into_iter().flatten().any(|bound| best >= bound) {
                break;
            }
            let rank = Rank::of(id, self.plan.order);
            if self.is_wanted(rank) {
                top.offer(self.found(rank, id, row));
            }
        }
        Ok(top.into_sorted())
    }

    fn found(&self, rank: Rank, id: EventId, row: usize) -> Found {
        let row = u32::try_from(row).expect("a part has fewer than 2^32 rows");
        let place = RowPlace {
            part: self.place,
            row,
        };
        Found { rank, id, place }
    }
}

fn id_at(times: &[i64], sequences: &[u64], row: usize) -> Option<EventId> {
    Some(EventId {
        timestamp: Timestamp::from_nanos(*times.get(row)?),
        sequence: *sequences.get(row)?,
    })
}
