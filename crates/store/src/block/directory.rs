//! What a block holds and where: enough to decide, without reading it, whether it can matter.

mod minutes;
mod serial;
mod templates;
mod values;

use std::borrow::Cow;
use std::sync::Arc;

use cordwood_event::{Level, Number, Timestamp};

use crate::encoding::{Corrupt, Encoding};
use crate::template::TemplateUses;

pub use minutes::MinuteCounts;
pub use serial::{EncodedDirectories, decode_directories, encode_directories};
pub use values::{CountedValue, ValueCounts};

const MISSING: Corrupt = Corrupt("directories whose parts do not fit together");

/// A run of bytes of a block with its checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// From the start of the block.
    pub offset: u32,
    /// In bytes.
    pub length: u32,
    /// CRC-32C of the bytes.
    pub crc: u32,
}

/// The directory of one block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockDirectory {
    /// How many rows; at least one.
    pub rows: u32,
    /// The earliest and the latest event, both inclusive.
    pub timestamps: (Timestamp, Timestamp),
    /// The lowest and the highest sequence number, both inclusive.
    pub sequences: (u64, u64),
    /// How many bytes the events took in the requests they came in.
    pub source_bytes: u64,
    /// How many events have each level.
    pub levels: LevelCounts,
    /// The same by minute, if the block has few minutes for its rows.
    pub minutes: Option<MinuteCounts>,
    /// The times, sorted: a TS chunk.
    pub timestamp: Chunk,
    /// The sequence numbers: an INT chunk.
    pub sequence: Chunk,
    /// The codes of the levels: a chunk of codes.
    pub level: Chunk,
    /// The small dictionaries of all columns together.
    pub dictionaries: Option<Chunk>,
    /// The distinct presence maps that columns refer to.
    pub presences: Vec<Chunk>,
    /// The columns, sorted by path.
    pub columns: Vec<ColumnEntry>,
    /// The rarest fields, when there are too many for columns of their own.
    pub rest: Option<RestEntry>,
}

/// One column of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnEntry {
    /// The field's path, escaped.
    pub path: Arc<str>,
    /// How the values are encoded.
    pub encoding: Encoding,
    /// The values.
    pub chunk: Chunk,
    /// In how many rows the field is present, explicit nulls included.
    pub present: u32,
    /// The index of its map in [`BlockDirectory::presences`], unless it is present in every row.
    pub presence: Option<u16>,
    /// The least and the greatest value, when every value is an integer, a float or null and not all are null.
    pub numbers: Option<NumberRange>,
    /// How many distinct values, when the encoding is [`Encoding::Dict`]; otherwise 0.
    pub dictionary_len: u16,
    /// How many rows have each value, when the encoding is [`Encoding::Const`] or [`Encoding::Dict`] and there are few
    /// values for so many rows.
    pub values: Option<Arc<ValueCounts>>,
    /// The slots and the templates, when the encoding is [`Encoding::Text`].
    pub text: Option<TextEntry>,
}

/// What the directory knows of a column of texts that follow templates.
#[derive(Clone, Debug, PartialEq)]
pub struct TextEntry {
    /// Of which kind each slot is, and which words are in it.
    pub index: Chunk,
    /// What is in the slots.
    pub slots: Chunk,
    /// The templates, and how many texts follow each.
    pub uses: Arc<TemplateUses>,
}

impl ColumnEntry {
    /// Which templates the texts of the column follow; `None` if it does not consist of texts that may be listed.
    pub fn template_uses(&self) -> Option<Cow<'_, TemplateUses>> {
        match (&self.text, self.encoding) {
            (Some(text), _) => Some(Cow::Borrowed(&text.uses)),
            (None, Encoding::Str) => Some(Cow::Owned(TemplateUses::none(self.present))),
            (None, _) => None,
        }
    }

    /// The chunks of the column: its values, and the two of its slots if it has any.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk> {
        let text = self.text.as_ref();
        let slots = text.map(|text| [text.index, text.slots]);
        std::iter::once(self.chunk).chain(slots.into_iter().flatten())
    }
}

