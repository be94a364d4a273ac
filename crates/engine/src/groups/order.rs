//! The order of the rows of a table by their keys.

use std::cmp::Ordering;

use crate::budget::{Budget, Cut};
use crate::sorting::sort_by;
use crate::table::SortValue;
use crate::{Cell, Table};

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 4096;

impl Table {
    /// Orders rows by their first `keys` cells.
    pub(crate) fn sort_by_keys(&mut self, keys: usize, budget: &Budget) -> Result<(), Cut> {
        let mut ordered: Vec<(RowOrder, Vec<Cell>)> = Vec::with_capacity(self.rows.len());
        for (index, row) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            if index.is_multiple_of(ROWS_PER_CHECK) {
                budget.check()?;
            }
            let keys = row.iter().take(keys).map(order_of).collect();
            ordered.push((RowOrder { keys }, row));
        }
        sort_by(&mut ordered, budget, |(a, _), (b, _)| a.cmp(b))?;
        self.rows = ordered.into_iter().map(|(_, row)| row).collect();
        Ok(())
    }
}

/// Which of two keys stands first.
pub(crate) fn compare_keys(a: &Cell, b: &Cell) -> Ordering {
    let ((a, a_kind), (b, b_kind)) = (order_of(a), order_of(b));
    a.compare(&b).then(a_kind.cmp(&b_kind))
}

/// Where a key stands; of text and number alike, the number stands first.
fn order_of(cell: &Cell) -> (SortValue, u8) {
    let mut value = SortValue::Null;
    cell.visit(&mut |datum| value = SortValue::of(datum));
    (value, u8::from(matches!(cell, Cell::Str(_))))
}

struct RowOrder {
    keys: Vec<(SortValue, u8)>,
}

impl Ord for RowOrder {
    fn cmp(&self, other: &RowOrder) -> Ordering {
        let pairs = self.keys.iter().zip(&other.keys);
        let orders = pairs.map(|((a, a_kind), (b, b_kind))| a.compare(b).then(a_kind.cmp(b_kind)));
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for RowOrder {
    fn partial_cmp(&self, other: &RowOrder) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RowOrder {
    fn eq(&self, other: &RowOrder) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RowOrder {}
