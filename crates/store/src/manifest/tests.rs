//! A manifest comes back as it was written, or not at all.

use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};
use proptest::prelude::*;

use super::{Manifest, SegmentEntry, SourceEntry};
use crate::batch_keys::{KeyDigest, KeyUse};
use crate::bucket::Home;
use crate::deletion::PURGED_KEPT;
use crate::segment::{Object, SegmentId};
use crate::{
    DeletedSource, Deletion, DeletionId, DeletionRequest, DeletionState, Eviction, SourceTotals,
};

fn source_entry() -> impl Strategy<Value = SourceEntry> {
    (any::<[u64; 3]>(), any::<[i64; 2]>(), any::<[u32; 2]>()).prop_map(
        |(numbers, times, blocks)| SourceEntry {
            source: SourceId(numbers[0]),
            totals: SourceTotals {
                rows: numbers[1],
                event_bytes: numbers[2],
                time_min: Timestamp::from_nanos(times[0]),
                time_max: Timestamp::from_nanos(times[1]),
            },
            first_block: blocks[0],
            block_count: blocks[1],
        },
    )
}

fn deletion() -> impl Strategy<Value = Deletion> {
    let source = (any::<u64>(), ".{0,9}").prop_map(|(id, name)| DeletedSource {
        id: SourceId(id),
        name,
    });
    let state = prop::sample::select(&[DeletionState::Hidden, DeletionState::Purged][..]);
    let events_hidden = prop::option::of(0..u64::MAX);
    (
        (1u64..1 << 62, any::<[i64; 3]>(), any::<[u64; 3]>()),
        (".{0,20}", prop::collection::vec(source, 0..3)),
        (state, events_hidden),
    )
        .prop_map(
            |((id, times, numbers), (query, sources), (state, events_hidden))| Deletion {
                id: DeletionId(id),
                request: Arc::new(DeletionRequest {
                    sources,
                    first: Timestamp::from_nanos(times[0]),
                    last: Timestamp::from_nanos(times[1]),
                    query,
                    requested_at: Timestamp::from_nanos(times[2]),
                    up_to_sequence: numbers[0],
                }),
                state,
                events_hidden,
                events_purged: numbers[1],
                bytes_purged: numbers[2],
            },
        )
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let segment = (
        1u64..1 << 62,
        any::<u64>(),
        any::<Option<u32>>(),
        prop::collection::vec(source_entry(), 0..4),
    );
    let segment = segment.prop_map(|(id, file_bytes, crc, sources)| SegmentEntry {
        id: SegmentId(id),
        file_bytes,
        object: crc.map(|crc| Object { crc }),
        sources,
    });
    let key =
        (any::<u128>(), any::<i64>(), any::<u64>()).prop_map(|(digest, at, first_sequence)| {
            let received_at = Timestamp::from_nanos(at);
            let found = KeyUse {
                received_at,
                first_sequence,
            };
            (KeyDigest(digest), found)
        });
    let segments = prop::collection::vec(segment, 0..4);
    let keys = prop::collection::vec(key, 0..4);
    let deletions = prop::collection::vec(deletion(), 0..4);
    let numbers = prop::array::uniform5(1u64..1 << 62);
    let eviction = (any::<u64>(), any::<i64>(), any::<u64>()).prop_map(|(source, nanos, last)| {
        let eviction = Eviction {
            before: Timestamp::from_nanos(nanos),
            up_to_sequence: last,
        };
        (SourceId(source), eviction)
    });
    let evictions = prop::collection::vec(eviction, 0..3);
    let home = any::<Option<u64>>();
    (numbers, segments, keys, deletions, evictions, home).prop_map(
        |(numbers, segments, batch_keys, deletions, evictions, home)| {
            let manifest = Manifest {
                number: numbers[0],
                log_floor: numbers[1],
                next_sequence: numbers[2],
                next_segment: numbers[3],
                segments,
                batch_keys,
                next_deletion: numbers[4],
                deletions,
                evictions: evictions.into_iter().collect(),
                home: home.map(Home),
            };
            // Objects are somewhere.
            match manifest.home {
                Some(_) => manifest,
                None => manifest.without_bucket(),
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(manifest in manifest()) {
        prop_assert_eq!(Manifest::parse(&manifest.to_bytes()), Ok(manifest));
    }

    /// A checksum made to fit lets any content through to the parser, which must not trust a count in it.
    #[test]
    fn any_content_can_be_parsed(manifest in manifest(), at: prop::sample::Index, byte: u8) {
        let mut bytes = manifest.to_bytes();
        let content = bytes.len() - 4;
        bytes[at.index(content)] = byte;
        let crc = crc32c::crc32c(&bytes[..content]);
        bytes[content..].copy_from_slice(&crc.to_le_bytes());
        if let Ok(parsed) = Manifest::parse(&bytes) {
            prop_assert_eq!(parsed.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_cut_manifest_is_none(manifest in manifest(), length: prop::sample::Index) {
        let bytes = manifest.to_bytes();
        prop_assert!(Manifest::parse(&bytes[..length.index(bytes.len())]).is_err());
    }
}

#[test]
fn the_oldest_records_of_what_is_done_are_forgotten() {
    let deletion = |number| Deletion {
        id: DeletionId(number),
        request: Arc::new(DeletionRequest {
            sources: Vec::new(),
            first: Timestamp::MIN,
            last: Timestamp::MAX,
            query: String::new(),
            requested_at: Timestamp::from_nanos(0),
            up_to_sequence: 0,
        }),
        state: DeletionState::Hidden,
        events_hidden: None,
        events_purged: 0,
        bytes_purged: 0,
    };
    let last = PURGED_KEPT as u64 + 3;
    let mut manifest = Manifest {
        deletions: (1..=last).map(deletion).collect(),
        ..Manifest::empty()
    };
    let all_but_one: Vec<DeletionId> = (2..=last).map(DeletionId).collect();
    manifest.mark_purged(&all_but_one);
    let left: Vec<u64> = manifest.deletions.iter().map(|kept| kept.id.0).collect();
    let expected: Vec<u64> = [1].into_iter().chain(4..=last).collect();
    assert_eq!(left, expected);
    assert_eq!(manifest.standing_deletions().count(), 1);
}
