//! Many threads append while others read and flush: every snapshot is a whole prefix of what was stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cordwood_event::SourceId;
use cordwood_store::disk::FileSystem;
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Options, Store};

use crate::lines::{Lines, append, append_of, events_of, open, open_with, small_options, texts_of};

const APPENDERS: u64 = 6;
const BATCHES: u64 = 120;

/// All sequence numbers of a snapshot, which must be 1 to the last without a gap.
fn check_snapshot(store: &Store) -> u64 {
    let snapshot = store.snapshot();
    let last = snapshot.last_sequence();
    let mut all = Vec::new();
    for source in snapshot.sources().into_keys() {
        let SourceId(number) = source;
        let events = events_of(&snapshot, number).unwrap();
        assert_eq!(snapshot.totals(source).unwrap().rows, events.len() as u64);
        all.extend(events.into_keys());
    }
    all.sort_unstable();
    let expected: Vec<u64> = (1..=last).collect();
    assert_eq!(all, expected);
    last
}

#[test]
fn snapshots_are_whole_while_threads_append_and_flush() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let appenders: Vec<_> = (0..APPENDERS)
            .map(|source| {
                let store = &store;
                scope.spawn(move || {
                    for batch in 0..BATCHES {
                        let lines = format!("{batch} a\n{} b\n{batch} c", batch * 2);
                        let appended = append(store, source, &lines).unwrap();
                        let visible = store.snapshot().last_sequence();
                        assert!(visible >= appended.first_sequence + 2, "read your writes");
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut last = 0;
            while !is_done.load(Ordering::Relaxed) {
                let found = check_snapshot(&store);
                assert!(found >= last);
                last = found;
            }
        });
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                store.flush().unwrap();
            }
        });
        for appender in appenders {
            appender.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    assert_eq!(check_snapshot(&store), APPENDERS * BATCHES * 3);
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!(check_snapshot(&store), APPENDERS * BATCHES * 3);
}

/// The same key from many threads at once: one of them is stored, all are acknowledged.
#[test]
fn one_key_at_once_is_stored_once() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    for round in 0..20 {
        let key = format!("round {round}");
        let stored = std::thread::scope(|scope| {
            let send = || store.append(append_of(1, Some(&key), "1 a\n2 b")).unwrap();
            let threads: Vec<_> = (0..5).map(|_| scope.spawn(send)).collect();
            let answers = threads.into_iter().map(|thread| thread.join().unwrap());
            answers.filter(|appended| !appended.duplicate).count()
        });
        assert_eq!(stored, 1);
    }
    assert_eq!(texts_of(&store, 1).len(), 40);
}

#[test]
fn a_snapshot_stays_while_everything_moves() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    for number in 0..30 {
        append(&store, 1, &format!("{number} event")).unwrap();
    }
    let snapshot = store.snapshot();
    let before = events_of(&snapshot, 1).unwrap();
    for number in 30..60 {
        append(&store, 1, &format!("{number} event")).unwrap();
        if number % 10 == 0 {
            store.flush().unwrap();
        }
    }
    assert_eq!(snapshot.last_sequence(), 30);
    assert_eq!(events_of(&snapshot, 1).unwrap(), before);
    let fresh_with = store.stats().fresh_bytes;
    drop(snapshot);
    assert!(
        store.stats().fresh_bytes < fresh_with,
        "a dropped snapshot gives its memory back"
    );
    store.flush().unwrap();
    assert_eq!(store.stats().fresh_bytes, 0);
    assert_eq!(texts_of(&store, 1).len(), 60);
}

/// Flushes come by themselves when enough is there.
#[test]
fn a_flush_comes_by_itself() {
    let options = Options {
        flush_event_bytes: 500,
        ..small_options()
    };
    let (store, _) = open_with(options, &SimulatedDisk::new()).unwrap();
    let mut number = 0;
    while store.stats().flushes < 3 {
        append(&store, 1, &format!("{number} an event")).unwrap();
        number += 1;
    }
    assert_eq!(texts_of(&store, 1).len(), number);
}

#[test]
fn the_real_disk_keeps_events_too() {
    let directory = tempfile::tempdir().unwrap();
    let disk = || Arc::new(FileSystem::new(directory.path().join("below")));
    let (store, _) = Store::open(small_options(), disk(), Arc::new(Lines)).unwrap();
    let second = Store::open(small_options(), disk(), Arc::new(Lines)).unwrap_err();
    assert!(second.to_string().contains("in use"), "{second}");
    for number in 0..40 {
        append(&store, number % 2, &format!("{number} event")).unwrap();
        if number == 20 {
            store.flush().unwrap();
        }
    }
    drop(store);
    let (store, recovery) = Store::open(small_options(), disk(), Arc::new(Lines)).unwrap();
    assert_eq!((recovery.segments, recovery.replayed_events), (1, 19));
    assert_eq!(check_snapshot(&store), 40);
}
