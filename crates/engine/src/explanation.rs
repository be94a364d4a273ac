//! Why a search found nothing: what each clause of its filter finds alone.

use std::time::Duration;

use cordwood_event::EventId;

/// A number of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// At least so many: counting was cut short.
    AtLeast(u64),
}

impl Count {
    /// Whether there is certainly none.
    pub fn is_none(self) -> bool {
        self == Count::Exactly(0)
    }
}

/// How certain it is that a search finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptiness {
    /// All that it asked of was looked at.
    Certain,
    /// It was cut short before it found anything.
    SoFar,
}

/// What one clause finds alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseCount {
    /// The clause, in canonical text.
    pub clause: String,
    /// How many events in the range match it. A clause on time alone is counted over the range of the request,
    /// the others over that range as narrowed by the clauses on time.
    pub matches: Count,
    /// Names of fields that do occur in the range and may have been meant, when no event has one it names.
    pub near_fields: Vec<NearFields>,
}

/// A field no event in the range has, and the names near it that some do have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearFields {
    /// As the filter names it.
    pub missing: String,
    /// The nearest first; empty when nothing is near.
    pub near: Vec<String>,
}

/// Why a search found nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// How many events of the searched sources lie in the range at all.
    pub events_in_range: Count,
    /// The terms of the outermost conjunction, or the whole filter when it is none.
    pub clauses: Vec<ClauseCount>,
    /// The clause with which the conjunction becomes empty, read from the left: either it matches nothing, or nothing
    /// that all before it match. `None` when time did not suffice to tell.
    pub emptied_by: Option<usize>,
    /// The nearest event before the range that matches the filter, but for its clauses on time.
    pub nearest_before: Option<EventId>,
    /// The nearest such event after the range.
    pub nearest_after: Option<EventId>,
    /// How long it took.
    pub elapsed: Duration,
}
