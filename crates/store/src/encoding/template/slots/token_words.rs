//! Finds the words of texts that follow templates: those of texts that are kept whole, and those of the tokens in slots, found once for
//! each token.

use super::super::tokenized::{TokenId, Tokenized};
use super::number;
use crate::postings::words::{END, Found, each_word};
use crate::postings::{Collector, ColumnPostings, Group, WordId};

/// The group of the texts that are kept whole, which have no word in common; templates are groups from 1 on.
const WHOLE: Group = 0;

/// Finds the words of each token once.
#[derive(Debug)]
pub(super) struct TokenWords<'a, 't> {
    texts: &'t Tokenized<'a>,
    collector: Collector<'t>,
    /// By listed word of the numbers, its own number, once it is asked for.
    of_numbers: Vec<Option<WordId>>,
    /// Of all other tokens so far.
    found: Vec<WordId>,
    /// By token that is no number, once its words are found.
    of_token: Vec<Option<WordsOfToken>>,
    /// The template at hand.
    group: Group,
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
        let collector = Collector::with_capacity(texts.len() / 3, texts.len() * 2);
        TokenWords {
            texts,
            collector,
            of_numbers: vec![None; texts.listed_of_numbers()],
            found: Vec::new(),
            of_token: vec![None; texts.tokens().len()],
            group: WHOLE,
        }
    }

    pub(super) fn finish(self) -> Option<ColumnPostings> {
        self.collector.finish(number(self.texts.len()))
    }

    /// Adds the texts that are kept whole: their words, and each two next to each other.
    pub(super) fn push_whole(&mut self, texts: &[&'a str], rows: &[u32]) {
        for (text, row) in texts.iter().zip(rows) {
            self.collector.each_of(text, |collector, word| {
                collector.push(word, *row, WHOLE);
            });
        }
    }

    /// Begins with a template: what its static text says is in each of its texts, and not listed.
    pub(super) fn begin(&mut self, statics: impl Iterator<Item = &'t str>) {
        self.group += 1;
        let group = self.group;
        for text in statics {
            self.collector.each_of(text, |collector, word| {
                collector.hold_by_group(word, group);
            });
        }
    }

    /// The words that stand in a slot of every text of the template at hand: from here on the template holds them, as if its static text
    /// said them.
    pub(super) fn hold(&mut self, ids: &[TokenId]) -> Vec<String> {
        let mut ids = ids.iter();
        let mut common = Vec::new();
        if let Some(first) = ids.next() {
            self.each_word(*first, |_, word| common.push(word));
        }
        let mut words = Vec::new();
        for id in ids {
            if common.is_empty() {
                break;
            }
            words.clear();
            self.each_word(*id, |_, word| words.push(word));
            common.retain(|word| words.contains(word));
        }
        for word in &common {
            self.collector.hold_by_group(*word, self.group);
        }
        let spelled = common.iter().map(|word| self.collector.spelled(*word));
        spelled.collect()
    }

    /// Adds the values of a slot, in these rows.
    pub(super) fn push_slot(&mut self, ids: &[TokenId], rows: &[u32]) {
        for (id, row) in ids.iter().zip(rows) {
            self.push_words(*id, *row);
        }
    }

    fn push_words(&mut self, id: TokenId, row: u32) {
        let group = self.group;
        self.each_word(id, |collector, word| collector.push(word, row, group));
    }

    /// Visits the words of a token.
    fn each_word(&mut self, id: TokenId, mut visit: impl FnMut(&mut Collector<'t>, WordId)) {
        let Some(number) = id.number() else {
            let words = self.words_of(id);
            let words = self.found.get(words.start as usize..words.end as usize);
            for word in words.unwrap_or_default() {
                visit(&mut self.collector, *word);
            }
            return;
        };
        let (before, listed) = self.texts.listed(number);
        for (index, found) in (before..).zip(listed) {
            let word = self.of_number(index, found);
            visit(&mut self.collector, word);
        }
    }

    /// Adds the pairs that two slots make with what is between them.
    pub(super) fn push_between(
        &mut self,
        (slot, next): (&[TokenId], &[TokenId]),
        between: &str,
        rows: &[u32],
    ) {
        let [between] = *between.as_bytes() else {
            return;
        };
        if between == END {
            return;
        }
        for ((id, next), row) in slot.iter().zip(next).zip(rows) {
            if let Some(word) = self.last_word(*id)
                && let Some(next) = self.first_word(*next)
            {
                let pair = self.collector.pair_id(word, between, next);
                self.collector.push(pair, *row, self.group);
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
            Some(unknown) => *unknown.insert(self.collector.id(found.text)),
            None => self.collector.id(found.text),
        }
    }

    fn words_of(&mut self, id: TokenId) -> WordsOfToken {
        if let Some(Some(known)) = self.of_token.get(id.index()) {
            return *known;
        }
        let text = self.texts.word_or_separator(id);
        let mut words = WordsOfToken {
            start: number(self.found.len()),
            end: 0,
            edges: (None, None),
        };
        each_word(text, |found| {
            let word = self.collector.id(found.text);
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
