//! The rows of one part that a question is about: in its range, in its snapshot, and matching its filter.

use cordwood_event::{EventId, EventRef};
use cordwood_query::{Origin, TimeBounds};
use cordwood_store::{BlockHandle, OpenRows};

use crate::block::OpenBlock;
use crate::budget::Budget;
use crate::condition::Condition;
use crate::deletions::{Bounds, OpenDeletion};
use crate::evaluate::{BlockClauses, Failure};
use crate::narrow::{self, Pruned, is_within};
use crate::part::Fate;
use crate::plan::{Plan, PlannedPart};
use crate::selection::Selection;

/// How many open rows are matched between two looks at the budget: about a millisecond's worth.
const ROWS_PER_CHECK: usize = 512;

/// A part, and the question that is asked of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartRows<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) part: &'a PlannedPart,
    pub(crate) budget: &'a Budget,
}

/// The rows of a block that match.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) rows: Selection,
    pub(crate) fate: Fate,
    pub(crate) rows_scanned: u64,
}

impl PartRows<'_> {
    /// The range of the question, without what has expired in the source.
    fn range(&self) -> TimeBounds {
        self.plan.sources[self.part.source].range
    }

    /// Visits the open rows that match, of those for which `is_asked`; says how many were looked at.
    pub(crate) fn match_open(
        &self,
        rows: &OpenRows,
        is_asked: impl Fn(EventId) -> bool,
        mut visit: impl FnMut(usize, EventId) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let batch = rows.batch();
        let matcher = self.plan.matcher.in_batch(batch);
        let source = &self.plan.sources[self.part.source].searched;
        let range = self.range();
        let deletions = self.part.deletions.iter();
        let deletions: Vec<OpenDeletion<'_>> =
            deletions.map(|deletion| deletion.in_batch(batch)).collect();
        let is_deleted = |event: EventRef<'_>, id: EventId| {
            let mut deletions = deletions.iter();
            deletions.any(|deletion| deletion.takes(source.id, event, id))
        };
        let mut rows_scanned = 0;
        for (row, event) in batch.events().enumerate() {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                self.budget.check()?;
            }
            let id = EventId {
                timestamp: event.timestamp(),
                sequence: rows.sequence(row),
            };
            let is_seen = self.sees(id.sequence);
            if !is_seen || !range.contains(id.timestamp) || !is_asked(id) {
                continue;
            }
            rows_scanned += 1;
            let origin = Origin {
                source: source.id,
                source_name: &source.name,
                sequence: id.sequence,
            };
            if matcher.matches(event, &origin) && !is_deleted(event, id) {
                visit(row, id)?;
            }
        }
        Ok(rows_scanned)
    }

    /// Whether an event of this number is neither too new nor too old.
    fn sees(&self, sequence: u64) -> bool {
        sequence <= self.plan.up_to_sequence && sequence > self.plan.after_sequence
    }

    /// What is left of the filter in a block, or what rules the block out.
    pub(crate) fn condition_in(&self, handle: &BlockHandle) -> Result<Condition, Pruned> {
        self.narrow(&self.plan.sources[self.part.source].condition, handle)
    }

    /// The same of each case in turn.
    pub(crate) fn cases_in(
        &self,
        handle: &BlockHandle,
    ) -> impl Iterator<Item = Result<Condition, Pruned>> {
        let cases = self.plan.sources[self.part.source].cases.iter();
        cases.map(|case| self.narrow(case, handle))
    }

    fn narrow(&self, condition: &Condition, handle: &BlockHandle) -> Result<Condition, Pruned> {
        narrow::narrow(
            condition,
            &self.plan.clauses,
            handle.directory(),
            &self.part.absent,
            &self.plan.verdicts,
        )
    }

    /// Whether no row of the block lies outside the range, is too new or too old, or may be deleted.
    pub(crate) fn holds_whole(&self, handle: &BlockHandle) -> bool {
        is_within(self.part.times, self.range())
            && self.sees(handle.directory().sequences.0)
            && self.sees(handle.directory().sequences.1)
            && self.part.deletions.is_empty()
    }

    /// The rows of a block in the range and in the snapshot of the question.
    pub(crate) fn in_range(&self, block: &OpenBlock) -> Result<Selection, Failure> {
        let bounds = Bounds {
            times: self.range(),
            after_sequence: self.plan.after_sequence,
            up_to_sequence: self.plan.up_to_sequence,
        };
        bounds.select(block, Selection::all(block.rows()))
    }

    /// Those of `among` for which the condition holds and that are not deleted.
    pub(crate) fn select(
        &self,
        condition: &Condition,
        block: &OpenBlock,
        among: Selection,
    ) -> Result<Selected, Failure> {
        let evaluator = BlockClauses::new(block, &self.plan.clauses, self.budget);
        let mut rows = condition.evaluate(&evaluator, among)?;
        let is_ruled_out = rows.is_empty() && !evaluator.has_tested_rows();
        for deletion in &self.part.deletions {
            if rows.is_empty() {
                break;
            }
            rows.subtract(&deletion.select(block, &rows, self.budget)?);
        }
        Ok(Selected {
            fate: if is_ruled_out {
                Fate::Pruned(Pruned::Dictionary)
            } else {
                Fate::Read
            },
            rows_scanned: if is_ruled_out { 0 } else { block.rows() as u64 },
            rows,
        })
    }
}
