//! Following the store: what was there and what arrives make up everything, each event once, whatever moves meanwhile.

use std::time::Duration;

use cordwood_event::SourceId;
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Arrivals, Feed, Store};
use proptest::prelude::*;

use crate::lines::{append, append_of, events_of, open};

/// Longer than any test takes: what is waited for is an arrival.
const PATIENCE: Duration = Duration::from_secs(60);
const PLENTY: u64 = 64 << 20;

fn sequences_of(arrivals: &Arrivals) -> Vec<u64> {
    let batches = arrivals.batches.iter();
    let sequences = batches.flat_map(|arrival| {
        let rows = 0..arrival.rows.batch().len();
        rows.map(|row| arrival.rows.sequence(row))
    });
    sequences.collect()
}

/// Takes until the event with this number has arrived.
fn take_until(feed: &Feed, last: u64) -> Vec<u64> {
    let mut found = Vec::new();
    while found.last().is_none_or(|found| *found < last) {
        let arrivals = feed.take(PATIENCE);
        assert!(arrivals.missed.is_empty() && !arrivals.is_closed);
        found.extend(sequences_of(&arrivals));
    }
    found
}

#[test]
fn a_batch_arrives_as_it_was_appended() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    append(&store, 1, "1 before").unwrap();
    let feed = store.follow(PLENTY);
    store.append(append_of(2, Some("key"), "2 a\n3 b")).unwrap();
    store.append(append_of(2, Some("key"), "2 a\n3 b")).unwrap();
    append(&store, 1, "4 c").unwrap();
    let mut batches = feed.take(PATIENCE).batches;
    batches.extend(feed.take(Duration::ZERO).batches);
    let seen: Vec<_> = batches
        .iter()
        .map(|arrival| {
            (
                arrival.source.0,
                arrival.rows.batch().len(),
                arrival.rows.sequence(0),
            )
        })
        .collect();
    assert_eq!(seen, [(2, 2, 2), (1, 1, 4)], "a duplicate is no news");
}

#[test]
fn snapshot_and_feed_are_everything_once_while_threads_append_and_flush() {
    const APPENDERS: u64 = 4;
    const BATCHES: u64 = 100;
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    std::thread::scope(|scope| {
        for source in 0..APPENDERS {
            let store = &store;
            scope.spawn(move || {
                for batch in 0..BATCHES {
                    append(store, source, &format!("{batch} a\n{batch} b")).unwrap();
                    if batch % 16 == source {
                        store.flush().unwrap();
                    }
                }
            });
        }
        for _ in 0..3 {
            scope.spawn(|| {
                let feed = store.follow(PLENTY);
                let begun = store.snapshot().last_sequence();
                let mut seen: Vec<u64> = (1..=begun).collect();
                if begun < APPENDERS * BATCHES * 2 {
                    let arrived = take_until(&feed, APPENDERS * BATCHES * 2);
                    seen.extend(arrived.into_iter().filter(|sequence| *sequence > begun));
                }
                let all: Vec<u64> = (1..=APPENDERS * BATCHES * 2).collect();
                assert_eq!(seen, all);
            });
        }
    });
}

#[test]
fn a_feed_ends_with_the_store_and_one_that_is_closed_wakes() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    let (feed, closed) = (store.follow(PLENTY), store.follow(PLENTY));
    append(&store, 1, "1 a").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let _ = closed.take(PATIENCE);
            closed.take(PATIENCE).is_closed
        });
        closed.close();
        assert!(waiting.join().unwrap());
    });
    store.close().unwrap();
    let arrivals = feed.take(PATIENCE);
    assert!(arrivals.is_closed);
    assert_eq!(
        sequences_of(&arrivals),
        [1],
        "what came before is told still"
    );
    assert!(store.follow(PLENTY).take(PATIENCE).is_closed);
}

fn missed_of(arrivals: &Arrivals) -> Vec<(u64, u64)> {
    let missed = arrivals.missed.iter();
    missed
        .map(|(SourceId(source), missed)| (*source, *missed))
        .collect()
}

fn fresh_bytes(store: &Store) -> u64 {
    store.flush().unwrap();
    store.stats().fresh_bytes
}

#[test]
fn what_a_slow_follower_holds_is_bounded_and_given_back() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    let feed = store.follow(0);
    for number in 0..50 {
        append(&store, number % 2, &format!("{number} event")).unwrap();
    }
    assert!(fresh_bytes(&store) > 0, "the newest batch is held");
    let arrivals = feed.take(PATIENCE);
    assert_eq!(sequences_of(&arrivals), [50]);
    assert_eq!(missed_of(&arrivals), [(0, 25), (1, 24)]);
    drop(arrivals);
    assert_eq!(fresh_bytes(&store), 0);
    append(&store, 1, "1 more").unwrap();
    drop(feed);
    assert_eq!(fresh_bytes(&store), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whenever a follower looks, what it gets and what it is told to have missed is all there is, in order.
    #[test]
    fn taken_and_missed_are_everything(
        steps in proptest::collection::vec((0u64..3, 1usize..5, any::<bool>()), 1..40),
        bytes_max in 0u64..4000,
    ) {
        let (store, _) = open(&SimulatedDisk::new()).unwrap();
        let feed = store.follow(bytes_max);
        let mut next = 1;
        for (source, events, looks) in steps {
            let body: String = (0..events).map(|number| format!("{number} text\n")).collect();
            append(&store, source, body.trim_end()).unwrap();
            if !looks {
                continue;
            }
            let arrivals = feed.take(PATIENCE);
            next += missed_of(&arrivals).iter().map(|(_, events)| events).sum::<u64>();
            for sequence in sequences_of(&arrivals) {
                prop_assert_eq!(sequence, next);
                next += 1;
            }
            prop_assert_eq!(next, store.snapshot().last_sequence() + 1);
        }
        let stored: usize = (0..3).map(|source| events_of(&store.snapshot(), source).unwrap().len()).sum();
        prop_assert!(next <= stored as u64 + 1);
    }
}
