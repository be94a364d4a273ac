//! The keys of `sort`.

use crate::FieldName;

/// A field or column to sort by. Numbers stand before texts, nulls last in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The field or column.
    pub field: FieldName,
    /// Which way.
    pub direction: Direction,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}
