//! The inverted index of a column: which texts hold a word in their slots, or anywhere if they are kept whole.
//!
//! Words of at least [`TEXTS_MIN`] texts are spelled out, each with its posting list, so that what the index says of them needs no look
//! at a text. Of the others it says by a part of their hash which frames may hold them: those are many, and each is rarely asked for.
//! Texts are numbered in the order of their codes, and within a code as they come.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use hashbrown::HashTable;

use super::super::super::bitpack::bit_width;
use super::super::super::cursor::{Cursor, push_count};
use super::super::super::frame::{Compressor, read_frame};
use super::super::super::{Corrupt, int};
use super::frames::within;
use super::read::ValueText;
use super::words::{END, Found, ListedWord};
use super::{number, signed};
use crate::block::TEXT_BYTES_MAX;
use crate::template::TemplateUses;
use crate::tokens::WordHash;

/// A word of fewer texts is not worth spelling out.
const TEXTS_MIN: usize = 4;

/// Most postings of a column, 16 for each row of a full block; where long texts have more, the commonest words are listed as the rare ones
/// are.
const POSTINGS_MAX: usize = 1 << 18;

/// The bits of its hash by which a rare word is known in a list, which has some hundreds of them: one in a hundred words that
/// are not there is taken to be.
const RARE_BITS: u32 = 16;

/// Most rare words of a list; a list of more may hold any word.
const RARE_MAX: usize = 1 << 13;

/// Instead of the words of a list that has too many: greater than any.
const ANY_WORD: u32 = 1 << RARE_BITS;

/// The list of rare words in texts that are kept whole.
pub(super) const LIST_OF_WHOLE: u32 = 0;

/// The list of rare words in dictionaries, and in what stands around numbers.
pub(super) const LIST_OF_DISTINCT: u32 = 1;

/// The list of rare pairs of which one word is in a slot and the other in the next.
pub(super) const LIST_BETWEEN_SLOTS: u32 = 2;

/// The list of rare words in a frame.
pub(super) fn list_of_frame(frame: usize) -> u32 {
    number(frame) + 3
}

/// The number of a word.
pub(super) type WordId = u32;

/// Collects which word is in which text.
#[derive(Debug, Default)]
pub(super) struct PostingsWriter<'a> {
    ids: HashTable<WordId>,
    words: Vec<Word<'a>>,
    postings: Vec<Posting>,
}

/// A word or a pair.
#[derive(Debug)]
struct Word<'a> {
    spelled: Spelled<'a>,
    hash: WordHash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelled<'a> {
    One(&'a str),
    Pair(WordId, u8, WordId),
}

impl Spelled<'_> {
    fn is_same(self, other: Spelled<'_>) -> bool {
        match (self, other) {
            (Spelled::One(a), Spelled::One(b)) => a.eq_ignore_ascii_case(b),
            (Spelled::Pair(..), Spelled::Pair(..)) => self == other,
            _ => false,
        }
    }
}

/// One word in one text.
#[derive(Clone, Copy, Debug, Default)]
struct Posting {
    word: WordId,
    text: u32,
    /// The list it is in if it is rare.
    list: u32,
}

impl<'a> PostingsWriter<'a> {
    /// The number of a word.
    pub(super) fn id(&mut self, word: Found<'a>) -> WordId {
        self.id_of(Word {
            spelled: Spelled::One(word.text),
            hash: word.hash,
        })
    }

    /// The number of two words with a character between them.
    pub(super) fn pair_id(&mut self, first: WordId, between: u8, second: WordId) -> WordId {
        let hash_of = |id: WordId| {
            let word = self.words.get(id as usize);
            word.map_or(WordHash(0), |word| word.hash)
        };
        self.id_of(Word {
            spelled: Spelled::Pair(first, between, second),
            hash: hash_of(first).followed_by(hash_of(second)),
        })
    }

