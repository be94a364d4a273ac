//! Segments in a bucket: what is read from there is what was written, what cannot be is told, and nothing goes from here
//! before it is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cordwood_event::{SourceId, Timestamp};
use cordwood_store::bucket::simulated::{BucketFault, SimulatedBucket};
use cordwood_store::disk::simulated::SimulatedDisk;
use cordwood_store::{
    Bucket, CheckReport, Depth, Disk, Options, ReadFailure, Remote, Retention, Snapshot, Store,
    check, check_with_bucket,
};

use crate::lines::{Lines, append, events_of, open, open_with, small_options, texts_of};

const PIECE_BYTES: u64 = 64;

/// A bucket of which nothing is kept here but the cache, and in which every round sweeps.
pub(crate) fn remote(bucket: &SimulatedBucket) -> Remote {
    let bucket: Arc<dyn Bucket> = Arc::new(bucket.clone());
    Remote {
        local_bytes_max: 0,
        cache_bytes_max: 1 << 20,
        piece_bytes: PIECE_BYTES,
        sweep_interval: Duration::ZERO,
        ..Remote::new(bucket)
    }
}

/// Sweeps only once: nothing happens between the calls of a test.
fn quiet(bucket: &SimulatedBucket) -> Remote {
    Remote {
        sweep_interval: Duration::from_secs(3600),
        ..remote(bucket)
    }
}

pub(crate) fn options(remote: Remote) -> Options {
    Options {
        remote: Some(remote),
        ..small_options()
    }
}

fn open_quiet(disk: &SimulatedDisk, bucket: &SimulatedBucket) -> Store {
    open_with(options(quiet(bucket)), disk).unwrap().0
}

fn files_in(disk: &SimulatedDisk, directory: &str, suffix: &str) -> Vec<String> {
    let files = disk.files().into_keys();
    files
        .filter(|path| path.starts_with(directory) && path.ends_with(suffix))
        .collect()
}

/// Three segments of two sources, all in the bucket and none here.
fn filled(disk: &SimulatedDisk, bucket: &SimulatedBucket) -> BTreeMap<u64, String> {
    let (store, _) = open(disk).unwrap();
    for number in 0..3 {
        let lines: Vec<String> = (0..10)
            .map(|line| format!("{} line {line} of {number}", 100 * number + line))
            .collect();
        append(&store, 1, &lines.join("\n")).unwrap();
        append(&store, 2, &format!("{number} other")).unwrap();
        store.flush().unwrap();
    }
    let events = events_of(&store.snapshot(), 1).unwrap();
    drop(store);
    let store = open_quiet(disk, bucket);
    store.offload().unwrap();
    assert_eq!(files_in(disk, "segments/", ".seg"), [""; 0]);
    store.close().unwrap();
    events
}

fn failure_of(snapshot: &Snapshot, source: u64) -> ReadFailure {
    events_of(snapshot, source).unwrap_err().source
}

#[test]
fn segments_go_to_the_bucket_and_are_read_from_there() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let (store, _) = open(&disk).unwrap();
    append(&store, 1, "1 one\n2 two").unwrap();
    store.flush().unwrap();
    store.close().unwrap();
    let file = disk.files()["segments/00000000000000000001.seg"].clone();
    let store = open_quiet(&disk, &bucket);
    store.offload().unwrap();
    let objects = bucket.objects();
    assert_eq!(objects.values().collect::<Vec<_>>(), [&file]);
    assert_eq!(files_in(&disk, "segments/", ".seg"), [""; 0]);
    assert_eq!(files_in(&disk, "segments/", ".head").len(), 1);
    assert_eq!(texts_of(&store, 1), ["1 one", "2 two"]);
    append(&store, 1, "3 three").unwrap();
    assert_eq!(texts_of(&store, 1).len(), 3);
    let stats = store.stats();
    assert_eq!((stats.segments, stats.segments_away), (1, 1));
    let of_bucket = stats.bucket.unwrap();
    assert_eq!((of_bucket.uploads, of_bucket.evictions), (1, 1));
    assert_eq!(of_bucket.segments_waiting, 0);
    drop(store);
    let (store, recovery) = open_with(options(quiet(&bucket)), &disk).unwrap();
    assert_eq!((recovery.damage, recovery.segments), (vec![], 1));
    assert_eq!(texts_of(&store, 1), ["1 one", "2 two", "3 three"]);
    assert_eq!(bucket.objects(), objects);
}

