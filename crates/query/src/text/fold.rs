//! Case and words: which characters are the same, and where a word begins and ends.

pub use cordwood_event::is_word;

/// A character as it is compared when case is ignored.
///
/// ASCII letters fold among themselves, every other character by its simple lower case if that is one character
/// outside ASCII. So text and query agree on a match whether an index folded them as ASCII or in full:
/// the Kelvin sign is no `k`, and `İ` no `i`.
pub fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lowered = c.to_lowercase();
    match (lowered.next(), lowered.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => c,
    }
}

/// Whether the character that ends `before` belongs to a word.
pub(super) fn ends_with_word(before: &[u8]) -> bool {
    last_char(before).is_some_and(|(c, _)| is_word(c))
}

/// Whether the character that begins `after` belongs to a word.
pub(super) fn starts_with_word(after: &[u8]) -> bool {
    first_char(after).is_some_and(|(c, _)| is_word(c))
}

/// The first character of UTF-8 bytes and its length. Bytes that are no UTF-8 count one by one as U+FFFD.
pub(super) fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let lead = *bytes.first()?;
    if lead.is_ascii() {
        return Some((char::from(lead), 1));
    }
    let length = match lead {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    };
    let decoded = bytes
        .get(..length)
        .and_then(|encoded| str::from_utf8(encoded).ok())
        .and_then(|text| text.chars().next());
    Some(decoded.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, length)))
}

/// The last character of UTF-8 bytes and its length. Bytes that are no UTF-8 count one by one as U+FFFD.
pub(super) fn last_char(bytes: &[u8]) -> Option<(char, usize)> {
    let last = *bytes.last()?;
    if last.is_ascii() {
        return Some((char::from(last), 1));
    }
    (2..=4)
        .filter_map(|length| bytes.len().checked_sub(length))
        .find_map(|start| {
            let tail = bytes.get(start..)?;
            let c = str::from_utf8(tail).ok()?.chars().next()?;
            (c.len_utf8() == tail.len()).then_some((c, tail.len()))
        })
        .or(Some((char::REPLACEMENT_CHARACTER, 1)))
}

/// Where the character after the one at `at` begins.
pub(super) fn next_char(bytes: &[u8], at: usize) -> usize {
    at + bytes
        .get(at..)
        .and_then(first_char)
        .map_or(1, |(_, length)| length)
}
