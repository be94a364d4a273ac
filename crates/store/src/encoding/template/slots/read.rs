//! Gives the values of slots back, decompressing frame by frame and slot by slot what is asked for.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use memchr::{memchr, memchr_iter};

use super::super::super::cursor::Cursor;
use super::super::super::frame::decompress;
use super::super::super::{Corrupt, codes, text};
use super::Kind;
use super::affixed::Affixed;
use super::hex_values;
use super::index::{SlotEntry, SlotIndex};
use super::number_columns::NumberColumns;
use crate::block::TEXT_BYTES_MAX;
use crate::column::StrValues;
use crate::postings::words::END;

const PAST_END: Corrupt = Corrupt("a slot past the last");

/// The slots of a column.
#[derive(Debug)]
pub(crate) struct Slots {
    index: Arc<SlotIndex>,
    stored: Bytes,
    decoded: OnceLock<Decoded>,
    whole: OnceLock<StrValues>,
}

/// What has been decoded.
#[derive(Debug)]
struct Decoded {
    frames: Vec<OnceLock<ValueText>>,
    /// By slot, numbers and codes.
    packed: Vec<OnceLock<Packed>>,
    /// By slot, the values of columns of numbers and of hex digits, spelled out.
    spelled: Vec<OnceLock<ValueText>>,
}

/// Values one after the other, and where each ends: before its end mark. A search that finds nothing in the text never asks
/// where.
#[derive(Debug)]
pub(super) struct ValueText {
    text: Box<str>,
    ends: OnceLock<Vec<u32>>,
}

#[derive(Debug)]
enum Packed {
    Numbers(Affixed),
    Columns(NumberColumns),
    Codes(Vec<u16>),
}

/// The values of a slot as they are kept.
#[derive(Clone, Copy, Debug)]
pub enum SlotValues<'a> {
    /// By the place of a row among those of its template.
    Texts(SlotRun<'a>),
    /// Distinct values, and by row which of them.
    Dictionary(SlotRun<'a>, &'a [u16]),
    /// Numbers, to be asked for one by one.
    Numbers,
}

/// The text of several slots, which are compressed together.
#[derive(Clone, Copy, Debug)]
pub struct SlotFrame<'a> {
    /// Its place among the frames of the column.
    pub index: usize,
    /// All values, each followed by a line feed.
    pub text: &'a str,
}

/// Values one after the other, each followed by a line feed, which none of them holds.
#[derive(Clone, Copy, Debug)]
pub struct SlotRun<'a> {
    /// The text of more values than these.
    text: &'a str,
    /// Where the first begins.
    start: usize,
    /// Where each of them ends.
    ends: &'a [u32],
}

impl<'a> SlotRun<'a> {
    /// The values with their line feeds.
    pub fn text(&self) -> &'a str {
        let end = self.ends.last().map_or(self.start, |end| *end as usize + 1);
        self.text.get(self.start..end).unwrap_or_default()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The index of the value that holds the byte at an offset of [`text`](Self::text).
    pub fn index_at(&self, offset: usize) -> usize {
        let offset = self.start + offset;
        self.ends.partition_point(|end| (*end as usize) < offset)
    }

    /// Where in [`text`](Self::text) the value after the one at an index begins.
    pub fn start_after(&self, index: usize) -> Option<usize> {
        let end = *self.ends.get(index)? as usize;
        Some(end + 1 - self.start)
    }

    /// The value at an index.
    pub fn get(&self, index: usize) -> Option<&'a str> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)? as usize + 1,
            None => self.start,
        };
        self.text.get(start..*self.ends.get(index)? as usize)
    }
}

impl Slots {
    pub(crate) fn new(index: Arc<SlotIndex>, stored: Bytes) -> Slots {
        Slots {
            decoded: OnceLock::new(),
            whole: OnceLock::new(),
            index,
            stored,
        }
    }

    fn decoded(&self) -> &Decoded {
        self.decoded.get_or_init(|| Decoded {
            frames: self
                .index
                .frames()
                .iter()
                .map(|_| OnceLock::new())
                .collect(),
            packed: (0..self.index.len()).map(|_| OnceLock::new()).collect(),
            spelled: (0..self.index.len()).map(|_| OnceLock::new()).collect(),
        })
    }

    pub(crate) fn index(&self) -> &SlotIndex {
        &self.index
    }

