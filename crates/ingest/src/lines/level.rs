//! Finds the level among the words that follow a time.

use cordwood_event::Level;

/// How far into a line a level may stand. Threads and loggers come before it in some layouts, the message after it in
/// all.
const WORDS_MAX: usize = 6;

/// Around a word, no part of it.
const PUNCTUATION: &[u8] = b"[](){}<>:,;|-*\"'=#.";

/// The level in the first words of `text`: a name in capitals, a name in brackets, `level=name`, or, as the very first
/// word, a name in any letters.
pub(super) fn in_words(text: &[u8]) -> Option<Level> {
    let mut is_first = true;
    for word in words(text).take(WORDS_MAX) {
        if let Some(level) = of_word(word, is_first) {
            return Some(level);
        }
        is_first = false;
    }
    None
}

/// The level that a message opens with: `error: …`, `[WARN] …`, `FATAL …`.
pub(super) fn at_start(text: &[u8]) -> Option<Level> {
    let word = words(text).next()?;
    let is_marked = word.ends_with(b":") || is_bracketed(word) || is_capitals(name_of(word));
    is_marked.then(|| of_word(word, true))?
}

/// The level around the first `: ` in the line of a program: `sshd[123]: error: …`, `kernel[0] <Error>: …`.
pub(super) fn after_tag(text: &[u8]) -> Option<Level> {
    let colon = text.windows(2).position(|pair| pair == b": ")?;
    let (tag, message) = text.split_at_checked(colon)?;
    let last = tag.rsplit(|byte| *byte == b' ').next()?;
    let in_tag = if last.starts_with(b"<") {
        of_word(last, false)
    } else {
        None
    };
    in_tag.or_else(|| at_start(message.get(2..)?))
}

/// Words separated by blanks or bars, those of punctuation alone left out.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b' ' | b'\t' | b'|'))
        .filter(|word| !name_of(word).is_empty())
}

fn of_word(word: &[u8], is_first: bool) -> Option<Level> {
    if let Some(value) = ["level=", "lvl=", "severity="]
        .iter()
        .find_map(|key| word.strip_prefix(key.as_bytes()))
    {
        return named(name_of(value));
    }
    let name = name_of(word);
    if is_bracketed(word) {
        // Apache 2.4 puts the module before it: `[core:error]`.
        return named(name.rsplit(|byte| *byte == b':').next()?);
    }
    // Monolog puts the channel before it: `production.ERROR:`.
    if word.ends_with(b":")
        && let Some(dot) = name.iter().rposition(|byte| *byte == b'.')
        && let Some(after) = name.get(dot + 1..)
        && is_capitals(after)
    {
        return named(after);
    }
    if is_capitals(name) || (is_first && !is_ordinary_word(name)) {
        return named(name);
    }
    None
}

/// A level by name; numbers are something else in a line of text.
fn named(name: &[u8]) -> Option<Level> {
    let first = name.first()?;
    if !first.is_ascii_alphabetic() {
        return None;
    }
    Level::parse(std::str::from_utf8(name).ok()?)
}

fn name_of(word: &[u8]) -> &[u8] {
    let is_letter = |byte: &u8| !PUNCTUATION.contains(byte);
    let start = word.iter().position(is_letter).unwrap_or(word.len());
    let end = word.iter().rposition(is_letter).map_or(start, |at| at + 1);
    word.get(start..end).unwrap_or_default()
}

fn is_bracketed(word: &[u8]) -> bool {
    let word = word.strip_suffix(b":").unwrap_or(word);
    (word.starts_with(b"[") && word.ends_with(b"]"))
        || (word.starts_with(b"<") && word.ends_with(b">"))
}

fn is_capitals(name: &[u8]) -> bool {
    name.len() > 1 && name.iter().all(u8::is_ascii_uppercase)
}

/// Names of levels that also begin ordinary sentences: "Log rotated", "Failure to connect".
fn is_ordinary_word(name: &[u8]) -> bool {
    const ORDINARY: [&[u8]; 9] = [
        b"log", b"default", b"config", b"fine", b"finer", b"finest", b"alert", b"failure", b"silly",
    ];
    ORDINARY.iter().any(|word| word.eq_ignore_ascii_case(name))
}
