//! The scalars of a JSON text, found without parsing it: keys come too, and malformed text gives what it may.

use std::borrow::Cow;

/// A scalar.
pub(super) enum Leaf<'a> {
    /// A string. A character beyond ASCII that was escaped stands as a space: both separate words.
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`, as written.
    Other(&'a str),
}

/// Calls `visit` with every scalar of a JSON text, and every key.
pub(super) fn each_leaf(json: &str, mut visit: impl FnMut(Leaf<'_>)) {
    let mut rest = json;
    while let Some(start) = rest.find(|c: char| c == '"' || is_bare(c)) {
        rest = rest.get(start..).unwrap_or_default();
        if let Some(string) = rest.strip_prefix('"') {
            let length = string_length(string.as_bytes());
            let (text, after) = string.split_at_checked(length).unwrap_or((string, ""));
            visit(Leaf::Text(&unescaped(text.as_bytes())));
            rest = after.strip_prefix('"').unwrap_or(after);
        } else {
            let length = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
            let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            visit(Leaf::Other(text));
            rest = after;
        }
    }
}

/// Whether the character can be part of a scalar that is no string.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// How far it is to the quote that ends a string.
fn string_length(bytes: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = bytes.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.unwrap_or(bytes.len())
}

fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        if *escape == b'u' {
            let (digits, after) = rest.split_at_checked(4).unwrap_or((rest, &[]));
            plain.push(escaped_ascii(digits).unwrap_or(b' '));
            rest = after;
        } else {
            // Quote, backslash, slash and white space: all separate words.
            plain.push(b' ');
        }
    }
    Cow::Owned(plain)
}

fn escaped_ascii(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok()?;
    let code = u8::from_str_radix(digits, 16).ok()?;
    Some(code).filter(u8::is_ascii)
}
