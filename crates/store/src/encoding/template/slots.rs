//! What stands in the slots of a column, template by template and place by place.
//!
//! A slot of few distinct values is a dictionary, numbers are packed, all else is text. The index says of which kind each
//! slot is and where it lies, and which words are in which frame of text: a search reads it first, and mostly no more.

mod affixed;
mod frames;
mod index;
mod read;

use cordwood_event::Scalar;

use self::affixed::Affixed;
use self::frames::{FrameWriter, WordLists};
use super::super::cursor::push_count;
use super::super::distinct::Distinct;
use super::super::frame::Compressor;
use super::super::{codes, int, text};
use super::split::{Split, SplitTemplate};
use super::tokenized::{TokenId, Tokenized};
use crate::template::Stamp;
pub use index::SlotIndex;
pub(crate) use read::Slots;
pub use read::{SlotRun, SlotValues};

/// How a slot is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// In a frame.
    Text = 0,
    /// Packed.
    Numbers = 1,
    /// Distinct values in a frame, and packed codes.
    Dictionary = 2,
}

impl Kind {
    const COUNT: usize = 3;

    fn of_code(code: u16) -> Option<Kind> {
        [Kind::Text, Kind::Numbers, Kind::Dictionary]
            .into_iter()
            .find(|kind| *kind as u16 == code)
    }
}

/// Most distinct values of a slot that is a dictionary: so few that a search looks at each.
const DISTINCT_MAX: usize = 64;

/// A distinct value must serve this many rows on average.
const ROWS_PER_VALUE: usize = 4;

/// The slots as bytes, and what the directory says of each.
#[derive(Debug)]
pub(super) struct EncodedSlots {
    pub(super) index: Vec<u8>,
    pub(super) slots: Vec<u8>,
    /// By template.
    pub(super) stamps: Vec<Box<[Stamp]>>,
}

/// Encodes all slots, and the texts that are kept whole.
pub(super) fn encode(
    texts: &Tokenized<'_>,
    column: &[&str],
    split: &Split,
    compressor: &mut Compressor,
) -> EncodedSlots {
    let mut writer = Writer {
        texts,
        compressor,
        kinds: Vec::new(),
        packed: Vec::new(),
        packed_lengths: Vec::new(),
        dictionary_lens: Vec::new(),
        dictionary_text: Vec::new(),
        frames: FrameWriter::new(texts.tokens().len()),
    };
    let stamps = split.templates.iter().map(|template| writer.push(template));
    let stamps = stamps.collect();
    let (index, slots) = writer.finish(column, &split.whole);
    EncodedSlots {
        index,
        slots,
        stamps,
    }
}

struct Writer<'a, 't> {
    texts: &'t Tokenized<'a>,
    compressor: &'t mut Compressor,
    kinds: Vec<u16>,
    /// Of numbers and dictionaries.
    packed: Vec<u8>,
    packed_lengths: Vec<i64>,
    dictionary_lens: Vec<i64>,
    /// The distinct values of all dictionaries, which lie in the index: a search looks at them there.
    dictionary_text: Vec<u8>,
    frames: FrameWriter,
}

impl Writer<'_, '_> {
    fn push(&mut self, template: &SplitTemplate) -> Box<[Stamp]> {
        let mut ids: Vec<TokenId> = Vec::with_capacity(template.rows.len());
        let slots = template.slots.iter();
        slots
            .map(|place| {
                let of_row = |row: &u32| self.texts.of_text(*row).get(*place).copied();
                ids.clear();
                ids.extend(template.rows.iter().filter_map(of_row));
                self.push_slot(&ids)
            })
            .collect()
    }

    fn push_slot(&mut self, ids: &[TokenId]) -> Stamp {
        let packed_before = self.packed.len();
        let values: Vec<Scalar<'_>> = ids
            .iter()
            .map(|id| Scalar::Str(self.texts.text(*id)))
            .collect();
        let distinct_max = DISTINCT_MAX.min(ids.len() / ROWS_PER_VALUE);
        let (kind, stamp) = match Distinct::of(&values, distinct_max) {
            Some(distinct) => (Kind::Dictionary, self.push_dictionary(&distinct)),
            None => self.push_each(ids),
        };
        if kind != Kind::Text {
            self.packed_lengths
                .push(signed(self.packed.len() - packed_before));
        }
        self.kinds.push(kind as u16);
        stamp
    }

    fn push_each(&mut self, ids: &[TokenId]) -> (Kind, Stamp) {
        let values: Vec<&str> = ids.iter().map(|id| self.texts.text(*id)).collect();
        let stamp = Stamp::of(values.iter().copied());
        match Affixed::of(&values) {
            Some(numbers) => {
                numbers.encode(&mut self.packed);
                (Kind::Numbers, stamp)
            }
            None => {
                self.frames.push(ids, self.texts, self.compressor);
                (Kind::Text, stamp)
            }
        }
    }

    fn push_dictionary(&mut self, distinct: &Distinct<'_>) -> Stamp {
        let count = distinct.values.len();
        codes::encode(&distinct.codes, count, self.compressor, &mut self.packed);
        self.dictionary_lens.push(signed(count));
        let values = || distinct.values.iter().filter_map(|value| value.as_str());
        values().for_each(|value| frames::push_value(value, &mut self.dictionary_text));
        Stamp::of(values())
    }

    /// The chunk of the index and the chunk of slots.
    fn finish(mut self, column: &[&str], whole: &[u32]) -> (Vec<u8>, Vec<u8>) {
        let compressor = self.compressor;
        self.frames.close(compressor);
        let whole = whole.iter().filter_map(|row| column.get(*row as usize));
        let whole: Vec<&str> = whole.copied().collect();
        let mut index = Vec::new();
        let mut of_whole = WordLists::default();
        of_whole.push_texts(whole.iter().copied());
        of_whole.encode(&mut index);

        codes::encode(&self.kinds, Kind::COUNT, compressor, &mut index);
        int::encode(&self.packed_lengths, &mut index);
        int::encode(&self.dictionary_lens, &mut index);
        push_count(&mut index, self.dictionary_text.len());
        compressor.push_frame(&mut index, &self.dictionary_text);
        self.frames.encode_headers(&mut index);
        let (mut words, frames) = self.frames.into_parts();
        words.push_values(&self.dictionary_text);
        words.encode(&mut index);

        let mut slots = self.packed;
        slots.extend(frames);
        if !whole.is_empty() {
            text::encode(&whole, compressor, &mut slots);
        }
        (index, slots)
    }
}

fn signed(count: usize) -> i64 {
    (count as u64).cast_signed()
}
