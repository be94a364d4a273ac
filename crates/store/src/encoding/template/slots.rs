//! What stands in the slots of a column, template by template and place by place.
//!
//! A slot of few distinct values is a dictionary, numbers and hex digits are packed, what says the same as an earlier slot is not kept again, all else
//! is text. The index says of which kind each slot is and where it lies. Which texts hold a word is in posting lists, apart.

mod affixed;
mod few;
mod frames;
mod hex_values;
mod index;
mod number_columns;
mod read;
mod token_words;

use self::affixed::Affixed;
use self::few::FewValues;
use self::frames::FrameWriter;
use self::hex_values::HexValues;
use self::number_columns::NumberColumns;
use self::token_words::TokenWords;
use super::super::cursor::push_count;
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
    /// Several numbers in each value, packed place by place.
    Columns = 3,
    /// As an earlier slot of the template.
    Copy = 4,
    /// Texts that differ in hex digits only, packed.
    Hex = 5,
}

impl Kind {
    const ALL: [Kind; 6] = [
        Kind::Text,
        Kind::Numbers,
        Kind::Dictionary,
        Kind::Columns,
        Kind::Copy,
        Kind::Hex,
    ];

    fn of_code(code: u16) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u16 == code)
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
    pub(super) by_template: Vec<TemplateSlots>,
    pub(super) postings: Option<ColumnPostings>,
}

/// What the slots of one template have in them.
#[derive(Debug)]
pub(super) struct TemplateSlots {
    pub(super) stamps: Box<[Stamp]>,
    /// Words that every text has.
    pub(super) held: Vec<String>,
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
        copied: Vec::new(),
        dictionary_text: Vec::new(),
        frames: FrameWriter::default(),
        texts,
        words: TokenWords::new(texts),
        few: FewValues::default(),
        values: Vec::new(),
    };
    let whole = split.whole.iter();
    let whole = whole.filter_map(|row| column.get(*row as usize).copied());
    let whole: Vec<&str> = whole.collect();
    writer.words.push_whole(&whole, &split.whole);
    let templates = split.templates.iter();
    let by_template = templates.map(|template| writer.push(template)).collect();
    let (index, slots, postings) = writer.finish(&whole);
    EncodedSlots {
        index,
        slots,
        by_template,
        postings,
    }
}

struct Writer<'a, 't> {
    texts: &'t Tokenized<'a>,
    compressor: &'t mut Compressor,
    kinds: Vec<u16>,
    /// Of all that are neither text nor copies.
    packed: Vec<u8>,
    packed_lengths: Vec<i64>,
    dictionary_lens: Vec<i64>,
    /// Of copies, which place of their template they say again.
    copied: Vec<i64>,
    /// The distinct values of all dictionaries, which lie in the index: a search looks at them there.
    dictionary_text: Vec<u8>,
    frames: FrameWriter,
    words: TokenWords<'a, 't>,
    few: FewValues<'t>,
    /// Of the slot at hand.
    values: Vec<&'t [u8]>,
}

