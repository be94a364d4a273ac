//! Texts taken apart: what recurs from text to text, and the slots in it that vary.
//!
//! A maximal run of word characters and `.:/-_%@+` is a *slot* if it contains an ASCII digit, or if it is rare among the
//! texts at hand; all else is static. So no word straddles the border of a slot, and static text holds no digit: a
//! *template* is the text with `0` in the place of every slot. Nothing here knows blocks, encodings or the query language.

mod marks;
mod shape;
mod stamp;
mod table;

use std::ops::Range;

use cordwood_event::is_word;
use sha2::{Digest, Sha256};

use crate::postings::ListedWord;
pub(crate) use marks::Marks;
pub use shape::Shapes;
pub use stamp::{CharClasses, Stamp};
pub use table::{TemplateTable, TemplateUse, TemplateUses};

/// What stands for a slot in the text of a template.
pub(crate) const PLACEHOLDER: &str = "0";
const PLACEHOLDER_CHAR: char = '0';

/// Most slots of a template; texts with more are kept whole.
pub(crate) const SLOTS_MAX: usize = 64;

/// Longest text of a template in bytes; longer ones are kept whole. A stack trace has a few kilobytes.
pub(crate) const TEMPLATE_BYTES_MAX: usize = 16 << 10;

/// The runs of slot characters of a text, in order.
pub fn slot_runs(text: &str) -> impl Iterator<Item = &str> {
    runs(text).filter_map(|run| text.get(run.range))
}

/// A maximal run of slot characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// Whether it contains an ASCII digit.
    pub has_digit: bool,
}

/// The runs of slot characters in a text, in order.
pub fn runs(text: &str) -> impl Iterator<Item = Run> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = next_run(text, at)?;
        at = run.range.end;
        Some(run)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteClass {
    Static,
    Slot,
    Digit,
    /// Part of a character that has to be looked at as a whole.
    Unicode,
}

const CLASSES: [ByteClass; 256] = {
    let mut classes = [ByteClass::Static; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "evaluated by the compiler, for bytes"
        )]
        {
            classes[byte] = match byte as u8 {
                b'0'..=b'9' => ByteClass::Digit,
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => ByteClass::Slot,
                b'.' | b':' | b'/' | b'-' | b'%' | b'@' | b'+' => ByteClass::Slot,
                0x80.. => ByteClass::Unicode,
                _ => ByteClass::Static,
            };
        }
        byte += 1;
    }
    classes
};

fn class_of(byte: u8) -> ByteClass {
    CLASSES
        .get(usize::from(byte))
        .copied()
        .unwrap_or(ByteClass::Static)
}

/// The first run that begins at or after `from`, which is no place within a run.
fn next_run(text: &str, from: usize) -> Option<Run> {
    let bytes = text.as_bytes();
    let mut start = from;
    loop {
        match class_of(*bytes.get(start)?) {
            ByteClass::Static => start += 1,
            ByteClass::Slot | ByteClass::Digit => break,
            ByteClass::Unicode => {
                let c = text.get(start..)?.chars().next()?;
                if is_word(c) {
                    break;
                }
                start += c.len_utf8();
            }
        }
    }
    let mut run = Run {
        range: start..start,
        has_digit: false,
    };
    let end = &mut run.range.end;
    while let Some(byte) = bytes.get(*end) {
        match class_of(*byte) {
            ByteClass::Static => break,
            ByteClass::Slot => *end += 1,
            ByteClass::Digit => {
                run.has_digit = true;
                *end += 1;
            }
            ByteClass::Unicode => match text.get(*end..).and_then(|rest| rest.chars().next()) {
                Some(c) if is_word(c) => *end += c.len_utf8(),
                _ => break,
            },
        }
    }
    Some(run)
}

/// What texts have in common that differ in their slots only: the text around the slots, and words that stand in the slots of each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template {
    text: Box<str>,
    slots: usize,
    /// Sorted, each followed by [`HELD_END`].
    held: Box<str>,
}

/// Follows each word that all texts of a template have in their slots.
const HELD_END: char = ' ';

impl Template {
    /// The template with this text, if it is one: the only digits in it are those that stand for slots.
    pub(crate) fn new(text: &str) -> Option<Template> {
        let mut slots = 0;
        for run in runs(text).filter(|run| run.has_digit) {
            if text.get(run.range) != Some(PLACEHOLDER) {
                return None;
            }
            slots += 1;
        }
        (slots <= SLOTS_MAX && text.len() <= TEMPLATE_BYTES_MAX).then(|| Template {
            text: text.into(),
            slots,
            held: Box::default(),
        })
    }

    /// The template of texts that all have these words in their slots, in lower case.
    pub(crate) fn holding(self, mut words: Vec<String>) -> Template {
        words.sort_unstable();
        words.dedup();
        let ended = words.iter().flat_map(|word| [&**word, " "]);
        Template {
            held: ended.collect::<String>().into(),
            ..self
        }
    }

    /// The text with `0` in the place of every slot.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many slots it has.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The static text before, between and behind the slots: one more than there are slots. Only the first and the
    /// last can be empty.
    pub fn statics(&self) -> impl Iterator<Item = &str> {
        // By character: to look for a text would have to be prepared each time.
        self.text.split(PLACEHOLDER_CHAR)
    }

    /// The words that every text has in its slots, besides what is in the static text: those that have posting lists.
    pub fn held_words(&self) -> impl Iterator<Item = &str> {
        self.held.split_terminator(HELD_END)
    }

    /// Whether every text has a word because it is among those.
    pub fn holds(&self, word: &ListedWord) -> bool {
        self.held_words().any(|held| held == word.spelled())
    }

    /// Bytes of static text.
    pub(crate) fn static_bytes(&self) -> usize {
        self.text.len() - self.slots
    }

    /// A number that is the same for templates of equal text wherever they are, and hardly ever for others.
    pub fn id(&self) -> u64 {
        let digest = Sha256::digest(self.text.as_bytes());
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(first)
    }
}

#[cfg(test)]
mod tests;
