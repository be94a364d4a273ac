//! A manifest comes back as it was written, or not at all.

use cordwood_event::{SourceId, Timestamp};
use proptest::prelude::*;

use super::{Manifest, SegmentEntry, SourceEntry};
use crate::SourceTotals;
use crate::batch_keys::{KeyDigest, KeyUse};
use crate::bucket::Home;
use crate::segment::{Object, SegmentId};

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
    let home = any::<Option<u64>>();
    (prop::array::uniform4(1u64..1 << 62), segments, keys, home).prop_map(
        |(numbers, segments, batch_keys, home)| {
            let manifest = Manifest {
                number: numbers[0],
                log_floor: numbers[1],
                next_sequence: numbers[2],
                next_segment: numbers[3],
                segments,
                batch_keys,
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
