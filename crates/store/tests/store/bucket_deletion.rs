//! Deletions of events that lie in a bucket: hidden while it is out of reach, and purged by themselves once it answers again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cordwood_event::SourceId;
use cordwood_store::bucket::simulated::{BucketFault, SimulatedBucket};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{Deletion, DeletionState, Remote, Store};

use crate::bucket::{options, remote};
use crate::deletion::wait_until_purged;
use crate::lines::{Containing, append, deletion_of, open_with, texts_of, visible_of};

/// Asks a bucket that failed again almost at once.
fn open(disk: &SimulatedDisk, bucket: &SimulatedBucket) -> Store {
    let impatient = Remote {
        sweep_interval: Duration::from_secs(3600),
        retry_after: Duration::from_millis(1),
        ..remote(bucket)
    };
    open_with(options(impatient), disk).unwrap().0
}

/// Two segments in the bucket, of source 1 and of source 2, and none of their blocks here.
fn filled(disk: &SimulatedDisk, bucket: &SimulatedBucket) -> Store {
    let store = open(disk, bucket);
    append(&store, 1, "1 keep\n2 drop\n3 drop").unwrap();
    store.flush().unwrap();
    append(&store, 2, "4 drop\n5 keep").unwrap();
    store.flush().unwrap();
    store.offload().unwrap();
    assert_eq!(store.stats().segments_away, 2);
    store
}

fn state_of(store: &Store, deletion: &Deletion) -> DeletionState {
    let deletions = store.deletions();
    let found = deletions.iter().find(|found| found.id == deletion.id);
    found.unwrap().state
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < give_up, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_deletion_goes_on_when_the_bucket_answers_again() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let store = filled(&disk, &bucket);
    store.purge_with(Arc::new(Containing));
    bucket.set_down(true);
    let asked = bucket.operations();
    let request = deletion_of(&store, 1, "drop");
    let deletion = store.delete(request, Some(2)).unwrap();
    wait_until("it is asked again and again", || {
        bucket.operations() > asked + 3
    });
    assert_eq!(state_of(&store, &deletion), DeletionState::Hidden);
    assert_eq!(store.stats().merge_failures, 0);

    bucket.set_down(false);
    let purged = wait_until_purged(&store, &deletion);
    assert_eq!(purged.events_purged, 2);
    assert_eq!(texts_of(&store, 1), ["1 keep"]);
    assert_eq!(texts_of(&store, 2), ["4 drop", "5 keep"]);
}

/// Whatever request fails first: looking for the rows, bringing the segment home, or the ones after.
#[test]
fn an_outage_at_every_request_of_a_purge() {
    for outage in 0..20 {
        let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
        let store = filled(&disk, &bucket);
        bucket.fail_at(bucket.operations() + outage, BucketFault::Unreachable);
        store.purge_with(Arc::new(Containing));
        let request = deletion_of(&store, 1, "drop");
        let deletion = store.delete(request, Some(2)).unwrap();
        let purged = wait_until_purged(&store, &deletion);
        assert_eq!(purged.events_purged, 2, "request {outage}");
        // Should the purge have taken fewer requests, the outage is not for those of the test.
        bucket.clear_faults();
        assert_eq!(texts_of(&store, 1), ["1 keep"], "request {outage}");
    }
}

#[test]
fn what_is_here_does_not_wait_for_the_bucket() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let store = filled(&disk, &bucket);
    store.purge_with(Arc::new(Containing));
    bucket.set_down(true);
    let away = deletion_of(&store, 1, "drop");
    let away = store.delete(away, Some(2)).unwrap();
    append(&store, 3, "6 drop\n7 keep").unwrap();
    let here = deletion_of(&store, 3, "drop");
    let here = store.delete(here, Some(1)).unwrap();
    wait_until_purged(&store, &here);
    assert_eq!(texts_of(&store, 3), ["7 keep"]);
    assert_eq!(state_of(&store, &away), DeletionState::Hidden);
    let parts = store.snapshot().parts(SourceId(3)).count();
    assert_eq!(parts, 1);

    let error = store.compact().unwrap_err();
    assert!(
        error.to_string().contains("segments/"),
        "who asks is told: {error}"
    );
    bucket.set_down(false);
    assert_eq!(wait_until_purged(&store, &away).events_purged, 2);
    assert_eq!(
        visible_of(&store.snapshot(), 1)
            .unwrap()
            .into_values()
            .collect::<Vec<_>>(),
        ["1 keep"]
    );
}
