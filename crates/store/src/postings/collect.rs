//! Collects which words are in which texts of a column, and makes its posting lists.

use std::ops::Range;

use super::ColumnPostings;
use super::words::{Found, each_word};
use crate::value_key::{KeyNumbers, ValueKey, text_head};

/// Most postings of a column: 64 for each row of a block that is full of rows. One that has more gets no lists, and its texts are looked at.
const POSTINGS_MAX: usize = 1 << 21;

/// The number of a word.
pub(crate) type WordId = u32;

/// The words of a column so far.
#[derive(Debug, Default)]
pub(crate) struct Collector<'a> {
    ids: KeyNumbers,
    words: Vec<Word<'a>>,
    postings: Vec<Posting>,
    /// By word, the group of texts of which each holds it already.
    held_by: Vec<Option<Group>>,
}

/// A group of texts that have something in common.
pub(crate) type Group = u32;

/// A word or a pair.
#[derive(Clone, Copy, Debug)]
enum Word<'a> {
    One(&'a str),
    /// Of words that were numbered before it.
    Pair(WordId, u8, WordId),
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
            ids: KeyNumbers::with_capacity(words),
            words: Vec::with_capacity(words),
            postings: Vec::with_capacity(postings),
            held_by: Vec::with_capacity(words),
        }
    }

    /// The number of a word.
    #[inline]
    pub(crate) fn id(&mut self, word: &'a str) -> WordId {
        self.id_of(ValueKey::of_letters(word), Word::One(word))
    }

    /// The number of two words with a character between them.
    #[inline]
    pub(crate) fn pair_id(&mut self, first: WordId, between: u8, second: WordId) -> WordId {
        let key = ValueKey::of_pair(first, between, second);
        self.id_of(key, Word::Pair(first, between, second))
    }

    /// The number that is known, or a new one.
    #[inline]
    fn id_of(&mut self, key: ValueKey, word: Word<'a>) -> WordId {
        let words = &self.words;
        let is_same = |id: usize| match (words.get(id), word) {
            (Some(Word::One(known)), Word::One(word)) => known.eq_ignore_ascii_case(word),
            _ => false,
        };
        match self.ids.find(key, is_same) {
            Ok(id) => id,
            Err(vacant) => {
                self.ids.add(vacant);
                self.words.push(word);
                self.held_by.push(None);
                WordId::try_from(self.words.len() - 1).unwrap_or(WordId::MAX)
            }
        }
    }

    /// Visits the words of a text, and each two next to each other.
    pub(crate) fn each_of(
        &mut self,
        text: &'a str,
        mut visit: impl FnMut(&mut Collector<'a>, WordId),
    ) {
        let mut previous: Option<(Found<'_>, WordId)> = None;
        each_word(text, |found| {
            let word = self.id(found.text);
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
        match self.words.get(word as usize) {
            None => String::new(),
            Some(Word::One(text)) => text.to_ascii_lowercase(),
            Some(Word::Pair(first, between, second)) => {
                let (first, second) = (self.spelled(*first), self.spelled(*second));
                format!("{first}{}{second}", char::from(*between))
            }
        }
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
        let spelling = Spelling::of(&self.words);
        let mut column = ColumnPostings::new(texts);
        for id in by_word.sorted(&spelling) {
            column.push(spelling.word(id), by_word.texts(id));
        }
        Some(column)
    }
}

/// All words in lower case, one after the other.
#[derive(Debug, Default)]
struct Spelling {
    text: String,
    /// By word, where it begins and ends.
    ranges: Vec<Range<usize>>,
}

impl Spelling {
    fn of(words: &[Word<'_>]) -> Spelling {
        let mut spelling = Spelling::default();
        for word in words {
            let start = spelling.text.len();
            match *word {
                Word::One(text) => spelling.text.push_str(text),
                Word::Pair(first, between, second) => {
                    spelling.repeat(first);
                    spelling.text.push(char::from(between));
                    spelling.repeat(second);
                }
            }
            spelling.ranges.push(start..spelling.text.len());
        }
        spelling.text.make_ascii_lowercase();
        spelling
    }

    /// Appends a word that was spelled before.
    fn repeat(&mut self, id: WordId) {
        if let Some(range) = self.ranges.get(id as usize) {
            self.text.extend_from_within(range.clone());
        }
    }

    fn word(&self, id: WordId) -> &str {
        let range = self.ranges.get(id as usize).cloned();
        range
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
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

    /// The texts that hold a word.
    fn texts(&self, word: WordId) -> &[u32] {
        let (start, end) = self.ranges.get(word as usize).copied().unwrap_or_default();
        self.texts.get(start..end).unwrap_or_default()
    }

    /// The words that any text holds, by spelling. Heads, in which most differ, are compared first and without a branch.
    fn sorted(&self, spelling: &Spelling) -> impl Iterator<Item = WordId> {
        let listed = (0..).zip(&self.ranges);
        let listed = listed.filter(|(_, (start, end))| start < end);
        let mut by_head: Vec<(u64, WordId)> = listed
            .map(|(word, _)| (text_head(spelling.word(word)), word))
            .collect();
        by_head.sort_unstable_by_key(|(head, _)| *head);
        for same in by_head.chunk_by_mut(|(a, _), (b, _)| a == b) {
            same.sort_unstable_by_key(|(_, word)| spelling.word(*word));
        }
        by_head.into_iter().map(|(_, word)| word)
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
