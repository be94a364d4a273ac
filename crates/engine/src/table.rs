//! What stages make of events: a table of named columns.

use std::cmp::Ordering;

use cordwood_event::{Number, Timestamp};
use cordwood_query::Direction;

use crate::datum::{Datum, Leaf};

/// Rows under named columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names, in order.
    pub columns: Vec<String>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there are more rows than were asked for.
    pub more: bool,
}

impl Table {
    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let cells = self.rows.iter().flatten().map(Cell::bytes);
        (self.rows.len() * size_of::<Vec<Cell>>()) as u64 + cells.sum::<u64>()
    }
}

/// A value in a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, exactly.
    Int(i128),
    /// Any other number; finite.
    Float(f64),
    /// Text.
    Str(Box<str>),
    /// A JSON text kept whole: an array, an empty object, a number beyond the others.
    Json(Box<str>),
    /// An instant.
    Time(Timestamp),
}

/// What decides where a value stands when rows are sorted; the order of the variants counts.
#[derive(Clone, Debug)]
pub(crate) enum SortValue {
    Number(Number),
    Time(Timestamp),
    Text(Box<str>),
    Bool(bool),
    Null,
}

impl SortValue {
    pub(crate) fn of(datum: Datum<'_>) -> SortValue {
        datum.leaf().map_or(SortValue::Null, SortValue::of_leaf)
    }

    /// Text that reads as a number stands with the numbers.
    pub(crate) fn of_leaf(leaf: Leaf<'_>) -> SortValue {
        match (leaf.as_number(), leaf) {
            (Some(number), _) | (None, Leaf::Number(number)) => SortValue::Number(number),
            (None, Leaf::Time(time)) => SortValue::Time(time),
            (None, Leaf::Text(text)) => SortValue::Text(text.into()),
            (None, Leaf::Bool(boolean)) => SortValue::Bool(boolean),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            SortValue::Number(_) => 0,
            SortValue::Time(_) => 1,
            SortValue::Text(_) => 2,
            SortValue::Bool(_) => 3,
            SortValue::Null => 4,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, SortValue::Null)
    }

    pub(crate) fn compare(&self, other: &SortValue) -> Ordering {
        match (self, other) {
            (SortValue::Number(a), SortValue::Number(b)) => a.compare(*b),
            (SortValue::Time(a), SortValue::Time(b)) => a.cmp(b),
            (SortValue::Text(a), SortValue::Text(b)) => a.cmp(b),
            (SortValue::Bool(a), SortValue::Bool(b)) => a.cmp(b),
            (a, b) => a.kind().cmp(&b.kind()),
        }
    }

    /// The same in a direction of sorting. Nulls come last either way.
    pub(crate) fn compare_towards(&self, other: &SortValue, direction: Direction) -> Ordering {
        match (self.is_null() || other.is_null(), direction) {
            (true, _) | (_, Direction::Ascending) => self.compare(other),
            (false, Direction::Descending) => other.compare(self),
        }
    }
}
