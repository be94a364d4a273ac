//! Collects which words are in which texts of a column, and makes its posting lists.

use hashbrown::HashTable;

use super::words::{Found, each_word};
use super::{ColumnPostings, list};
use crate::tokens::WordHash;

/// Most postings of a column: 64 for each row of a full block. One that has more gets no lists, and its texts are looked at.
const POSTINGS_MAX: usize = 1 << 20;

/// The number of a word.
pub(crate) type WordId = u32;

/// The words of a column so far.
#[derive(Debug, Default)]
pub(crate) struct Collector<'a> {
    ids: HashTable<WordId>,
    words: Vec<Word<'a>>,
    postings: Vec<Posting>,
    /// By word, the group of texts of which each holds it already.
    held_by: Vec<Option<Group>>,
}

/// A group of texts that have something in common.
pub(crate) type Group = u32;

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
    /// The rank of the text.
    text: u32,
}

impl<'a> Collector<'a> {
    /// With room for so many words and postings.
    pub(crate) fn with_capacity(words: usize, postings: usize) -> Collector<'a> {
        Collector {
            ids: HashTable::with_capacity(words),
            words: Vec::with_capacity(words),
            postings: Vec::with_capacity(postings),
            held_by: Vec::with_capacity(words),
        }
    }

    /// The number of a word.
    pub(crate) fn id(&mut self, word: Found<'a>) -> WordId {
        self.id_of(Word {
            spelled: Spelled::One(word.text),
            hash: word.hash,
        })
    }

    /// The number of two words with a character between them.
    pub(crate) fn pair_id(&mut self, first: WordId, between: u8, second: WordId) -> WordId {
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
        let id = WordId::try_from(self.words.len()).unwrap_or(WordId::MAX);
        self.words.push(word);
        self.held_by.push(None);
        let words = &self.words;
        let hash_of = |id: &WordId| {
            let word = words.get(*id as usize);
            word.map_or(0, |word| spread(word.hash))
        };
        self.ids.insert_unique(hash, id, hash_of);
        id
    }

    /// Visits the words of a text, and each two next to each other.
    pub(crate) fn each_of(
        &mut self,
        text: &'a str,
        mut visit: impl FnMut(&mut Collector<'a>, WordId),
    ) {
        let mut previous: Option<(Found<'_>, WordId)> = None;
        each_word(text, |found| {
            let word = self.id(found);
            visit(self, word);
            if let Some((first, first_word)) = previous
                && let Some(between) = first.is_before(&found, text)
            {
                let pair = self.pair_id(first_word, between, word);
                visit(self, pair);
            }
            previous = Some((found, word));
        });
    }

    /// From here on, the texts of a group need not be listed under this word: each holds it anyway.
    pub(crate) fn hold_by_group(&mut self, word: WordId, group: Group) {
        if let Some(held_by) = self.held_by.get_mut(word as usize) {
            *held_by = Some(group);
        }
    }

    /// A word in lower case.
    pub(crate) fn spelled(&self, word: WordId) -> String {
        let word = self.words.get(word as usize);
        word.map_or_else(String::new, |word| self.spell(word))
    }

    /// Adds a word of a text of a group.
    pub(crate) fn push(&mut self, word: WordId, text: u32, group: Group) {
        if self.held_by.get(word as usize) != Some(&Some(group)) {
            self.postings.push(Posting { word, text });
        }
    }

    /// The lists of a column of so many texts; `None` if there would be too many postings.
    pub(crate) fn finish(self, texts: u32) -> Option<ColumnPostings> {
        if self.postings.len() > POSTINGS_MAX {
            return None;
        }
        let by_word = ByWord::of(&self.postings, self.words.len());
        let words = self.words.iter().zip(by_word.texts());
        let mut listed: Vec<(String, &[u32])> = words
            .filter(|(_, texts)| !texts.is_empty())
            .map(|(word, texts)| (self.spell(word), texts))
            .collect();
        listed.sort_unstable();
        let mut column = ColumnPostings::new(texts);
        let mut encoded = Vec::new();
        for (word, of_word) in listed {
            encoded.clear();
            list::encode(of_word, texts, &mut encoded);
            column.push(&word, u32::try_from(of_word.len()).ok()?, &encoded);
        }
        Some(column)
    }

    /// A word in lower case.
    fn spell(&self, word: &Word<'a>) -> String {
        match word.spelled {
            Spelled::One(text) => text.to_ascii_lowercase(),
            Spelled::Pair(first, between, second) => {
                let (first, second) = (self.spelled(first), self.spelled(second));
                format!("{first}{}{second}", char::from(between))
            }
        }
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
    // They come group by group.
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

/// The bits of a hash table are the highest and the lowest of 64.
fn spread(hash: WordHash) -> u64 {
    u64::from(hash.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
