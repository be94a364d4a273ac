//! Whatever happens to the bytes of a log file: no panic, and no record that was not written.

use cordwood_event::{SourceId, Timestamp};
use proptest::prelude::*;

use super::file::LogHeader;
use super::group::GroupBytes;
use super::{HEADER_BYTES, LoggedRecord, StoredBody, file_name, file_number, scan};
use crate::Disk as _;
use crate::disk::read_all;
use crate::disk::simulated::SimulatedDisk;

fn record() -> impl Strategy<Value = LoggedRecord<'static>> {
    let body = prop::collection::vec(any::<u8>(), 0..80);
    let texts = ("[a-zé]{0,9}", prop::option::of("\\PC{0,9}"));
    let numbers = (any::<u64>(), any::<i64>(), 0u32..1000);
    (body, any::<bool>(), texts, numbers).prop_map(|(body, is_compressed, texts, numbers)| {
        let (source, received_at, event_count) = numbers;
        LoggedRecord {
            group_offset: 0,
            first_sequence: 0,
            event_count,
            source: SourceId(source),
            received_at: Timestamp::from_nanos(received_at),
            format: texts.0.into(),
            batch_key: texts.1.map(Into::into),
            body: pack([&*body, &*body].concat(), is_compressed),
        }
    })
}

fn pack(body: Vec<u8>, is_compressed: bool) -> StoredBody<'static> {
    match is_compressed {
        true => StoredBody::packed(body),
        false => StoredBody::plain(body),
    }
}

