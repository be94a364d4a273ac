//! The words without which no value matches a test: what an index of words can be asked for.
//!
//! A word here is a maximal run of ASCII letters, digits and `_`, in lower case. Case is folded within ASCII or
//! outside of it, never across, so such a run stands in a text that matches exactly where it stands in the
//! literal; and what ends it, a boundary or another character, ends it in the text as well.

use cordwood_event::Number;

use crate::{GlobToken, is_word};

/// Words that a value must hold to pass a test.
///
/// The words of a number are the digits of the integer it equals, those of a boolean `true` or `false`, those of an array
/// the words of all its leaves; a number with a fraction has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequiredWords {
    /// Nothing is known: any value may pass.
    Unknown,
    /// A value that passes holds all words of one of these sets at least, none of them empty. Without a set, no value passes.
    AnyOf(Vec<Vec<String>>),
}

impl RequiredWords {
    /// Nothing passes.
    pub(crate) const NOTHING: RequiredWords = RequiredWords::AnyOf(Vec::new());

    /// All of these; `Unknown` if there are none.
    pub(crate) fn all(mut words: Vec<String>) -> RequiredWords {
        words.sort_unstable();
        words.dedup();
        match words.is_empty() {
            true => RequiredWords::Unknown,
            false => RequiredWords::AnyOf(vec![words]),
        }
    }

    /// What passes either of two tests.
    pub(crate) fn or(self, other: RequiredWords) -> RequiredWords {
        match (self, other) {
            (RequiredWords::AnyOf(mut sets), RequiredWords::AnyOf(more)) => {
                for set in more {
                    if !sets.contains(&set) {
                        sets.push(set);
                    }
                }
                RequiredWords::AnyOf(sets)
            }
            _ => RequiredWords::Unknown,
        }
    }

    /// A number that equals this one.
    pub(crate) fn of_number(number: Number) -> RequiredWords {
        match number.as_integer() {
            Some(integer) => RequiredWords::all(vec![integer.unsigned_abs().to_string()]),
            None => RequiredWords::Unknown,
        }
    }

    /// A text in which the literal, folded, stands between word boundaries or as a whole.
    pub(crate) fn of_literal(literal: impl IntoIterator<Item = char>) -> RequiredWords {
        let chars = literal.into_iter().map(Some);
        RequiredWords::all(delimited_words(chars.chain([Some(' ')]), Edge::Boundary))
    }

    /// A text, or a number as JSON writes it, that matches a pattern as a whole or in a word.
    pub(crate) fn of_wildcard(tokens: &[GlobToken]) -> RequiredWords {
        let chars = tokens.iter().map(|token| match token {
            GlobToken::Char(c) => Some(*c),
            GlobToken::AnyChar | GlobToken::AnyRun => None,
        });
        if can_be_number(chars.clone().flatten()) {
            return RequiredWords::Unknown;
        }
        let ended = chars.chain([Some(' ')]);
        RequiredWords::all(delimited_words(ended, Edge::Boundary))
    }

    /// A text, or a number as JSON writes it, that contains a literal to the letter, anywhere.
    pub(crate) fn of_part(literal: &[u8]) -> RequiredWords {
        // Bytes beyond ASCII only separate; which characters they make does not matter.
        let chars = literal.iter().map(|byte| char::from(*byte));
        if can_be_number(chars.clone()) {
            return RequiredWords::Unknown;
        }
        let folded = chars.map(|c| Some(c.to_ascii_lowercase()));
        RequiredWords::all(delimited_words(folded, Edge::Open))
    }
}

/// What stands before the first character of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// Nothing that belongs to a word.
    Boundary,
    /// Anything.
    Open,
}

/// The words that are whole: with a character that ends them, or the boundary, on both sides. `None` is any run of characters.
fn delimited_words(chars: impl Iterator<Item = Option<char>>, start: Edge) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_whole = start == Edge::Boundary;
    for c in chars {
        match c {
            Some(c) if c.is_ascii() && is_word(c) => word.push(c),
            Some(_) => {
                if is_whole && !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                word.clear();
                is_whole = true;
            }
            None => {
                word.clear();
                is_whole = false;
            }
        }
    }
    words
}

/// Whether all these characters, in lower case or not, can stand in one number as JSON writes it.
fn can_be_number(mut chars: impl Iterator<Item = char> + Clone) -> bool {
    let count = |wanted: char| {
        let folded = chars.clone().map(|c| c.to_ascii_lowercase());
        folded.filter(|c| *c == wanted).count()
    };
    let (points, exponents) = (count('.'), count('e'));
    points <= 1
        && exponents <= 1
        && chars.all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
}
