//! Of which kind every slot of a column is, where it lies, and which words its text can hold.

use std::ops::Range;

use super::super::super::cursor::Cursor;
use super::super::super::{Corrupt, codes, int};
use super::frames::{FrameEntry, FrameIndex, each_listed_word, within};
use super::{DISTINCT_MAX, Kind};
use crate::block::TEXT_BYTES_MAX;
use crate::template::TemplateUses;
use crate::tokens::WordHash;

/// The index of the slots of a column; a slot is named by the index of its template among those of the column, and its place.
#[derive(Debug)]
pub struct SlotIndex {
    /// By template and then place.
    slots: Vec<SlotEntry>,
    /// By template, its first slot.
    starts: Vec<usize>,
    frames: FrameIndex,
    /// Where the stored bytes of the frames begin in the chunk of slots.
    frames_start: usize,
    /// The texts that are kept whole, in the chunk of slots.
    whole: Range<usize>,
    whole_rows: usize,
}

/// Where one slot lies.
#[derive(Clone, Debug)]
pub(super) struct SlotEntry {
    pub(super) place: SlotPlace,
    /// How many texts follow its template.
    pub(super) rows: usize,
}

#[derive(Clone, Debug)]
pub(super) enum SlotPlace {
    /// Values in a frame, from its so manieth on.
    Text { frame: usize, first: usize },
    /// Bytes of the chunk of slots.
    Numbers(Range<usize>),
    /// So many distinct values in a frame, and codes in the chunk of slots.
    Dictionary {
        values: usize,
        frame: usize,
        first: usize,
        codes: Range<usize>,
    },
}

impl SlotIndex {
    /// Reads the chunk of the index.
    pub(crate) fn decode(bytes: &[u8], uses: &TemplateUses) -> Result<SlotIndex, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let mut starts = Vec::with_capacity(uses.uses().len());
        let mut rows = Vec::new();
        for used in uses.uses() {
            starts.push(rows.len());
            rows.extend(used.stamps.iter().map(|_| used.rows as usize));
        }
        let kinds = codes::decode(&mut cursor, rows.len(), Kind::COUNT)?;
        let kinds: Option<Vec<Kind>> = kinds.into_iter().map(Kind::of_code).collect();
        let kinds = kinds.ok_or(Corrupt("an unknown kind of slot"))?;
        let count_of = |wanted| kinds.iter().filter(|kind| **kind == wanted).count();
        let dictionaries = count_of(Kind::Dictionary);
        let packed = count_of(Kind::Numbers) + dictionaries;
        let packed_lengths = int::decode(&mut cursor, packed)?;
        let dictionary_lens = int::decode(&mut cursor, dictionaries)?;
        let frames = FrameIndex::decode(&mut cursor, kinds.len())?;
        let whole_bytes = cursor.count(TEXT_BYTES_MAX * 2)?;
        cursor.finish()?;

