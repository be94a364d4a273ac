//! Power is lost, the disk fails, or the bucket does, at every operation of a workload whose segments go to a bucket: what
//! was acknowledged is there exactly once, here or there.

use cordwood_store::bucket::simulated::{BucketFault, SimulatedBucket};
use cordwood_store::disk::simulated::{Fault, SimulatedDisk};
use cordwood_store::{Error, Recovery, Remote, Store};

use crate::bucket::{options, remote};
use crate::crash::Sent;
use crate::lines::open_with;

/// Of the operations that go wrong one after the other, every third: many are alike, and threads share them out anew
/// each time.
const STEP: usize = 3;

fn open(disk: &SimulatedDisk, bucket: &SimulatedBucket) -> Result<(Store, Recovery), Error> {
    let remote = Remote {
        piece_bytes: 1 << 14,
        ..remote(bucket)
    };
    open_with(options(remote), disk)
}

/// How many operations of disk and bucket the workload takes, about: threads share them out anew each time.
fn operations_of_workload() -> (u64, u64) {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let (store, _) = open(&disk, &bucket).unwrap();
    let mut sent = Sent::default();
    sent.run(&store);
    sent.check(&store, "without a fault");
    store.close().unwrap();
    assert!(!bucket.objects().is_empty());
    (disk.operations(), bucket.operations())
}

/// What a start finds, what it makes of it when the client sends everything again, and after one more start.
fn check_recovery(sent: &mut Sent, disk: &SimulatedDisk, bucket: &SimulatedBucket, context: &str) {
    let opened = open(disk, bucket);
    let (store, recovery) = opened.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(recovery.damage, [""; 0], "{context}");
    sent.check(&store, context);
    sent.run(&store);
    sent.check(&store, context);
    store.offload().unwrap();
    store.close().unwrap();
    let (store, recovery) = open(disk, bucket).unwrap();
    assert_eq!(recovery.damage, [""; 0], "{context}");
    sent.check(&store, context);
}

#[test]
fn power_lost_and_processes_killed_at_every_operation_of_the_disk() {
    let (operations, _) = operations_of_workload();
    assert!(operations > 200, "{operations}");
    for operation in 0..operations {
        let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
        disk.fail_at(operation, Fault::Crash);
        let mut sent = Sent::default();
        if let Ok((store, _)) = open(&disk, &bucket) {
            sent.run(&store);
        }
        let context = format!("operation {operation}");
        let lost = disk.after_power_loss(operation);
        let killed = disk.after_kill();
        check_recovery(
            &mut sent.clone(),
            &lost,
            &bucket.fork(),
            &format!("{context}, power"),
        );
        check_recovery(&mut sent, &killed, &bucket, &format!("{context}, killed"));
    }
}

#[test]
fn a_disk_that_fails_or_is_full_at_every_operation() {
    let (operations, _) = operations_of_workload();
    for fault in [Fault::Broken, Fault::Full] {
        for operation in (0..operations).step_by(STEP) {
            let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
            disk.fail_at(operation, fault);
            let context = format!("{fault:?} at operation {operation}");
            let mut sent = Sent::default();
            if let Ok((store, _)) = open(&disk, &bucket) {
                sent.run(&store);
                sent.check(&store, &context);
            }
            disk.clear_faults();
            check_recovery(&mut sent, &disk.after_kill(), &bucket, &context);
        }
    }
}

#[test]
fn a_bucket_that_fails_at_every_operation() {
    let (_, operations) = operations_of_workload();
    assert!(operations > 20, "{operations}");
    for fault in [BucketFault::Unreachable, BucketFault::AnswerLost] {
        for operation in (0..operations).step_by(STEP) {
            let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
            bucket.fail_at(operation, fault);
            let context = format!("{fault:?} at operation {operation} of the bucket");
            let (store, _) = open(&disk, &bucket).unwrap();
            let mut sent = Sent::default();
            sent.run(&store);
            store.close().unwrap();
            bucket.clear_faults();
            check_recovery(&mut sent, &disk.after_kill(), &bucket, &context);
        }
    }
}
