//! One record: a request's body with what is needed to decode it again.

use std::borrow::Cow;

use cordwood_event::{SourceId, Timestamp};

use super::file::Marker;
use crate::fixed::Fixed;

/// Marker, length of the payload, checksum of length and payload.
pub(super) const RECORD_HEAD_BYTES: usize = 16;
const PAYLOAD_HEAD_BYTES: usize = 48;
const KIND_EVENTS: u8 = 1;
const HAS_BATCH_KEY: u8 = 1;

/// The most bytes of a body, before and after compression in the log. Larger than any request (20 MiB); bounds what a reader
/// allocates for damaged bytes.
pub(crate) const RECORD_BODY_BYTES_MAX: usize = 128 << 20;

/// A body as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredBody<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// The length of the body as received, if `bytes` is its LZ4 block.
    pub(crate) plain_length: Option<u32>,
}

impl<'a> StoredBody<'a> {
    /// The body as it is.
    pub(crate) fn plain(body: Vec<u8>) -> StoredBody<'a> {
        StoredBody {
            bytes: body.into(),
            plain_length: None,
        }
    }

    /// The body compressed, where that makes it smaller.
    pub(crate) fn packed(body: Vec<u8>) -> StoredBody<'a> {
        let Ok(length) = u32::try_from(body.len()) else {
            return StoredBody::plain(body);
        };
        let packed = lz4_flex::block::compress(&body);
        if packed.len() >= body.len() {
            return StoredBody::plain(body);
        }
        StoredBody {
            bytes: packed.into(),
            plain_length: Some(length),
        }
    }

    /// The body as received.
    pub(crate) fn unpack(&self) -> Result<Cow<'_, [u8]>, String> {
        let Some(length) = self.plain_length else {
            return Ok(Cow::Borrowed(&self.bytes));
        };
        let length = length as usize;
        if length > RECORD_BODY_BYTES_MAX {
            return Err("a body longer than any".into());
        }
        let body = lz4_flex::block::decompress(&self.bytes, length)
            .map_err(|error| format!("the body does not decompress: {error}"))?;
        Ok(body.into())
    }
}

/// A record of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggedRecord<'a> {
    /// Where the group of records begins that was written and synced with this one: all before it was durable.
    pub(crate) group_offset: u64,
    pub(crate) first_sequence: u64,
    pub(crate) event_count: u32,
    pub(crate) source: SourceId,
    pub(crate) received_at: Timestamp,
    pub(crate) format: Cow<'a, str>,
    pub(crate) batch_key: Option<Cow<'a, str>>,
    pub(crate) body: StoredBody<'a>,
}

impl LoggedRecord<'_> {
    /// Appends the record as it is on disk, but for the body, which comes right behind. Format and key are at most 64 KiB, the
    /// body [`RECORD_BODY_BYTES_MAX`]: the caller has checked.
    pub(crate) fn write_head(&self, marker: Marker, out: &mut Vec<u8>) {
        let key = self.batch_key.as_deref().unwrap_or_default();
        let payload_bytes =
            PAYLOAD_HEAD_BYTES + self.format.len() + key.len() + self.body.bytes.len();
        out.extend(marker);
        let checked_from = out.len();
        out.extend(narrow_32(payload_bytes).to_le_bytes());
        let crc_at = out.len();
        out.extend([0; 4]);
        out.push(KIND_EVENTS);
        out.push(if self.batch_key.is_some() {
            HAS_BATCH_KEY
        } else {
            0
        });
        out.extend(narrow_16(self.format.len()).to_le_bytes());
        out.extend(narrow_16(key.len()).to_le_bytes());
        out.extend([0; 2]);
        out.extend(self.body.plain_length.unwrap_or(0).to_le_bytes());
        out.extend(self.event_count.to_le_bytes());
        out.extend(self.group_offset.to_le_bytes());
        out.extend(self.first_sequence.to_le_bytes());
        out.extend(self.source.0.to_le_bytes());
        out.extend(self.received_at.as_nanos().to_le_bytes());
        out.extend(self.format.as_bytes());
        out.extend(key.as_bytes());
        // The checksum covers its own place as zeros.
        let crc = crc32c::crc32c(out.get(checked_from..).unwrap_or_default());
        let crc = crc32c::crc32c_append(crc, &self.body.bytes);
        if let Some(place) = out.get_mut(crc_at..crc_at + 4) {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    }
}

/// The record at the start of `bytes` and its length, if one is there, whole and undamaged.
pub(super) fn parse_record(marker: Marker, bytes: &[u8]) -> Option<(LoggedRecord<'_>, usize)> {
    let mut head = Fixed::new(bytes);
    if head.array()? != marker {
        return None;
    }
    let length_bytes = head.array()?;
    let payload_bytes = u32::from_le_bytes(length_bytes) as usize;
    let crc = head.u32()?;
    let payload = head.take(payload_bytes)?;
    let computed = crc32c::crc32c_append(crc32c::crc32c(&length_bytes), &[0; 4]);
    if crc32c::crc32c_append(computed, payload) != crc {
        return None;
    }
    let record = parse_payload(payload)?;
    Some((record, RECORD_HEAD_BYTES + payload_bytes))
}

fn parse_payload(payload: &[u8]) -> Option<LoggedRecord<'_>> {
    let mut fields = Fixed::new(payload);
    if fields.u8()? != KIND_EVENTS {
        return None;
    }
    let has_key = fields.u8()? & HAS_BATCH_KEY != 0;
    let format_bytes = usize::from(fields.u16()?);
    let key_bytes = usize::from(fields.u16()?);
    fields.take(2)?;
    let plain_length = Some(fields.u32()?).filter(|length| *length != 0);
    let event_count = fields.u32()?;
    let group_offset = fields.u64()?;
    let first_sequence = fields.number()?;
    let source = SourceId(fields.u64()?);
    let received_at = Timestamp::from_nanos(fields.i64()?);
    let format = std::str::from_utf8(fields.take(format_bytes)?).ok()?;
    let key = std::str::from_utf8(fields.take(key_bytes)?).ok()?;
    Some(LoggedRecord {
        group_offset,
        first_sequence,
        event_count,
        source,
        received_at,
        format: format.into(),
        batch_key: has_key.then(|| key.into()),
        body: StoredBody {
            bytes: fields.rest().into(),
            plain_length,
        },
    })
}

fn narrow_32(length: usize) -> u32 {
    u32::try_from(length).expect("the length of an append was checked")
}

fn narrow_16(length: usize) -> u16 {
    u16::try_from(length).expect("the length of an append was checked")
}
