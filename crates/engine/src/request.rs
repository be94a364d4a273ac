//! What a search is asked.

use std::time::Instant;

use cordwood_event::{EventId, SourceId, Timestamp};
use cordwood_query::{Filter, TimeBounds};

use crate::Cancel;

/// A place in the results: that of the event with this time and sequence number, whether it exists or not.
pub type Position = EventId;

/// A source to search, with the name `_source` clauses may call it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchedSource {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// Events before this time have expired and are not found; `None` when none have.
    pub kept_from: Option<Timestamp>,
}

impl SearchedSource {
    /// The times of events that are kept.
    pub(crate) fn kept(&self) -> TimeBounds {
        TimeBounds {
            first: self.kept_from.unwrap_or(Timestamp::MIN),
            last: Timestamp::MAX,
        }
    }
}

/// Which end of time comes first. Events of one instant go by their sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the latest back.
    #[default]
    NewestFirst,
    /// From the earliest on.
    OldestFirst,
}

/// Whether to count all matching events, or only to find the first ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// Find the first ones and stop.
    #[default]
    NotAsked,
    /// Count every match in the range, those before the cursor included.
    Count,
}

/// A question to the engine.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Where to look. Clauses on `_source` narrow it further.
    pub sources: Vec<SearchedSource>,
    /// What to look for.
    pub filter: Filter,
    /// When; clauses on `dt` narrow it further.
    pub range: TimeBounds,
    /// Which events come first.
    pub order: Order,
    /// How many events to give back.
    pub limit: usize,
    /// Where the page before ended: only events behind it, in `order`, are given back.
    pub after: Option<Position>,
    /// The last sequence number of the snapshot the first page was taken from: later events are not seen,
    /// so that all pages show one set. `None` sees the whole snapshot.
    pub up_to_sequence: Option<u64>,
    /// Only events with a greater sequence number are seen: those that came since. `None` sees the old ones too.
    pub after_sequence: Option<u64>,
    /// Whether to count.
    pub total: Total,
    /// When to give up, on the engine's clock; what was found until then is the answer.
    pub deadline: Option<Instant>,
    /// How the caller gives up.
    pub cancel: Cancel,
    /// What `now` means in the filter.
    pub now: Timestamp,
}

impl SearchRequest {
    /// The newest `limit` events of `sources` that match `filter`; the other fields at their plainest.
    pub fn newest(
        sources: Vec<SearchedSource>,
        filter: Filter,
        limit: usize,
        now: Timestamp,
    ) -> SearchRequest {
        SearchRequest {
            sources,
            filter,
            range: TimeBounds::ALL,
            order: Order::NewestFirst,
            limit,
            after: None,
            up_to_sequence: None,
            after_sequence: None,
            total: Total::NotAsked,
            deadline: None,
            cancel: Cancel::default(),
            now,
        }
    }
}