/// The file goes only after the bucket gave back what it was given, whatever goes wrong on the way.
#[test]
fn a_fault_at_every_operation_of_an_upload() {
    let faults = [
        BucketFault::Unreachable,
        BucketFault::AnswerLost,
        BucketFault::Corrupt,
        BucketFault::Short,
    ];
    for fault in faults {
        for operation in 0.. {
            let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
            let (store, _) = open(&disk).unwrap();
            for number in 0..3 {
                append(&store, 1, &format!("{number} event {number}")).unwrap();
                store.flush().unwrap();
            }
            let expected = texts_of(&store, 1);
            let files: Vec<Vec<u8>> = files_in(&disk, "segments/", ".seg")
                .iter()
                .map(|path| disk.files()[path].clone())
                .collect();
            drop(store);
            bucket.fail_at(operation, fault);
            let context = format!("{fault:?} at operation {operation}");
            let store = open_quiet(&disk, &bucket);
            let _ = store.offload();
            let is_beyond = bucket.operations() <= operation;
            bucket.clear_faults();
            assert_eq!(texts_of(&store, 1), expected, "{context}");
            store.offload().unwrap();
            assert_eq!(texts_of(&store, 1), expected, "{context}");
            assert_eq!(files_in(&disk, "segments/", ".seg"), [""; 0], "{context}");
            let objects: Vec<Vec<u8>> = bucket.objects().values().map(|b| b.to_vec()).collect();
            assert_eq!(objects, files, "{context}");
            if is_beyond {
                break;
            }
        }
    }
}

#[test]
fn a_bucket_out_of_reach_keeps_everything_here() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    bucket.set_down(true);
    let store = open_quiet(&disk, &bucket);
    append(&store, 1, "1 x").unwrap();
    store.flush().unwrap();
    let error = store.offload().unwrap_err();
    assert!(
        error.to_string().starts_with("could not upload segments/"),
        "{error}"
    );
    let stats = store.stats().bucket.unwrap();
    assert!(stats.upload_failures > 0, "{stats:?}");
    assert_eq!((stats.segments_waiting, stats.evictions), (1, 0));
    assert_eq!(texts_of(&store, 1), ["1 x"]);
    bucket.set_down(false);
    store.offload().unwrap();
    assert_eq!(store.stats().bucket.unwrap().evictions, 1);
    assert_eq!(texts_of(&store, 1), ["1 x"]);
}

#[test]
fn the_oldest_events_go_first_and_as_many_as_must() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let (store, _) = open(&disk).unwrap();
    for nanos in [500, 100, 900] {
        append(&store, 1, &format!("{nanos} x")).unwrap();
        store.flush().unwrap();
    }
    drop(store);
    let bytes = disk.files()["segments/00000000000000000001.seg"].len() as u64;
    let kept = Remote {
        local_bytes_max: bytes + bytes / 2,
        ..quiet(&bucket)
    };
    let (store, _) = open_with(options(kept), &disk).unwrap();
    store.offload().unwrap();
    let newest = ["segments/00000000000000000003.seg"];
    assert_eq!(files_in(&disk, "segments/", ".seg"), newest);
    assert_eq!(bucket.objects().len(), 3);
}

#[test]
fn files_go_before_the_disk_is_full() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let kept = Remote {
        local_bytes_max: 1 << 40,
        ..quiet(&bucket)
    };
    let options = Options {
        free_space_reserve_bytes: 10_000,
        ..options(kept)
    };
    let (store, _) = open_with(options, &disk).unwrap();
    append(&store, 1, "1 one").unwrap();
    store.flush().unwrap();
    store.offload().unwrap();
    assert_eq!(files_in(&disk, "segments/", ".seg").len(), 1);
    let used: u64 = disk.files().values().map(|file| file.len() as u64).sum();
    disk.set_capacity(Some(used + 30_000));
    store.offload().unwrap();
    assert_eq!(files_in(&disk, "segments/", ".seg"), [""; 0]);
    assert_eq!(texts_of(&store, 1), ["1 one"]);
}