    /// The texts that are kept whole, in the order of their rows.
    pub(crate) fn whole(&self) -> Result<&StrValues, Corrupt> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let rows = self.index.whole_rows();
        let whole = match rows {
            0 => StrValues::default(),
            _ => {
                let start = self.index.whole_start();
                let bytes = self.bytes(start..self.stored.len())?;
                let mut cursor = Cursor::new(&bytes);
                let whole = text::decode(&bytes, &mut cursor, rows)?;
                cursor.finish()?;
                whole
            }
        };
        Ok(self.whole.get_or_init(|| whole))
    }

    /// Whether a slot is kept as numbers, so that each of its values has a digit.
    pub(crate) fn are_numbers(&self, template: usize, place: usize) -> Result<bool, Corrupt> {
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        Ok(matches!(slot.kind, Kind::Numbers | Kind::Columns))
    }

    /// The values of a slot.
    pub(crate) fn values(&self, template: usize, place: usize) -> Result<SlotValues<'_>, Corrupt> {
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        Ok(match slot.kind {
            Kind::Text => {
                let frame = self.frame(slot.frame as usize)?;
                SlotValues::Texts(frame.run(slot.first as usize, slot.rows as usize)?)
            }
            Kind::Numbers => SlotValues::Numbers,
            Kind::Columns | Kind::Hex => {
                let spelled = self.spelled(template, place)?;
                SlotValues::Texts(spelled.run(0, slot.rows as usize)?)
            }
            Kind::Dictionary => {
                let run = self.index.distinct_values(template, place)?;
                match self.packed(template, place)? {
                    Packed::Codes(codes) => SlotValues::Dictionary(run.ok_or(PAST_END)?, codes),
                    Packed::Numbers(_) | Packed::Columns(_) => return Err(PAST_END),
                }
            }
            Kind::Copy => return Err(PAST_END),
        })
    }

    /// The frame that holds the values of a slot, if they are text.
    pub(crate) fn frame_of(
        &self,
        template: usize,
        place: usize,
    ) -> Result<Option<SlotFrame<'_>>, Corrupt> {
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        match slot.kind {
            Kind::Text => {
                let index = slot.frame as usize;
                let text = &self.frame(index)?.text;
                Ok(Some(SlotFrame { index, text }))
            }
            Kind::Numbers | Kind::Dictionary | Kind::Columns | Kind::Copy | Kind::Hex => Ok(None),
        }
    }

    /// Appends the value of a slot in the so manieth text of its template.
    pub(crate) fn push_value(
        &self,
        (template, place): (usize, usize),
        row: usize,
        out: &mut String,
    ) -> Result<(), Corrupt> {
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        if matches!(slot.kind, Kind::Numbers | Kind::Columns) {
            return match self.packed(template, place)? {
                Packed::Numbers(numbers) => numbers.push_value(row, out),
                Packed::Columns(columns) => columns.push_value(row, out),
                Packed::Codes(_) => Err(PAST_END),
            };
        }
        let value = match self.values(template, place)? {
            SlotValues::Numbers => return Err(PAST_END),
            SlotValues::Texts(run) => run.get(row),
            SlotValues::Dictionary(run, codes) => {
                let code = codes.get(row).ok_or(PAST_END)?;
                run.get(usize::from(*code))
            }
        };
        out.push_str(value.ok_or(PAST_END)?);
        Ok(())
    }

    /// The same by itself: nothing is kept for the next but the frame. Of many values of a slot this takes longer.
    pub(crate) fn push_single(
        &self,
        (template, place): (usize, usize),
        row: usize,
        out: &mut String,
    ) -> Result<(), Corrupt> {
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        let rows = slot.rows as usize;
        if slot.kind == Kind::Text {
            let value = self
                .frame(slot.frame as usize)?
                .single(slot.first as usize + row);
            out.push_str(value.filter(|_| row < rows).ok_or(PAST_END)?);
            return Ok(());
        }
        let bytes = self.packed_bytes(slot)?;
        let mut cursor = Cursor::new(&bytes);
        match slot.kind {
            Kind::Text | Kind::Copy => return Err(PAST_END),
            Kind::Numbers => Affixed::push_single(&mut cursor, (rows, row), out)?,
            Kind::Columns => NumberColumns::push_single(&mut cursor, (rows, row), out)?,
            Kind::Hex => hex_values::push_single(&mut cursor, (rows, row), out)?,
            Kind::Dictionary => {
                let distinct = slot.distinct as usize;
                let codes = codes::decode_few(&mut cursor, (rows, distinct), &[row])?;
                let values = self.index.distinct_values(template, place)?;
                let value = values.zip(codes.first());
                let value = value.and_then(|(values, code)| values.get(usize::from(*code)));
                out.push_str(value.ok_or(PAST_END)?);
            }
        }
        cursor.finish()
    }

    /// The values of a slot of columns of numbers or of hex digits.
    fn spelled(&self, template: usize, place: usize) -> Result<&ValueText, Corrupt> {
        let number = self.index.number_of(template, place).ok_or(PAST_END)?;
        let cell = self.decoded().spelled.get(number).ok_or(PAST_END)?;
        if let Some(spelled) = cell.get() {
            return Ok(spelled);
        }
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        let spelled = match slot.kind {
            Kind::Hex => {
                let bytes = self.packed_bytes(slot)?;
                let mut cursor = Cursor::new(&bytes);
                let spelled = hex_values::decode(&mut cursor, slot.rows as usize)?;
                cursor.finish()?;
                spelled
            }
            _ => self.spell_columns((template, place), slot.rows as usize)?,
        };
        Ok(cell.get_or_init(|| spelled))
    }

    fn spell_columns(
        &self,
        (template, place): (usize, usize),
        rows: usize,
    ) -> Result<ValueText, Corrupt> {
        let Packed::Columns(columns) = self.packed(template, place)? else {
            return Err(PAST_END);
        };
        let mut text = String::new();
        for row in 0..rows {
            columns.push_value(row, &mut text)?;
            text.push(char::from(END));
            if text.len() > TEXT_BYTES_MAX * 2 {
                return Err(Corrupt("more text than a block can hold"));
            }
        }
        ValueText::of(text.into_bytes())
    }

    /// What a slot takes that is neither text nor a copy.
    fn packed_bytes(&self, slot: &SlotEntry) -> Result<Bytes, Corrupt> {
        let (start, length) = slot.packed;
        self.bytes(start as usize..start as usize + length as usize)
    }

    fn bytes(&self, range: std::ops::Range<usize>) -> Result<Bytes, Corrupt> {
        match self.stored.get(range) {
            Some(bytes) => Ok(self.stored.slice_ref(bytes)),
            None => Err(Corrupt("a chunk that ends too early")),
        }
    }

    fn frame(&self, index: usize) -> Result<&ValueText, Corrupt> {
        let cell = self.decoded().frames.get(index).ok_or(PAST_END)?;
        if let Some(values) = cell.get() {
            return Ok(values);
        }
        let entry = self.index.frames().get(index).ok_or(PAST_END)?;
        let stored = self.bytes(self.index.frame_bytes(index).ok_or(PAST_END)?)?;
        let plain = match entry.is_zstd {
            true => decompress(&stored, entry.plain_bytes)?,
            false => stored.to_vec(),
        };
        if plain.len() != entry.plain_bytes {
            return Err(Corrupt("a frame of another length than its slots"));
        }
        let values = ValueText::of(plain)?;
        Ok(cell.get_or_init(|| values))
    }

    fn packed(&self, template: usize, place: usize) -> Result<&Packed, Corrupt> {
        let number = self.index.number_of(template, place).ok_or(PAST_END)?;
        let cell = self.decoded().packed.get(number).ok_or(PAST_END)?;
        if let Some(packed) = cell.get() {
            return Ok(packed);
        }
        let slot = self.index.slot(template, place).ok_or(PAST_END)?;
        let bytes = self.packed_bytes(slot)?;
        let mut cursor = Cursor::new(&bytes);
        let rows = slot.rows as usize;
        let packed = match slot.kind {
            Kind::Text | Kind::Copy | Kind::Hex => return Err(PAST_END),
            Kind::Numbers => Packed::Numbers(Affixed::decode(&mut cursor, rows)?),
            Kind::Columns => Packed::Columns(NumberColumns::decode(&mut cursor, rows)?),
            Kind::Dictionary => {
                Packed::Codes(codes::decode(&mut cursor, rows, slot.distinct as usize)?)
            }
        };
        cursor.finish()?;
        Ok(cell.get_or_init(|| packed))
    }
}

