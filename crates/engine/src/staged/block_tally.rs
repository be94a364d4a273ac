//! One block counted in many ways, for several cases: what its directory says, and the rest on its columns.

use cordwood_store::BlockHandle;

use super::aggregating::Work;
use crate::block::OpenBlock;
use crate::condition::Condition;
use crate::evaluate::Failure;
use crate::groups::Groups;
use crate::matching::PartRows;
use crate::part::{Fate, PartAnswer};

/// The countings of one block.
pub(super) struct BlockTally<'a> {
    works: &'a [Work],
    rows: PartRows<'a>,
    /// For each case in turn, of each grouping.
    found: Vec<Groups>,
    /// What the directory does not say.
    open: Vec<OpenCase>,
    /// What became of the block in the case for which most of it was looked at.
    fate: Option<Fate>,
    rows_scanned: u64,
}

/// A case of which rows must be looked at.
struct OpenCase {
    condition: Condition,
    /// By their index in all that is found, the groups that are not counted yet.
    countings: Vec<usize>,
}

impl<'a> BlockTally<'a> {
    /// Counts what the directory of the block does.
    pub(super) fn by_directory(
        works: &'a [Work],
        rows: PartRows<'a>,
        handle: &BlockHandle,
    ) -> BlockTally<'a> {
        let mut tally = BlockTally {
            works,
            rows,
            found: Vec::new(),
            open: Vec::new(),
            fate: None,
            rows_scanned: 0,
        };
        for case in rows.cases_in(handle) {
            let first = tally.found.len();
            tally.found.extend(works.iter().map(Work::no_groups));
            let condition = match case {
                Ok(condition) => condition,
                Err(by) => {
                    tally.fate = more_of(tally.fate, Fate::Pruned(by));
                    continue;
                }
            };
            let groups = tally.found[first..].iter_mut();
            let is_open = |(index, (work, groups)): (usize, (&Work, &mut Groups))| {
                let is_counted = work.group_by_directory(groups, &rows, handle, &condition);
                (!is_counted).then_some(first + index)
            };
            let countings: Vec<usize> = works
                .iter()
                .zip(groups)
                .enumerate()
                .filter_map(is_open)
                .collect();
            match countings.is_empty() {
                true => tally.fate = more_of(tally.fate, Fate::CountedWhole),
                false => tally.open.push(OpenCase {
                    condition,
                    countings,
                }),
            }
        }
        tally
    }

    /// Whether nothing is left to count.
    pub(super) fn is_whole(&self) -> bool {
        self.open.is_empty()
    }

    /// Counts the rest. A column is decoded once for all cases.
    pub(super) fn read(&mut self, block: &OpenBlock) -> Result<(), Failure> {
        let among = self.rows.in_range(block)?;
        for case in std::mem::take(&mut self.open) {
            let selected = self.rows.select(&case.condition, block, among.clone())?;
            self.rows_scanned = self.rows_scanned.max(selected.rows_scanned);
            self.fate = more_of(self.fate, selected.fate);
            for index in case.countings {
                self.rows.budget.check()?;
                let work = &self.works[index % self.works.len()];
                work.group_selected(&mut self.found[index], block, &selected.rows, &self.rows)?;
            }
        }
        Ok(())
    }

    /// `block` if it was read.
    pub(super) fn into_answer(self, block: Option<&OpenBlock>) -> PartAnswer<Vec<Groups>> {
        PartAnswer {
            fate: self.fate.unwrap_or(Fate::CountedWhole),
            found: self.found,
            rows_scanned: self.rows_scanned,
            bytes_scanned: block.map_or(0, OpenBlock::bytes_read),
        }
    }
}

/// Of two fates of a block, that for which more of it was looked at; of two that rule it out, the first.
fn more_of(fate: Option<Fate>, other: Fate) -> Option<Fate> {
    let looked_at = |fate: Fate| match fate {
        Fate::Pruned(_) => 0,
        Fate::CountedWhole => 1,
        Fate::OpenRows | Fate::Read => 2,
    };
    match fate {
        Some(fate) if looked_at(fate) >= looked_at(other) => Some(fate),
        _ => Some(other),
    }
}