    /// The number that is known, or a new one.
    fn id_of(&mut self, word: Word<'a>) -> WordId {
        let is_same = |id: &WordId| {
            let known = self.words.get(*id as usize);
            known
                .is_some_and(|known| known.hash == word.hash && known.spelled.is_same(word.spelled))
        };
        let hash = spread(word.hash);
        if let Some(id) = self.ids.find(hash, is_same) {
            return *id;
        }
        let id = number(self.words.len());
        self.words.push(word);
        let words = &self.words;
        let hash_of = |id: &WordId| {
            let word = words.get(*id as usize);
            word.map_or(0, |word| spread(word.hash))
        };
        self.ids.insert_unique(hash, id, hash_of);
        id
    }

    /// A word in lower case.
    fn spell(&self, word: &Word<'a>) -> String {
        match word.spelled {
            Spelled::One(text) => text.to_ascii_lowercase(),
            Spelled::Pair(first, between, second) => {
                let spell = |id: WordId| {
                    let word = self.words.get(id as usize);
                    word.map_or_else(String::new, |word| self.spell(word))
                };
                format!("{}{}{}", spell(first), char::from(between), spell(second))
            }
        }
    }

    /// Adds a word of a text, in one of the lists of rare words.
    pub(super) fn push(&mut self, word: WordId, text: u32, list: u32) {
        self.postings.push(Posting { word, text, list });
    }

    /// As bytes, with so many lists of rare words.
    pub(super) fn encode(self, lists: usize, compressor: &mut Compressor) -> Vec<u8> {
        let by_word = self.by_word();
        let texts_max = commonest(by_word.iter().map(|(texts, _)| texts.len()).collect());
        let mut common: Vec<(String, &[u32])> = Vec::new();
        let mut rare: Vec<Vec<u32>> = vec![Vec::new(); lists];
        for (word, (texts, in_lists)) in self.words.iter().zip(&by_word) {
            if (TEXTS_MIN..=texts_max).contains(&texts.len()) {
                common.push((self.spell(word), texts));
                continue;
            }
            for list in in_lists {
                if let Some(list) = rare.get_mut(*list as usize) {
                    list.push(known_by(word.hash));
                }
            }
        }
        common.sort_unstable();
        let mut out = Vec::new();
        encode_common(&common, compressor, &mut out);
        encode_rare(rare, &mut out);
        out
    }

    /// By word, the texts that hold it, rising, and the lists it is in if it is rare.
    fn by_word(&self) -> Vec<(Vec<u32>, Vec<u32>)> {
        let mut by_word = vec![(Vec::new(), Vec::new()); self.words.len()];
        for posting in &self.postings {
            let Some((texts, lists)) = by_word.get_mut(posting.word as usize) else {
                continue;
            };
            if texts.last() != Some(&posting.text) {
                texts.push(posting.text);
            }
            if lists.last() != Some(&posting.list) {
                lists.push(posting.list);
            }
        }
        for (texts, _) in &mut by_word {
            // A word may be in more than one slot.
            if !texts.is_sorted_by(|a, b| a < b) {
                texts.sort_unstable();
                texts.dedup();
            }
        }
        by_word
    }
}

/// How many texts the commonest word has that is spelled out.
fn commonest(mut counts: Vec<usize>) -> usize {
    counts.sort_unstable();
    let mut left = POSTINGS_MAX;
    let mut texts_max = 0;
    for count in counts {
        match left.checked_sub(count) {
            Some(rest) => left = rest,
            None => break,
        }
        texts_max = count;
    }
    texts_max
}