impl ValueText {
    pub(super) fn of(plain: Vec<u8>) -> Result<ValueText, Corrupt> {
        let text = String::from_utf8(plain).map_err(|_| Corrupt("text that is not UTF-8"))?;
        u32::try_from(text.len()).map_err(|_| Corrupt("a frame of too much text"))?;
        Ok(ValueText {
            text: text.into(),
            ends: OnceLock::new(),
        })
    }

    fn ends(&self) -> &[u32] {
        self.ends.get_or_init(|| ends_in(self.text.as_bytes()))
    }

    /// The value at an index, looked for from the first on if nobody has asked for where all of them end.
    fn single(&self, index: usize) -> Option<&str> {
        if let Some(ends) = self.ends.get() {
            let start = match index.checked_sub(1) {
                Some(before) => *ends.get(before)? as usize + 1,
                None => 0,
            };
            return self.text.get(start..*ends.get(index)? as usize);
        }
        let start = start_of(self.text.as_bytes(), index)?;
        let rest = self.text.get(start..)?;
        let end = memchr(END, rest.as_bytes())?;
        rest.get(..end)
    }

    /// So many values from a place on.
    pub(super) fn run(&self, first: usize, count: usize) -> Result<SlotRun<'_>, Corrupt> {
        let start = match first.checked_sub(1) {
            Some(before) => *self.ends().get(before).ok_or(PAST_END)? as usize + 1,
            None => 0,
        };
        let ends = first
            .checked_add(count)
            .and_then(|end| self.ends().get(first..end));
        Ok(SlotRun {
            text: &self.text,
            start,
            ends: ends.ok_or(PAST_END)?,
        })
    }
}

