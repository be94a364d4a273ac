//! Power is lost, or the process killed, at every operation of a workload that deletes and purges: what a deletion was
//! answered for is gone for good, and nothing else is.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_store::Store;
use cordwood_store::disk::simulated::{Fault, SimulatedDisk};

use crate::lines::{Containing, append, deletion_of, open, texts_of, visible_of};

/// What must be true of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    There,
    Gone,
    /// Nobody was told.
    Either,
}

/// The lines of source 1, and what became of them as the client was told.
#[derive(Default)]
struct Told {
    fates: BTreeMap<String, Fate>,
}

impl Told {
    fn run(&mut self, store: &Store) {
        store.purge_with(Arc::new(Containing));
        for step in 0u64..10 {
            self.append(store, step);
            if step % 4 == 1 {
                // Whether it worked shows in what is found afterwards.
                let _ = store.flush();
            }
            if step % 3 == 2 {
                self.delete(store, &format!("word-{}", step % 4));
            }
            if step % 5 == 4 {
                let _ = store.compact();
            }
        }
    }

    fn append(&mut self, store: &Store, step: u64) {
        let lines: Vec<String> = (0..4)
            .map(|line| format!("{} step {step} word-{line}", step * 7 % 11))
            .collect();
        let is_acknowledged = append(store, 1, &lines.join("\n")).is_ok();
        let fate = if is_acknowledged {
            Fate::There
        } else {
            Fate::Either
        };
        self.fates
            .extend(lines.into_iter().map(|line| (line, fate)));
    }

    fn delete(&mut self, store: &Store, word: &str) {
        let is_answered = store.delete(deletion_of(store, 1, word), None).is_ok();
        let meant = self
            .fates
            .iter_mut()
            .filter(|(line, _)| line.ends_with(word));
        for (_, fate) in meant {
            *fate = match (is_answered, *fate) {
                (_, Fate::Gone) => Fate::Gone,
                // An append that failed may be found after a start, with a number that the deletion does not reach.
                (_, Fate::Either) | (false, _) => Fate::Either,
                (true, Fate::There) => Fate::Gone,
            };
        }
    }

    fn check(&self, found: impl IntoIterator<Item = String>, context: &str) {
        let mut fates = self.fates.clone();
        for line in found {
            let fate = fates.remove(&line);
            let is_right = matches!(fate, Some(Fate::There | Fate::Either));
            assert!(is_right, "{context}: {line} is there, {fate:?}");
        }
        let lost = fates.iter().find(|(_, fate)| **fate == Fate::There);
        assert!(lost.is_none(), "{context}: {lost:?} is lost");
    }
}

fn crash_at(operation: u64) -> (Told, SimulatedDisk) {
    let disk = SimulatedDisk::new();
    disk.fail_at(operation, Fault::Crash);
    let mut told = Told::default();
    if let Ok((store, _)) = open(&disk) {
        told.run(&store);
    }
    (told, disk)
}

fn check_recovery(told: &Told, disk: &SimulatedDisk, context: &str) {
    let (store, recovery) = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(recovery.damage, [""; 0], "{context}");
    let visible = visible_of(&store.snapshot(), 1).unwrap();
    told.check(visible.clone().into_values(), context);
    store.purge_with(Arc::new(Containing));
    store.compact().unwrap();
    assert!(store.snapshot().deletions().is_empty(), "{context}");
    let left: Vec<String> = visible.into_values().collect();
    assert_eq!(texts_of(&store, 1), left, "{context}");
    drop(store);
    let (store, _) = open(disk).unwrap();
    assert_eq!(texts_of(&store, 1), left, "{context}");
}

/// The merging thread purges beside the workload, so that the number varies a little.
fn operations_of_workload() -> u64 {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut told = Told::default();
    told.run(&store);
    told.check(
        visible_of(&store.snapshot(), 1).unwrap().into_values(),
        "without a fault",
    );
    drop(store);
    disk.operations()
}

#[test]
fn power_lost_at_every_operation() {
    let operations = operations_of_workload();
    assert!(operations > 100, "{operations}");
    for operation in 0..operations {
        for seed in 0..3 {
            let (told, disk) = crash_at(operation);
            let context = format!("power lost at operation {operation}, seed {seed}");
            check_recovery(&told, &disk.after_power_loss(seed), &context);
        }
    }
}

#[test]
fn killed_at_every_operation() {
    for operation in 0..operations_of_workload() {
        let (told, disk) = crash_at(operation);
        check_recovery(
            &told,
            &disk.after_kill(),
            &format!("killed at operation {operation}"),
        );
    }
}

/// The disk fails once and goes on: whoever was told of an error knows nothing, whoever was not knows everything.
#[test]
fn an_error_at_every_operation() {
    for operation in 0..operations_of_workload() {
        for fault in [Fault::Broken, Fault::Full] {
            let disk = SimulatedDisk::new();
            let (store, _) = open(&disk).unwrap();
            disk.fail_at(disk.operations() + operation, fault);
            let mut told = Told::default();
            told.run(&store);
            drop(store);
            disk.clear_faults();
            check_recovery(&told, &disk, &format!("{fault:?} at operation {operation}"));
        }
    }
}
