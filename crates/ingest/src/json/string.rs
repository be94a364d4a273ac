//! What is inside a JSON string: finding its end, and its escapes.

use super::lanes::{LANES, special};
use super::scanner::{Literal, Syntax};

/// The place of the next quote, backslash or control character at or after `from`; the length of `bytes` if
/// there is none.
#[inline]
pub(crate) fn find_special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(lanes) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special(lanes);
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += LANES;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    at + tail.iter().position(is_special).unwrap_or(tail.len())
}

impl<'a> Literal<'a> {
    /// The text that the literal means, in `scratch` if it needs a place.
    #[inline]
    pub(crate) fn text<'t>(self, scratch: &'t mut String) -> Result<&'t str, Syntax>
    where
        'a: 't,
    {
        match self {
            Literal::Plain(text) => Ok(text),
            Literal::Escaped(inside, start) => {
                scratch.clear();
                unescape(inside, scratch).map_err(|syntax| Syntax {
                    at: start + syntax.at,
                    ..syntax
                })?;
                Ok(scratch)
            }
        }
    }
}

/// Appends the meaning of `inside` to `out`. Half of a surrogate pair becomes U+FFFD.
fn unescape(inside: &str, out: &mut String) -> Result<(), Syntax> {
    let mut rest = inside;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let at = inside.len() - escape.len();
        let (meaning, length) = read_escape(escape.as_bytes()).ok_or(Syntax {
            at,
            problem: "an escape in a string is not valid",
        })?;
        out.push(meaning);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(())
}

/// The character that stands behind a backslash, and how many bytes name it.
fn read_escape(escape: &[u8]) -> Option<(char, usize)> {
    let meaning = match escape.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return read_unicode(escape.get(1..)?).map(|(c, length)| (c, length + 1)),
        _ => return None,
    };
    Some((meaning, 1))
}

/// Four hex digits, or twice four with `\u` between them for a character beyond the 16 bits.
fn read_unicode(digits: &[u8]) -> Option<(char, usize)> {
    const DIGITS: usize = 4;
    const PAIR: usize = 2 * DIGITS + 2;
    let first = hex4(digits)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, DIGITS));
    }
    let is_high = (0xD800..0xDC00).contains(&first);
    let second = digits
        .get(DIGITS..)
        .and_then(|rest| rest.strip_prefix(b"\\u"))
        .and_then(hex4);
    match second {
        Some(low @ 0xDC00..0xE000) if is_high => {
            let code = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
            Some((char::from_u32(code)?, PAIR))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, DIGITS)),
    }
}

fn hex4(digits: &[u8]) -> Option<u32> {
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0, |code, digit| {
        Some(code * 16 + char::from(*digit).to_digit(16)?)
    })
}
