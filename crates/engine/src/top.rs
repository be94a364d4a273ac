//! The first N rows of a search, whatever order the blocks come in.

use std::collections::BinaryHeap;

use cordwood_event::{EventId, Timestamp};
use cordwood_query::TimeBounds;

use crate::{Order, Position};

/// A place in the results as one number: smaller comes first. Orders by time, then by sequence number,
/// falling or rising as the search asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u128);

impl Rank {
    pub(crate) fn of(position: Position, order: Order) -> Rank {
        let time = position.timestamp.as_nanos().cast_unsigned() ^ SIGN;
        let rising = u128::from(time) << 64 | u128::from(position.sequence);
        match order {
            Order::NewestFirst => Rank(!rising),
            Order::OldestFirst => Rank(rising),
        }
    }

    /// The best rank an event of this time can have.
    pub(crate) fn best_at(time: Timestamp, order: Order) -> Rank {
        let times = TimeBounds {
            first: time,
            last: time,
        };
        Rank::best_between(times, order)
    }

    /// The best rank an event with a time in `times` can have.
    pub(crate) fn best_between(times: TimeBounds, order: Order) -> Rank {
        match order {
            Order::NewestFirst => Rank::of(last_of(times), order),
            Order::OldestFirst => Rank::of(first_of(times), order),
        }
    }

    /// The worst.
    pub(crate) fn worst_between(times: TimeBounds, order: Order) -> Rank {
        match order {
            Order::NewestFirst => Rank::of(first_of(times), order),
            Order::OldestFirst => Rank::of(last_of(times), order),
        }
    }

    /// The place just before this one, behind which a search goes on with this one; `None` if it is the very first.
    pub(crate) fn place_before(self, order: Order) -> Option<Position> {
        let before = self.0.checked_sub(1)?;
        let rising = match order {
            Order::NewestFirst => !before,
            Order::OldestFirst => before,
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the two halves are taken apart again"
        )]
        let (time, sequence) = ((rising >> 64) as u64, rising as u64);
        Some(EventId {
            timestamp: Timestamp::from_nanos((time ^ SIGN).cast_signed()),
            sequence,
        })
    }
}

/// Turns the order of signed numbers into that of unsigned ones.
const SIGN: u64 = 1 << 63;

fn first_of(times: TimeBounds) -> Position {
    EventId {
        timestamp: times.first,
        sequence: 0,
    }
}

fn last_of(times: TimeBounds) -> Position {
    EventId {
        timestamp: times.last,
        sequence: u64::MAX,
    }
}

/// Where a row lies: which part of the snapshot, by its index in the plan, and which row of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowPlace {
    pub(crate) part: u32,
    pub(crate) row: u32,
}

/// A row that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) rank: Rank,
    pub(crate) id: EventId,
    pub(crate) place: RowPlace,
}

/// Keeps the best `limit` rows offered.
#[derive(Debug)]
pub(crate) struct TopRows {
    limit: usize,
    /// The worst on top.
    heap: BinaryHeap<Found>,
}

impl TopRows {
    pub(crate) fn new(limit: usize) -> TopRows {
        TopRows {
            limit,
            heap: BinaryHeap::new(),
        }
    }

    /// What a row must be better than to be kept; `None` while any row is.
    pub(crate) fn bound(&self) -> Option<Rank> {
        if self.heap.len() < self.limit {
            return None;
        }
        Some(self.heap.peek().map_or(Rank(0), |worst| worst.rank))
    }

    pub(crate) fn offer(&mut self, found: Found) {
        if self.bound().is_some_and(|bound| found.rank >= bound) {
            return;
        }
        if self.heap.len() == self.limit {
            self.heap.pop();
        }
        self.heap.push(found);
    }

    /// The rows kept, the best first.
    pub(crate) fn into_sorted(self) -> Vec<Found> {
        self.heap.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests;