        let mut places = Places {
            packed_lengths: packed_lengths.into_iter(),
            packed_end: 0,
            dictionary_lens: dictionary_lens.into_iter(),
            frames: FramePlaces::new(&frames.frames),
        };
        let mut slots = Vec::with_capacity(kinds.len());
        for (kind, rows) in kinds.iter().zip(&rows) {
            let place = places.next(*kind)?;
            slots.push(SlotEntry { place, rows: *rows });
        }
        // The slots of text lie behind the dictionaries.
        for (slot, rows) in slots.iter_mut().zip(&rows) {
            if let SlotPlace::Text { frame, first } = &mut slot.place {
                (*frame, *first) = places.frames.next(*rows)?;
            }
        }
        let frames_start = places.packed_end;
        let stored = frames.frames.iter().map(|frame| frame.stored_bytes);
        let stored = stored.fold(frames_start, usize::saturating_add);
        Ok(SlotIndex {
            slots,
            starts,
            frames,
            frames_start,
            whole: stored..stored.saturating_add(whole_bytes),
            whole_rows: uses.whole_rows() as usize,
        })
    }

    /// The words of a text that an index can be asked for: those without a digit.
    pub fn words_of(text: &str) -> Vec<WordHash> {
        let mut words = Vec::new();
        each_listed_word(text, |word| words.push(word));
        words
    }

    /// Whether the text of a slot may hold all these words. A word with a digit may be in any slot. Numbers hold what their
    /// stamp says.
    pub fn may_hold(&self, template: usize, place: usize, words: &[WordHash]) -> bool {
        match self.slot(template, place).map(|slot| &slot.place) {
            Some(SlotPlace::Text { frame, .. } | SlotPlace::Dictionary { frame, .. }) => {
                self.frames.may_hold(*frame, words)
            }
            Some(SlotPlace::Numbers(_)) => true,
            None => false,
        }
    }

    /// Whether any text that is kept whole may hold all these words. A word with a digit may be in any.
    pub fn whole_may_hold(&self, words: &[WordHash]) -> bool {
        self.whole_rows > 0 && self.frames.may_hold(self.frames.frames.len(), words)
    }

    pub(super) fn slot(&self, template: usize, place: usize) -> Option<&SlotEntry> {
        self.slots.get(self.starts.get(template)? + place)
    }

    /// The number of a slot among all.
    pub(super) fn number_of(&self, template: usize, place: usize) -> Option<usize> {
        Some(self.starts.get(template)? + place)
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn frames(&self) -> &[FrameEntry] {
        &self.frames.frames
    }

    /// Where a frame lies in the chunk of slots.
    pub(super) fn frame_bytes(&self, index: usize) -> Option<Range<usize>> {
        let frames = self.frames();
        let before = frames.get(..index)?.iter().map(|frame| frame.stored_bytes);
        let start = before.fold(self.frames_start, usize::saturating_add);
        Some(start..start.saturating_add(frames.get(index)?.stored_bytes))
    }

    /// Where the texts that are kept whole lie in the chunk of slots, and how many there are.
    pub(super) fn whole(&self) -> (Range<usize>, usize) {
        (self.whole.clone(), self.whole_rows)
    }
}

/// Gives slots their places, in order.
struct Places<'f> {
    packed_lengths: std::vec::IntoIter<i64>,
    packed_end: usize,
    dictionary_lens: std::vec::IntoIter<i64>,
    frames: FramePlaces<'f>,
}

const MISSING: Corrupt = Corrupt("a slot without a place");

impl Places<'_> {
    fn next(&mut self, kind: Kind) -> Result<SlotPlace, Corrupt> {
        Ok(match kind {
            // Known when all dictionaries have theirs.
            Kind::Text => SlotPlace::Text { frame: 0, first: 0 },
            Kind::Numbers => SlotPlace::Numbers(self.packed()?),
            Kind::Dictionary => {
                let values = self.dictionary_lens.next().ok_or(MISSING)?;
                let values = within(values, DISTINCT_MAX)?;
                let (frame, first) = self.frames.next(values)?;
                SlotPlace::Dictionary {
                    values,
                    frame,
                    first,
                    codes: self.packed()?,
                }
            }
        })
    }

    fn packed(&mut self) -> Result<Range<usize>, Corrupt> {
        let length = self.packed_lengths.next().ok_or(MISSING)?;
        let start = self.packed_end;
        self.packed_end = start
            .checked_add(usize::try_from(length).map_err(|_| MISSING)?)
            .ok_or(MISSING)?;
        Ok(start..self.packed_end)
    }
}

/// Gives slots of text their places in the frames.
struct FramePlaces<'f> {
    frames: &'f [FrameEntry],
    frame: usize,
    slots_before: usize,
    values_before: usize,
}

impl FramePlaces<'_> {
    fn new(frames: &[FrameEntry]) -> FramePlaces<'_> {
        FramePlaces {
            frames,
            frame: 0,
            slots_before: 0,
            values_before: 0,
        }
    }

    /// The frame of the next slot, and how many values are before it there.
    fn next(&mut self, values: usize) -> Result<(usize, usize), Corrupt> {
        let entry = self.frames.get(self.frame).ok_or(MISSING)?;
        let place = (self.frame, self.values_before);
        self.slots_before += 1;
        self.values_before += values;
        if self.slots_before == entry.slots {
            self.frame += 1;
            self.slots_before = 0;
            self.values_before = 0;
        }
        Ok(place)
    }
}