#[test]
fn what_the_bucket_does_not_give_is_told_and_the_rest_is_read() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    filled(&disk, &bucket);
    let name = bucket.objects().into_keys().next().unwrap();
    let object = bucket.take(&name).unwrap();
    let cut = object.slice(..60);
    let mut flipped = object.to_vec();
    flipped[40] ^= 1;
    // The start asks the bucket for nothing.
    let cases: [(&str, Option<Vec<u8>>); 3] = [
        ("gone", None),
        ("cut", Some(cut.to_vec())),
        ("flipped", Some(flipped)),
    ];
    for (case, object) in cases {
        let (disk, bucket) = (disk.after_kill(), bucket.fork());
        if let Some(object) = object {
            bucket.insert(&name, object);
        }
        bucket.take_reads();
        let (store, recovery) = open_with(options(quiet(&bucket)), &disk).unwrap();
        assert_eq!(recovery.damage, [""; 0], "{case}");
        assert_eq!(bucket.take_reads(), [], "{case}");
        append(&store, 3, "1 fresh").unwrap();
        let failure = failure_of(&store.snapshot(), 1);
        match case {
            "flipped" => assert!(
                failure.to_string().contains("checksum"),
                "{case}: {failure}"
            ),
            _ => assert!(
                matches!(failure, ReadFailure::Bucket(_)),
                "{case}: {failure}"
            ),
        }
        assert_eq!(texts_of(&store, 3), ["1 fresh"], "{case}");
        let snapshot = store.snapshot();
        let readable = snapshot.parts(SourceId(1)).filter(|part| match part {
            cordwood_store::Part::Block(block) => block.timestamps().is_ok(),
            cordwood_store::Part::Open(_) => false,
        });
        assert!(
            readable.count() >= 2,
            "{case}: blocks of the other segments"
        );
    }
}

#[test]
fn a_search_waits_for_a_bucket_out_of_reach_once() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    filled(&disk, &bucket);
    let store = open_quiet(&disk, &bucket);
    store.offload().unwrap();
    bucket.set_down(true);
    let asked = bucket.operations();
    for _ in 0..5 {
        let failure = failure_of(&store.snapshot(), 1);
        let ReadFailure::Bucket(reason) = &failure else {
            panic!("{failure}");
        };
        assert!(reason.to_string().contains("simulated outage"), "{reason}");
    }
    assert_eq!(bucket.operations(), asked + 1);
    let stats = store.stats().bucket.unwrap();
    assert!(stats.outage.unwrap().contains("simulated outage"));
    assert_eq!(stats.fetch_failures, 1);
    drop(store);
    bucket.set_down(false);
    let store = open_quiet(&disk, &bucket);
    assert_eq!(texts_of(&store, 1).len(), 30);
}

#[test]
fn ranges_are_kept_over_a_restart_and_damaged_ones_fetched_again() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let expected = filled(&disk, &bucket);
    let read = |disk: &SimulatedDisk| {
        bucket.take_reads();
        let store = open_quiet(disk, &bucket);
        assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
        let cached = store.stats().bucket.unwrap().cache_bytes;
        drop(store);
        (bucket.take_reads().len(), cached)
    };
    let (first, cached) = read(&disk);
    assert!(first > 0 && cached > 0);
    assert_eq!(read(&disk), (0, cached));
    let pieces = files_in(&disk, "cache/", "");
    for (bit, piece) in pieces.iter().enumerate() {
        disk.flip_bit(piece, bit * 13 % 500);
    }
    let (again, cached_again) = read(&disk);
    assert!(again > 0);
    assert_eq!(cached_again, cached);
    // What is not synced may be anything after power loss.
    let after = disk.after_power_loss(7);
    read(&after);
    assert_eq!(read(&after).0, 0);
    disk.put("cache/00000000000000000099-00000000", vec![0; 9]);
    disk.put("cache/odd", vec![]);
    assert_eq!(read(&disk).0, 0);
    assert_eq!(files_in(&disk, "cache/", "").len(), pieces.len());
}

#[test]
fn merges_leave_what_is_away_unless_asked() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let expected = filled(&disk, &bucket);
    let eager = Options {
        merge_fan_in: 2,
        ..options(quiet(&bucket))
    };
    let (store, _) = open_with(eager, &disk).unwrap();
    append(&store, 3, "1 x").unwrap();
    store.flush().unwrap();
    store.offload().unwrap();
    let before = bucket.objects();
    assert_eq!(before.len(), 4);
    let snapshot = store.snapshot();
    let compacted = store.compact().unwrap();
    assert_eq!((compacted.segments_in, compacted.segments_out), (4, 1));
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
    // Somebody still reads the old ones: from their files, which came home.
    store.offload().unwrap();
    let stats = store.stats().bucket.unwrap();
    assert_eq!(
        (stats.uploads, stats.evictions),
        (2, 2),
        "the fresh one, the merged one"
    );
    assert_eq!(events_of(&snapshot, 1).unwrap(), expected);
    assert_eq!(bucket.objects().len(), 5);
    drop(snapshot);
    store.offload().unwrap();
    assert_eq!(store.stats().bucket.unwrap().removals, 4);
    assert_eq!(bucket.objects().len(), 1);
    assert!(
        bucket
            .objects()
            .keys()
            .all(|name| !before.contains_key(name))
    );
    assert_eq!(files_in(&disk, "segments/", "").len(), 1, "one head");
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
}

