//! Of which kind every slot of a column is, and where it lies.

use std::ops::Range;

use super::super::super::cursor::Cursor;
use super::super::super::frame::read_frame;
use super::super::super::{Corrupt, codes, int};
use super::frames::{FrameEntry, decode_headers, within};
use super::read::{SlotRun, ValueText};
use super::{DISTINCT_MAX, Kind};
use crate::block::TEXT_BYTES_MAX;
use crate::template::TemplateUses;

/// Where all slots of a column lie; a slot is named by the index of its template among those of the column, and its place.
#[derive(Debug)]
pub struct SlotIndex {
    /// By template and then place.
    slots: Vec<SlotEntry>,
    /// By template, its first slot.
    starts: Vec<u32>,
    /// The distinct values of all slots that are dictionaries.
    dictionaries: ValueText,
    frames: Vec<FrameEntry>,
    /// Where the stored bytes of the frames begin in the chunk of slots.
    frames_start: usize,
    /// Where the texts that are kept whole begin in the chunk of slots, which ends with them.
    whole_start: usize,
    /// How many texts are kept whole.
    whole_rows: usize,
}

/// Where one slot lies. One that says the same as another lies there.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotEntry {
    pub(super) kind: Kind,
    /// How many texts follow its template.
    pub(super) rows: u32,
    /// The frame of a slot of text.
    pub(super) frame: u32,
    /// The first value there, or among those of the dictionaries.
    pub(super) first: u32,
    /// How many values a dictionary has.
    pub(super) distinct: u32,
    /// Where numbers, codes or hex digits begin in the chunk of slots, and how many bytes they take.
    pub(super) packed: (u32, u32),
}

const MISSING: Corrupt = Corrupt("a slot without a place");

impl SlotIndex {
    /// Reads the chunk of the index.
    pub(crate) fn decode(bytes: &[u8], uses: &TemplateUses) -> Result<SlotIndex, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let mut starts = Vec::with_capacity(uses.uses().len());
        let mut rows: Vec<u32> = Vec::new();
        for used in uses.uses() {
            starts.push(u32::try_from(rows.len()).map_err(|_| MISSING)?);
            rows.extend(used.stamps.iter().map(|_| used.rows));
        }
        let kinds = codes::decode(&mut cursor, rows.len(), Kind::ALL.len())?;
        let count_of = |wanted: Kind| {
            let of_kind = kinds.iter().filter(|kind| **kind == wanted as u16);
            of_kind.count()
        };
        let dictionaries = count_of(Kind::Dictionary);
        let packed = [Kind::Numbers, Kind::Columns, Kind::Hex].map(count_of);
        let packed = packed.iter().sum::<usize>() + dictionaries;
        let packed_lengths = int::decode(&mut cursor, packed)?;
        let dictionary_lens = int::decode(&mut cursor, dictionaries)?;
        let copied = int::decode(&mut cursor, count_of(Kind::Copy))?;
        let dictionary_bytes = cursor.count(TEXT_BYTES_MAX)?;
        let dictionaries = ValueText::of(read_frame(&mut cursor, dictionary_bytes)?)?;
        let frames = decode_headers(&mut cursor, kinds.len())?;
        cursor.finish()?;