/// The bits of a hash table are the highest and the lowest of 64.
fn spread(hash: WordHash) -> u64 {
    u64::from(hash.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn known_by(word: WordHash) -> u32 {
    word.0 >> (u32::BITS - RARE_BITS)
}

/// Words sorted, each with its texts, rising.
fn encode_common(common: &[(String, &[u32])], compressor: &mut Compressor, out: &mut Vec<u8>) {
    let mut spelled = Vec::new();
    for (word, _) in common {
        spelled.extend_from_slice(word.as_bytes());
        spelled.push(END);
    }
    push_count(out, common.len());
    push_count(out, spelled.len());
    compressor.push_frame(out, &spelled);
    let counts: Vec<i64> = common
        .iter()
        .map(|(_, texts)| signed(texts.len()))
        .collect();
    int::encode(&counts, out);
    // Lists of about the same length have gaps of about the same length.
    let mut classes: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (_, texts) in common {
        let gaps = classes.entry(class_of(texts.len())).or_default();
        let mut next = 0;
        for text in *texts {
            gaps.push(i64::from(*text) - next);
            next = i64::from(*text) + 1;
        }
    }
    let mut encoded = Vec::new();
    let mut lengths = Vec::new();
    for gaps in classes.into_values() {
        let before = encoded.len();
        int::encode(&gaps, &mut encoded);
        lengths.push(signed(encoded.len() - before));
    }
    int::encode(&lengths, out);
    out.extend(encoded);
}

/// Posting lists of one class are encoded as one run.
fn class_of(texts: usize) -> u32 {
    bit_width(texts as u64)
}

fn encode_rare(mut lists: Vec<Vec<u32>>, out: &mut Vec<u8>) {
    for words in &mut lists {
        words.sort_unstable();
        words.dedup();
        if words.len() > RARE_MAX {
            *words = vec![ANY_WORD];
        }
    }
    let counts: Vec<i64> = lists.iter().map(|words| signed(words.len())).collect();
    push_count(out, lists.len());
    int::encode(&counts, out);
    // Rising over all lists, so that they are kept as differences.
    let of_list = |(list, words): (i64, &Vec<u32>)| {
        let base = list << (RARE_BITS + 1);
        let words = words.iter().map(move |word| base + i64::from(*word));
        words.collect::<Vec<i64>>()
    };
    let words: Vec<i64> = (0i64..).zip(&lists).flat_map(of_list).collect();
    int::encode(&words, out);
}

/// Which texts hold a word.
#[derive(Debug)]
pub(super) struct Postings {
    /// Spelled out, sorted.
    words: ValueText,
    /// By word, how many texts have it.
    counts: Vec<u32>,
    /// The gaps of all words of a class.
    classes: BTreeMap<u32, Class>,
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

/// Posting lists of about one length.
#[derive(Debug, Default)]
struct Class {
    /// How many texts they have in all.
    texts: usize,
    stored: Bytes,
}

impl Postings {
    /// Reads what was written of a column.
    pub(super) fn decode(bytes: &Bytes, uses: &TemplateUses) -> Result<Postings, Corrupt> {
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
        let mut classes: BTreeMap<u32, Class> = BTreeMap::new();
        for count in &counts {
            classes.entry(class_of(*count as usize)).or_default().texts += *count as usize;
        }
        let lengths = int::decode(&mut cursor, classes.len())?;
        for (class, length) in classes.values_mut().zip(lengths) {
            let stored = cursor.take(within(length, cursor.remaining())?)?;
            class.stored = bytes.slice_ref(stored);
        }
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
    pub(super) fn texts_of(&self, word: &ListedWord) -> Result<Option<Vec<u32>>, Corrupt> {
        let Some(index) = self.words.position(word.spelled()) else {
            return Ok(None);
        };
        let count_of = |index: usize| self.counts.get(index).copied().unwrap_or_default() as usize;
        let count = count_of(index);
        let class = class_of(count);
        let of_class = |index: &usize| class_of(count_of(*index)) == class;
        let before: usize = (0..index).filter(of_class).map(count_of).sum();
        let class = self.classes.get(&class).ok_or(PAST_END)?;
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
    pub(super) fn may_be_in(&self, list: u32, word: &ListedWord) -> Result<bool, Corrupt> {
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
