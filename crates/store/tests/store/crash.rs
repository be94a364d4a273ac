//! Power is lost, or the process killed, at every operation of a workload, and again while recovering from it: what was
//! acknowledged is there exactly once, and what was not is there whole or not at all.

use std::collections::BTreeMap;

use cordwood_store::disk::simulated::{Fault, SimulatedDisk};
use cordwood_store::{AppendError, Store};

use crate::lines::{append_of, events_of, open};

/// What a workload got answered: by key, the lines sent, and whether they were acknowledged.
#[derive(Clone, Default)]
pub(crate) struct Sent {
    batches: BTreeMap<String, (u64, Vec<String>, bool)>,
}

const STEPS: u64 = 24;

impl Sent {
    /// Appends batches with keys to three sources, with flushes between; file rotations come by themselves.
    /// Goes on after errors, as clients do, and sends again what failed, once.
    pub(crate) fn run(&mut self, store: &Store) {
        for step in 0..STEPS {
            for attempt in 0..2 {
                if self.send(store, step) || attempt == 1 {
                    break;
                }
            }
            if step % 9 == 7 || step == STEPS - 2 {
                // Whether it worked shows in what is found afterwards.
                let _ = store.flush();
                let _ = store.offload();
                let _ = store.compact();
                let _ = store.offload();
            }
        }
    }

    pub(crate) fn send(&mut self, store: &Store, step: u64) -> bool {
        let source = 1 + step % 3;
        let key = format!("key {step}");
        // Now and then a body that is written by itself, not copied to others.
        let padding = "-".repeat(if step % 8 == 5 { 20_000 } else { 0 });
        let nanos = |line| (step * 37 + line * 11) % 100;
        let lines: Vec<String> = (0..1 + step % 4)
            .map(|line| format!("{} step {step} line {line}{padding}", nanos(line)))
            .collect();
        let result = store.append(append_of(source, Some(&key), &lines.join("\n")));
        if let Err(error) = &result {
            let is_expected = matches!(
                error,
                AppendError::Poisoned { .. } | AppendError::DiskFull { .. }
            );
            assert!(is_expected, "{error}");
        }
        let is_acknowledged = result.is_ok();
        let entry = self.batches.entry(key).or_insert((source, lines, false));
        entry.2 |= is_acknowledged;
        is_acknowledged
    }

    /// Every acknowledged batch is there once, every other at most once and whole, and there is nothing else.
    pub(crate) fn check(&self, store: &Store, context: &str) {
        let snapshot = store.snapshot();
        for source in 1..=3 {
            let events = events_of(&snapshot, source).unwrap();
            let mut found: BTreeMap<&str, usize> = BTreeMap::new();
            for line in events.values() {
                *found.entry(line).or_default() += 1;
            }
            let of_source = self.batches.values().filter(|batch| batch.0 == source);
            for (_, lines, is_acknowledged) in of_source {
                let counts: Vec<usize> = lines
                    .iter()
                    .map(|line| found.remove(&**line).unwrap_or(0))
                    .collect();
                let is_whole = counts
                    .iter()
                    .all(|count| *count == counts[0] && *count <= 1);
                assert!(is_whole, "{context}: {lines:?} are there {counts:?} times");
                assert!(
                    !is_acknowledged || counts[0] == 1,
                    "{context}: {lines:?} are lost"
                );
            }
            assert!(found.is_empty(), "{context}: {found:?} were never sent");
        }
    }
}

/// What a start finds on `disk`, what it makes of it when the client sends everything again, and after one more start.
fn check_recovery(sent: &mut Sent, disk: &SimulatedDisk, context: &str) {
    let (store, recovery) = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(recovery.damage, [""; 0], "{context}");
    sent.check(&store, context);
    sent.run(&store);
    assert!(sent.batches.values().all(|batch| batch.2), "{context}");
    sent.check(&store, context);
    drop(store);
    let (store, recovery) = open(disk).unwrap();
    assert_eq!(
        (recovery.damage, recovery.torn_bytes),
        (vec![], 0),
        "{context}"
    );
    sent.check(&store, context);
}

fn operations_of_workload() -> u64 {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    let mut sent = Sent::default();
    sent.run(&store);
    sent.check(&store, "without a fault");
    drop(store);
    disk.operations()
}

/// Runs the workload until a crash at an operation; the client's view, and the disk.
fn crash_at(operation: u64) -> (Sent, SimulatedDisk) {
    let disk = SimulatedDisk::new();
    disk.fail_at(operation, Fault::Crash);
    let mut sent = Sent::default();
    if let Ok((store, _)) = open(&disk) {
        sent.run(&store);
    }
    (sent, disk)
}

#[test]
fn power_lost_at_every_operation() {
    let operations = operations_of_workload();
    assert!(operations > 100, "{operations}");
    for operation in 0..operations {
        for seed in 0..6 {
            let (mut sent, disk) = crash_at(operation);
            let context = format!("power lost at operation {operation}, seed {seed}");
            check_recovery(&mut sent, &disk.after_power_loss(seed), &context);
        }
    }
}

#[test]
fn killed_at_every_operation() {
    for operation in 0..operations_of_workload() {
        let (mut sent, disk) = crash_at(operation);
        let context = format!("killed at operation {operation}");
        check_recovery(&mut sent, &disk.after_kill(), &context);
    }
}

#[test]
fn power_lost_right_after_recovering_from_a_kill() {
    for operation in 0..operations_of_workload() {
        for seed in 0..6 {
            let (mut sent, disk) = crash_at(operation);
            let context = format!("killed at operation {operation}, then power lost, {seed}");
            let disk = disk.after_kill();
            let (store, _) = open(&disk).unwrap();
            sent.check(&store, &context);
            // What a search sees now must not vanish: it counts as acknowledged.
            sent.acknowledge_what_is_there(&store);
            let left = disk.after_power_loss(seed);
            drop(store);
            check_recovery(&mut sent, &left, &context);
        }
    }
}

#[test]
fn power_lost_at_every_operation_of_a_recovery() {
    for first in (0..operations_of_workload()).step_by(7) {
        let (_, crashed) = crash_at(first);
        let crashed = crashed.after_power_loss(first);
        let probe = crashed.after_kill();
        drop(open(&probe).unwrap());
        for second in 0..probe.operations() {
            let (mut sent, _) = crash_at(first);
            let disk = crashed.after_kill();
            disk.fail_at(second, Fault::Crash);
            let context = format!("power lost at operation {first}, then {second}");
            assert!(
                open(&disk).is_err() || disk.operations() <= second,
                "{context}"
            );
            check_recovery(&mut sent, &disk.after_power_loss(second), &context);
        }
    }
}

impl Sent {
    fn acknowledge_what_is_there(&mut self, store: &Store) {
        let snapshot = store.snapshot();
        for (source, lines, is_acknowledged) in self.batches.values_mut() {
            let events = events_of(&snapshot, *source).unwrap();
            *is_acknowledged |= events.values().any(|line| *line == lines[0]);
        }
    }
}
