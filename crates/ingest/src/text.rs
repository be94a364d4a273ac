//! Bytes to text, checked once for the whole body.

use std::borrow::Cow;

use crate::Refusal;

/// The body as text. What is not UTF-8 becomes U+FFFD, which can make it three times as long: not beyond
/// `bytes_max`.
pub(crate) fn utf8(body: &[u8], bytes_max: usize) -> Result<Cow<'_, str>, Refusal> {
    if let Ok(text) = simdutf8::basic::from_utf8(body) {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        if text.len() > bytes_max {
            return Err(Refusal::TooLarge {
                limit_bytes: bytes_max,
            });
        }
    }
    Ok(Cow::Owned(text))
}

/// The text behind the mark that some editors and Windows put before it.
pub(crate) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
