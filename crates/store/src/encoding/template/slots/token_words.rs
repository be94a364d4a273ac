//! Puts words into the inverted index: those of texts that are kept whole, and those of the tokens in slots, found once for each
//! token.

use super::super::tokenized::{TokenId, Tokenized};
use super::number;
use super::postings::{LIST_BETWEEN_SLOTS, LIST_OF_WHOLE, PostingsWriter, WordId};
use super::words::{END, Found, each_word};

/// Finds the words of each token once.
#[derive(Debug)]
pub(super) struct TokenWords<'a, 't> {
    texts: &'t Tokenized<'a>,
    postings: PostingsWriter<'t>,
    /// By listed word of the numbers, its own number, once it is asked for.
    of_numbers: Vec<Option<WordId>>,
    /// Of all other tokens so far.
    found: Vec<WordId>,
    /// By token that is no number, once its words are found.
    of_token: Vec<Option<WordsOfToken>>,
}

/// Where in [`TokenWords::found`] the words of a token are.
#[derive(Clone, Copy, Debug)]
struct WordsOfToken {
    start: u32,
    end: u32,
    /// The word it begins with, and the one it ends with.
    edges: (Option<WordId>, Option<WordId>),
}

impl<'a, 't> TokenWords<'a, 't> {
    pub(super) fn new(texts: &'t Tokenized<'a>) -> TokenWords<'a, 't> {
        // Of the reference corpus, a text has two postings, and every third another word or pair.
        let postings = PostingsWriter::with_capacity(texts.len() / 3, texts.len() * 2);
        TokenWords {
            texts,
            postings,
            of_numbers: vec![None; texts.listed_of_numbers()],
            found: Vec::new(),
            of_token: vec![None; texts.tokens().len()],
        }
    }

    pub(super) fn into_postings(self) -> PostingsWriter<'t> {
        self.postings
    }

    /// Adds the texts that are kept whole, which are the first: their words, and each two next to each other.
    pub(super) fn push_whole(&mut self, whole: &[&'a str]) {
        for (text, number) in whole.iter().zip(0..) {
            let mut previous: Option<(Found<'_>, WordId)> = None;
            each_word(text, |found| {
                let word = self.postings.id(found);
                self.postings.push(word, number, LIST_OF_WHOLE);
                if let Some((first, first_word)) = previous
                    && let Some(between) = first.is_before(&found, text)
                {
                    let pair = self.postings.pair_id(first_word, between, word);
                    self.postings.push(pair, number, LIST_OF_WHOLE);
                }
                previous = Some((found, word));
            });
        }
    }

    /// Adds the values of a slot in texts that are numbered from `first` on.
    pub(super) fn push_slot(&mut self, ids: &[TokenId], first: usize, list: u32) {
        for (id, text) in ids.iter().zip(number(first)..) {
            match id.number() {
                Some(number) => {
                    let (before, listed) = self.texts.listed(number);
                    for (index, found) in (before..).zip(listed) {
                        let word = self.of_number(index, found);
                        self.postings.push(word, text, list);
                    }
                }
                None => {
                    let words = self.words_of(*id);
                    let words = self.found.get(words.start as usize..words.end as usize);
                    for word in words.unwrap_or_default() {
                        self.postings.push(*word, text, list);
                    }
                }
            }
        }
    }

    /// Adds the pairs that two slots make with what is between them.
    pub(super) fn push_between(
        &mut self,
        (slot, next): (&[TokenId], &[TokenId]),
        between: &str,
        first: usize,
    ) {
        let [between] = *between.as_bytes() else {
            return;
        };
        if between == END {
            return;
        }
        for ((id, next), text) in slot.iter().zip(next).zip(number(first)..) {
            if let Some(word) = self.last_word(*id)
                && let Some(next) = self.first_word(*next)
            {
                let pair = self.postings.pair_id(word, between, next);
                self.postings.push(pair, text, LIST_BETWEEN_SLOTS);
            }
        }
    }

    /// The word that a token begins with.
    fn first_word(&mut self, id: TokenId) -> Option<WordId> {
        let Some(number) = id.number() else {
            return self.words_of(id).edges.0;
        };
        let (before, listed) = self.texts.listed(number);
        let first = listed.first().filter(|first| first.start == 0)?;
        Some(self.of_number(before, first))
    }

    /// The word that a token ends with.
    fn last_word(&mut self, id: TokenId) -> Option<WordId> {
        let Some(number) = id.number() else {
            return self.words_of(id).edges.1;
        };
        let (before, listed) = self.texts.listed(number);
        let (last, others) = listed.split_last()?;
        (last.end() == self.texts.text(id).len())
            .then(|| self.of_number(before + others.len(), last))
    }

    /// The number of a word of the numbers.
    fn of_number(&mut self, index: usize, found: &Found<'a>) -> WordId {
        let known = self.of_numbers.get_mut(index);
        match known {
            Some(Some(word)) => *word,
            Some(unknown) => *unknown.insert(self.postings.id(*found)),
            None => self.postings.id(*found),
        }
    }

    fn words_of(&mut self, id: TokenId) -> WordsOfToken {
        if let Some(Some(known)) = self.of_token.get(id.index()) {
            return *known;
        }
        let text = str::from_utf8(self.texts.text(id)).unwrap_or_default();
        let mut words = WordsOfToken {
            start: number(self.found.len()),
            end: 0,
            edges: (None, None),
        };
        each_word(text, |found| {
            let word = self.postings.id(found);
            self.found.push(word);
            if found.start == 0 {
                words.edges.0 = Some(word);
            }
            if found.end() == text.len() {
                words.edges.1 = Some(word);
            }
        });
        words.end = number(self.found.len());
        if let Some(known) = self.of_token.get_mut(id.index()) {
            *known = Some(words);
        }
        words
    }
}
