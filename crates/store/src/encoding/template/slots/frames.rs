//! Text of slots in compressed frames.

use super::super::super::cursor::{Cursor, push_count};
use super::super::super::frame::{Compressor, push_header, read_header};
use super::super::super::{Corrupt, int};
use super::signed;
use crate::block::TEXT_BYTES_MAX;
use crate::postings::words::END;

/// A frame closes at the end of a slot once it holds this much. A search decompresses the frames that hold its words, so
/// that smaller frames make it faster, and larger ones take less space: see `docs/decisions/0010`.
const FRAME_BYTES: usize = 32 << 10;

/// Frames of text, in the making.
#[derive(Debug, Default)]
pub(super) struct FrameWriter {
    slots: Vec<i64>,
    plain_bytes: Vec<i64>,
    headers: Vec<u8>,
    stored: Vec<u8>,
    open: Vec<u8>,
    open_slots: usize,
}

impl FrameWriter {
    /// Adds the values of a slot.
    pub(super) fn push<'v>(
        &mut self,
        values: impl Iterator<Item = &'v [u8]>,
        compressor: &mut Compressor,
    ) {
        values.for_each(|value| push_value(value, &mut self.open));
        self.open_slots += 1;
        if self.open.len() >= FRAME_BYTES {
            self.close(compressor);
        }
    }

    /// Ends the last frame.
    pub(super) fn close(&mut self, compressor: &mut Compressor) {
        if self.open_slots == 0 {
            return;
        }
        let compressed = compressor.compress(&self.open);
        self.slots.push(signed(self.open_slots));
        self.plain_bytes.push(signed(self.open.len()));
        push_header(&mut self.headers, &compressed);
        self.stored.extend(compressed.bytes);
        self.open.clear();
        self.open_slots = 0;
    }

    /// Appends where the frames are.
    pub(super) fn encode_headers(&self, out: &mut Vec<u8>) {
        push_count(out, self.slots.len());
        int::encode(&self.slots, out);
        int::encode(&self.plain_bytes, out);
        out.extend_from_slice(&self.headers);
    }

    /// The stored bytes of all frames.
    pub(super) fn into_stored(self) -> Vec<u8> {
        self.stored
    }
}

/// Appends a value with its end mark.
pub(super) fn push_value(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(value);
    out.push(END);
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameEntry {
    pub(super) slots: usize,
    pub(super) plain_bytes: usize,
    pub(super) stored_bytes: usize,
    pub(super) is_zstd: bool,
}

/// Reads where the frames are of at most so many slots.
pub(super) fn decode_headers(
    cursor: &mut Cursor<'_>,
    slots_max: usize,
) -> Result<Vec<FrameEntry>, Corrupt> {
    let count = cursor.count(slots_max)?;
    let slots = int::decode(cursor, count)?;
    let plain_bytes = int::decode(cursor, count)?;
    let mut frames = Vec::with_capacity(count);
    for (slots, plain_bytes) in slots.into_iter().zip(plain_bytes) {
        let (stored_bytes, is_zstd) = read_header(cursor)?;
        frames.push(FrameEntry {
            slots: within(slots, slots_max)?,
            // Each value has its end mark.
            plain_bytes: within(plain_bytes, TEXT_BYTES_MAX * 2)?,
            stored_bytes,
            is_zstd,
        });
    }
    Ok(frames)
}

pub(super) fn within(value: i64, max: usize) -> Result<usize, Corrupt> {
    let value = usize::try_from(value).ok().filter(|value| *value <= max);
    value.ok_or(Corrupt("more than there can be in slots"))
}
