//! The bytes of a manifest.

use cordwood_event::{SourceId, Timestamp};

use super::deletions::{parse_deletions, write_deletions};
use super::{Manifest, SegmentEntry, SourceEntry};
use crate::batch_keys::{KeyDigest, KeyUse};
use crate::bucket::Home;
use crate::fixed::Fixed;
use crate::segment::{Object, SegmentId};
use crate::{Eviction, SourceTotals};

const MAGIC: [u8; 8] = *b"CwdMan\r\n";
const VERSION: u32 = 1;

/// Why bytes are no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManifestError {
    /// Truncated, altered, or something else altogether.
    Damaged,
    /// From a later version.
    NewerFormat(u32),
}

impl Manifest {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        for number in [
            self.number,
            self.log_floor,
            self.next_sequence,
            self.next_segment,
        ] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend((self.segments.len() as u64).to_le_bytes());
        for segment in &self.segments {
            write_segment(segment, &mut bytes);
        }
        bytes.extend((self.batch_keys.len() as u64).to_le_bytes());
        for (key, found) in &self.batch_keys {
            bytes.extend(key.0.to_le_bytes());
            bytes.extend(found.received_at.as_nanos().to_le_bytes());
            bytes.extend(found.first_sequence.to_le_bytes());
        }
        write_deletions(self, &mut bytes);
        bytes.extend((self.evictions.len() as u64).to_le_bytes());
        for (source, eviction) in &self.evictions {
            bytes.extend(source.0.to_le_bytes());
            bytes.extend(eviction.before.as_nanos().to_le_bytes());
            bytes.extend(eviction.up_to_sequence.to_le_bytes());
        }
        if let Some(home) = self.home {
            write_objects(home, &self.segments, &mut bytes);
        }
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Manifest, ManifestError> {
        let damaged = ManifestError::Damaged;
        let (content, crc) = bytes.split_last_chunk::<4>().ok_or(damaged)?;
        if crc32c::crc32c(content) != u32::from_le_bytes(*crc) {
            return Err(damaged);
        }
        let mut fields = Fixed::new(content);
        if fields.array() != Some(MAGIC) {
            return Err(damaged);
        }
        match fields.u32() {
            Some(VERSION) => parse_content(fields).ok_or(damaged),
            Some(version) if version > VERSION => Err(ManifestError::NewerFormat(version)),
            _ => Err(damaged),
        }
    }
}

fn write_segment(segment: &SegmentEntry, bytes: &mut Vec<u8>) {
    bytes.extend(segment.id.0.to_le_bytes());
    bytes.extend(segment.file_bytes.to_le_bytes());
    bytes.extend((segment.sources.len() as u64).to_le_bytes());
    for entry in &segment.sources {
        let SourceTotals {
            rows,
            event_bytes,
            time_min,
            time_max,
        } = entry.totals;
        bytes.extend(entry.source.0.to_le_bytes());
        bytes.extend(rows.to_le_bytes());
        bytes.extend(event_bytes.to_le_bytes());
        bytes.extend(time_min.as_nanos().to_le_bytes());
        bytes.extend(time_max.as_nanos().to_le_bytes());
        bytes.extend(entry.first_block.to_le_bytes());
        bytes.extend(entry.block_count.to_le_bytes());
    }
}

/// Left out where there never was a bucket.
fn write_objects(home: Home, segments: &[SegmentEntry], bytes: &mut Vec<u8>) {
    bytes.extend(home.0.to_le_bytes());
    let objects = segments.iter().filter_map(|entry| entry.object);
    bytes.extend((objects.count() as u64).to_le_bytes());
    for (index, entry) in (0u32..).zip(segments) {
        if let Some(object) = entry.object {
            bytes.extend(index.to_le_bytes());
            bytes.extend(object.crc.to_le_bytes());
        }
    }
}

fn parse_content(mut fields: Fixed<'_>) -> Option<Manifest> {
    let mut manifest = Manifest {
        number: fields.number()?,
        log_floor: fields.number()?,
        next_sequence: fields.number()?,
        next_segment: fields.number()?,
        ..Manifest::default()
    };
    for _ in 0..fields.u64()? {
        manifest.segments.push(parse_segment(&mut fields)?);
    }
    for _ in 0..fields.u64()? {
        let key = KeyDigest(fields.u128()?);
        let found = KeyUse {
            received_at: Timestamp::from_nanos(fields.i64()?),
            first_sequence: fields.u64()?,
        };
        manifest.batch_keys.push((key, found));
    }
    parse_deletions(&mut fields, &mut manifest)?;
    let mut last = None;
    for _ in 0..fields.u64()? {
        let source = SourceId(fields.u64()?);
        let eviction = Eviction {
            before: Timestamp::from_nanos(fields.i64()?),
            up_to_sequence: fields.u64()?,
        };
        if last.replace(source) >= Some(source) {
            return None;
        }
        manifest.evictions.insert(source, eviction);
    }
    if !fields.rest().is_empty() {
        manifest.home = Some(Home(fields.u64()?));
        parse_objects(&mut fields, &mut manifest.segments)?;
    }
    fields.rest().is_empty().then_some(manifest)
}

fn parse_objects(fields: &mut Fixed<'_>, segments: &mut [SegmentEntry]) -> Option<()> {
    let mut next = 0;
    for _ in 0..fields.u64()? {
        let index = usize::try_from(fields.u32()?).ok()?;
        // They rise, so that there is one way to write them.
        let entry = segments.get_mut(index).filter(|_| index >= next)?;
        entry.object = Some(Object { crc: fields.u32()? });
        next = index + 1;
    }
    Some(())
}

fn parse_segment(fields: &mut Fixed<'_>) -> Option<SegmentEntry> {
    let mut segment = SegmentEntry {
        id: SegmentId(fields.number()?),
        file_bytes: fields.u64()?,
        object: None,
        sources: Vec::new(),
    };
    for _ in 0..fields.u64()? {
        segment.sources.push(SourceEntry {
            source: SourceId(fields.u64()?),
            totals: SourceTotals {
                rows: fields.u64()?,
                event_bytes: fields.u64()?,
                time_min: Timestamp::from_nanos(fields.i64()?),
                time_max: Timestamp::from_nanos(fields.i64()?),
            },
            first_block: fields.u32()?,
            block_count: fields.u32()?,
        });
    }
    Some(segment)
}
