//! Groups that are left aside: of `top`, nearly all, for they have too few rows to be among the first.
//!
//! A block gives the groups in which most of its rows are, and leaves the values of the others in its dictionary. Whoever is
//! among the first by far is so without them; at the end only those few groups are looked for in the dictionaries. Where
//! rows are spread evenly over groups, that decides nothing, and all become groups after all.

use std::sync::Arc;

use cordwood_store::column::{Dictionary, ScalarKind};

use super::top::greatest_at;
use super::{Groups, Held};
use crate::Incomplete;
use crate::budget::Budget;
use crate::key::KeyRef;

/// Of a block, so many times as many groups as are wanted in the end are not left aside; and no fewer than so many: the more,
/// the fewer rows those have that are.
const KEPT_SHARE: usize = 4;
const KEPT_MIN: usize = 64;

/// The last of as many groups as are wanted has to have so many times the rows of the greatest that is left aside: else what is left
/// aside of all blocks would as a rule have to be looked at after all.
const MORE_ROWS: u32 = 2;

/// So much memory is not worth what is saved.
const BYTES_MAX: u64 = 64 << 20;

/// What was left aside of any number of blocks.
#[derive(Debug, Default)]
pub(super) struct Aside {
    blocks: Vec<OfBlock>,
    /// The most rows that a group can have in all of them.
    rows_max: u64,
    bytes: u64,
    /// Whether nothing is left aside any more.
    is_given_up: bool,
}

/// Texts of one block, each of which is the only key of a group.
#[derive(Debug)]
struct OfBlock {
    values: Arc<Dictionary>,
    /// By place among the texts of the dictionary; 0 for a group that was not left aside.
    rows: Vec<u32>,
}

impl Aside {
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The most rows that any group can have here.
    pub(super) fn rows_max(&self) -> u64 {
        self.rows_max
    }

    /// How many rows the group of this only key has here.
    pub(super) fn rows_of(&self, key: KeyRef<'_>) -> u64 {
        let KeyRef::Text(text) = key else {
            return 0;
        };
        let rows = self.blocks.iter().filter_map(|block| {
            let code = block.values.code_of_text(text)?;
            let first = block.values.codes_of(ScalarKind::Str).start;
            block.rows.get(code.checked_sub(first)?)
        });
        rows.map(|rows| u64::from(*rows)).sum()
    }
}

impl OfBlock {
    fn bytes(&self) -> u64 {
        let rows = self.rows.len() * size_of::<u32>();
        self.values.bytes() + (rows + size_of::<OfBlock>()) as u64
    }

    fn groups(&self) -> impl Iterator<Item = (KeyRef<'_>, u64)> {
        let codes = self.values.codes_of(ScalarKind::Str).zip(&self.rows);
        let groups = codes.filter(|(_, rows)| **rows > 0);
        groups.filter_map(|(code, rows)| {
            let text = self.values.get(code)?.as_str()?;
            Some((KeyRef::Text(text), u64::from(*rows)))
        })
    }
}

impl Groups {
    /// Leaves texts of a block aside that are the only keys of groups, all but those with the most rows: these are left in
    /// `rows`, which has the rows of each value, and for others there is 0 then.
    pub(crate) fn leave_aside(&mut self, values: &Arc<Dictionary>, rows: &mut [u32]) {
        let Some(limit) = self.aggregation.greatest else {
            return;
        };
        let kept = limit.saturating_mul(KEPT_SHARE).max(KEPT_MIN);
        let Some(of_texts) = rows.get_mut(values.codes_of(ScalarKind::Str)) else {
            return;
        };
        // Half of them would hardly be worth it.
        if of_texts.len() / 2 < kept {
            return;
        }
        let most = greatest_at(of_texts, kept);
        if limit == 0 || greatest_at(of_texts, limit) < most * MORE_ROWS {
            return;
        }
        let is_few = |rows: &u32| *rows <= most;
        let left = of_texts
            .iter()
            .map(|rows| if is_few(rows) { *rows } else { 0 });
        let block = OfBlock {
            rows: left.collect(),
            values: Arc::clone(values),
        };
        of_texts
            .iter_mut()
            .filter(|rows| is_few(rows))
            .for_each(|rows| *rows = 0);
        self.aside.rows_max += u64::from(most);
        self.aside.bytes += block.bytes();
        self.aside.blocks.push(block);
    }

    /// Takes what other groups left aside, as far as there is memory for it.
    pub(super) fn take_aside(
        &mut self,
        other: Aside,
        held: &Held,
        budget: &Budget,
    ) -> Result<(), Incomplete> {
        if other.is_empty() {
            return Ok(());
        }
        let is_held = !self.aside.is_given_up
            && self.aside.bytes + other.bytes <= BYTES_MAX
            && held.try_grow(other.bytes);
        if !is_held {
            self.aside.is_given_up = true;
            self.settle_aside(held, budget)?;
            return self.merge_blocks(other.blocks, held, budget);
        }
        self.aside.bytes += other.bytes;
        self.aside.rows_max += other.rows_max;
        self.aside.blocks.extend(other.blocks);
        Ok(())
    }

    /// Makes groups of what was left aside, unless it may well decide nothing.
    pub(crate) fn review_aside(&mut self, held: &Held, budget: &Budget) -> Result<(), Incomplete> {
        if self.aside.is_empty() || self.least_of_first() > self.aside.rows_max {
            return Ok(());
        }
        self.aside.is_given_up = true;
        self.settle_aside(held, budget)
    }

    /// The rows of the last of the groups that would be wanted, were these all.
    fn least_of_first(&self) -> u64 {
        let counts = self.counts().unwrap_or_default();
        match self.aggregation.greatest {
            Some(limit @ 1..) if limit <= counts.len() => greatest_at(counts, limit),
            _ => 0,
        }
    }

    /// Makes groups of all that was left aside.
    pub(crate) fn settle_aside(&mut self, held: &Held, budget: &Budget) -> Result<(), Incomplete> {
        let blocks = std::mem::take(&mut self.aside.blocks);
        held.give_back(std::mem::take(&mut self.aside.bytes));
        self.aside.rows_max = 0;
        self.merge_blocks(blocks, held, budget)
    }

    fn merge_blocks(
        &mut self,
        blocks: Vec<OfBlock>,
        held: &Held,
        budget: &Budget,
    ) -> Result<(), Incomplete> {
        for block in blocks {
            let mut groups = self.afresh();
            groups.reserve(block.rows.len());
            for (key, rows) in block.groups() {
                groups.push_counted(std::iter::once(key), rows);
            }
            self.merge(groups, held, budget)?;
        }
        Ok(())
    }
}