/// The chunk of rare fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestEntry {
    /// Where it lies.
    pub chunk: Chunk,
    /// How many fields it holds.
    pub paths: u32,
    /// How many values.
    pub cells: u32,
}

/// The least and the greatest of some numbers, by value.
#[derive(Clone, Copy, Debug)]
pub struct NumberRange {
    /// The least.
    pub min: Number,
    /// The greatest.
    pub max: Number,
}

impl NumberRange {
    /// The least range that holds both.
    pub fn union(self, other: NumberRange) -> NumberRange {
        NumberRange {
            min: if other.min.compare(self.min).is_lt() {
                other.min
            } else {
                self.min
            },
            max: if other.max.compare(self.max).is_gt() {
                other.max
            } else {
                self.max
            },
        }
    }
}

/// Same kind, same value: the disk keeps `1` and `1.0` apart.
impl PartialEq for NumberRange {
    fn eq(&self, other: &NumberRange) -> bool {
        let is_same = |a, b| match (a, b) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => f64::to_bits(a) == f64::to_bits(b),
            _ => false,
        };
        is_same(self.min, other.min) && is_same(self.max, other.max)
    }
}

/// How many events have no level, and each level, by [`Level::code`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelCounts(pub [u32; LevelCounts::KINDS]);

impl LevelCounts {
    /// How many codes there are.
    pub(crate) const KINDS: usize = Level::ALL.len() + 1;

    /// The counts of rows with these codes.
    pub(crate) fn count(codes: impl Iterator<Item = usize>) -> LevelCounts {
        let mut counts = LevelCounts::default();
        for code in codes {
            if let Some(count) = counts.0.get_mut(code) {
                *count += 1;
            }
        }
        counts
    }

    /// How many events there are.
    pub fn total(self) -> usize {
        self.0.iter().map(|count| *count as usize).sum()
    }

    /// How many events have this level.
    pub fn of(self, level: Option<Level>) -> u32 {
        let code = level.map_or(0, Level::code);
        self.0.get(usize::from(code)).copied().unwrap_or(0)
    }
}

impl BlockDirectory {
    /// The index of the column of a path, escaped. A field that is not here may still be in the rest.
    pub fn column_index(&self, path: &str) -> Option<usize> {
        self.columns
            .binary_search_by(|entry| (*entry.path).cmp(path))
            .ok()
    }

    /// Whether the counts of events are those of rows of these times and codes of levels.
    pub(crate) fn counts_rows(&self, times: &[i64], levels: &[u8]) -> bool {
        let codes = || levels.iter().map(|code| usize::from(*code));
        let minutes = self.minutes.as_ref();
        self.levels == LevelCounts::count(codes())
            && minutes.is_none_or(|minutes| {
                MinuteCounts::count(times, codes()).is_some_and(|counted| counted == *minutes)
            })
    }

    /// How many bytes the block takes.
    pub fn encoded_bytes(&self) -> u64 {
        self.chunks()
            .map(|chunk| u64::from(chunk.offset) + u64::from(chunk.length))
            .max()
            .unwrap_or(0)
    }

    /// Every chunk of the block.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk> {
        [self.timestamp, self.sequence, self.level]
            .into_iter()
            .chain(self.dictionaries)
            .chain(self.presences.iter().copied())
            .chain(self.columns.iter().flat_map(ColumnEntry::chunks))
            .chain(self.rest.map(|rest| rest.chunk))
    }

    /// The memory the directory takes, in bytes; paths, values and tables of templates, which directories of a segment share,
    /// left out.
    pub fn memory_bytes(&self) -> usize {
        let texts = self.columns.iter().filter_map(|entry| entry.text.as_ref());
        let values = self
            .columns
            .iter()
            .filter_map(|entry| entry.values.as_ref());
        size_of::<BlockDirectory>()
            + self.columns.capacity() * size_of::<ColumnEntry>()
            + self.presences.capacity() * size_of::<Chunk>()
            + texts.map(|text| text.uses.memory_bytes()).sum::<usize>()
            + values.map(|values| values.memory_bytes()).sum::<usize>()
            + self.minutes.as_ref().map_or(0, MinuteCounts::memory_bytes)
    }
}
