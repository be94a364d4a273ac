//! The cache gives what the object holds, or an error; never more bytes on disk than it may take.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::RangeCache;
use crate::bucket::simulated::{BucketFault, SimulatedBucket};
use crate::bucket::{Home, Objects, Remote};
use crate::disk::simulated::SimulatedDisk;
use crate::segment::SegmentId;

const SEGMENT: SegmentId = SegmentId(5);

/// A cache before a bucket with one object of so many bytes.
fn cache_of(disk: &SimulatedDisk, bucket: &SimulatedBucket, limits: (u64, u64)) -> RangeCache {
    let remote = Remote {
        piece_bytes: limits.0,
        cache_bytes_max: limits.1,
        ..Remote::new(Arc::new(bucket.clone()))
    };
    let objects = Arc::new(Objects::new(remote, Some(Home(1))));
    let live = BTreeSet::from([SEGMENT]);
    RangeCache::open(Arc::new(disk.clone()), objects, 0, &live).unwrap()
}

fn bucket_with(bytes: &[u8]) -> SimulatedBucket {
    let bucket = SimulatedBucket::default();
    let name = format!("{}{}", Home(1).prefix(), SEGMENT.file_name());
    bucket.insert(&name, bytes.to_vec());
    bucket
}

fn bytes_on(disk: &SimulatedDisk) -> u64 {
    let files = disk.files().into_values();
    files.map(|bytes| bytes.len() as u64).sum()
}

fn object(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at.wrapping_mul(37) >> 3).to_le_bytes()[0])
        .collect()
}

proptest! {
    #[test]
    fn reads_are_of_the_object(
        length in 1usize..2000,
        limits in (1u64..300, 0u64..1000),
        reads in prop::collection::vec((any::<prop::sample::Index>(), 0usize..400, 0u8..12), 1..40),
    ) {
        let object = object(length);
        let (mut disk, bucket) = (SimulatedDisk::new(), bucket_with(&object));
        let mut cache = cache_of(&disk, &bucket, limits);
        for (number, (at, count, event)) in (0u64..).zip(reads) {
            let offset = at.index(length + 20);
            let mut buffer = vec![0; count];
            bucket.clear_faults();
            match event {
                0 => bucket.fail_at(bucket.operations(), BucketFault::Unreachable),
                1 => bucket.fail_at(bucket.operations(), BucketFault::Short),
                2 => {
                    disk = disk.after_power_loss(number);
                    cache = cache_of(&disk, &bucket, limits);
                }
                // Pieces of another size, as a later version may have them.
                3 => cache = cache_of(&disk, &bucket, (limits.0 + 7, limits.1)),
                4 => cache = cache_of(&disk, &bucket, limits),
                _ => {}
            }
            let read = cache.read_at(SEGMENT, length as u64, offset as u64, &mut buffer);
            match object.get(offset..offset + count) {
                Some(expected) if read.is_ok() => prop_assert_eq!(buffer, expected),
                Some(_) => {
                    let is_fault = event < 2 || cache.outage().is_some();
                    prop_assert!(is_fault, "{:?}", read);
                }
                None => prop_assert!(read.is_err()),
            }
            prop_assert!(cache.bytes() <= limits.1);
            prop_assert!(bytes_on(&disk) <= limits.1);
        }
    }
}

#[test]
fn readers_of_one_range_ask_for_it_once() {
    let object = object(1000);
    let (disk, bucket) = (SimulatedDisk::new(), bucket_with(&object));
    let cache = cache_of(&disk, &bucket, (100, 10_000));
    std::thread::scope(|scope| {
        for reader in 0..8usize {
            let (cache, object) = (&cache, &object);
            scope.spawn(move || {
                for offset in (0..900).step_by(50 + reader) {
                    let mut buffer = [0; 100];
                    cache
                        .read_at(SEGMENT, 1000, offset as u64, &mut buffer)
                        .unwrap();
                    assert_eq!(buffer, object[offset..offset + 100]);
                }
            });
        }
    });
    let mut asked: Vec<u64> = bucket
        .take_reads()
        .into_iter()
        .flat_map(|(_, range)| range)
        .collect();
    asked.sort_unstable();
    assert!(
        asked.is_sorted_by(|a, b| a < b),
        "a byte was asked for twice"
    );
}

#[test]
fn neighbours_are_fetched_together() {
    let bucket = bucket_with(&object(1000));
    let cache = cache_of(&SimulatedDisk::new(), &bucket, (100, 10_000));
    let mut buffer = [0; 700];
    cache.read_at(SEGMENT, 1000, 250, &mut buffer).unwrap();
    let ranges = |bucket: &SimulatedBucket| -> Vec<std::ops::Range<u64>> {
        let reads = bucket.take_reads().into_iter();
        reads.map(|(_, range)| range).collect()
    };
    assert_eq!(ranges(&bucket), vec![200..1000]);
    cache.read_at(SEGMENT, 1000, 150, &mut buffer).unwrap();
    assert_eq!(ranges(&bucket), vec![100..200]);
}
