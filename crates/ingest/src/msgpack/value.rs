//! MessagePack values into a sink: maps flattened on the way, arrays kept as JSON text.

use std::borrow::Cow;
use std::fmt::Write;

use cordwood_event::json::{write_string, write_value};
use cordwood_event::{DuplicateKey, Scalar};

use super::extension;
use super::scanner::{Damage, Scanner, Token};
use crate::Limits;
use crate::sink::Sink;

/// Why a value was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Damage(Damage),
    TooDeep,
    TooLarge,
    DuplicateKey,
}

impl From<Damage> for Stop {
    fn from(damage: Damage) -> Stop {
        Stop::Damage(damage)
    }
}

impl From<DuplicateKey> for Stop {
    fn from(_: DuplicateKey) -> Stop {
        Stop::DuplicateKey
    }
}

/// Reads values; holds what it needs for that from one to the next.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) scanner: Scanner<'a>,
    limits: Limits,
    /// Where the event being read may not go on. Text in an array can grow sixfold when it is escaped, so an event that is
    /// too large must be noticed before it is written.
    end_max: usize,
    array: String,
    text: String,
    /// Whether a key is being written that is an array or a map itself.
    is_in_key: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8], limits: Limits) -> Reader<'a> {
        Reader {
            scanner: Scanner::new(body),
            limits,
            end_max: 0,
            array: String::new(),
            text: String::new(),
            is_in_key: false,
        }
    }

    /// The event that begins here, which must be a map.
    pub(crate) fn event<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop> {
        self.end_max = self.scanner.at() + self.limits.event_bytes_max;
        self.is_in_key = false;
        match self.scanner.token()? {
            Token::Map(count) => self.map(sink, count, 1),
            _ => Err(Stop::Damage(self.scanner.damage("expected a map"))),
        }
    }

    /// The pairs of a map whose own level is `depth`.
    fn map<S: Sink>(&mut self, sink: &mut S, count: u32, depth: usize) -> Result<(), Stop> {
        self.check_depth(depth)?;
        for _ in 0..count {
            match self.token()? {
                Token::Str(key) => sink.key(&String::from_utf8_lossy(key))?,
                key => {
                    let key = self.key_text(key, depth + 1)?;
                    sink.key(&key)?;
                }
            }
            self.value(sink, depth + 1)?;
        }
        Ok(())
    }

    fn value<S: Sink>(&mut self, sink: &mut S, depth: usize) -> Result<(), Stop> {
        match self.token()? {
            Token::Str(text) | Token::Bin(text) => {
                sink.value(Scalar::Str(&String::from_utf8_lossy(text)));
            }
            Token::Int(number) => sink.value(Scalar::Int(number)),
            Token::LargeInt(number) => sink.value(Scalar::Json(&number.to_string())),
            Token::Float(number) => sink.value(float(number)),
            Token::Bool(boolean) => sink.value(Scalar::Bool(boolean)),
            Token::Nil => sink.value(Scalar::Null),
            Token::Extension(kind, bytes) => {
                self.text.clear();
                extension::write_text(&mut self.text, kind, bytes);
                sink.value(Scalar::Str(&self.text));
            }
            Token::Map(count) => {
                sink.begin_object();
                self.map(sink, count, depth)?;
                sink.end_object();
            }
            array @ Token::Array(_) => {
                let mut json = std::mem::take(&mut self.array);
                json.clear();
                self.write_json(&mut json, array, depth)?;
                sink.value(Scalar::Json(&json));
                self.array = json;
            }
        }
        Ok(())
    }

    /// Appends a value as JSON; of an array or map, `token` is the head.
    fn write_json(
        &mut self,
        json: &mut String,
        token: Token<'_>,
        depth: usize,
    ) -> Result<(), Stop> {
        match token {
            Token::Str(text) | Token::Bin(text) => {
                write_string(json, &String::from_utf8_lossy(text));
            }
            Token::Int(number) => write_value(json, Scalar::Int(number)),
            Token::LargeInt(number) => {
                let _ = write!(json, "{number}");
            }
            Token::Float(number) => write_value(json, float(number)),
            Token::Bool(boolean) => write_value(json, Scalar::Bool(boolean)),
            Token::Nil => write_value(json, Scalar::Null),
            Token::Extension(kind, bytes) => {
                let mut text = String::new();
                extension::write_text(&mut text, kind, bytes);
                write_string(json, &text);
            }
            Token::Array(count) => self.write_array(json, count, depth)?,
            Token::Map(count) => self.write_map(json, count, depth)?,
        }
        Ok(())
    }

    fn write_array(&mut self, json: &mut String, count: u32, depth: usize) -> Result<(), Stop> {
        self.check_depth(depth)?;
        json.push('[');
        for index in 0..count {
            if index > 0 {
                json.push(',');
            }
            let token = self.token()?;
            self.write_json(json, token, depth + 1)?;
        }
        json.push(']');
        Ok(())
    }

    fn write_map(&mut self, json: &mut String, count: u32, depth: usize) -> Result<(), Stop> {
        self.check_depth(depth)?;
        json.push('{');
        for index in 0..count {
            if index > 0 {
                json.push(',');
            }
            let key = self.token()?;
            let key = self.key_text(key, depth + 1)?;
            write_string(json, &key);
            json.push(':');
            let token = self.token()?;
            self.write_json(json, token, depth + 1)?;
        }
        json.push('}');
        Ok(())
    }

    /// A key as text: itself, or written as JSON.
    fn key_text<'k>(&mut self, key: Token<'k>, depth: usize) -> Result<Cow<'k, str>, Stop> {
        let mut text = String::new();
        match key {
            Token::Str(bytes) | Token::Bin(bytes) => return Ok(String::from_utf8_lossy(bytes)),
            Token::Extension(kind, bytes) => extension::write_text(&mut text, kind, bytes),
            Token::Float(number) => match float(number) {
                Scalar::Str(name) => text.push_str(name),
                number => write_value(&mut text, number),
            },
            key => self.write_key(&mut text, key, depth)?,
        }
        Ok(Cow::Owned(text))
    }

    /// A key that is an array or a map may hold no such key again: each one doubles the backslashes of
    /// those within it, so that a few hundred bytes would ask for more memory than there is.
    fn write_key(&mut self, text: &mut String, key: Token<'_>, depth: usize) -> Result<(), Stop> {
        let is_container = matches!(key, Token::Array(_) | Token::Map(_));
        if is_container && self.is_in_key {
            return Err(Stop::TooDeep);
        }
        self.is_in_key |= is_container;
        self.write_json(text, key, depth)?;
        self.is_in_key &= !is_container;
        Ok(())
    }

    fn token(&mut self) -> Result<Token<'a>, Stop> {
        let token = self.scanner.token()?;
        if self.scanner.at() > self.end_max {
            return Err(Stop::TooLarge);
        }
        Ok(token)
    }

    fn check_depth(&self, depth: usize) -> Result<(), Stop> {
        if depth > self.limits.depth_max {
            return Err(Stop::TooDeep);
        }
        Ok(())
    }
}

/// JSON has no word for the numbers that are none.
fn float(number: f64) -> Scalar<'static> {
    if number.is_finite() {
        Scalar::Float(number)
    } else if number.is_nan() {
        Scalar::Str("NaN")
    } else if number > 0.0 {
        Scalar::Str("Infinity")
    } else {
        Scalar::Str("-Infinity")
    }
}
