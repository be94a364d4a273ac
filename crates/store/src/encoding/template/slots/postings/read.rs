//! Reads the inverted index.

use std::sync::OnceLock;

use bytes::Bytes;

use super::super::super::super::cursor::Cursor;
use super::super::super::super::frame::read_frame;
use super::super::super::super::{Corrupt, int};
use super::super::frames::within;
use super::super::number;
use super::super::read::ValueText;
use super::super::words::ListedWord;
use super::{ANY_WORD, POSTINGS_MAX, RARE_BITS, RARE_MAX, class_of, known_by, list_of_frame};
use crate::block::TEXT_BYTES_MAX;
use crate::template::TemplateUses;
use crate::tokens::WordHash;

/// Which texts hold a word.
#[derive(Debug)]
pub(in super::super) struct Postings {
    /// Spelled out, sorted.
    words: ValueText,
    /// By word, how many texts have it.
    counts: Vec<u32>,
    /// The gaps of all words of a class, by its number.
    classes: Vec<Class>,
    /// How many texts there are.
    texts: u32,
    /// How many lists of rare words there can be at most.
    lists_max: usize,
    stored_rare: Bytes,
    rare: OnceLock<RareWords>,
}

/// Rare words by list.
#[derive(Debug)]
struct RareWords {
    words: Vec<i64>,
    /// Where each list begins, and the last ends.
    starts: Vec<usize>,
}

/// A number of texts has at most 32 bits.
const CLASSES: usize = 1 + u32::BITS as usize;

/// Posting lists of about one length.
#[derive(Debug, Default)]
struct Class {
    /// How many texts they have in all.
    texts: usize,
    stored: Bytes,
}

impl Class {
    /// All that there can be, of words with so many texts each.
    fn each_of(
        counts: &[u32],
        cursor: &mut Cursor<'_>,
        bytes: &Bytes,
    ) -> Result<Vec<Class>, Corrupt> {
        let mut texts = [None; CLASSES];
        for count in counts {
            if let Some(texts) = texts.get_mut(class_of(*count as usize) as usize) {
                *texts = Some(texts.unwrap_or_default() + *count as usize);
            }
        }
        let used = texts.iter().flatten().count();
        let mut lengths = int::decode(cursor, used)?.into_iter();
        let mut class = |texts: Option<usize>| {
            let Some(texts) = texts else {
                return Ok(Class::default());
            };
            let length = lengths.next().unwrap_or_default();
            let stored = cursor.take(within(length, cursor.remaining())?)?;
            Ok(Class {
                texts,
                stored: bytes.slice_ref(stored),
            })
        };
        texts.into_iter().map(&mut class).collect()
    }
}

impl Postings {
    /// Reads what was written of a column.
    pub(in super::super) fn decode(
        bytes: &Bytes,
        uses: &TemplateUses,
    ) -> Result<Postings, Corrupt> {
        let texts = uses.rows_by_code().fold(0, u32::saturating_add);
        let slots: usize = uses.uses().iter().map(|used| used.stamps.len()).sum();
        let mut cursor = Cursor::new(bytes);
        let count = cursor.count(TEXT_BYTES_MAX)?;
        let spelled = cursor.count(TEXT_BYTES_MAX)?;
        let words = ValueText::of(read_frame(&mut cursor, spelled)?)?;
        if words.len() != count {
            return Err(Corrupt("other words than there are posting lists"));
        }
        let counts = int::decode(&mut cursor, count)?;
        let counts: Vec<u32> = counts
            .into_iter()
            .map(|count| within(count, texts as usize).map(number))
            .collect::<Result<_, _>>()?;
        if counts.iter().fold(0, |sum, count| sum + *count as usize) > POSTINGS_MAX {
            return Err(Corrupt("more postings than there may be"));
        }
        let classes = Class::each_of(&counts, &mut cursor, bytes)?;
        Ok(Postings {
            words,
            counts,
            classes,
            texts,
            lists_max: list_of_frame(slots) as usize,
            stored_rare: bytes.slice_ref(cursor.take(cursor.remaining())?),
            rare: OnceLock::new(),
        })
    }

    /// The texts that hold a word, rising; `None` if it is rare, or in none.
    pub(in super::super) fn texts_of(
        &self,
        word: &ListedWord,
    ) -> Result<Option<Vec<u32>>, Corrupt> {
        let Some(index) = self.words.position(word.spelled()) else {
            return Ok(None);
        };
        let count_of = |index: usize| self.counts.get(index).copied().unwrap_or_default() as usize;
        let count = count_of(index);
        let class = class_of(count);
        let of_class = |index: &usize| class_of(count_of(*index)) == class;
        let before: usize = (0..index).filter(of_class).map(count_of).sum();
        let class = self.classes.get(class as usize).ok_or(PAST_END)?;
        let mut cursor = Cursor::new(&class.stored);
        let gaps = int::decode(&mut cursor, class.texts)?;
        cursor.finish()?;
        let gaps = gaps.get(before..before + count).ok_or(PAST_END)?;
        let mut texts = Vec::with_capacity(count);
        let mut next = 0u32;
        for gap in gaps {
            let gap = u32::try_from(*gap).map_err(|_| PAST_END)?;
            let text = next.checked_add(gap).filter(|text| *text < self.texts);
            let text = text.ok_or(PAST_END)?;
            texts.push(text);
            next = text + 1;
        }
        Ok(Some(texts))
    }

    /// Whether a rare word may be in a list.
    pub(in super::super) fn may_be_in(
        &self,
        list: u32,
        word: &ListedWord,
    ) -> Result<bool, Corrupt> {
        if let Some(rare) = self.rare.get() {
            return Ok(rare.may_be_in(list, word.hash()));
        }
        let rare = RareWords::decode(&self.stored_rare, self.lists_max)?;
        let rare = self.rare.get_or_init(|| rare);
        Ok(rare.may_be_in(list, word.hash()))
    }
}

impl RareWords {
    fn decode(bytes: &[u8], lists_max: usize) -> Result<RareWords, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let lists = cursor.count(lists_max)?;
        let mut starts = Vec::with_capacity(lists + 1);
        let mut total = 0;
        starts.push(0);
        for length in int::decode(&mut cursor, lists)? {
            total += within(length, RARE_MAX)?;
            starts.push(total);
        }
        let words = int::decode(&mut cursor, total)?;
        cursor.finish()?;
        Ok(RareWords { words, starts })
    }

    fn may_be_in(&self, list: u32, word: WordHash) -> bool {
        let place = list as usize;
        let range = self.starts.get(place).zip(self.starts.get(place + 1));
        let listed = range.and_then(|(start, end)| self.words.get(*start..*end));
        let listed = listed.unwrap_or_default();
        let base = i64::from(list) << (RARE_BITS + 1);
        let is_listed = || {
            let word = base + i64::from(known_by(word));
            listed.binary_search(&word).is_ok()
        };
        listed == [base + i64::from(ANY_WORD)] || is_listed()
    }
}

const PAST_END: Corrupt = Corrupt("a posting past the last text");
