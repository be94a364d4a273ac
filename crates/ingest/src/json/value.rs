//! JSON values into a sink: objects flattened on the way, arrays kept as compact text.

use cordwood_event::{Scalar, json::write_string};

use super::scanner::{Literal, Scanner, Syntax};
use crate::Limits;
use crate::sink::Sink;

/// Why a value was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Syntax(Syntax),
    /// The text may be valid; see [`skip`](super::skip).
    TooDeep,
    TooLarge,
    DuplicateKey,
}

impl From<Syntax> for Stop {
    fn from(syntax: Syntax) -> Stop {
        Stop::Syntax(syntax)
    }
}

/// Reads values; holds what it needs for that from one to the next.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) scanner: Scanner<'a>,
    limits: Limits,
    /// Where the event being read may not go on. Its keys take many times their bytes while it is built, so an event that
    /// is too large is left as soon as it is known to be.
    end_max: usize,
    pub(super) key_scratch: String,
    text_scratch: String,
    array: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, limits: Limits) -> Reader<'a> {
        Reader {
            scanner: Scanner::new(text),
            limits,
            end_max: 0,
            key_scratch: String::new(),
            text_scratch: String::new(),
            array: String::new(),
        }
    }

    /// An event, from its opening brace, which was peeked at.
    pub(crate) fn event<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        self.end_max = self.scanner.at() + self.limits.event_bytes_max;
        self.object(sink, 1)
    }

    /// The members of an object. `depth` is its own level, 1 for an event.
    fn object<S: Sink>(&mut self, sink: &mut S, depth: usize) -> Result<(), Stop> {
        self.enter(depth)?;
        if self.scanner.next_token() == Some(b'}') {
            self.scanner.advance();
            return Ok(());
        }
        loop {
            match sink.spelled_key(self.scanner.rest()) {
                Some(length) => self.scanner.step(length),
                None => self.other_key(sink)?,
            }
            self.value(sink, depth + 1)?;
            let is_last = self.ends_with(b'}')?;
            if self.scanner.at() > self.end_max {
                return Err(Stop::TooLarge);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// A string, from its opening quote, which was peeked at; and where it ended.
    pub(crate) fn string(&mut self) -> Result<(&str, usize), Syntax> {
        let literal = self.scanner.string()?;
        Ok((literal.text(&mut self.text_scratch)?, self.scanner.at()))
    }

    #[inline]
    fn value<S: Sink>(&mut self, sink: &mut S, depth: usize) -> Result<(), Stop> {
        match self.scanner.next_token() {
            Some(b'"') => self.text(sink)?,
            Some(b'-' | b'0'..=b'9') => sink.value(self.scanner.number()?),
            Some(b'{') => {
                sink.begin_object();
                self.object(sink, depth)?;
                sink.end_object();
            }
            Some(b'[') => {
                self.array.clear();
                self.copy_value(depth)?;
                sink.value(Scalar::Json(&self.array));
            }
            _ => sink.value(self.scanner.word()?),
        }
        Ok(())
    }

    /// A key that was not the one expected, and the colon behind it.
    fn other_key<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        self.open_key()?;
        let key = self.scanner.string()?.text(&mut self.key_scratch)?;
        sink.key(key).map_err(|_| Stop::DuplicateKey)?;
        Ok(self.colon()?)
    }

    /// A text, from its opening quote, which was peeked at.
    #[inline]
    fn text<S: Sink>(&mut self, sink: &mut S) -> Result<(), Syntax> {
        if let Some((lanes, length)) = self.scanner.short_string()
            && sink.short_text(lanes, length)
        {
            self.scanner.close_string(length);
            return Ok(());
        }
        self.long_text(sink)
    }

    fn long_text<S: Sink>(&mut self, sink: &mut S) -> Result<(), Syntax> {
        if let Some(length) = sink.repeated_text(self.scanner.rest_of_string()) {
            self.scanner.close_string(length);
            return Ok(());
        }
        match self.scanner.string()? {
            Literal::Plain(text) => sink.plain_text(text),
            escaped => sink.value(Scalar::Str(escaped.text(&mut self.text_scratch)?)),
        }
        Ok(())
    }

    /// Appends a value to the text of the array, without whitespace, strings escaped in one way only.
    fn copy_value(&mut self, depth: usize) -> Result<(), Stop> {
        match self.scanner.next_token() {
            Some(b'"') => self.copy_string()?,
            Some(b'{') => self.copy_object(depth)?,
            Some(b'[') => self.copy_array(depth)?,
            token => {
                let start = self.scanner.at();
                if matches!(token, Some(b'-' | b'0'..=b'9')) {
                    self.scanner.number()?;
                } else {
                    self.scanner.word()?;
                }
                let end = self.scanner.at();
                self.array.push_str(self.scanner.slice(start..end));
            }
        }
        Ok(())
    }

    fn copy_array(&mut self, depth: usize) -> Result<(), Stop> {
        self.enter(depth)?;
        self.array.push('[');
        if self.scanner.next_token() == Some(b']') {
            self.scanner.advance();
        } else {
            loop {
                self.copy_value(depth + 1)?;
                if self.ends_with(b']')? {
                    break;
                }
                self.array.push(',');
            }
        }
        self.array.push(']');
        Ok(())
    }

    fn copy_object(&mut self, depth: usize) -> Result<(), Stop> {
        self.enter(depth)?;
        self.array.push('{');
        if self.scanner.next_token() == Some(b'}') {
            self.scanner.advance();
        } else {
            loop {
                let key = self.key()?;
                self.copy_literal(key)?;
                self.array.push(':');
                self.copy_value(depth + 1)?;
                if self.ends_with(b'}')? {
                    break;
                }
                self.array.push(',');
            }
        }
        self.array.push('}');
        Ok(())
    }

    fn copy_string(&mut self) -> Result<(), Syntax> {
        let literal = self.scanner.string()?;
        self.copy_literal(literal)
    }

    fn copy_literal(&mut self, literal: Literal<'a>) -> Result<(), Syntax> {
        match literal {
            Literal::Plain(text) => {
                self.array.push('"');
                self.array.push_str(text);
                self.array.push('"');
            }
            Literal::Escaped(..) => {
                let text = literal.text(&mut self.text_scratch)?;
                write_string(&mut self.array, text);
            }
        }
        Ok(())
    }

    /// Steps over an opening bracket or brace, if it may stand here.
    fn enter(&mut self, depth: usize) -> Result<(), Stop> {
        if depth > self.limits.depth_max {
            return Err(Stop::TooDeep);
        }
        self.scanner.advance();
        Ok(())
    }

    /// A key and the colon behind it.
    pub(super) fn key(&mut self) -> Result<Literal<'a>, Syntax> {
        self.open_key()?;
        let key = self.scanner.string()?;
        self.colon()?;
        Ok(key)
    }

    /// Up to the opening quote of a key.
    #[inline]
    fn open_key(&mut self) -> Result<(), Syntax> {
        if self.scanner.next_token() != Some(b'"') {
            return Err(self.scanner.problem("expected a key in quotes"));
        }
        Ok(())
    }

    /// Over the colon behind a key.
    #[inline]
    fn colon(&mut self) -> Result<(), Syntax> {
        if self.scanner.next_token() != Some(b':') {
            return Err(self.scanner.problem("expected a colon after a key"));
        }
        self.scanner.advance();
        Ok(())
    }

    /// Steps over the comma or the closing `end` after a member, and says whether it was the latter.
    #[inline]
    pub(super) fn ends_with(&mut self, end: u8) -> Result<bool, Syntax> {
        let token = self.scanner.next_token();
        if token != Some(b',') && token != Some(end) {
            return Err(self.scanner.problem(match end {
                b'}' => "expected a comma or a closing brace",
                _ => "expected a comma or a closing bracket",
            }));
        }
        self.scanner.advance();
        Ok(token == Some(end))
    }
}
