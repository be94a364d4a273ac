//! The texts of a column of one block that hold the words of a test, as its posting lists say.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cordwood_store::postings::{ListPlace, ListedWord, WordLists};
use cordwood_store::template::Template;
use cordwood_store::{BlockHandle, Encoding, Postings, SegmentLists};

use crate::evaluate::Failure;

/// The place of a word among those of a test.
pub(crate) type WordIndex = usize;

/// The words of a test, and where their lists are in the segments that were asked so far.
#[derive(Debug, Default)]
pub(crate) struct TestWords {
    words: Vec<ListedWord>,
    known: Mutex<HashMap<u64, KnownLists>>,
}

/// By column and word; `None` if the segment cannot tell.
type KnownLists = HashMap<(Arc<str>, WordIndex), Option<Arc<WordLists>>>;

/// The blocks of a segment are asked one after the other: what is forgotten about one is found again. A test may live longer than
/// segments do.
const SEGMENTS_KNOWN_MAX: usize = 64;

impl TestWords {
    /// Adds words, and says where among all they are.
    pub(crate) fn add(&mut self, words: Vec<ListedWord>) -> Vec<WordIndex> {
        let mut indexes = Vec::with_capacity(words.len());
        for word in words {
            let known = self.words.iter().position(|known| *known == word);
            indexes.push(known.unwrap_or(self.words.len()));
            if known.is_none() {
                self.words.push(word);
            }
        }
        indexes
    }

    pub(crate) fn get(&self, word: WordIndex) -> &ListedWord {
        &self.words[word]
    }

    /// Those that a text has.
    pub(crate) fn each_in(&self, text: &str) -> impl Iterator<Item = WordIndex> {
        let words = self.words.iter().enumerate();
        words.filter_map(move |(index, word)| word.is_in(text).then_some(index))
    }

    /// Those that all texts of a template have in their slots.
    pub(crate) fn each_held(&self, template: &Template) -> impl Iterator<Item = WordIndex> {
        let words = self.words.iter().enumerate();
        words.filter_map(|(index, word)| template.holds(word).then_some(index))
    }

    /// Where the lists of a word are in a segment.
    fn find(
        &self,
        segment: SegmentLists<'_>,
        path: &Arc<str>,
        word: WordIndex,
    ) -> Option<Arc<WordLists>> {
        // Held while they are looked for: who wants the same waits for them.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(path), word);
        let of_segment = known.get(&segment.segment());
        if let Some(lists) = of_segment.and_then(|lists| lists.get(&key)) {
            return lists.clone();
        }
        let lists = segment.find(path, self.get(word)).map(Arc::new);
        if known.len() >= SEGMENTS_KNOWN_MAX && !known.contains_key(&segment.segment()) {
            known.clear();
        }
        let of_segment = known.entry(segment.segment()).or_default();
        of_segment.insert(key, lists.clone());
        lists
    }
}

/// What the lists of one column of one block say, looked up word by word when it is asked for.
#[derive(Debug)]
pub(crate) struct ListedTexts<'a> {
    words: &'a TestWords,
    block: &'a BlockHandle,
    column: usize,
    /// `None` if the texts of the block are not listed.
    found: Vec<OnceCell<Option<Listed>>>,
}

/// The texts that hold one word.
#[derive(Debug)]
struct Listed {
    count: u32,
    /// In a segment.
    place: Option<ListPlace>,
    texts: OnceCell<Vec<u32>>,
}

impl<'a> ListedTexts<'a> {
    pub(crate) fn new(
        words: &'a TestWords,
        (block, column): (&'a BlockHandle, usize),
    ) -> ListedTexts<'a> {
        ListedTexts {
            found: words.words.iter().map(|_| OnceCell::new()).collect(),
            words,
            block,
            column,
        }
    }

    fn listed(&self, word: WordIndex) -> Option<&Listed> {
        self.found[word].get_or_init(|| self.find(word)).as_ref()
    }

    fn find(&self, word: WordIndex) -> Option<Listed> {
        let entry = &self.block.directory().columns[self.column];
        // Pairs are listed only where texts follow templates.
        if entry.encoding == Encoding::Str && self.words.get(word).is_pair() {
            return None;
        }
        let path = &entry.path;
        let (count, place) = match self.block.postings() {
            Postings::OfBlock(lists) => (lists.count_of(path, self.words.get(word))?, None),
            Postings::OfSegment(segment, block) => {
                let place = self.words.find(segment, path, word)?.of_block(block)?;
                (place.count(), Some(place))
            }
        };
        Some(Listed {
            count,
            place,
            texts: OnceCell::new(),
        })
    }

    fn path(&self) -> &Arc<str> {
        &self.block.directory().columns[self.column].path
    }

    /// How many texts hold a word, but for those whose template holds it; `None` if that is not known. Reads nothing of
    /// the block.
    pub(crate) fn count_of(&self, word: WordIndex) -> Option<u32> {
        self.listed(word).map(|listed| listed.count)
    }

    /// Whether any text may hold a word besides what its template says.
    pub(crate) fn may_hold(&self, word: WordIndex) -> bool {
        self.count_of(word) != Some(0)
    }

    /// The ranks of the texts that hold a word, but for those whose template holds it, rising; `None` if they are not known.
    pub(crate) fn texts_of(&self, word: WordIndex) -> Result<Option<&[u32]>, Failure> {
        let Some(listed) = self.listed(word) else {
            return Ok(None);
        };
        if let Some(texts) = listed.texts.get() {
            return Ok(Some(texts));
        }
        let texts = match (self.block.postings(), listed.place) {
            (_, Some(place)) => self.block.listed_texts(self.column, place)?,
            (Postings::OfBlock(lists), None) => {
                lists.texts_of(self.path(), self.words.get(word))?
            }
            (Postings::OfSegment(..), None) => Vec::new(),
        };
        Ok(Some(listed.texts.get_or_init(|| texts)))
    }

    /// The ranks of the texts that hold all of these words, but for those whose template holds one, rising; `None` if that is
    /// not known of any of them.
    pub(crate) fn texts_of_all(
        &self,
        words: impl Iterator<Item = WordIndex>,
    ) -> Result<Option<Vec<u32>>, Failure> {
        let mut known: Vec<(u32, WordIndex)> = words
            .filter_map(|word| Some((self.count_of(word)?, word)))
            .collect();
        // The shortest list first.
        known.sort_unstable();
        let mut all: Option<Vec<u32>> = None;
        for (_, word) in known {
            let Some(texts) = self.texts_of(word)? else {
                continue;
            };
            match &mut all {
                Some(all) => all.retain(|text| texts.binary_search(text).is_ok()),
                None => all = Some(texts.to_vec()),
            }
        }
        Ok(all)
    }
}
