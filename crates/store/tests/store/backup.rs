//! A backup: whole, consistent, and of what was acknowledged before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Disk, Error, Options, check};

use crate::lines::{Lines, append, events_of, open, open_with, small_options, texts_of};

#[test]
fn a_backup_opens_with_all_that_was_there() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    for number in 0..5 {
        append(&store, 1, &format!("{number} x")).unwrap();
        if number % 2 == 0 {
            store.flush().unwrap();
        }
    }
    let backup = store.begin_backup().unwrap();
    // What comes later, and merges, change nothing of it.
    append(&store, 1, "9 later").unwrap();
    store.flush().unwrap();
    store.compact().unwrap();
    let copy = SimulatedDisk::new();
    let copied = AtomicU64::new(0);
    let count = |bytes| {
        copied.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    };
    backup.copy_segments(&copy, &count).unwrap();
    assert_eq!(backup.bytes(), copied.into_inner());
    assert_eq!((backup.events(), backup.segments()), (5, 3));
    let unfinished = open(&copy.after_kill());
    assert!(matches!(unfinished, Err(Error::Damaged { .. })));
    backup.finish(&copy).unwrap();

    let copy = copy.after_power_loss(3);
    let as_disk: Arc<dyn Disk> = Arc::new(copy.clone());
    assert_eq!(check(&as_disk, &Lines).unwrap().findings, vec![]);
    let (restored, recovery) = open(&copy).unwrap();
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!(texts_of(&restored, 1), ["0 x", "1 x", "2 x", "3 x", "4 x"]);
    assert_eq!(append(&restored, 1, "7 new").unwrap().first_sequence, 6);
}

#[test]
fn a_backup_of_nothing() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    let copy = SimulatedDisk::new();
    let backup = store.begin_backup().unwrap();
    backup.copy_segments(&copy, &|_| Ok(())).unwrap();
    backup.finish(&copy).unwrap();
    assert_eq!(texts_of(&open(&copy).unwrap().0, 1), [""; 0]);
}

#[test]
fn a_copy_can_be_ended() {
    let (store, _) = open(&SimulatedDisk::new()).unwrap();
    append(&store, 1, "1 x").unwrap();
    let backup = store.begin_backup().unwrap();
    let ended = backup.copy_segments(&SimulatedDisk::new(), &|_| Err(Error::Closed));
    assert!(matches!(ended, Err(Error::Closed)));
}

#[test]
fn backups_under_load_have_each_acknowledged_event_once() {
    let disk = SimulatedDisk::new();
    let options = Options {
        merge_fan_in: 2,
        log_file_bytes: 1 << 20,
        ..small_options()
    };
    let (store, _) = open_with(options, &disk).unwrap();
    let acknowledged = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                append(&store, 1, &format!("{number} x")).unwrap();
                number += 1;
                acknowledged.store(number, Ordering::Release);
                if number % 7 == 0 {
                    store.flush().unwrap();
                }
            }
        });
        for _ in 0..10 {
            let before = acknowledged.load(Ordering::Acquire);
            let copy = SimulatedDisk::new();
            let backup = store.begin_backup().unwrap();
            backup.copy_segments(&copy, &|_| Ok(())).unwrap();
            backup.finish(&copy).unwrap();
            let (restored, recovery) = open(&copy).unwrap();
            assert_eq!(recovery.damage, [""; 0]);
            let events = events_of(&restored.snapshot(), 1).unwrap();
            let numbers: Vec<u64> = events.keys().copied().collect();
            assert!(
                numbers.len() as u64 >= before,
                "{} < {before}",
                numbers.len()
            );
            assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