#[test]
fn a_compaction_without_its_bucket_changes_nothing() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let expected = filled(&disk, &bucket);
    let store = open_quiet(&disk, &bucket);
    store.offload().unwrap();
    bucket.set_down(true);
    let error = store.compact().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("could not bring back segments/"),
        "{error}"
    );
    bucket.set_down(false);
    bucket.fail_at(bucket.operations(), BucketFault::Corrupt);
    let error = store.compact().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("could not bring back segments/"),
        "{error}"
    );
    assert_eq!(files_in(&disk, "segments/", ".seg"), [""; 0]);
    assert_eq!(store.compact().unwrap().segments_in, 3);
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
}

#[test]
fn what_has_expired_goes_without_being_read() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    filled(&disk, &bucket);
    let store = open_quiet(&disk, &bucket);
    bucket.take_reads();
    let horizons = [1, 2].map(|source| (SourceId(source), Timestamp::from_nanos(50)));
    store.set_retention(Retention {
        now: Timestamp::from_nanos(0),
        horizons: horizons.into_iter().collect(),
        ..Retention::default()
    });
    // The first segment is dead as a whole, of the others the small source is.
    while store.stats().segments > 2 {
        std::thread::yield_now();
    }
    // Its object goes once nobody holds the segment any more.
    while bucket.objects().len() > 2 {
        store.offload().unwrap();
    }
    assert_eq!(bucket.take_reads(), []);
    let texts = texts_of(&store, 1);
    assert_eq!((texts.len(), &*texts[0]), (20, "100 line 0 of 1"));
}

#[test]
fn objects_that_no_manifest_names_go_at_the_second_look() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let expected = filled(&disk, &bucket);
    let named = bucket.objects();
    let home = named.keys().next().unwrap().split_once('/').unwrap().0;
    let orphan = format!("{home}/00000000000000000077.seg");
    let foreign = [
        format!("{home}/notes.txt"),
        "0123456789abcdef/00000000000000000077.seg".to_owned(),
        "00000000000000000077.seg".to_owned(),
    ];
    for name in foreign.iter().chain([&orphan]) {
        bucket.insert(name, vec![1, 2, 3]);
    }
    let (store, _) = open_with(options(remote(&bucket)), &disk).unwrap();
    while bucket.objects().contains_key(&orphan) {
        store.offload().unwrap();
    }
    assert_eq!(bucket.objects().len(), named.len() + foreign.len());
    assert_eq!(store.stats().bucket.unwrap().objects_missing, 0);
    bucket.take(named.keys().next().unwrap());
    store.offload().unwrap();
    assert_eq!(store.stats().bucket.unwrap().objects_missing, 1);
    drop(store);

    // One look is not enough, and with damage none is.
    for name in named.keys() {
        bucket.insert(name, named[name].clone());
    }
    bucket.insert(&orphan, vec![1, 2, 3]);
    let store = open_quiet(&disk, &bucket);
    store.offload().unwrap();
    drop(store);
    assert!(bucket.objects().contains_key(&orphan));
    disk.put("log/00000000000000000050.log", vec![7; 500]);
    let (store, recovery) = open_with(options(remote(&bucket)), &disk).unwrap();
    assert!(!recovery.damage.is_empty());
    for _ in 0..4 {
        store.offload().unwrap();
    }
    assert!(bucket.objects().contains_key(&orphan));
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
}

#[test]
fn a_backup_brings_everything_and_stands_alone() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let expected = filled(&disk, &bucket);
    let store = open_quiet(&disk, &bucket);
    let backup = store.begin_backup().unwrap();
    let cached = || store.stats().bucket.unwrap().fetched_bytes;
    let before = cached();
    let copy = SimulatedDisk::new();
    backup.copy_segments(&copy, &|_| Ok(())).unwrap();
    backup.finish(&copy).unwrap();
    assert_eq!(cached(), before, "a copy passes by");
    let as_disk: Arc<dyn Disk> = Arc::new(copy.clone());
    assert_eq!(check(&as_disk, &Lines).unwrap().findings, vec![]);
    let (restored, recovery) = open(&copy).unwrap();
    assert_eq!(recovery.damage, [""; 0]);
    assert_eq!(events_of(&restored.snapshot(), 1).unwrap(), expected);
    drop(restored);
    // In the same bucket it takes a place of its own.
    let (restored, _) = open_with(options(quiet(&bucket)), &copy).unwrap();
    restored.offload().unwrap();
    assert_eq!(bucket.objects().len(), 6);
    assert_eq!(events_of(&restored.snapshot(), 1).unwrap(), expected);
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
}

