//! `word` and `"some phrase"`: a literal between word boundaries, ignoring case.

use std::ops::Range;

use super::finder::Finder;
use super::fold::{ends_with_word, is_word, next_char, starts_with_word};
use crate::RequiredWords;

/// A phrase to find, compiled.
///
/// Everything in the phrase is compared as typed, ignoring case as [`fold`](crate::fold) says. Where the phrase
/// begins or ends with a word character, the match must begin or end at a word boundary.
#[derive(Clone, Debug)]
pub struct TextPattern {
    finder: Finder,
    is_word_at_start: bool,
    is_word_at_end: bool,
}

impl TextPattern {
    /// Compiles `phrase`; `None` when it is empty.
    pub fn new(phrase: &str) -> Option<TextPattern> {
        let first = phrase.chars().next()?;
        let last = phrase.chars().next_back()?;
        Some(TextPattern {
            finder: Finder::new(phrase),
            is_word_at_start: is_word(first),
            is_word_at_end: is_word(last),
        })
    }

    /// A part of the phrase that is ASCII, in lower case, if there is one: no text without it matches,
    /// whatever the case of its letters.
    pub fn ascii_part(&self) -> Option<&[u8]> {
        self.finder.ascii()
    }

    /// The phrase, folded.
    pub fn literal(&self) -> String {
        self.finder.literal().iter().collect()
    }

    /// The whole phrase in lower case, if it is ASCII.
    pub fn ascii(&self) -> Option<&[u8]> {
        self.finder.ascii().filter(|_| self.finder.is_ascii())
    }

    /// The words without which no text matches.
    pub(crate) fn required_words(&self) -> RequiredWords {
        RequiredWords::of_literal(self.finder.literal().iter().copied())
    }

    /// Whether one value contains the phrase.
    pub fn matches(&self, value: &str) -> bool {
        self.find(value.as_bytes(), 0).is_some()
    }

    /// The first match at or after `from` in one value, whose ends are word boundaries.
    pub fn find(&self, value: &[u8], from: usize) -> Option<Range<usize>> {
        let mut at = from;
        loop {
            let found = self.candidate(value, at)?;
            if self.is_bounded(value, &found) {
                return Some(found);
            }
            at = next_char(value, found.start);
        }
    }

    /// The first place at or after `from` where the phrase stands, boundaries or not. In a run of many values
    /// laid end to end it may reach over the end of one; [`Self::is_bounded`] then decides on the value.
    pub fn candidate(&self, run: &[u8], from: usize) -> Option<Range<usize>> {
        self.finder.find(run, from)
    }

    /// Whether the boundaries that the phrase asks for are there around `found` in `value`.
    pub fn is_bounded(&self, value: &[u8], found: &Range<usize>) -> bool {
        let before = value.get(..found.start).unwrap_or_default();
        let after = value.get(found.end..).unwrap_or_default();
        let is_inside_word = (self.is_word_at_start && ends_with_word(before))
            || (self.is_word_at_end && starts_with_word(after));
        !is_inside_word
    }

    /// Calls `select` with the index of each value that matches, in order. The values lie end to end in
    /// `run`; `ends` holds where each of them ends.
    pub fn select(&self, run: &[u8], ends: &[u32], select: &mut dyn FnMut(usize)) {
        super::select_by_candidates(
            run,
            ends,
            |from| self.candidate(run, from).map(|found| found.start),
            |value, from| self.find(value, from).is_some(),
            select,
        );
    }
}
