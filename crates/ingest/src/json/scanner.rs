//! The tokens of JSON (RFC 8259), read from text that is known to be UTF-8.

use std::ops::Range;

use cordwood_event::Scalar;

use super::lanes::{self, LANES};
use super::string;

/// What was wrong, and where in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub(crate) at: usize,
    pub(crate) problem: &'static str,
}

/// A place in a text.
#[derive(Clone, Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// A string literal: as it stands if it holds no escape.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Literal<'a> {
    Plain(&'a str),
    /// What stands between the quotes, with escapes that were not looked at yet, and where it begins.
    Escaped(&'a str, usize),
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes to a place that [`at`](Self::at) gave before.
    pub(crate) fn return_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over the byte that was peeked at.
    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    /// The error that `problem` is here.
    pub(crate) fn problem(&self, problem: &'static str) -> Syntax {
        let at = self.at.min(self.text.len());
        let problem = if at == self.text.len() {
            "it ends too early"
        } else {
            problem
        };
        Syntax { at, problem }
    }

    #[inline]
    pub(crate) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// The byte after the whitespace, not stepped over.
    #[inline]
    pub(crate) fn next_token(&mut self) -> Option<u8> {
        match self.peek() {
            Some(byte) if byte > b' ' => Some(byte),
            _ => {
                self.skip_whitespace();
                self.peek()
            }
        }
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// `true`, `false` or `null`.
    pub(crate) fn word(&mut self) -> Result<Scalar<'static>, Syntax> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (value, length) = if rest.starts_with(b"true") {
            (Scalar::Bool(true), 4)
        } else if rest.starts_with(b"false") {
            (Scalar::Bool(false), 5)
        } else if rest.starts_with(b"null") {
            (Scalar::Null, 4)
        } else {
            return Err(self.problem("expected a value"));
        };
        self.at += length;
        Ok(value)
    }

    /// What was not read yet.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Steps over bytes that were looked at.
    #[inline]
    pub(crate) fn step(&mut self, length: usize) {
        self.at += length;
    }

    /// A string of at most sixteen bytes, without an escape, whose opening quote was peeked at: its length, and so many bytes
    /// from its first one on.
    #[inline]
    pub(crate) fn short_string(&self) -> Option<(&'a str, usize)> {
        let start = self.at + 1;
        let lanes = self.text.get(start..start + LANES)?;
        let bytes = lanes.as_bytes().first_chunk()?;
        let length = lanes::special(bytes).trailing_zeros() as usize;
        (bytes.get(length) == Some(&b'"')).then_some((lanes, length))
    }

    /// What follows the opening quote that was peeked at.
    #[inline]
    pub(crate) fn rest_of_string(&self) -> &'a [u8] {
        let bytes = self.text.as_bytes();
        bytes.get(self.at + 1..).unwrap_or_default()
    }

    /// Steps over a string of `length` bytes between its quotes.
    #[inline]
    pub(crate) fn close_string(&mut self, length: usize) {
        self.at += length + 2;
    }

    /// A string, from its opening quote, which was peeked at.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Literal<'a>, Syntax> {
        match self.plain_string() {
            Some(text) => Ok(Literal::Plain(text)),
            None => self.escaped_string(),
        }
    }

    /// A string without an escape, which most are; otherwise the scanner stays where it is.
    #[inline]
    fn plain_string(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let end = string::find_special(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(self.slice(start..end))
    }

    fn escaped_string(&mut self) -> Result<Literal<'a>, Syntax> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        loop {
            at = string::find_special(bytes, at);
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                _ => {
                    self.at = at;
                    return Err(self.problem("a control character must be escaped in a string"));
                }
            }
        }
        self.at = at + 1;
        Ok(Literal::Escaped(self.slice(start..at), start))
    }
}