/// Where the value at an index begins: behind as many end marks.
fn start_of(text: &[u8], index: usize) -> Option<usize> {
    /// Marks of so many bytes are counted at once, which becomes vector code.
    const COUNTED_AT_ONCE: usize = 128;
    let is_end = |byte: &&u8| **byte == END;
    let (mut start, mut left) = (0, index);
    for bytes in text.chunks(COUNTED_AT_ONCE) {
        let ends = bytes.iter().filter(is_end).count();
        if ends >= left {
            break;
        }
        left -= ends;
        start += bytes.len();
    }
    let rest = text.get(start..)?;
    match left.checked_sub(1) {
        Some(before) => Some(start + memchr_iter(END, rest).nth(before)? + 1),
        None => Some(start),
    }
}

/// Where the end marks are in a text of less than 4 GiB. About every tenth byte is one: looking for the next each time takes
/// longer than comparing the eight bytes of a word side by side.
fn ends_in(text: &[u8]) -> Vec<u32> {
    const ONES: u64 = u64::MAX / 0xff;
    const LOW_BITS: u64 = ONES * 0x7f;
    /// More than as many bytes as a value takes.
    const BYTES_PER_VALUE: usize = 8;
    let mut ends = Vec::with_capacity(text.len() / BYTES_PER_VALUE);
    let (words, tail) = text.as_chunks::<8>();
    let mut start = 0u32;
    for word in words {
        let differing = u64::from_le_bytes(*word) ^ (ONES * u64::from(END));
        // The highest bit of every byte that is zero: no sum carries into the next byte.
        let mut marks = !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS);
        while marks != 0 {
            ends.push(start + marks.trailing_zeros() / u8::BITS);
            marks &= marks - 1;
        }
        start += 8;
    }
    let tail = (start..).zip(tail);
    ends.extend(tail.filter(|(_, byte)| **byte == END).map(|(end, _)| end));
    ends
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{END, ValueText, ends_in};

    proptest! {
        #[test]
        fn each_value_is_found_by_itself(values in proptest::collection::vec("[a-c\u{e9}]{0,40}", 0..60)) {
            let text: String = values.iter().flat_map(|value| [value, "\n"]).collect();
            let text = ValueText::of(text.into_bytes()).unwrap();
            for _ in 0..2 {
                for (index, value) in values.iter().enumerate() {
                    prop_assert_eq!(text.single(index), Some(&**value));
                }
                prop_assert_eq!(text.single(values.len()), None);
                text.ends();
            }
        }

        #[test]
        fn every_end_is_found(text in proptest::collection::vec(
            prop_oneof![Just(END), Just(END + 1), Just(END | 0x80), any::<u8>()], 0..70)) {
            let all = (0u32..).zip(&text);
            let expected: Vec<u32> = all.filter(|(_, byte)| **byte == END).map(|(at, _)| at).collect();
            prop_assert_eq!(ends_in(&text), expected);
        }
    }
}
