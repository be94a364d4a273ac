//! Sources keep to their size: the oldest blocks go, and it is said from when on events are kept.

use std::time::{Duration, Instant};

use cordwood_event::{SourceId, Timestamp};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Eviction, Retention, Store};

use crate::lines::{append, open, texts_of};

const SOURCE: SourceId = SourceId(1);

fn limit(store: &Store, bytes: u64) {
    store.set_retention(Retention {
        size_limits: [(SOURCE, bytes)].into(),
        ..Retention::default()
    });
}

/// A text that does not compress, so that blocks are much larger than all that is beside them.
fn noise(seed: u64) -> String {
    let mut state = seed;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'0' + u8::try_from((state >> 33) % 75).unwrap())
    };
    (0..300).map(|_| letter()).collect()
}

/// Full blocks of a source, each in a segment of its own.
fn store_blocks(store: &Store, source: u64, firsts: &[u64]) {
    for first in firsts {
        let lines = (*first..first + 8).map(|nanos| format!("{nanos} {}", noise(nanos)));
        append(store, source, &lines.collect::<Vec<String>>().join("\n")).unwrap();
        store.flush().unwrap();
    }
}

fn disk_bytes(store: &Store) -> u64 {
    let bytes = store.snapshot().disk_bytes();
    bytes.get(&SOURCE).copied().unwrap_or(0)
}

/// Merges until nothing is left to do, as the merging thread does by itself.
fn settle(store: &Store) -> Option<Eviction> {
    store.compact().unwrap();
    store.snapshot().evictions().get(&SOURCE).copied()
}

fn first_time(store: &Store) -> Option<String> {
    let texts = texts_of(store, 1);
    let (time, _) = texts.first()?.split_once(' ')?;
    Some(time.to_owned())
}

#[test]
fn the_oldest_blocks_go_and_the_rest_stays_within_the_limit() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    store_blocks(&store, 2, &[10]);
    store_blocks(&store, 1, &[100, 200, 300, 400]);
    let whole = disk_bytes(&store);
    let of_files: u64 = disk
        .files()
        .iter()
        .filter(|(path, _)| path.starts_with("segments/"))
        .map(|(_, bytes)| bytes.len() as u64)
        .sum();
    let of_both: u64 = store.snapshot().disk_bytes().values().sum();
    assert_eq!(of_both, of_files, "a file is shared out among its sources");
    limit(&store, whole);
    assert_eq!(settle(&store), None, "what is within the limit stays");
    let merged = disk_bytes(&store);
    limit(&store, merged * 5 / 8);
    let evicted = store.snapshot().evictions()[&SOURCE];
    assert_eq!(settle(&store), Some(evicted), "hidden at once");
    assert_eq!(evicted.before, Timestamp::from_nanos(208));
    assert_eq!(evicted.up_to_sequence, 40);
    assert_eq!(first_time(&store).as_deref(), Some("300"));
    assert!(disk_bytes(&store) <= merged * 5 / 8);
    assert_eq!(texts_of(&store, 2).len(), 8, "other sources have no limit");
    // It is known after a start, and without the limit too: nothing brings back what is gone.
    drop(store);
    let (store, _) = open(&disk).unwrap();
    assert_eq!(settle(&store), Some(evicted));
    assert_eq!(first_time(&store).as_deref(), Some("300"));
}

#[test]
fn what_comes_late_goes_first_when_there_is_too_much() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    store_blocks(&store, 1, &[100, 200, 300]);
    let one = disk_bytes(&store) / 3;
    limit(&store, 2 * one + one / 2);
    let first = settle(&store).unwrap();
    assert_eq!(first.before, Timestamp::from_nanos(108));
    // Without a limit late events are kept, however old.
    limit(&store, u64::MAX);
    store_blocks(&store, 1, &[50]);
    assert_eq!(settle(&store), Some(first));
    assert_eq!(texts_of(&store, 1).len(), 24);
    limit(&store, 2 * one + one / 2);
    let second = settle(&store).unwrap();
    assert_eq!(second.before, Timestamp::from_nanos(108), "never earlier");
    assert_eq!(second.up_to_sequence, 32);
    assert_eq!(texts_of(&store, 1).len(), 16);
}

/// Nobody has to ask: a flush and a new limit wake the merging thread.
#[test]
fn eviction_comes_by_itself() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    limit(&store, 1);
    store_blocks(&store, 1, &[100]);
    let give_up = Instant::now() + Duration::from_secs(60);
    while !texts_of(&store, 1).is_empty() {
        assert!(Instant::now() < give_up);
        std::thread::yield_now();
    }
    assert_eq!(store.stats().segments, 0);
}
