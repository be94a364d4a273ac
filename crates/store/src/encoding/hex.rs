//! HEX: texts that differ in hex digits only, such as UUIDs and trace ids, as the bytes that the digits spell.
//!
//! A place where all texts have the same character is part of their shape, be it a separator, a prefix or a digit; at all others
//! stand digits, of one case. Texts that repeat are listed once.

use std::borrow::Cow;

use super::Corrupt;
use super::cursor::{Cursor, push_count};
use super::frame::{Compressor, read_frame, view_frame};
use super::repeats::{self, Repeats};
use crate::column::{HexShape, HexTexts, Packed, PackedTexts};

const IS_UPPER_CASE: u8 = 1;
const IS_LISTED: u8 = 2;

/// Fewer digits are compressed about as well as text.
const DIGITS_MIN: usize = 8;

/// An id of 64 bytes in hex, a prefix, and room; and what a reader would rebuild a text of from one digit.
const TEXT_BYTES_MAX: usize = 256;

/// What the bytes at one place of all texts are, as a set.
const DECIMAL: u8 = 1;
const LOWER: u8 = 2;
const UPPER: u8 = 4;
const OTHER: u8 = 8;

/// The shape of the texts, if they have one.
pub(super) fn shape_of(texts: &[&str]) -> Option<HexShape> {
    let first = texts.first()?.as_bytes();
    if !(DIGITS_MIN..=TEXT_BYTES_MAX).contains(&first.len()) || !first.is_ascii() {
        return None;
    }
    let mut seen = Seen::new(first);
    for text in texts {
        if text.len() != first.len() || !seen.add(text.as_bytes()) {
            return None;
        }
    }
    let differs = || seen.differs.iter().map(|differs| *differs != 0);
    let digits = seen.classes.iter().zip(differs());
    let digits = digits.filter_map(|(classes, differs)| differs.then_some(*classes));
    let all_classes = digits.clone().fold(0, |all, classes| all | classes);
    let has_both_cases = all_classes & (LOWER | UPPER) == LOWER | UPPER;
    if has_both_cases || digits.count() < DIGITS_MIN {
        return None;
    }
    let literal = |(byte, differs): (&u8, bool)| (!differs).then_some(*byte);
    Some(HexShape {
        is_upper_case: all_classes & UPPER != 0,
        template: first.iter().zip(differs()).map(literal).collect(),
    })
}

/// What has been seen at each place of some texts. Without a branch per byte, so that many are looked at together: columns of
/// ids are looked at in full.
struct Seen<'a> {
    first: &'a [u8],
    /// Not 0 where a text differs from the first.
    differs: Vec<u8>,
    classes: Vec<u8>,
}

impl Seen<'_> {
    fn new(first: &[u8]) -> Seen<'_> {
        Seen {
            differs: vec![0; first.len()],
            classes: vec![0; first.len()],
            first,
        }
    }

    /// Whether all places that differ still have nothing but digits.
    fn add(&mut self, text: &[u8]) -> bool {
        for (differs, (byte, first)) in self.differs.iter_mut().zip(text.iter().zip(self.first)) {
            *differs |= byte ^ first;
        }
        for (classes, byte) in self.classes.iter_mut().zip(text) {
            *classes |= class_of(*byte);
        }
        let others = self.differs.iter().zip(&self.classes);
        others.fold(0, |others, (differs, classes)| {
            others | (u8::from(*differs != 0) * (classes & OTHER))
        }) == 0
    }
}

fn class_of(byte: u8) -> u8 {
    let is_within = |first: u8, count: u8| u8::from(byte.wrapping_sub(first) < count);
    let class = (DECIMAL * is_within(b'0', 10))
        | (LOWER * is_within(b'a', 6))
        | (UPPER * is_within(b'A', 6));
    class | (OTHER * u8::from(class == 0))
}

/// Appends the texts, which have this shape. With `codes`, they are distinct and the codes say which is where.
pub(super) fn encode(
    texts: &[&str],
    codes: Option<&[u16]>,
    shape: &HexShape,
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) {
    let width = shape.packed_bytes();
    let mut packed = Vec::with_capacity(texts.len() * width);
    let places = digit_places(shape);
    for text in texts {
        push_digits(text.as_bytes(), &places, &mut packed);
    }
    let Repeats { list, codes } = Repeats::of(packed.chunks_exact(width).collect(), codes, width);
    let is_listed = if codes.is_some() { IS_LISTED } else { 0 };
    let case = if shape.is_upper_case {
        IS_UPPER_CASE
    } else {
        0
    };
    out.push(is_listed | case);
    push_shape(shape, out);
    if let Some(codes) = codes {
        push_count(out, list.len());
        repeats::push_codes(&codes, list.len(), compressor, out);
    }
    compressor.push_frame(out, &transposed(&list.concat(), width));
}

