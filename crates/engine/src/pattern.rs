//! Patterns: what the texts of a field have in common, and which texts are of one.
//!
//! A text has a [*form*](form), which depends on the text alone: what varies by its nature, such as numbers, ids, paths and what
//! stands in quotes, is a place in it. A word is a place as well where many different words were seen with all else equal, or where other
//! texts of the form have a place: [`PatternForms`] say of the forms known so far which of them a text is of, and
//! [`settle`] what forms teach. So what a text belongs to never depends on the block it lies in, or on templates of its segment.
//!
//! Nothing here knows blocks or queries.

mod form;
mod forms;
mod key;
mod memo;
mod numbers;
mod open;
mod settle;
mod shown;

use sha2::{Digest, Sha256};

use form::PLACE;
pub(crate) use form::{Form, word_of};
pub use forms::PatternForms;
pub(crate) use key::{KnownPatterns, OTHER, OfTemplate, PatternKey, SourcePatterns, TextForms};
pub(crate) use numbers::FormNumber;
pub(crate) use open::{OpenTemplate, Standing};
pub use settle::{Settled, VARIANTS_MIN, settle};
pub use shown::{PatternQuery, typed};

/// Names a pattern: the same for equal forms, in every process and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternId(pub u64);

impl PatternId {
    /// The id of the pattern of a form.
    pub fn of_form(form: &str) -> PatternId {
        let digest = Sha256::digest(form.as_bytes());
        let first = digest.first_chunk().copied().unwrap_or_default();
        PatternId(u64::from_be_bytes(first))
    }
}

impl std::fmt::Display for PatternId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Is no number in sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a pattern has sixteen hexadecimal digits")]
pub struct NoPatternId;

impl std::str::FromStr for PatternId {
    type Err = NoPatternId;

    fn from_str(text: &str) -> Result<PatternId, NoPatternId> {
        let is_digit = |c: char| c.is_ascii_hexdigit();
        match u64::from_str_radix(text, 16) {
            Ok(id) if text.len() == 16 && text.chars().all(is_digit) => Ok(PatternId(id)),
            _ => Err(NoPatternId),
        }
    }
}

/// A form as people read it, who see no place otherwise.
pub fn shown(form: &str) -> String {
    form.replace(PLACE, "<*>")
}

/// The form of a text. Two texts of one form are of one pattern.
pub fn form_of(text: &str) -> String {
    Form::of_text(text).text()
}

#[cfg(test)]
mod tests;
