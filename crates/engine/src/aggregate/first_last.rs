//! `first` and `last`: the value of the earliest or latest row that has the field.

use std::cmp::Ordering;

use cordwood_event::EventId;

use crate::Cell;
use crate::datum::Datum;

/// The value at one end of time so far.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    /// How a row must compare to the one before to take its place.
    better: Ordering,
    value: Option<(EventId, EdgeValue)>,
}

/// What stands at an end of time.
#[derive(Clone, Debug)]
enum EdgeValue {
    /// The id of the row itself: it is spelled when all rows were seen, of which one alone is left.
    Id,
    Other(Cell),
}

impl Edge {
    pub(crate) fn first() -> Edge {
        Edge {
            better: Ordering::Less,
            value: None,
        }
    }

    pub(crate) fn last() -> Edge {
        Edge {
            better: Ordering::Greater,
            value: None,
        }
    }

    /// Of several values of one row, the first counts.
    pub(crate) fn add(&mut self, id: EventId, datum: Datum<'_>) {
        if self.is_better(id) {
            self.value = Some((id, EdgeValue::Other(datum.to_cell())));
        }
    }

    /// The same of a row whose value is its id.
    pub(crate) fn add_id(&mut self, id: EventId) {
        if self.is_better(id) {
            self.value = Some((id, EdgeValue::Id));
        }
    }

    /// Whether a row of this id would take the place.
    pub(crate) fn is_better(&self, id: EventId) -> bool {
        let before = self.value.as_ref();
        before.is_none_or(|(before, _)| id.cmp(before) == self.better)
    }

    pub(crate) fn merge(&mut self, other: Edge) {
        if let Some((id, _)) = &other.value
            && self.is_better(*id)
        {
            self.value = other.value;
        }
    }

    pub(crate) fn into_cell(self) -> Cell {
        match self.value {
            None => Cell::Null,
            Some((id, EdgeValue::Id)) => Cell::Str(id.to_string().into()),
            Some((_, EdgeValue::Other(cell))) => cell,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match &self.value {
            None | Some((_, EdgeValue::Id)) => 0,
            Some((_, EdgeValue::Other(cell))) => cell.bytes(),
        }
    }
}
