//! Bare words and quoted text.

use std::ops::Range;

use super::{Parser, Step};
use crate::{Diagnostic, GlobToken};

/// A piece of text in a query, bare or quoted.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    pub(super) tokens: Vec<GlobToken>,
    pub(super) span: Range<usize>,
    pub(super) is_quoted: bool,
}

/// Where a bare word stands, which decides where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Before any field: an operator ends it.
    Start,
    /// After `field:`.
    Value,
    /// In `in(…)`: a comma ends it.
    List,
    /// In a range: a bracket ends it.
    Range,
    /// A name in a stage: an operator or a comma ends it.
    Name,
}

impl Literal {
    /// The text, wildcards taken as the characters they are written with.
    pub(super) fn text(&self) -> String {
        self.tokens
            .iter()
            .map(|token| match token {
                GlobToken::Char(c) => *c,
                GlobToken::AnyChar => '?',
                GlobToken::AnyRun => '*',
            })
            .collect()
    }

    pub(super) fn has_wildcard(&self) -> bool {
        self.tokens
            .iter()
            .any(|token| !matches!(token, GlobToken::Char(_)))
    }

    /// Whether it is nothing but `*`.
    pub(super) fn is_star(&self) -> bool {
        !self.tokens.is_empty() && self.tokens.iter().all(|token| *token == GlobToken::AnyRun)
    }
}

impl Parser<'_> {
    /// A quoted or bare piece of text.
    pub(super) fn literal(&mut self, place: Place) -> Step<Literal> {
        if self.cursor.peek() == Some('"') {
            self.quoted(place)
        } else {
            self.word(place)
        }
    }

    /// Text in quotes, in which `\"` and `\\` are escapes and everything else is as typed.
    pub(super) fn quoted(&mut self, place: Place) -> Step<Literal> {
        let opening = self.cursor.span_of_next();
        self.cursor.bump();
        let mut tokens = Vec::new();
        loop {
            match self.cursor.bump() {
                Some('"') => break,
                Some('\\') if matches!(self.cursor.peek(), Some('"' | '\\')) => {
                    tokens.extend(self.cursor.bump().map(GlobToken::Char));
                }
                Some(c) => tokens.push(GlobToken::Char(c)),
                None => {
                    return self.stop(
                        Diagnostic::new(opening, "This quote is never closed.")
                            .hint("Add `\"` where the phrase ends, or write `\\\"` to search for the character."),
                    );
                }
            }
        }
        let span = opening.start..self.cursor.at();
        self.expect_word_end(place)?;
        Ok(Literal {
            tokens,
            span,
            is_quoted: true,
        })
    }

    /// What follows a closing quote directly is easily taken for part of the phrase; it is refused.
    fn expect_word_end(&mut self, place: Place) -> Step<()> {
        let is_end = match self.cursor.peek() {
            None => true,
            Some(c) if self.ends_word(c, place) => c != '"',
            Some(_) => false,
        };
        if is_end {
            return Ok(());
        }
        let span = self.cursor.span_of_next();
        self.stop(
            Diagnostic::new(span, "Text follows the closing quote without a space.")
                .hint("Put a space between them, or write `\\\"` for a quote inside the phrase."),
        )
    }

    /// A bare word. A backslash takes the next punctuation or space as it is; before any other character it
    /// is an ordinary character.
    pub(super) fn word(&mut self, place: Place) -> Step<Literal> {
        let start = self.cursor.at();
        let mut tokens = Vec::new();
        while let Some(c) = self.cursor.peek() {
            if self.ends_word(c, place) {
                break;
            }
            self.cursor.bump();
            tokens.push(match c {
                '*' => GlobToken::AnyRun,
                '?' => GlobToken::AnyChar,
                '\\' => GlobToken::Char(self.escaped()?),
                c => GlobToken::Char(c),
            });
        }
        if self.cursor.peek() == Some('"') {
            let span = self.cursor.span_of_next();
            return self.stop(
                Diagnostic::new(span, "A quote begins in the middle of a word.")
                    .hint("Put a space before it, or write `\\\"` to search for the character."),
            );
        }
        Ok(Literal {
            tokens,
            span: start..self.cursor.at(),
            is_quoted: false,
        })
    }

    /// The character a backslash, just passed, stands for together with what follows.
    fn escaped(&mut self) -> Step<char> {
        match self.cursor.peek() {
            Some(c) if c.is_ascii_punctuation() || c.is_whitespace() => {
                self.cursor.bump();
                Ok(c)
            }
            Some(_) => Ok('\\'),
            None => {
                let end = self.cursor.at();
                self.stop(
                    Diagnostic::new(end - 1..end, "The backslash at the end escapes nothing.")
                        .hint("Remove it, or write `\\\\` to search for the character."),
                )
            }
        }
    }

    /// Whether a bare word ends before `c`, which is the character here.
    fn ends_word(&self, c: char, place: Place) -> bool {
        match c {
            '"' => true,
            c if c.is_whitespace() => true,
            ']' | '}' if place == Place::Range => true,
            _ if place == Place::Range => false,
            '(' | ')' | '|' => true,
            '&' => self.cursor.rest().starts_with("&&"),
            ',' => matches!(place, Place::List | Place::Name),
            ':' | '=' | '<' | '>' => matches!(place, Place::Start | Place::Name),
            '!' if matches!(place, Place::Start | Place::Name) => ["!=", "!:", "!~"]
                .iter()
                .any(|operator| self.cursor.rest().starts_with(operator)),
            _ => false,
        }
    }

    /// Whether the word that begins here is plainly text although an operator may stand in it: an address, a time,
    /// a URL, a path such as `/a?b=c`, `C:\a` or `std::io`.
    pub(super) fn is_text_with_operator(&self) -> bool {
        let rest = self.cursor.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '|' | '&'))
            .unwrap_or(rest.len());
        let Some(chunk) = rest.get(..end) else {
            return false;
        };
        if chunk.starts_with('/') || is_drive(chunk) {
            return true;
        }
        let Some(operator) = chunk.find([':', '=', '<', '>', '!', '\\']) else {
            return false;
        };
        let (head, tail) = chunk.split_at(operator);
        // Three colons are a field whose value is an IPv6 address, as in `ip:::1`.
        let is_path = tail.starts_with("::") && !tail.starts_with(":::");
        if tail.starts_with("://") || is_path {
            return true;
        }
        let Some(after) = tail.strip_prefix(':') else {
            return false;
        };
        is_address(chunk) || is_time_or_port(head, after)
    }
}

/// `C:\temp`; but in `a:\*` the backslash is an escape in the value of a field.
fn is_drive(chunk: &str) -> bool {
    let after_letter = chunk
        .strip_prefix(|c: char| c.is_ascii_alphabetic())
        .and_then(|rest| rest.strip_prefix(":\\"));
    after_letter.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// `fe80:0:…`, `[::1]:80`, `00:1a:2b:3c:4d:5e`
fn is_address(chunk: &str) -> bool {
    let is_hex_pair =
        |group: &str| group.len() == 2 && group.bytes().all(|b| b.is_ascii_hexdigit());
    chunk.parse::<std::net::IpAddr>().is_ok()
        || chunk.parse::<std::net::SocketAddr>().is_ok()
        || (chunk.len() == 17 && chunk.split(':').all(is_hex_pair))
}

/// `10.0.0.1:5432`, `12:30`, `2026-03-27T10:15:30Z`
fn is_time_or_port(head: &str, after: &str) -> bool {
    head.starts_with(|c: char| c.is_ascii_digit())
        && head
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'T'))
        && after.starts_with(|c: char| c.is_ascii_digit())
}
