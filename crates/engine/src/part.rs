//! One part of the snapshot searched: which of its rows match, and the first of them.

use cordwood_event::EventId;
use cordwood_query::Origin;
use cordwood_store::{OpenRows, Part};

use crate::Total;
use crate::budget::Budget;
use crate::evaluate::Failure;
use crate::narrow::Pruned;
use crate::plan::{Plan, PlannedPart};
use crate::top::{Found, Rank, RowPlace, TopRows};

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

    fn found(&self, rank: Rank, id: EventId, row: usize) -> Found {
        let row = u32::try_from(row).expect("a part has fewer than 2^32 rows");
        let place = RowPlace {
            part: self.place,
            row,
        };
        Found { rank, id, place }
    }
}
