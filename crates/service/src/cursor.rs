//! Cursors: where the page before ended, and which question it was a page of.
//!
//! A cursor is opaque text. It holds the position of the last event, the last sequence number of
//! the first page's snapshot, what `now` was, and a hash of the question; so that pages show one
//! set of events while others arrive, and a cursor of another question is told apart from a broken
//! one. It gives no right to anything: every page is checked for permission anew.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use cordwood_engine::Position;
use cordwood_event::{EventId, Timestamp};

use crate::Error;

/// Where to go on, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) position: Position,
    pub(crate) up_to_sequence: u64,
    /// What `now` means, on all pages.
    pub(crate) now: Timestamp,
    /// See [`question_hash`].
    pub(crate) question: u64,
}

/// The version of the text. Cursors live for minutes, so an older one need not be read.
const VERSION: &str = "1";

/// Six numbers of 16 hex digits.
const TEXT_LENGTH: usize = VERSION.len() + 6 * 16;

impl Cursor {
    fn numbers(&self) -> [u64; 5] {
        [
            self.position.timestamp.as_nanos().cast_unsigned(),
            self.position.sequence,
            self.up_to_sequence,
            self.now.as_nanos().cast_unsigned(),
            self.question,
        ]
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.numbers();
        f.write_str(VERSION)?;
        for number in numbers {
            write!(f, "{number:016x}")?;
        }
        write!(f, "{:016x}", question_hash(&numbers))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Cursor, Error> {
        parse(text).ok_or(Error::InvalidCursor {
            message: "the cursor is not one we gave out",
        })
    }
}

fn parse(text: &str) -> Option<Cursor> {
    if text.len() != TEXT_LENGTH || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digits = text.strip_prefix(VERSION)?.as_bytes();
    let mut numbers = [0; 6];
    for (number, digits) in numbers.iter_mut().zip(digits.chunks(16)) {
        *number = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    let [timestamp, sequence, up_to_sequence, now, question, check] = numbers;
    let cursor = Cursor {
        position: EventId {
            timestamp: Timestamp::from_nanos(timestamp.cast_signed()),
            sequence,
        },
        up_to_sequence,
        now: Timestamp::from_nanos(now.cast_signed()),
        question,
    };
    (question_hash(&cursor.numbers()) == check).then_some(cursor)
}

/// A hash that is the same in every process of one version.
pub(crate) fn question_hash(question: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(timestamp: i64, sequence: u64) -> Cursor {
        Cursor {
            position: EventId {
                timestamp: Timestamp::from_nanos(timestamp),
                sequence,
            },
            up_to_sequence: u64::MAX,
            now: Timestamp::from_nanos(-1),
            question: 7,
        }
    }

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        for (timestamp, sequence) in [(0, 0), (i64::MIN, u64::MAX), (1_774_605_600, 42)] {
            let cursor = cursor(timestamp, sequence);
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
    }

    #[test]
    fn a_changed_text_is_no_cursor() {
        let text = cursor(1_774_605_600, 42).to_string();
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.parse::<Cursor>().is_err(), "{changed}");
        }
        for text in [
            "",
            "1",
            "é",
            text.trim_start_matches(VERSION),
            &format!("{text}0"),
            &text.replace('1', "+"),
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
