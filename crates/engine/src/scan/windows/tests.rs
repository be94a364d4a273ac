//! Windows over random parts: no time is left out, none comes twice, and what lies in one is about what may.

use cordwood_event::Timestamp;
use cordwood_query::TimeBounds;
use proptest::prelude::*;

use super::Windows;
use crate::Order;

fn between(first: i64, last: i64) -> TimeBounds {
    TimeBounds {
        first: Timestamp::from_nanos(first),
        last: Timestamp::from_nanos(last),
    }
}

/// All windows as pairs of nanoseconds.
fn check(parts: &[(i64, i64, u64)], order: Order, bytes_max: u64, expected: &[(i64, i64)]) {
    let windows = all(windows(parts, order, bytes_max));
    assert_eq!(windows, expected, "{parts:?} {order:?} {bytes_max}");
}

fn windows(parts: &[(i64, i64, u64)], order: Order, bytes_max: u64) -> Windows {
    let parts = parts
        .iter()
        .map(|(first, last, bytes)| (between(*first, *last), *bytes));
    Windows::new(parts, TimeBounds::ALL, order, bytes_max)
}

fn all(mut windows: Windows) -> Vec<(i64, i64)> {
    let next = std::iter::from_fn(|| windows.next());
    next.map(|window| (window.first.as_nanos(), window.last.as_nanos()))
        .collect()
}

#[test]
fn windows_end_where_parts_begin() {
    use Order::{NewestFirst, OldestFirst};
    let in_a_row = [(0, 9, 50), (10, 19, 50), (20, 29, 50), (40, 49, 50)];
    check(&[], OldestFirst, 100, &[]);
    check(&in_a_row, OldestFirst, 1000, &[(0, 49)]);
    check(&in_a_row, OldestFirst, 100, &[(0, 19), (20, 49)]);
    check(
        &in_a_row,
        OldestFirst,
        50,
        &[(0, 9), (10, 19), (20, 39), (40, 49)],
    );
    check(&in_a_row, NewestFirst, 100, &[(20, 49), (0, 19)]);
    check(
        &in_a_row,
        NewestFirst,
        50,
        &[(30, 49), (20, 29), (10, 19), (0, 9)],
    );
    // A part larger than a window is read in several.
    check(&[(0, 9, 100)], OldestFirst, 50, &[(0, 4), (5, 9)]);
    let abreast = [(0, 9, 50), (0, 9, 50)];
    check(&abreast, OldestFirst, 50, &[(0, 4), (5, 9)]);
    check(&[(7, 7, 100)], OldestFirst, 1, &[(7, 7)]);
    let ends = [(i64::MIN, i64::MIN, 1), (i64::MAX, i64::MAX, 1)];
    check(
        &ends,
        OldestFirst,
        1,
        &[(i64::MIN, i64::MAX - 1), (i64::MAX, i64::MAX)],
    );
}

#[test]
fn what_holds_too_much_comes_in_halves() {
    let mut halved = windows(&[(0, 9, 10), (20, 29, 10)], Order::OldestFirst, 10);
    let first = halved.next().unwrap();
    assert_eq!(first, between(0, 19));
    assert!(halved.halve(first));
    let half = halved.next().unwrap();
    assert_eq!(half, between(0, 9));
    assert!(halved.halve(half));
    assert_eq!(all(halved), [(0, 4), (5, 9), (10, 19), (20, 29)]);
    let mut instant = windows(&[(3, 3, 10)], Order::NewestFirst, 1);
    let only = instant.next().unwrap();
    assert!(!instant.halve(only));
    assert_eq!(instant.next(), None);
}

fn times() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -50i64..50, 1 => Just(i64::MIN), 1 => Just(i64::MAX)]
}

proptest! {
    #[test]
    fn every_part_is_covered_once(
        parts in proptest::collection::vec((times(), times(), 0u64..40), 0..12),
        bytes_max in 1u64..80,
        is_newest in any::<bool>(),
    ) {
        let parts: Vec<_> = parts
            .into_iter()
            .map(|(a, b, bytes)| (a.min(b), a.max(b), bytes))
            .collect();
        let order = if is_newest { Order::NewestFirst } else { Order::OldestFirst };
        let mut found = all(windows(&parts, order, bytes_max));
        if is_newest {
            found.reverse();
        }
        prop_assert!(found.iter().all(|(first, last)| first <= last), "{:?}", found);
        prop_assert!(found.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", found);
        for (first, last, _) in parts {
            for time in [first, last, first.midpoint(last)] {
                let holding = found.iter().filter(|(from, to)| (*from..=*to).contains(&time));
                prop_assert_eq!(holding.count(), 1, "{} in {:?}", time, found);
            }
        }
    }
}
