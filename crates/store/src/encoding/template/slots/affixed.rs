//! Decimal numbers between a beginning and an end that all of them share, as packed integers.

use super::super::super::Corrupt;
use super::super::super::cursor::{Cursor, push_count};
use super::super::super::int::{self, IntPlan, IntView};
use crate::postings::words::END;

/// The longest beginning or end; a longer one is left to the text.
const AFFIX_BYTES_MAX: usize = 255;

/// More decimals may not fit 64 bits with a digit before them.
const DECIMALS_MAX: usize = 18;

/// 2^63, with its sign.
const NUMBER_BYTES_MAX: usize = 20;

/// Values of the form `prefix` number `suffix`, where the number may have a minus sign, or has `decimals` of its digits behind a dot.
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
        let dot = digits.iter().position(|byte| *byte == b'.');
        let decimals = dot.map_or(0, |dot| digits.len() - dot - 1);
        let numbers = numbers_between(values, (prefix, suffix), decimals);
        let (prefix, numbers) = match (numbers, prefix.strip_suffix(b"-")) {
            (Some(numbers), _) => (prefix, numbers),
            // The first is below zero, and others are not.
            (None, Some(prefix)) => {
                let numbers = numbers_between(values, (prefix, suffix), decimals)?;
                (prefix, numbers)
            }
            (None, None) => return None,
        };
        let affix_bytes = prefix.len() + suffix.len();
        let plan = IntPlan::of(&numbers);
        if plan.bytes() + affix_bytes > bytes_as_text(values.iter().copied()) {
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
        let mut affixed = Affixed::decode_affixes(cursor)?;
        affixed.numbers = int::decode(cursor, count)?;
        Ok(affixed)
    }

    /// All but the numbers.
    fn decode_affixes(cursor: &mut Cursor<'_>) -> Result<Affixed, Corrupt> {
        let mut affix = || {
            let length = cursor.count(AFFIX_BYTES_MAX)?;
            let text = str::from_utf8(cursor.take(length)?);
            text.map(Box::from)
                .map_err(|_| Corrupt("text that is not UTF-8"))
        };
        let (prefix, suffix) = (affix()?, affix()?);
        Ok(Affixed {
            prefix,
            suffix,
            decimals: cursor.count(DECIMALS_MAX)?,
            numbers: Vec::new(),
        })
    }

    /// Appends the one value at an index of `count` that `cursor` is before.
    pub(super) fn push_single(
        cursor: &mut Cursor<'_>,
        (count, index): (usize, usize),
        out: &mut String,
    ) -> Result<(), Corrupt> {
        let mut affixed = Affixed::decode_affixes(cursor)?;
        let number = IntView::read(cursor, count)?.at(index)?;
        affixed.numbers.push(number);
        affixed.push_value(0, out)
    }

    pub(super) fn push_value(&self, index: usize, out: &mut String) -> Result<(), Corrupt> {
        let number = self.numbers.get(index);
        let number = *number.ok_or(Corrupt("a slot past the last number"))?;
        out.push_str(&self.prefix);
        if number < 0 {
            out.push('-');
        }
        // From the last digit to the first, at least one before the decimals.
        let mut rest = number.unsigned_abs();
        let mut reversed = [b'0'; NUMBER_BYTES_MAX];
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

/// The numbers of values that have nothing else but a beginning and an end.
fn numbers_between(
    values: &[&[u8]],
    (prefix, suffix): (&[u8], &[u8]),
    decimals: usize,
) -> Option<Vec<i64>> {
    if prefix.len() > AFFIX_BYTES_MAX || suffix.len() > AFFIX_BYTES_MAX {
        return None;
    }
    let mut numbers = Vec::with_capacity(values.len());
    for value in values {
        let written = value.strip_prefix(prefix)?.strip_suffix(suffix)?;
        numbers.push(match decimals {
            0 => parse_whole(written),
            _ => parse_decimal(written, decimals),
        }?);
    }
    Some(numbers)
}

/// A whole number, perhaps below zero; `None` if it would be written in another way.
#[inline]
fn parse_whole(written: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match written.strip_prefix(b"-") {
        Some(digits) => (digits, true),
        None => (written, false),
    };
    if !is_canonical(digits) || is_negative && digits == b"0" {
        return None;
    }
    let number = match digits.len() {
        ..=DIGITS_OF_ANY => with_digits(0, digits)?,
        // Some numbers of 19 digits fit, and none of more.
        _ => return str::from_utf8(written).ok()?.parse().ok(),
    };
    Some(if is_negative { -number } else { number })
}

/// A number with so many decimals, as a whole one.
fn parse_decimal(written: &[u8], decimals: usize) -> Option<i64> {
    let (whole, fraction) = written.split_at_checked(written.len().checked_sub(decimals)?)?;
    let whole = whole.strip_suffix(b".")?;
    if !is_canonical(whole) || whole.len() + fraction.len() > DIGITS_OF_ANY {
        return None;
    }
    with_digits(with_digits(0, whole)?, fraction)
}

/// Every number of so many digits fits 64 bits.
const DIGITS_OF_ANY: usize = 18;

/// Whether there is a digit, and no zero before another.
fn is_canonical(digits: &[u8]) -> bool {
    digits.len() == 1 || digits.first().is_some_and(|first| *first != b'0')
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
pub(super) fn bytes_as_text<'v>(values: impl Iterator<Item = &'v [u8]>) -> usize {
    let mut counts = [0u32; 256];
    let mut ends = 0;
    for value in values {
        for byte in value {
            if let Some(count) = counts.get_mut(usize::from(*byte)) {
                *count += 1;
            }
        }
        ends += 1;
    }
    if let Some(count) = counts.get_mut(usize::from(END)) {
        *count += ends;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The values as numbers and back; whether they are shorter so.
    fn check(values: &[String]) -> bool {
        let bytes: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let Some((affixed, plan)) = Affixed::of(&bytes) else {
            return false;
        };
        let mut out = Vec::new();
        affixed.encode(&plan, &mut out);
        let mut cursor = Cursor::new(&out);
        let read = Affixed::decode(&mut cursor, values.len()).unwrap();
        cursor.finish().unwrap();
        for (index, value) in values.iter().enumerate() {
            let mut text = String::new();
            read.push_value(index, &mut text).unwrap();
            assert_eq!(text, *value);
        }
        assert!(read.push_value(values.len(), &mut String::new()).is_err());
        true
    }

    #[test]
    fn numbers_of_64_bits_are_packed() {
        let of = |value: &dyn Fn(u64) -> String| {
            let scattered = (1..200).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            check(&scattered.map(value).collect::<Vec<_>>())
        };
        for (is_packed, expected) in [
            (of(&|n| format!("blk_{}", n.cast_signed())), true),
            (of(&|n| format!("blk_{}", (!n).cast_signed())), true),
            (of(&|n| format!("-{}s", n >> 1)), true),
            (of(&|n| format!("{}.{:02}", n >> 40, n % 100)), true),
            (of(&|n| n.to_string()), false),
            (of(&|n| format!("{:020}", n)), false),
        ] {
            assert_eq!(is_packed, expected);
        }
    }

    #[test]
    fn what_would_be_written_in_another_way_stays_text() {
        let of = |odd: &str| {
            let values = (0..50).map(|n| format!("a{}", n * 7919 % 1000));
            let odd = [odd.to_owned()].into_iter();
            check(&values.chain(odd).collect::<Vec<_>>())
        };
        assert!(of("a-5") && of("a0"));
        for odd in ["a-0", "a00", "a-", "a", "a--5", "a+5", "a-05", "a1.5", "b5"] {
            assert!(!of(odd), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn numbers_of_either_sign_come_back(
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), -9i64..9, Just(i64::MIN)], 1..100),
        ) {
            check(&numbers.iter().map(|number| format!("blk_{number}")).collect::<Vec<_>>());
            check(&numbers.iter().map(|number| format!("{number}ms")).collect::<Vec<_>>());
        }

        #[test]
        fn damaged_bytes_never_panic(
            bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..100), count in 0usize..70,
        ) {
            if let Ok(affixed) = Affixed::decode(&mut Cursor::new(&bytes), count) {
                for index in 0..=count {
                    let _ = affixed.push_value(index, &mut String::new());
                }
            }
        }
    }
}