#[test]
fn a_check_looks_at_the_bucket() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    filled(&disk, &bucket);
    let check_at = |bucket: &SimulatedBucket, depth| -> CheckReport {
        let as_disk: Arc<dyn Disk> = Arc::new(disk.clone());
        check_with_bucket(&as_disk, &Lines, &quiet(bucket), depth).unwrap()
    };
    for depth in [Depth::Listed, Depth::Read] {
        let report = check_at(&bucket, depth);
        assert_eq!(report.findings, vec![], "{depth:?}");
        assert_eq!((report.segments, report.objects), (3, 3));
    }
    let without = check(&(Arc::new(disk.clone()) as Arc<dyn Disk>), &Lines).unwrap();
    assert!(
        without.is_sound() && without.findings.len() == 3,
        "{without:?}"
    );

    let sentences = |bucket: &SimulatedBucket, depth| -> Vec<String> {
        let findings = check_at(bucket, depth).findings;
        assert!(!findings.is_empty(), "{depth:?}");
        findings.into_iter().map(|found| found.sentence).collect()
    };
    let (name, object) = bucket.objects().pop_first().unwrap();
    let mut flipped = object.to_vec();
    flipped[50] ^= 8;
    bucket.insert(&name, flipped);
    assert_eq!(check_at(&bucket, Depth::Listed).findings, vec![]);
    assert_eq!(
        sentences(&bucket, Depth::Read),
        ["the checksum of its object does not match"]
    );
    bucket.insert(&name, object.slice(..50));
    let cut = sentences(&bucket, Depth::Listed);
    assert!(
        cut[0].starts_with("its object has 50 bytes, not "),
        "{cut:?}"
    );
    bucket.take(&name);
    let gone = sentences(&bucket, Depth::Listed);
    assert_eq!(gone, ["its object is not in the bucket"]);
    bucket.set_down(true);
    let down = sentences(&bucket, Depth::Listed);
    assert!(down[0].contains("could not be verified"), "{down:?}");
}

#[test]
fn a_start_without_the_bucket_says_what_is_missing() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    let expected = filled(&disk, &bucket);
    let (store, recovery) = open(&disk).unwrap();
    assert_eq!(recovery.damage, [""; 0]);
    let failure = failure_of(&store.snapshot(), 1);
    let reason = std::error::Error::source(&failure).unwrap().to_string();
    assert!(reason.contains("the configuration names none"), "{reason}");
    append(&store, 3, "1 x").unwrap();
    store.flush().unwrap();
    assert_eq!(texts_of(&store, 3), ["1 x"]);
    assert_eq!(store.compact().unwrap().merges, 0);
    assert_eq!(store.offload().unwrap().uploaded, 0);
    let stats = store.stats();
    assert_eq!((stats.segments_away, stats.bucket), (3, None));
    drop(store);
    let store = open_quiet(&disk, &bucket);
    assert_eq!(events_of(&store.snapshot(), 1).unwrap(), expected);
}

#[test]
fn damaged_heads_are_found() {
    let (disk, bucket) = (SimulatedDisk::new(), SimulatedBucket::default());
    filled(&disk, &bucket);
    let head = files_in(&disk, "segments/", ".head").remove(0);
    let bytes = disk.files()[&head].clone();
    for bit in (0..bytes.len() * 8).step_by(3) {
        let damaged = disk.after_kill();
        damaged.flip_bit(&head, bit);
        let as_disk: Arc<dyn Disk> = Arc::new(damaged);
        let report = check_with_bucket(&as_disk, &Lines, &quiet(&bucket), Depth::Listed).unwrap();
        assert!(!report.is_sound(), "bit {bit} of {}", bytes.len() * 8);
    }
    for length in 0..bytes.len() {
        let damaged = disk.after_kill();
        damaged.put(&head, bytes[..length].to_vec());
        let (store, recovery) = open_with(options(quiet(&bucket)), &damaged).unwrap();
        assert_eq!(recovery.damage.len(), 2, "{length}: one for each source");
        assert_eq!(store.snapshot().missing(SourceId(1)).count(), 1);
    }
}
