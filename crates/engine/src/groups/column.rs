//! What all groups hold for one computed column.

use std::vec;

use cordwood_event::EventId;
use cordwood_query::Function;

use crate::Cell;
use crate::aggregate::{Accumulator, EachValue};
use crate::budget::{Budget, Cut};

/// By group.
#[derive(Debug)]
pub(crate) enum GroupColumn {
    /// `count()`, `count(field)` and `rate()`.
    Counts(Vec<u64>),
    Accumulators(Vec<Accumulator>),
}

/// The same of other groups, on their way into this one.
#[derive(Debug)]
pub(super) enum Incoming {
    Counts(vec::IntoIter<u64>),
    Accumulators(vec::IntoIter<Accumulator>),
}

impl GroupColumn {
    pub(super) fn new(function: &Function) -> GroupColumn {
        match Accumulator::new(function) {
            None => GroupColumn::Counts(Vec::new()),
            Some(_) => GroupColumn::Accumulators(Vec::new()),
        }
    }

    /// What is computed of no row.
    pub(crate) fn of_nothing(function: &Function) -> Cell {
        let mut column = GroupColumn::new(function);
        column.push(function);
        match column {
            GroupColumn::Counts(_) => cell_of_count(0, function, 1.0),
            GroupColumn::Accumulators(mut one) => one
                .pop()
                .map_or(Cell::Null, |nothing| nothing.finish(function)),
        }
    }

    /// Makes room for one more group.
    pub(super) fn push(&mut self, function: &Function) {
        match self {
            GroupColumn::Counts(counts) => counts.push(0),
            GroupColumn::Accumulators(accumulators) => {
                accumulators.extend(Accumulator::new(function));
            }
        }
    }

    /// Makes room for one more group, which has so many rows, if rows are counted.
    pub(super) fn push_count(&mut self, rows: u64) {
        match self {
            GroupColumn::Counts(counts) => counts.push(rows),
            GroupColumn::Accumulators(_) => debug_assert!(false, "rows are not counted"),
        }
    }

    /// Makes room for so many more groups.
    pub(super) fn reserve(&mut self, groups: usize) {
        match self {
            GroupColumn::Counts(counts) => counts.reserve(groups),
            GroupColumn::Accumulators(accumulators) => accumulators.reserve(groups),
        }
    }

    /// Counts rows of a group, if rows are counted.
    pub(crate) fn count(&mut self, group: usize, rows: u64) {
        if let GroupColumn::Counts(counts) = self
            && let Some(count) = counts.get_mut(group)
        {
            *count += rows;
        }
    }

    /// Adds one row, whose field has these values.
    pub(crate) fn add(&mut self, group: usize, id: EventId, each: &mut EachValue<'_>) {
        match self {
            GroupColumn::Counts(_) => {
                let mut has_value = false;
                each(&mut |_| has_value = true);
                self.count(group, u64::from(has_value));
            }
            GroupColumn::Accumulators(accumulators) => {
                if let Some(accumulator) = accumulators.get_mut(group) {
                    accumulator.add(id, each);
                }
            }
        }
    }

    /// Adds one row, whose field has its id for a value.
    pub(crate) fn add_id(&mut self, group: usize, id: EventId) {
        match self {
            GroupColumn::Counts(_) => self.count(group, 1),
            GroupColumn::Accumulators(accumulators) => {
                if let Some(accumulator) = accumulators.get_mut(group) {
                    accumulator.add_id(id);
                }
            }
        }
    }

    /// Whether of rows in order of time, the first and the last of a group say all that is computed of their times and ids.
    pub(crate) fn is_of_edges(&self) -> bool {
        match self {
            GroupColumn::Counts(_) => false,
            GroupColumn::Accumulators(accumulators) => {
                let first = accumulators.first();
                first.is_some_and(|first| {
                    matches!(first, Accumulator::Extreme(_) | Accumulator::Edge(_))
                })
            }
        }
    }

