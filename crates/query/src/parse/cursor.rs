//! A place in the query text.

use std::ops::Range;

/// A place in the text, always between characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'q> {
    text: &'q str,
    at: usize,
}

impl<'q> Cursor<'q> {
    pub(super) fn new(text: &'q str) -> Cursor<'q> {
        Cursor { text, at: 0 }
    }

    /// The offset in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes back (or on) to an offset this cursor has been at.
    pub(super) fn go_to(&mut self, at: usize) {
        debug_assert!(self.text.is_char_boundary(at));
        self.at = at;
    }

    /// The text from here on.
    pub(super) fn rest(&self) -> &'q str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The text of a span.
    pub(super) fn slice(&self, span: Range<usize>) -> &'q str {
        self.text.get(span).unwrap_or_default()
    }

    /// The character here.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Steps over the character here and returns it.
    pub(super) fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Steps over `expected` if it stands here.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let is_here = self.rest().starts_with(expected);
        if is_here {
            self.at += expected.len();
        }
        is_here
    }

    /// Steps over white space.
    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The span of the character here; empty at the end.
    pub(super) fn span_of_next(&self) -> Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }
}
