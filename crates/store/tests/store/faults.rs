//! The disk fails or is full at every operation of a workload: each append is refused or acknowledged truthfully, reads
//! go on, and the next start finds what was acknowledged.

use cordwood_store::disk::simulated::{Fault, SimulatedDisk};
use cordwood_store::{AppendError, Error, Options};

use crate::crash::Sent;
use crate::lines::{append, open, open_with, small_options, texts_of};

/// How many operations a workload takes when nothing goes wrong.
fn operations_of_workload() -> u64 {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    Sent::default().run(&store);
    disk.operations()
}

/// Runs the workload with a fault, then looks at what is there: now, after a restart, and after power is lost too.
fn run_with(operation: u64, fault: Fault) {
    let context = format!("{fault:?} at operation {operation}");
    let disk = SimulatedDisk::new();
    disk.fail_at(operation, fault);
    let mut sent = Sent::default();
    let poisoned = match open(&disk) {
        Ok((store, _)) => {
            sent.run(&store);
            sent.check(&store, &context);
            let poisoned = store.stats().poisoned;
            if fault == Fault::Full {
                assert_eq!(poisoned, None, "{context}: space can come back");
                store.flush().unwrap();
                sent.check(&store, &context);
            }
            poisoned
        }
        Err(error) => {
            assert!(matches!(error, Error::Io { .. }), "{context}: {error}");
            None
        }
    };
    disk.clear_faults();
    for seed in [None, Some(0), Some(operation + 1)] {
        let left = seed.map_or_else(|| disk.after_kill(), |seed| disk.after_power_loss(seed));
        let context = format!("{context}, restarted with {seed:?}, poisoned by {poisoned:?}");
        let (store, recovery) = open(&left).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(recovery.damage, [""; 0], "{context}");
        sent.check(&store, &context);
    }
    let (store, _) = open(&disk.after_kill()).unwrap();
    sent.run(&store);
    assert_eq!(store.stats().poisoned, None, "{context}");
    sent.check(&store, &context);
}

#[test]
fn a_broken_disk_at_every_operation() {
    for operation in 0..operations_of_workload() {
        run_with(operation, Fault::Broken);
    }
}

#[test]
fn a_full_disk_at_every_operation() {
    for operation in 0..operations_of_workload() {
        run_with(operation, Fault::Full);
    }
}

#[test]
fn a_failed_sync_refuses_writes_and_nothing_refused_comes_back() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    append(&store, 1, "1 before").unwrap();
    disk.fail_at(disk.operations() + 1, Fault::Broken);
    let error = append(&store, 1, "2 refused").unwrap_err();
    assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
    assert!(error.to_string().contains("sync log/"), "{error}");
    let error = append(&store, 1, "3 refused too").unwrap_err();
    assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
    assert!(matches!(store.flush(), Err(Error::Poisoned { .. })));
    assert_eq!(texts_of(&store, 1), ["1 before"], "reads go on");
    assert_eq!(store.stats().refused_poisoned, 2);
    assert!(store.close().is_err());
    drop(store);

    let (store, recovery) = open(&disk.after_kill()).unwrap();
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!(texts_of(&store, 1), ["1 before"]);
    append(&store, 1, "4 after").unwrap();
    assert_eq!(texts_of(&store, 1), ["1 before", "4 after"]);
}

#[test]
fn a_full_disk_takes_writes_again_when_there_is_space() {
    let disk = SimulatedDisk::new();
    let options = Options {
        free_space_reserve_bytes: 4000,
        log_file_bytes: 1 << 20,
        ..small_options()
    };
    let (store, _) = open_with(options, &disk).unwrap();
    disk.set_capacity(Some(10_000));
    let body = |number: u64| format!("{number} {}", format!("{number} ").repeat(100));
    let mut accepted = 0;
    let error = loop {
        match append(&store, 1, &body(accepted)) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            error,
            AppendError::DiskFull {
                reserve_bytes: 4000,
                ..
            }
        ),
        "{error}"
    );
    assert!(accepted > 3);
    assert_eq!(texts_of(&store, 1).len() as u64, accepted);
    // The reserve is what lets a flush make space.
    store.flush().unwrap();
    append(&store, 1, &body(accepted)).unwrap();
    assert_eq!(texts_of(&store, 1).len() as u64, accepted + 1);
    disk.set_capacity(Some(0));
    assert!(!store.stats().is_disk_full);
    assert!(append(&store, 1, "1 x").is_err());
    assert!(store.stats().is_disk_full);
    disk.set_capacity(None);
    assert!(!store.stats().is_disk_full);
    append(&store, 1, "1 x").unwrap();
    assert_eq!(store.stats().poisoned, None);
    assert_eq!(store.stats().refused_disk_full, 2);
}

#[test]
fn a_disk_without_space_for_a_record_keeps_the_log_whole() {
    let disk = SimulatedDisk::new();
    let (store, _) = open(&disk).unwrap();
    append(&store, 1, "1 before").unwrap();
    disk.set_capacity(Some(
        disk.files()
            .values()
            .map(|bytes| bytes.len() as u64)
            .sum::<u64>()
            + 20,
    ));
    let error = append(&store, 1, "2 no room for this").unwrap_err();
    assert!(matches!(error, AppendError::DiskFull { .. }), "{error}");
    disk.set_capacity(None);
    assert_eq!(append(&store, 1, "3 after").unwrap().first_sequence, 2);
    drop(store);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!((recovery.damage, recovery.torn_bytes), (vec![], 0));
    assert_eq!(texts_of(&store, 1), ["1 before", "3 after"]);
}

#[test]
fn what_is_too_much_is_refused_as_busy() {
    let disk = SimulatedDisk::new();
    let options = Options {
        fresh_bytes_max: 20_000,
        ..small_options()
    };
    let (store, _) = open_with(options, &disk).unwrap();
    let body = format!("1 {}", "x".repeat(3000));
    let error = loop {
        if let Err(error) = append(&store, 1, &body) {
            break error;
        }
    };
    assert!(matches!(error, AppendError::Busy { .. }), "{error}");
    assert!(store.stats().fresh_bytes <= 20_000);
    store.flush().unwrap();
    append(&store, 1, &body).unwrap();

    let options = Options {
        unflushed_event_bytes_max: 10,
        ..small_options()
    };
    let (store, _) = open_with(options, &SimulatedDisk::new()).unwrap();
    append(&store, 1, "1 twelve bytes").unwrap();
    let error = append(&store, 1, "1 more").unwrap_err();
    assert!(error.to_string().contains("flushed"), "{error}");
    store.flush().unwrap();
    append(&store, 1, "1 more").unwrap();
}
