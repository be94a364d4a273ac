//! The heap against sorting everything.

use cordwood_event::{EventId, Timestamp};
use cordwood_query::TimeBounds;
use proptest::prelude::*;

use super::{Found, Rank, RowPlace, TopRows};
use crate::Order;

fn found(time: i64, sequence: u64, order: Order) -> Found {
    let id = EventId {
        timestamp: Timestamp::from_nanos(time),
        sequence,
    };
    Found {
        rank: Rank::of(id, order),
        id,
        place: RowPlace { part: 0, row: 0 },
    }
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![-3i64..3, Just(i64::MIN), Just(i64::MAX)]
}

proptest! {
    #[test]
    fn keeps_the_first_of_all(
        offered in proptest::collection::vec((times(), 0u64..4), 0..30),
        limit in 0usize..10,
        is_newest in any::<bool>(),
    ) {
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let mut top = TopRows::new(limit);
        for (time, sequence) in &offered {
            top.offer(found(*time, *sequence, order));
        }
        let kept: Vec<EventId> = top.into_sorted().iter().map(|found| found.id).collect();

        let mut sorted: Vec<EventId> =
            offered.iter().map(|(time, sequence)| found(*time, *sequence, order).id).collect();
        sorted.sort();
        if is_newest {
            sorted.reverse();
        }
        sorted.truncate(limit);
        prop_assert_eq!(kept, sorted);
    }

    #[test]
    fn no_event_of_a_range_beats_its_best_rank(time in times(), sequence in any::<u64>(), is_newest in any::<bool>()) {
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let at = Timestamp::from_nanos(time);
        let times = TimeBounds { first: at, last: at };
        let rank = found(time, sequence, order).rank;
        prop_assert!(Rank::best_between(times, order) <= rank);
        prop_assert!(rank <= Rank::worst_between(times, order));
    }

    #[test]
    fn behind_the_place_before_lies_the_place(time in times(), sequence in any::<u64>(), is_newest in any::<bool>()) {
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let rank = found(time, sequence, order).rank;
        match rank.place_before(order) {
            Some(before) => prop_assert!(Rank::of(before, order) < rank),
            None => prop_assert_eq!(rank, Rank(0)),
        }
    }
}