impl<'t> Writer<'_, 't> {
    /// Adds the slots of a template.
    fn push(&mut self, template: &'t SplitTemplate) -> TemplateSlots {
        self.words.begin(template.template.statics());
        let rows = template.rows.len();
        let by_slot = self.ids_by_slot(template);
        let slots = || by_slot.chunks_exact(rows);
        let held = slots().flat_map(|ids| self.words.hold(ids)).collect();
        let after = template.template.statics().skip(1);
        for ((slot, next), between) in slots().zip(slots().skip(1)).zip(after) {
            self.words
                .push_between((slot, next), between, &template.rows);
        }
        TemplateSlots {
            stamps: self.push_slots(&by_slot, &template.rows),
            held,
        }
    }

    /// The stamps of the slots. One that says the same as an earlier one is not kept again.
    fn push_slots(&mut self, by_slot: &[TokenId], rows: &[u32]) -> Box<[Stamp]> {
        let slots = || by_slot.chunks_exact(rows.len());
        let mut stamps: Vec<Stamp> = Vec::with_capacity(slots().len());
        for (place, ids) in slots().enumerate() {
            let mut earlier = slots().take(place);
            let copied = earlier.position(|earlier| self.is_same(earlier, ids));
            let copied = copied.and_then(|place| Some((place, *stamps.get(place)?)));
            let stamp = match copied {
                Some((place, stamp)) => {
                    self.push_copy(place);
                    stamp
                }
                None => self.push_slot(ids),
            };
            self.words.push_slot(ids, rows);
            stamps.push(stamp);
        }
        stamps.into()
    }

    /// Whether two slots say the same in every text.
    fn is_same(&self, slot: &[TokenId], other: &[TokenId]) -> bool {
        let mut pairs = slot.iter().zip(other);
        pairs.all(|(a, b)| a == b || self.texts.text(*a) == self.texts.text(*b))
    }

    fn push_copy(&mut self, place: usize) {
        self.copied.push(signed(place));
        self.kinds.push(Kind::Copy as u16);
    }

    /// The tokens in the first slot of all texts of a template, then in the second.
    fn ids_by_slot(&self, template: &SplitTemplate) -> Vec<TokenId> {
        let rows = template.rows.len();
        let mut by_slot = vec![TokenId::SLOT; rows * template.slots.len()];
        for (text, row) in template.rows.iter().enumerate() {
            let ids = by_slot.iter_mut().skip(text).step_by(rows);
            for (slot, id) in ids.zip(self.texts.of_text(*row, &template.slots)) {
                *slot = id;
            }
        }
        by_slot
    }

    fn push_slot(&mut self, ids: &[TokenId]) -> Stamp {
        let packed_before = self.packed.len();
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        values.extend(ids.iter().map(|id| self.texts.text(*id)));
        let (kind, stamp) = match self.push_dictionary(&values) {
            Some(stamp) => (Kind::Dictionary, stamp),
            None => self.push_each(&values),
        };
        if kind != Kind::Text {
            self.packed_lengths
                .push(signed(self.packed.len() - packed_before));
        }
        self.kinds.push(kind as u16);
        self.values = values;
        stamp
    }

    /// The kind of the slot, and its stamp.
    fn push_each(&mut self, values: &[&'t [u8]]) -> (Kind, Stamp) {
        let stamp = Stamp::of(values.iter().copied());
        if let Some((numbers, plan)) = Affixed::of(values) {
            numbers.encode(&plan, &mut self.packed);
            return (Kind::Numbers, stamp);
        }
        if let Some((columns, plans)) = NumberColumns::of(values) {
            columns.encode(&plans, &mut self.packed);
            return (Kind::Columns, stamp);
        }
        if let Some(hex) = HexValues::of(values) {
            hex.encode(self.compressor, &mut self.packed);
            return (Kind::Hex, stamp);
        }
        self.frames.push(values.iter().copied(), self.compressor);
        (Kind::Text, stamp)
    }

    /// `None` if too many of the values differ.
    fn push_dictionary(&mut self, values: &[&'t [u8]]) -> Option<Stamp> {
        let distinct_max = DISTINCT_MAX.min(values.len() / ROWS_PER_VALUE);
        let (distinct, codes) = self.few.of(values, distinct_max)?;
        codes::encode(codes, distinct.len(), self.compressor, &mut self.packed);
        self.dictionary_lens.push(signed(distinct.len()));
        for value in distinct {
            frames::push_value(value, &mut self.dictionary_text);
        }
        Some(Stamp::of(distinct.iter().copied()))
    }

    /// The chunk of the index, the chunk of slots, and the posting lists.
    fn finish(mut self, whole: &[&str]) -> (Vec<u8>, Vec<u8>, Option<ColumnPostings>) {
        let compressor = self.compressor;
        self.frames.close(compressor);
        let mut index = Vec::new();
        codes::encode(&self.kinds, Kind::ALL.len(), compressor, &mut index);
        int::encode(&self.packed_lengths, &mut index);
        int::encode(&self.dictionary_lens, &mut index);
        int::encode(&self.copied, &mut index);
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
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn signed(count: usize) -> i64 {
    (count as u64).cast_signed()
}
