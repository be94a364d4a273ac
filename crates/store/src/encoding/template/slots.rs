//! What stands in the slots of a column, template by template and place by place.
//!
//! A slot of few distinct values is a dictionary, numbers are packed, all else is text. The index says of which kind each
//! slot is and where it lies. Which texts hold a word is in posting lists, apart.

mod affixed;
mod frames;
mod index;
mod read;
mod token_words;

use cordwood_event::Scalar;

use self::affixed::Affixed;
use self::frames::FrameWriter;
use self::token_words::TokenWords;
use super::super::cursor::push_count;
use super::super::distinct::Distinct;
use super::super::frame::Compressor;
use super::super::{codes, int, text};
use super::split::{Split, SplitTemplate};
use super::tokenized::{TokenId, Tokenized};
use crate::postings::ColumnPostings;
use crate::template::Stamp;
pub use index::SlotIndex;
pub(crate) use read::Slots;
pub use read::{SlotFrame, SlotRun, SlotValues};

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
    pub(super) postings: Option<ColumnPostings>,
}

/// Encodes all slots, and the texts that are kept whole.
pub(super) fn encode<'a>(
    texts: &Tokenized<'a>,
    column: &[&'a str],
    split: &'a Split,
    compressor: &mut Compressor,
) -> EncodedSlots {
    let mut writer = Writer {
        compressor,
        kinds: Vec::new(),
        packed: Vec::new(),
        packed_lengths: Vec::new(),
        dictionary_lens: Vec::new(),
        dictionary_text: Vec::new(),
        frames: FrameWriter::default(),
        texts,
        words: TokenWords::new(texts),
    };
    let whole = split.whole.iter();
    let whole = whole.filter_map(|row| column.get(*row as usize).copied());
    let whole: Vec<&str> = whole.collect();
    writer.words.push_whole(&whole, &split.whole);
    let templates = split.templates.iter();
    let stamps = templates.map(|template| writer.push(template)).collect();
    let (index, slots, postings) = writer.finish(&whole);
    EncodedSlots {
        index,
        slots,
        stamps,
        postings,
    }
}

/// The posting lists of the words of all texts.
pub(super) fn list_words(texts: &Tokenized<'_>) -> Option<ColumnPostings> {
    let mut words = TokenWords::new(texts);
    let rows = 0..number(texts.len());
    rows.for_each(|row| words.push_text(row));
    words.finish()
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
    words: TokenWords<'a, 't>,
}

impl<'a> Writer<'a, '_> {
    /// Adds the slots of a template.
    fn push(&mut self, template: &'a SplitTemplate) -> Box<[Stamp]> {
        self.words.begin(template.template.statics());
        let ids_of = |place: &usize| -> Vec<TokenId> {
            let of_row = |row: &u32| self.texts.of_text(*row).get(*place).copied();
            template.rows.iter().filter_map(of_row).collect()
        };
        let by_slot: Vec<Vec<TokenId>> = template.slots.iter().map(ids_of).collect();
        let after = template.template.statics().skip(1);
        for ((slot, next), between) in by_slot.iter().zip(by_slot.iter().skip(1)).zip(after) {
            self.words
                .push_between((slot, next), between, &template.rows);
        }
        let rows = &template.rows;
        by_slot
            .iter()
            .map(|ids| self.push_slot(ids, rows))
            .collect()
    }

    fn push_slot(&mut self, ids: &[TokenId], rows: &[u32]) -> Stamp {
        let packed_before = self.packed.len();
        let values: Vec<&'a str> = ids.iter().map(|id| self.texts.text(*id)).collect();
        let scalars: Vec<Scalar<'_>> = values.iter().copied().map(Scalar::Str).collect();
        let distinct_max = DISTINCT_MAX.min(ids.len() / ROWS_PER_VALUE);
        let (kind, stamp) = match Distinct::of(&scalars, distinct_max) {
            Some(distinct) => (Kind::Dictionary, self.push_dictionary(&distinct)),
            None => self.push_each(&values),
        };
        self.words.push_slot(ids, rows);
        if kind != Kind::Text {
            self.packed_lengths
                .push(signed(self.packed.len() - packed_before));
        }
        self.kinds.push(kind as u16);
        stamp
    }

    /// The kind of the slot, and its stamp.
    fn push_each(&mut self, values: &[&'a str]) -> (Kind, Stamp) {
        let stamp = Stamp::of(values.iter().copied());
        match Affixed::of(values) {
            Some(numbers) => {
                numbers.encode(&mut self.packed);
                (Kind::Numbers, stamp)
            }
            None => {
                self.frames.push(values.iter().copied(), self.compressor);
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

    /// The chunk of the index, the chunk of slots, and the posting lists.
    fn finish(mut self, whole: &[&str]) -> (Vec<u8>, Vec<u8>, Option<ColumnPostings>) {
        let compressor = self.compressor;
        self.frames.close(compressor);
        let mut index = Vec::new();
        codes::encode(&self.kinds, Kind::COUNT, compressor, &mut index);
        int::encode(&self.packed_lengths, &mut index);
        int::encode(&self.dictionary_lens, &mut index);
        push_count(&mut index, self.dictionary_text.len());
        compressor.push_frame(&mut index, &self.dictionary_text);
        self.frames.encode_headers(&mut index);

        let mut slots = self.packed;
        slots.extend(self.frames.into_stored());
        if !whole.is_empty() {
            text::encode(whole, compressor, &mut slots);
        }
        (index, slots, self.words.finish())
    }
}

/// A block has fewer than 2^30 bytes of text, so that texts, tokens and words can be counted in 32 bits.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn signed(count: usize) -> i64 {
    (count as u64).cast_signed()
}
