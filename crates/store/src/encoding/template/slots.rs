//! The values of the slots of a column, template by template and slot by slot: numbers packed, the rest as text.
//!
//! A number may stand between a beginning and an end that all values of the slot share, as in `34.5ms`.

mod affixed;

use std::sync::OnceLock;

use bytes::Bytes;
use memchr::memchr_iter;

use self::affixed::Affixed;
use super::super::Corrupt;
use super::super::cursor::{Cursor, push_count};
use super::super::frame::{Compressor, push_header, read_header};
use crate::block::TEXT_BYTES_MAX;
use crate::column::FrameText;
use crate::template::TemplateUses;

const KIND_TEXT: u8 = 0;
const KIND_NUMBERS: u8 = 1;

/// Ends every value in a frame of text. No slot can hold it.
const END: u8 = b'\n';

/// A frame closes at the end of a slot once it holds this much: the fewer frames the better they compress, and a
/// single text must not cost much more than the decompression of this.
const FRAME_BYTES: usize = 256 << 10;

/// Collects slots.
#[derive(Debug, Default)]
pub(super) struct Writer {
    kinds: Vec<u8>,
    headers: Vec<u8>,
    frames: Vec<u8>,
    frame_count: usize,
    open: Vec<u8>,
    open_slots: usize,
}

impl Writer {
    /// Adds the values of the next slot.
    pub(super) fn push(&mut self, values: &[&str], compressor: &mut Compressor) {
        if let Some(numbers) = Affixed::of(values) {
            self.kinds.push(KIND_NUMBERS);
            numbers.encode(&mut self.kinds);
            return;
        }
        self.kinds.push(KIND_TEXT);
        for value in values {
            self.open.extend_from_slice(value.as_bytes());
            self.open.push(END);
        }
        self.open_slots += 1;
        if self.open.len() >= FRAME_BYTES {
            self.close(compressor);
        }
    }

    fn close(&mut self, compressor: &mut Compressor) {
        let compressed = compressor.compress(&self.open);
        push_count(&mut self.headers, self.open_slots);
        push_count(&mut self.headers, self.open.len());
        push_header(&mut self.headers, &compressed);
        self.frames.extend(compressed.bytes);
        self.frame_count += 1;
        self.open.clear();
        self.open_slots = 0;
    }

    /// The chunk.
    pub(super) fn finish(mut self, compressor: &mut Compressor) -> Vec<u8> {
        if self.open_slots > 0 {
            self.close(compressor);
        }
        let mut out = self.kinds;
        push_count(&mut out, self.frame_count);
        out.extend(self.headers);
        out.extend(self.frames);
        out
    }
}

/// The slots of a column; text is decompressed frame by frame when it is asked for.
#[derive(Debug)]
pub(crate) struct Slots {
    /// By template and then slot.
    values: Vec<SlotValues>,
    /// By template, its first slot.
    starts: Vec<usize>,
    frames: Vec<Frame>,
}

/// The values of one slot.
#[derive(Debug)]
pub(crate) enum SlotValues {
    /// In a frame, after the first so many values of it.
    Text { frame: usize, first: usize },
    /// Packed.
    Numbers(Affixed),
}

#[derive(Debug)]
struct Frame {
    stored: FrameText,
    bytes: usize,
    values: usize,
    decoded: OnceLock<FrameValues>,
}

/// The values of a frame, and where each ends: before its end mark.
#[derive(Debug)]
struct FrameValues {
    text: Box<str>,
    ends: Vec<u32>,
}

