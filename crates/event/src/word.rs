//! Words: which characters belong to them.
//!
//! One definition for all: the language looks for words, and the store takes texts apart so that no word is cut.

/// Whether a character belongs to words: a letter or digit of any script, or `_`.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