/// The bytes of a file, each record a group of its own, and where each begins.
fn file_of(
    mut records: Vec<LoggedRecord<'static>>,
) -> (Vec<u8>, Vec<(u64, LoggedRecord<'static>)>) {
    let header = LogHeader::new(7, 1);
    let mut bytes = header.to_bytes();
    let mut written = Vec::new();
    let mut sequence = 1;
    for mut record in records.drain(..) {
        record.group_offset = bytes.len() as u64;
        record.first_sequence = sequence;
        sequence += u64::from(record.event_count);
        let offset = bytes.len() as u64;
        record.write_head(header.marker, &mut bytes);
        bytes.extend(&*record.body.bytes);
        written.push((offset, record));
    }
    (bytes, written)
}

proptest! {
    #[test]
    fn what_is_written_is_read(records in prop::collection::vec(record(), 0..6)) {
        let (bytes, written) = file_of(records);
        for is_last in [false, true] {
            let found = scan(&bytes, is_last);
            prop_assert_eq!(found.header.map(|header| header.number), Some(7));
            prop_assert_eq!(&found.records, &written);
            prop_assert_eq!((found.gaps.len(), found.sound_end), (0, bytes.len() as u64));
        }
    }

    /// Bytes are overwritten at random: records that they do not touch are found, and no others.
    #[test]
    fn damage_costs_what_it_touches(
        records in prop::collection::vec(record(), 1..6),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
        is_last: bool,
    ) {
        let (mut bytes, written) = file_of(records);
        let mut touched = Vec::new();
        for (at, xor) in damage {
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
            touched.push(at as u64);
        }
        let ends = written.iter().skip(1).map(|(offset, _)| *offset).chain([bytes.len() as u64]);
        let intact: Vec<_> = written
            .iter()
            .zip(ends)
            .filter(|((start, _), end)| !touched.iter().any(|at| (*start..*end).contains(at)))
            .map(|(record, _)| record.clone())
            .collect();
        let found = scan(&bytes, is_last);
        prop_assert!(found.records.iter().all(|record| written.contains(record)));
        let is_header_whole = !touched.iter().any(|at| *at < HEADER_BYTES as u64);
        let is_first_whole = intact.first() == written.first();
        if is_header_whole || is_first_whole {
            // Without either, nobody knows the marker.
            prop_assert!(intact.iter().all(|record| found.records.contains(record)));
        }
    }

    #[test]
    fn a_torn_end_is_cut_and_costs_nothing_else(
        records in prop::collection::vec(record(), 1..5),
        length: prop::sample::Index,
    ) {
        let (bytes, written) = file_of(records);
        let length = HEADER_BYTES + length.index(bytes.len() - HEADER_BYTES);
        let found = scan(&bytes[..length], true);
        let whole = written.partition_point(|(offset, _)| *offset < length as u64);
        let is_boundary = written.iter().any(|(offset, _)| *offset == length as u64) || length == HEADER_BYTES;
        let whole = if is_boundary { whole } else { whole - 1 };
        prop_assert_eq!(&found.records, &written[..whole]);
        prop_assert!(found.gaps.is_empty());
        let expected_end = written.get(whole).map_or(length as u64, |(offset, _)| *offset);
        prop_assert_eq!(found.sound_end, expected_end.min(length as u64));
    }

    #[test]
    fn any_bytes_can_be_scanned(bytes in prop::collection::vec(any::<u8>(), 0..300), is_last: bool) {
        let found = scan(&bytes, is_last);
        prop_assert!(found.records.is_empty());
        prop_assert!(found.sound_end <= bytes.len() as u64);
    }

    /// Records are in a file as if they had been written one by one, however large their bodies.
    #[test]
    fn a_group_is_its_records(bodies in prop::collection::vec((any::<u8>(), 0usize..40_000), 0..6)) {
        let records: Vec<_> = bodies.iter().map(|(byte, length)| forged(vec![*byte; *length])).collect();
        let (expected, _) = file_of(records.clone());
        let header = LogHeader::parse(&expected).unwrap();
        let mut group = GroupBytes::default();
        // What a group before it left behind must not show.
        group.push(forged(vec![0; 20_000]), header.marker);
        group.clear();
        let mut end = HEADER_BYTES;
        for (index, record) in records.into_iter().enumerate() {
            let (group_offset, first_sequence) = (end as u64, 1 + index as u64);
            let record = LoggedRecord { group_offset, first_sequence, ..record };
            group.push(record, header.marker);
            end = HEADER_BYTES + group.bytes();
        }
        let disk = SimulatedDisk::new();
        disk.create_dir("").unwrap();
        let file = disk.create("log").unwrap();
        group.append_to(file.as_ref()).unwrap();
        prop_assert_eq!(read_all(file.as_ref()).unwrap(), &expected[HEADER_BYTES..]);
    }

    #[test]
    fn bodies_come_back(body in prop::collection::vec(0u8..4, 0..500), is_compressed: bool) {
        let packed = pack(body.clone(), is_compressed);
        prop_assert!(packed.bytes.len() <= body.len());
        prop_assert_eq!(&*packed.unpack().unwrap(), &*body);
    }

    #[test]
    fn file_names_come_back(number in 0u64..1 << 62) {
        let path = file_name(number);
        prop_assert_eq!(file_number(path.strip_prefix("log/").unwrap()), Some(number));
    }
}

/// A body that holds a whole record, as a sender might craft one, is not read as a record when the record around it
/// is damaged: the sender cannot know the marker.
#[test]
fn a_body_cannot_pose_as_a_record() {
    let (inner, _) = file_of(vec![forged(b"inner".to_vec())]);
    let (mut outer, written) = file_of(vec![forged(inner), forged(b"last".to_vec())]);
    let crc_at = HEADER_BYTES + 12;
    outer[crc_at] ^= 1;
    let found = scan(&outer, false);
    assert_eq!(found.records, written[1..]);
    assert_eq!(found.gaps.len(), 1);
}

fn forged(body: Vec<u8>) -> LoggedRecord<'static> {
    LoggedRecord {
        group_offset: 40,
        first_sequence: 1,
        event_count: 1,
        source: SourceId(1),
        received_at: Timestamp::from_nanos(0),
        format: "lines".into(),
        batch_key: None,
        body: StoredBody::plain(body),
    }
}
