//! Completion: what may stand at a place in a query that is being typed.
//!
//! The text up to the place is read as far as it goes, mistakes and all, without a tree: what has been typed there, and which
//! words of the language or names of whoever knows the data could go on from it. Which fields and values there are is
//! not known here.

mod filter;
mod scan;
mod stage;

use std::ops::Range;

use cordwood_event::Level;

use crate::Target;
use crate::limits::TEXT_BYTES_MAX;
use crate::print::{Literal, Named};

use scan::Scan;

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The bytes that what is chosen takes the place of: the word at the place, to its end.
    pub replaced: Range<usize>,
    /// What has been typed of it before the place, quotes and escapes undone.
    pub typed: String,
    /// The likeliest first.
    pub expected: Vec<Expected>,
}

/// One kind of thing that may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A field of the events, as the beginning of a clause.
    Clause,
    /// The name of a field of the events.
    Field,
    /// A column of the table that stages have made.
    Column(String),
    /// A value of this field.
    Value(Target),
    /// A word of the language.
    Word {
        /// As it is written.
        text: &'static str,
        /// What it is.
        kind: WordKind,
    },
}

/// What a word of the language is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// `AND`, `by`, `as`.
    Keyword,
    /// `:`, `>=`.
    Operator,
    /// `stats`.
    Stage,
    /// `count`.
    Function,
    /// `error`, `now-1h`: a value that every query may write.
    Value,
}

/// What may stand at a byte of a query; one in the middle of a character is taken as the start of it. Takes time linear in
/// the text; of a text beyond the limit of a query nothing is said.
pub fn complete(text: &str, position: usize) -> Completion {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    let (before, after) = text.split_at(position);
    if text.len() > TEXT_BYTES_MAX {
        return Completion {
            replaced: position..position,
            typed: String::new(),
            expected: Vec::new(),
        };
    }
    let scan = Scan::of(before);
    let word = scan.word_at_end();
    Completion {
        replaced: word.start..position + rest_of_word(after, word.is_quoted),
        typed: word.text,
        expected: scan.expected(),
    }
}

/// How many bytes after the place belong to the word there.
fn rest_of_word(after: &str, is_quoted: bool) -> usize {
    if is_quoted {
        return after.find('"').map_or(0, |quote| quote + 1);
    }
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '(' | ')' | '|' | '"' | ',' | ':' | '=' | '<' | '>' | '!')
    };
    after.find(ends).unwrap_or(after.len())
}

/// The name of a field or column as a query writes it.
pub fn written_name(name: &str) -> String {
    Named(name).to_string()
}

/// A text as the value of a field in a query, which is found by it.
pub fn written_value(value: &str) -> String {
    Literal(value).to_string()
}

fn word(text: &'static str, kind: WordKind) -> Expected {
    Expected::Word { text, kind }
}

fn words(texts: &[&'static str], kind: WordKind) -> impl Iterator<Item = Expected> {
    texts.iter().map(move |text| word(text, kind))
}

/// Values that the language itself has for a field.
fn values_of(target: &Target) -> Vec<Expected> {
    const TIMES: [&str; 6] = ["now-5m", "now-15m", "now-1h", "now-6h", "now-1d", "now-7d"];
    match target {
        Target::Level => {
            let levels = Level::ALL.map(|level| word(level.name(), WordKind::Value));
            levels.into_iter().rev().collect()
        }
        Target::Time => words(&TIMES, WordKind::Value).collect(),
        _ => Vec::new(),
    }
}
