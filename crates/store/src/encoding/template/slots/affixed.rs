//! Decimal numbers between a beginning and an end that all of them share, as packed integers.

use super::super::super::Corrupt;
use super::super::super::cursor::{Cursor, push_count};
use super::super::super::int::{self, IntPlan};

/// The longest beginning or end; a longer one is left to the text.
const AFFIX_BYTES_MAX: usize = 255;

/// More digits may not fit 64 bits.
const DIGITS_MAX: usize = 18;

/// Values of the form `prefix` digits `suffix`, where the digits have `decimals` of them behind a dot.
#[derive(Debug)]
pub(crate) struct Affixed {
    prefix: Box<str>,
    suffix: Box<str>,
    decimals: usize,
    /// As whole numbers: times ten to the power of `decimals`.
    numbers: Vec<i64>,
}

impl Affixed {
    /// With how the numbers will be encoded. `None` if the values are not of this form, or shorter as text.
    pub(super) fn of(values: &[&[u8]]) -> Option<(Affixed, IntPlan)> {
        let (prefix, digits, suffix) = parts_of(values.first()?)?;
        if prefix.len() > AFFIX_BYTES_MAX || suffix.len() > AFFIX_BYTES_MAX {
            return None;
        }
        let dot = digits.iter().position(|byte| *byte == b'.');
        let decimals = dot.map_or(0, |dot| digits.len() - dot - 1);
        let number = |value: &&[u8]| {
            let digits = value.strip_prefix(prefix)?.strip_suffix(suffix)?;
            parse(digits, decimals)
        };
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            numbers.push(number(value)?);
        }
        let affix_bytes = prefix.len() + suffix.len();
        let plan = IntPlan::of(&numbers);
        if plan.bytes() + affix_bytes > bytes_as_text(values) {
            return None;
        }
        let affixed = Affixed {
            prefix: str::from_utf8(prefix).ok()?.into(),
            suffix: str::from_utf8(suffix).ok()?.into(),
            decimals,
            numbers,
        };
        Some((affixed, plan))
    }

    pub(super) fn encode(&self, plan: &IntPlan, out: &mut Vec<u8>) {
        for affix in [&self.prefix, &self.suffix] {
            push_count(out, affix.len());
            out.extend_from_slice(affix.as_bytes());
        }
        push_count(out, self.decimals);
        int::encode_as(&self.numbers, plan, out);
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Affixed, Corrupt> {
        let mut affix = || {
            let length = cursor.count(AFFIX_BYTES_MAX)?;
            let text = str::from_utf8(cursor.take(length)?);
            text.map(Box::from)
                .map_err(|_| Corrupt("text that is not UTF-8"))
        };
        let (prefix, suffix) = (affix()?, affix()?);
        let decimals = cursor.count(DIGITS_MAX)?;
        let numbers = int::decode(cursor, count)?;
        if numbers.iter().any(|number| *number < 0) {
            return Err(Corrupt("a slot of a negative number"));
        }
        Ok(Affixed {
            prefix,
            suffix,
            decimals,
            numbers,
        })
    }

    pub(super) fn push_value(&self, index: usize, out: &mut String) -> Result<(), Corrupt> {
        let number = self.numbers.get(index);
        let mut rest = *number.ok_or(Corrupt("a slot past the last number"))?;
        out.push_str(&self.prefix);
        // From the last digit to the first, at least one before the decimals.
        let mut reversed = [b'0'; DIGITS_MAX + 2];
        let mut used = 0;
        for digit in &mut reversed {
            if rest == 0 && used > self.decimals {
                break;
            }
            *digit = b'0' + (rest % 10).to_le_bytes()[0];
            rest /= 10;
            used += 1;
        }
        for (place, digit) in reversed.iter().enumerate().take(used).rev() {
            out.push(char::from(*digit));
            if place == self.decimals && place > 0 {
                out.push('.');
            }
        }
        out.push_str(&self.suffix);
        Ok(())
    }
}

/// The value before, as, and after its last number, which may have decimals.
fn parts_of(value: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = value.iter().rposition(u8::is_ascii_digit)? + 1;
    let (head, suffix) = value.split_at_checked(end)?;
    let start_of_run = |text: &[u8]| {
        let before = text.iter().rposition(|byte| !byte.is_ascii_digit());
        before.map_or(0, |before| before + 1)
    };
    let mut start = start_of_run(head);
    if let Some(whole) = head.get(..start)?.strip_suffix(b".")
        && whole.last().is_some_and(u8::is_ascii_digit)
    {
        start = start_of_run(whole);
    }
    let (prefix, digits) = head.split_at_checked(start)?;
    Some((prefix, digits, suffix))
}

/// The digits as a whole number; `None` if it would be written in another way.
fn parse(digits: &[u8], decimals: usize) -> Option<i64> {
    let (whole, fraction) = match decimals {
        0 => (digits, &[][..]),
        _ => {
            let (whole, fraction) = digits.split_at_checked(digits.len().checked_sub(decimals)?)?;
            (whole.strip_suffix(b".")?, fraction)
        }
    };
    let is_canonical = !whole.is_empty()
        && (whole.len() == 1 || !whole.starts_with(b"0"))
        && whole.len() + fraction.len() <= DIGITS_MAX;
    if !is_canonical {
        return None;
    }
    with_digits(with_digits(0, whole)?, fraction)
}

/// A number with more digits behind its own, so many that it fits; without a branch for each.
#[inline]
fn with_digits(number: i64, digits: &[u8]) -> Option<i64> {
    let mut number = number;
    let mut greatest = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        greatest = greatest.max(digit);
        number = number.wrapping_mul(10).wrapping_add(digit.into());
    }
    (greatest <= 9).then_some(number)
}

/// About how many bytes the values take in a frame among others: their entropy, byte by byte.
pub(super) fn bytes_as_text(values: &[&[u8]]) -> usize {
    let mut counts = [0u32; 256];
    for value in values {
        for byte in value.iter().chain(&[crate::postings::words::END]) {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
    }
    let total = f64::from(counts.iter().sum::<u32>());
    let bits: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) * (total / f64::from(*count)).log2())
        .sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, positive and below eight times the bytes"
    )]
    let bytes = (bits / 8.0) as usize;
    bytes
}