fn digit_places(shape: &HexShape) -> Vec<usize> {
    let places = shape.template.iter().enumerate();
    let places = places.filter_map(|(place, byte)| byte.is_none().then_some(place));
    places.collect()
}

/// Appends what the digits at some places spell, two in a byte.
fn push_digits(text: &[u8], places: &[usize], packed: &mut Vec<u8>) {
    let digit_at = |place: &usize| text.get(*place).map_or(0, |byte| value_of(*byte));
    let (pairs, last) = places.as_chunks();
    packed.extend(
        pairs
            .iter()
            .map(|[high, low]| digit_at(high) << 4 | digit_at(low)),
    );
    packed.extend(last.iter().map(|high| digit_at(high) << 4));
}

/// The value of a hex digit: letters of either case have bit 6 and count up from 1 in the lowest bits.
fn value_of(digit: u8) -> u8 {
    (digit & 15) + 9 * (digit >> 6 & 1)
}

/// The length; the places of digits, a bit each; the other bytes.
fn push_shape(shape: &HexShape, out: &mut Vec<u8>) {
    push_count(out, shape.template.len());
    for places in shape.template.chunks(8) {
        let bits = places.iter().rev();
        out.push(bits.fold(0, |mask, byte| mask << 1 | u8::from(byte.is_none())));
    }
    out.extend(shape.template.iter().flatten());
}

/// Rows of `width` bytes as columns, or columns of as many bytes as `width` as rows: the first of each, then the second.
fn transposed(bytes: &[u8], width: usize) -> Vec<u8> {
    let mut transposed = Vec::with_capacity(bytes.len());
    for place in 0..width {
        transposed.extend(bytes.iter().skip(place).step_by(width));
    }
    transposed
}

/// Reads the texts at some of `count` ranks, in the order asked for.
pub(in crate::encoding) fn decode_few(
    cursor: &mut Cursor<'_>,
    (count, ranks): (usize, &[usize]),
) -> Result<Vec<String>, Corrupt> {
    let (shape, is_listed) = decode_header(cursor)?;
    let (listed, slots) = match is_listed {
        true => {
            let listed = cursor.count(count)?;
            let slots = repeats::decode_few(cursor, (count, listed), ranks)?;
            (listed, Cow::Owned(slots))
        }
        false => (count, Cow::Borrowed(ranks)),
    };
    let width = shape.packed_bytes();
    let columns = view_frame(cursor, listed * width)?;
    let mut bytes = Vec::with_capacity(slots.len() * width);
    for slot in slots.iter().filter(|slot| **slot < listed) {
        bytes.extend(columns.iter().skip(*slot).step_by(listed));
    }
    let texts = PackedTexts::new(Packed::Hex(HexTexts { shape, bytes }), None);
    let texts = (0..slots.len()).map(|index| texts.text(index));
    let texts: Option<Vec<String>> = texts.collect();
    texts.ok_or(Corrupt("a rank past the last hex digits"))
}

fn decode_header(cursor: &mut Cursor<'_>) -> Result<(HexShape, bool), Corrupt> {
    let flags = cursor.byte()?;
    if flags > IS_UPPER_CASE | IS_LISTED {
        return Err(Corrupt("hex digits of an unknown kind"));
    }
    let shape = decode_shape(cursor, flags & IS_UPPER_CASE != 0)?;
    Ok((shape, flags & IS_LISTED != 0))
}

/// Reads `count` texts.
pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<PackedTexts, Corrupt> {
    let (shape, is_listed) = decode_header(cursor)?;
    let mut listed = count;
    let mut codes = None;
    if is_listed {
        listed = cursor.count(count)?;
        codes = Some(repeats::decode(cursor, count, listed)?);
    }
    let columns = read_frame(cursor, listed * shape.packed_bytes())?;
    let bytes = transposed(&columns, listed.max(1));
    Ok(PackedTexts::new(
        Packed::Hex(HexTexts { shape, bytes }),
        codes,
    ))
}

fn decode_shape(cursor: &mut Cursor<'_>, is_upper_case: bool) -> Result<HexShape, Corrupt> {
    let length = cursor.count(TEXT_BYTES_MAX)?;
    let mask = cursor.take(length.div_ceil(8))?;
    let mut template = Vec::with_capacity(length);
    for place in 0..length {
        let bits = mask.get(place / 8).copied().unwrap_or(0);
        template.push(match bits >> (place % 8) & 1 {
            0 => Some(cursor.byte()?),
            _ => None,
        });
    }
    if !template.iter().flatten().all(u8::is_ascii) || template.iter().all(Option::is_some) {
        return Err(Corrupt("a shape of hex digits that no text has"));
    }
    Ok(HexShape {
        is_upper_case,
        template,
    })
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn digits_have_their_values() {
        for (digits, first) in [("0123456789", 0), ("abcdef", 10), ("ABCDEF", 10)] {
            assert!(
                (first..)
                    .zip(digits.bytes())
                    .all(|(value, digit)| value_of(digit) == value)
            );
        }
    }
}