    /// Takes what others hold for the groups of these numbers, new ones in order; says by how many bytes it has grown.
    pub(super) fn merge(
        &mut self,
        more: &mut Incoming,
        groups: &[u32],
        budget: &Budget,
    ) -> Result<u64, Cut> {
        Ok(match (self, more) {
            (GroupColumn::Counts(own), Incoming::Counts(more)) => {
                let before = own.len();
                for (group, count) in groups.iter().zip(more) {
                    match own.get_mut(*group as usize) {
                        Some(own) => *own += count,
                        None => own.push(count),
                    }
                }
                ((own.len() - before) * size_of::<u64>()) as u64
            }
            (GroupColumn::Accumulators(own), Incoming::Accumulators(more)) => {
                let mut grown = 0;
                let mut pace = Pace::new(budget);
                for (group, mut accumulator) in groups.iter().zip(more) {
                    pace.check(accumulator.bytes())?;
                    if let Some(own) = own.get_mut(*group as usize) {
                        let before = own.bytes();
                        own.merge(accumulator);
                        grown += own.bytes().saturating_sub(before);
                    } else {
                        accumulator.detach();
                        grown += accumulator.bytes();
                        own.push(accumulator);
                    }
                }
                grown
            }
            _ => {
                debug_assert!(false, "a column of one function is of one kind");
                0
            }
        })
    }

    /// Approximates from now on; says how many bytes that gave back.
    pub(super) fn condense(&mut self) -> u64 {
        let GroupColumn::Accumulators(accumulators) = self else {
            return 0;
        };
        let size = |all: &[Accumulator]| all.iter().map(Accumulator::bytes).sum::<u64>();
        let before = size(accumulators);
        accumulators.iter_mut().for_each(Accumulator::condense);
        before.saturating_sub(size(accumulators))
    }

    pub(super) fn accumulators(&self) -> &[Accumulator] {
        match self {
            GroupColumn::Counts(_) => &[],
            GroupColumn::Accumulators(accumulators) => accumulators,
        }
    }

    /// By group; its interval, or the range, lasts so many seconds.
    pub(super) fn finish(
        self,
        function: &Function,
        seconds: f64,
        budget: &Budget,
    ) -> Result<Vec<Cell>, Cut> {
        Ok(match self {
            GroupColumn::Counts(counts) => {
                let cell = |count| cell_of_count(count, function, seconds);
                counts.into_iter().map(cell).collect()
            }
            GroupColumn::Accumulators(accumulators) => {
                let mut pace = Pace::new(budget);
                let mut cells = Vec::with_capacity(accumulators.len());
                for held in accumulators {
                    pace.check(held.bytes())?;
                    cells.push(held.finish(function));
                }
                cells
            }
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
fn cell_of_count(count: u64, function: &Function, seconds: f64) -> Cell {
    match function {
        Function::Rate => Cell::Float(count as f64 / seconds),
        _ => Cell::Int(count.into()),
    }
}

/// Looks at the budget once for so many bytes of what groups hold: a few milliseconds' worth of merging or finishing them.
struct Pace<'b> {
    budget: &'b Budget,
    bytes: u64,
}

const BYTES_PER_CHECK: u64 = 256 << 10;

impl<'b> Pace<'b> {
    fn new(budget: &'b Budget) -> Pace<'b> {
        Pace { budget, bytes: 0 }
    }

    fn check(&mut self, bytes: u64) -> Result<(), Cut> {
        self.bytes += bytes;
        if self.bytes < BYTES_PER_CHECK {
            return Ok(());
        }
        self.bytes = 0;
        self.budget.check()
    }
}

impl From<GroupColumn> for Incoming {
    fn from(column: GroupColumn) -> Incoming {
        match column {
            GroupColumn::Counts(counts) => Incoming::Counts(counts.into_iter()),
            GroupColumn::Accumulators(all) => Incoming::Accumulators(all.into_iter()),
        }
    }
}