        let mut places = Places {
            packed_lengths: packed_lengths.into_iter(),
            packed_end: 0,
            dictionary_lens: dictionary_lens.into_iter(),
            dictionary_values: 0,
            copied: copied.into_iter(),
            frames: &frames,
            frame: 0,
            slots_before: 0,
            values_before: 0,
        };
        let mut slots: Vec<SlotEntry> = Vec::with_capacity(kinds.len());
        let mut kinds = kinds.into_iter().zip(rows);
        for used in uses.uses() {
            let first = slots.len();
            for (kind, rows) in kinds.by_ref().take(used.stamps.len()) {
                let of_template = slots.get(first..).unwrap_or_default();
                let kind = Kind::of_code(kind).ok_or(MISSING)?;
                slots.push(places.next(kind, rows, of_template)?);
            }
        }
        let frames_start = places.packed_end as usize;
        let stored = frames.iter().map(|frame| frame.stored_bytes);
        Ok(SlotIndex {
            whole_rows: uses.whole_rows() as usize,
            whole_start: stored.fold(frames_start, usize::saturating_add),
            slots,
            starts,
            dictionaries,
            frames,
            frames_start,
        })
    }

    /// The distinct values of a slot, if they are few.
    pub fn distinct_values(
        &self,
        template: usize,
        place: usize,
    ) -> Result<Option<SlotRun<'_>>, Corrupt> {
        let slot = self.slot(template, place).ok_or(MISSING)?;
        match slot.kind {
            Kind::Dictionary => {
                let (first, count) = (slot.first as usize, slot.distinct as usize);
                self.dictionaries.run(first, count).map(Some)
            }
            Kind::Text | Kind::Numbers | Kind::Columns | Kind::Copy | Kind::Hex => Ok(None),
        }
    }

    /// How many texts are kept whole.
    pub(super) fn whole_rows(&self) -> usize {
        self.whole_rows
    }

    pub(super) fn slot(&self, template: usize, place: usize) -> Option<&SlotEntry> {
        self.slots.get(self.number_of(template, place)?)
    }

    /// The number of a slot among all.
    pub(super) fn number_of(&self, template: usize, place: usize) -> Option<usize> {
        Some(*self.starts.get(template)? as usize + place)
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn frames(&self) -> &[FrameEntry] {
        &self.frames
    }

    /// Where a frame lies in the chunk of slots.
    pub(super) fn frame_bytes(&self, index: usize) -> Option<Range<usize>> {
        let before = self.frames.get(..index)?.iter();
        let before = before.map(|frame| frame.stored_bytes);
        let start = before.fold(self.frames_start, usize::saturating_add);
        Some(start..start.saturating_add(self.frames.get(index)?.stored_bytes))
    }

    /// Where the texts that are kept whole begin in the chunk of slots.
    pub(super) fn whole_start(&self) -> usize {
        self.whole_start
    }
}

/// Gives slots their places, in order.
struct Places<'f> {
    packed_lengths: std::vec::IntoIter<i64>,
    packed_end: u32,
    dictionary_lens: std::vec::IntoIter<i64>,
    dictionary_values: u32,
    copied: std::vec::IntoIter<i64>,
    frames: &'f [FrameEntry],
    /// The frame of the next slot of text, and what of it is given already.
    frame: usize,
    slots_before: usize,
    values_before: u32,
}

impl Places<'_> {
    /// The place of the slot that follows on some of its template: that of an earlier one, if it says the same.
    fn next(
        &mut self,
        kind: Kind,
        rows: u32,
        of_template: &[SlotEntry],
    ) -> Result<SlotEntry, Corrupt> {
        let mut slot = SlotEntry {
            kind,
            rows,
            frame: 0,
            first: 0,
            distinct: 0,
            packed: (0, 0),
        };
        match kind {
            Kind::Text => (slot.frame, slot.first) = self.in_frame(rows)?,
            Kind::Numbers | Kind::Columns | Kind::Hex => slot.packed = self.packed()?,
            Kind::Copy => {
                let place = self.copied.next().ok_or(MISSING)?;
                let copied = usize::try_from(place).ok();
                let copied = copied.and_then(|place| of_template.get(place));
                slot = *copied.ok_or(MISSING)?;
            }
            Kind::Dictionary => {
                let distinct = self.dictionary_lens.next().ok_or(MISSING)?;
                let distinct = within(distinct, DISTINCT_MAX)?;
                slot.distinct = u32::try_from(distinct).map_err(|_| MISSING)?;
                slot.first = self.dictionary_values;
                self.dictionary_values += slot.distinct;
                slot.packed = self.packed()?;
            }
        }
        Ok(slot)
    }

    fn packed(&mut self) -> Result<(u32, u32), Corrupt> {
        let length = self.packed_lengths.next().ok_or(MISSING)?;
        let length = u32::try_from(length).map_err(|_| MISSING)?;
        let start = self.packed_end;
        self.packed_end = start.checked_add(length).ok_or(MISSING)?;
        Ok((start, length))
    }

    /// The frame of the next slot of text, and how many values are before it there.
    fn in_frame(&mut self, values: u32) -> Result<(u32, u32), Corrupt> {
        let entry = self.frames.get(self.frame).ok_or(MISSING)?;
        let frame = u32::try_from(self.frame).map_err(|_| MISSING)?;
        let place = (frame, self.values_before);
        self.slots_before += 1;
        self.values_before = self.values_before.checked_add(values).ok_or(MISSING)?;
        if self.slots_before == entry.slots {
            self.frame += 1;
            self.slots_before = 0;
            self.values_before = 0;
        }
        Ok(place)
    }
}
