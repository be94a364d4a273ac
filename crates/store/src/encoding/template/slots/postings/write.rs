//! Collects the words of texts, and writes the inverted index.

use std::collections::BTreeMap;

use hashbrown::HashTable;

use super::super::super::super::cursor::push_count;
use super::super::super::super::frame::Compressor;
use super::super::super::super::int;
use super::super::words::{END, Found};
use super::super::{number, signed};
use super::{ANY_WORD, POSTINGS_MAX, RARE_BITS, RARE_MAX, TEXTS_MIN, class_of, known_by};
use crate::tokens::WordHash;

/// The number of a word.
pub(in super::super) type WordId = u32;

/// Collects which word is in which text.
#[derive(Debug, Default)]
pub(in super::super) struct PostingsWriter<'a> {
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
    /// With room for so many words and postings.
    pub(in super::super) fn with_capacity(words: usize, postings: usize) -> PostingsWriter<'a> {
        PostingsWriter {
            ids: HashTable::with_capacity(words),
            words: Vec::with_capacity(words),
            postings: Vec::with_capacity(postings),
        }
    }

    /// The number of a word.
    pub(in super::super) fn id(&mut self, word: Found<'a>) -> WordId {
        self.id_of(Word {
            spelled: Spelled::One(word.text),
            hash: word.hash,
        })
    }

    /// The number of two words with a character between them.
    pub(in super::super) fn pair_id(
        &mut self,
        first: WordId,
        between: u8,
        second: WordId,
    ) -> WordId {
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
    pub(in super::super) fn push(&mut self, word: WordId, text: u32, list: u32) {
        self.postings.push(Posting { word, text, list });
    }

    /// As bytes, with so many lists of rare words.
    pub(in super::super) fn encode(self, lists: usize, compressor: &mut Compressor) -> Vec<u8> {
        let by_word = ByWord::of(&self.postings, self.words.len());
        let texts_max = commonest(by_word.texts().map(<[u32]>::len).collect());
        let mut common: Vec<(String, &[u32])> = Vec::new();
        let mut is_rare = vec![false; self.words.len()];
        let words = self.words.iter().zip(by_word.texts());
        for ((word, texts), is_rare) in words.zip(&mut is_rare) {
            match (TEXTS_MIN..=texts_max).contains(&texts.len()) {
                true => common.push((self.spell(word), texts)),
                false => *is_rare = true,
            }
        }
        common.sort_unstable();
        let mut rare: Vec<Vec<u32>> = vec![Vec::new(); lists];
        for posting in &self.postings {
            let word = posting.word as usize;
            if is_rare.get(word) == Some(&true)
                && let (Some(word), Some(list)) =
                    (self.words.get(word), rare.get_mut(posting.list as usize))
            {
                list.push(known_by(word.hash));
            }
        }
        let mut out = Vec::new();
        encode_common(&common, compressor, &mut out);
        encode_rare(rare, &mut out);
        out
    }
}

/// The texts that hold each word, rising.
#[derive(Debug)]
struct ByWord {
    texts: Vec<u32>,
    /// By word, where its texts begin and end.
    ranges: Vec<(usize, usize)>,
}

impl ByWord {
    /// Sorts by counting.
    fn of(postings: &[Posting], words: usize) -> ByWord {
        let mut ranges = vec![(0, 0); words];
        for posting in postings {
            if let Some((_, count)) = ranges.get_mut(posting.word as usize) {
                *count += 1;
            }
        }
        let mut start = 0;
        for range in &mut ranges {
            let count = range.1;
            *range = (start, start);
            start += count;
        }
        let mut texts = vec![0; start];
        for posting in postings {
            if let Some((_, end)) = ranges.get_mut(posting.word as usize)
                && let Some(text) = texts.get_mut(*end)
            {
                *text = posting.text;
                *end += 1;
            }
        }
        for (start, end) in &mut ranges {
            let of_word = texts.get_mut(*start..*end).unwrap_or_default();
            *end = *start + distinct(of_word);
        }
        ByWord { texts, ranges }
    }

    fn texts(&self) -> impl Iterator<Item = &[u32]> {
        let ranges = self.ranges.iter();
        ranges.map(|(start, end)| self.texts.get(*start..*end).unwrap_or_default())
    }
}

/// Moves the distinct texts to the front, rising, and says how many there are. A word may be in a text more than once.
fn distinct(texts: &mut [u32]) -> usize {
    // It comes slot by slot.
    if !texts.is_sorted() {
        texts.sort_unstable();
    }
    let mut count = 0;
    let mut previous = None;
    for index in 0..texts.len() {
        let text = texts.get(index).copied();
        if text == previous {
            continue;
        }
        previous = text;
        if let (Some(text), Some(kept)) = (text, texts.get_mut(count)) {
            *kept = text;
            count += 1;
        }
    }
    count
}

/// How many texts the commonest word has that is spelled out.
fn commonest(mut counts: Vec<usize>) -> usize {
    counts.sort_unstable();
    let mut left = POSTINGS_MAX;
    let mut texts_max = 0;
    for count in counts {
        match left.checked_sub(count) {
            Some(rest) => left = rest,
            // Others with as many texts as this one do not fit either.
            None => return texts_max.min(count - 1),
        }
        texts_max = count;
    }
    texts_max
}

/// The bits of a hash table are the highest and the lowest of 64.
fn spread(hash: WordHash) -> u64 {
    u64::from(hash.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
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
