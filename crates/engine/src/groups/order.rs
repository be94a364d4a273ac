//! The order of the rows of a table by their keys.

use std::cmp::Ordering;

use crate::table::SortValue;
use crate::{Cell, Table};

impl Table {
    /// Orders rows by their first `keys` cells.
    pub(crate) fn sort_by_keys(&mut self, keys: usize) {
        self.rows.sort_by_cached_key(|row| RowOrder {
            keys: row.iter().take(keys).map(order_of).collect(),
        });
    }
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