/// Reads the chunk of slots.
pub(crate) fn decode(bytes: &Bytes, uses: &TemplateUses) -> Result<Slots, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let mut slots = Slots {
        values: Vec::new(),
        starts: Vec::new(),
        frames: Vec::new(),
    };
    let mut text_slots = Vec::new();
    for (template, used) in uses.templates() {
        slots.starts.push(slots.values.len());
        let rows = used.rows as usize;
        for _ in 0..template.slots() {
            slots.values.push(match cursor.byte()? {
                KIND_TEXT => {
                    text_slots.push((slots.values.len(), rows));
                    SlotValues::Text { frame: 0, first: 0 }
                }
                KIND_NUMBERS => SlotValues::Numbers(Affixed::decode(&mut cursor, rows)?),
                _ => return Err(Corrupt("an unknown kind of slot")),
            });
        }
    }
    slots.read_frames(bytes, &mut cursor, &text_slots)?;
    cursor.finish()?;
    Ok(slots)
}

impl Slots {
    /// Reads where the text of `text_slots` is, each an index among all slots with its number of rows.
    fn read_frames(
        &mut self,
        bytes: &Bytes,
        cursor: &mut Cursor<'_>,
        text_slots: &[(usize, usize)],
    ) -> Result<(), Corrupt> {
        let frame_count = cursor.count(text_slots.len())?;
        let mut headers = Vec::with_capacity(frame_count);
        for _ in 0..frame_count {
            let slots = cursor.count(text_slots.len())?;
            let plain_bytes = cursor.count(TEXT_BYTES_MAX * 2)?;
            headers.push((slots, plain_bytes, read_header(cursor)?));
        }
        let mut rest = text_slots.iter();
        for (frame, (slot_count, bytes_of_frame, (length, is_zstd))) in
            headers.into_iter().enumerate()
        {
            let mut values = 0;
            for (slot, rows) in rest.by_ref().take(slot_count) {
                if let Some(slot) = self.values.get_mut(*slot) {
                    *slot = SlotValues::Text {
                        frame,
                        first: values,
                    };
                }
                values += rows;
            }
            let stored = bytes.slice_ref(cursor.take(length)?);
            self.frames.push(Frame {
                stored: match is_zstd {
                    true => FrameText::Zstd(stored),
                    false => FrameText::Plain(stored),
                },
                bytes: bytes_of_frame,
                values,
                decoded: OnceLock::new(),
            });
        }
        match rest.next() {
            None => Ok(()),
            Some(_) => Err(Corrupt("frames that do not hold all slots")),
        }
    }

    /// The slot at `slot` of the template at index `template` of the column.
    pub(crate) fn get(&self, template: usize, slot: usize) -> Option<&SlotValues> {
        self.values.get(self.starts.get(template)? + slot)
    }

    /// Appends the value at `index` of a slot.
    pub(crate) fn push_value(
        &self,
        slot: &SlotValues,
        index: usize,
        out: &mut String,
    ) -> Result<(), Corrupt> {
        match slot {
            SlotValues::Numbers(numbers) => numbers.push_value(index, out),
            SlotValues::Text { frame, first } => {
                let frame = self.frames.get(*frame);
                let frame = frame.ok_or(Corrupt("a slot past the last frame"))?;
                let value = frame.values()?.get(first + index);
                out.push_str(value.ok_or(Corrupt("a slot past the end of its frame"))?);
                Ok(())
            }
        }
    }
}

impl Frame {
    fn values(&self) -> Result<&FrameValues, Corrupt> {
        if let Some(values) = self.decoded.get() {
            return Ok(values);
        }
        let values = FrameValues::of(self.stored.decode(self.bytes)?, self.values)?;
        Ok(self.decoded.get_or_init(|| values))
    }
}

impl FrameValues {
    fn of(text: String, count: usize) -> Result<FrameValues, Corrupt> {
        let mut ends = Vec::with_capacity(count.min(text.len()));
        for end in memchr_iter(END, text.as_bytes()) {
            ends.push(u32::try_from(end).map_err(|_| Corrupt("a frame of too much text"))?);
        }
        let last = ends.last().map_or(0, |end| *end as usize + 1);
        if ends.len() == count && last == text.len() {
            Ok(FrameValues {
                text: text.into(),
                ends,
            })
        } else {
            Err(Corrupt("a frame of another number of slots"))
        }
    }

    fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)? as usize + 1,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)? as usize)
    }
}
