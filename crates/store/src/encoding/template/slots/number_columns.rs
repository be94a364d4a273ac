//! Values that differ in their numbers only, each number a column of packed integers: dates, addresses with ports, ids with a prefix.

use super::super::super::Corrupt;
use super::super::super::cursor::{Cursor, push_count};
use super::super::super::int::{self, IntPlan, IntView};
use super::affixed::bytes_as_text;

/// Most numbers of a value. An address of IPv6 has eight, a date with a time seven.
const NUMBERS_MAX: usize = 16;

/// The longest text between two numbers; a longer one is left to the frames.
const TEXT_BYTES_MAX: usize = 255;

/// More digits may not fit 64 bits.
const DIGITS_MAX: usize = 18;

/// Values that are text, number, text and so on, to a last text; the texts, which may be empty, are the same in all.
#[derive(Debug)]
pub(crate) struct NumberColumns {
    /// Before each number, and behind the last.
    texts: Vec<Box<str>>,
    columns: Vec<NumberColumn>,
}

/// The numbers at one place of all values.
#[derive(Debug)]
struct NumberColumn {
    /// How many digits they are written with; 0 if each has as many as it takes.
    digits: usize,
    numbers: Vec<i64>,
}

impl NumberColumns {
    /// With how the columns will be encoded. `None` if the values are not of this form, or shorter as text.
    pub(super) fn of(values: &[&[u8]]) -> Option<(NumberColumns, Vec<IntPlan>)> {
        let form = Form::of(values)?;
        let split = form.columns(values)?;
        let plan = |column: &NumberColumn| IntPlan::of(&column.numbers);
        let plans: Vec<IntPlan> = split.columns.iter().map(plan).collect();
        let columns: usize = plans.iter().map(IntPlan::bytes).sum();
        let texts: usize = split.texts.iter().map(|text| text.len()).sum();
        (columns + texts <= bytes_as_text(values.iter().copied())).then_some((split, plans))
    }

    pub(super) fn encode(&self, plans: &[IntPlan], out: &mut Vec<u8>) {
        push_count(out, self.columns.len());
        for text in &self.texts {
            push_count(out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        for (column, plan) in self.columns.iter().zip(plans) {
            push_count(out, column.digits);
            int::encode_as(&column.numbers, plan, out);
        }
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<NumberColumns, Corrupt> {
        NumberColumns::decode_with(cursor, |cursor| int::decode(cursor, count))
    }

    /// Appends the one value at an index of `count` that `cursor` is before.
    pub(super) fn push_single(
        cursor: &mut Cursor<'_>,
        (count, index): (usize, usize),
        out: &mut String,
    ) -> Result<(), Corrupt> {
        let single = NumberColumns::decode_with(cursor, |cursor| {
            let number = IntView::read(cursor, count)?.at(index)?;
            Ok(vec![number])
        })?;
        single.push_value(0, out)
    }

    fn decode_with(
        cursor: &mut Cursor<'_>,
        read_numbers: impl Fn(&mut Cursor<'_>) -> Result<Vec<i64>, Corrupt>,
    ) -> Result<NumberColumns, Corrupt> {
        let columns = cursor.count(NUMBERS_MAX)?;
        let mut text = |_| {
            let length = cursor.count(TEXT_BYTES_MAX)?;
            let text = str::from_utf8(cursor.take(length)?);
            text.map(Box::from)
                .map_err(|_| Corrupt("text that is not UTF-8"))
        };
        let texts = (0..=columns).map(&mut text).collect::<Result<_, _>>()?;
        let mut column = |_| {
            let digits = cursor.count(DIGITS_MAX)?;
            let numbers = read_numbers(cursor)?;
            if numbers.iter().any(|number| *number < 0) {
                return Err(Corrupt("a slot of a negative number"));
            }
            Ok(NumberColumn { digits, numbers })
        };
        let columns = (0..columns).map(&mut column).collect::<Result<_, _>>()?;
        Ok(NumberColumns { texts, columns })
    }

    pub(super) fn push_value(&self, index: usize, out: &mut String) -> Result<(), Corrupt> {
        let (last, texts) = self.texts.split_last().ok_or(PAST_END)?;
        for (text, column) in texts.iter().zip(&self.columns) {
            out.push_str(text);
            let number = *column.numbers.get(index).ok_or(PAST_END)?;
            push_number(number, column.digits, out);
        }
        out.push_str(last);
        Ok(())
    }
}

const PAST_END: Corrupt = Corrupt("a slot past the last number");

/// Appends a number with at least so many digits, and at least one.
fn push_number(mut number: i64, digits: usize, out: &mut String) {
    let mut reversed = [b'0'; DIGITS_MAX + 2];
    let mut used = 0;
    for digit in &mut reversed {
        if number == 0 && used >= digits.max(1) {
            break;
        }
        *digit = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        used += 1;
    }
    let written = reversed.iter().take(used).rev();
    out.extend(written.map(|digit| char::from(*digit)));
}

/// A piece of the form of values.
#[derive(Clone, Copy, Debug)]
struct Piece<'a> {
    /// What is before the number.
    text: &'a [u8],
    number: &'a [u8],
    /// Whether all values have the same number there.
    is_same: bool,
    /// Whether all numbers have as many digits.
    is_fixed: bool,
    /// Whether none begins with a zero that says nothing.
    is_plain: bool,
}

/// What values have in common.
#[derive(Debug)]
struct Form<'a> {
    pieces: Vec<Piece<'a>>,
    tail: &'a [u8],
}

impl<'a> Form<'a> {
    /// `None` if they differ in more than numbers, or these cannot be written back as they stand.
    fn of(values: &[&'a [u8]]) -> Option<Form<'a>> {
        let (first, others) = values.split_first()?;
        let mut form = Form::of_value(first)?;
        for value in others {
            form.agree(value)?;
        }
        let is_whole = |piece: &Piece<'_>| piece.is_same || piece.is_fixed || piece.is_plain;
        let varying = form.pieces.iter().filter(|piece| !piece.is_same).count();
        let is_sound = form.pieces.iter().all(is_whole) && (1..=NUMBERS_MAX).contains(&varying);
        is_sound.then_some(form)
    }

    fn of_value(value: &'a [u8]) -> Option<Form<'a>> {
        let mut pieces = Vec::new();
        let mut rest = value;
        while let Some(start) = rest.iter().position(u8::is_ascii_digit) {
            let (text, from_number) = rest.split_at_checked(start)?;
            let (number, behind) = split_number(from_number)?;
            pieces.push(Piece {
                text,
                number,
                is_same: true,
                is_fixed: true,
                is_plain: is_plain(number),
            });
            rest = behind;
        }
        Some(Form { pieces, tail: rest })
    }

    /// `None` if the value is of another form.
    fn agree(&mut self, value: &[u8]) -> Option<()> {
        let mut rest = value;
        for piece in &mut self.pieces {
            let (number, behind) = split_number(rest.strip_prefix(piece.text)?)?;
            piece.is_same &= number == piece.number;
            piece.is_fixed &= number.len() == piece.number.len();
            piece.is_plain &= is_plain(number);
            rest = behind;
        }
        (rest == self.tail).then_some(())
    }

    /// The values in this form; a number that is the same in all is text.
    fn columns(&self, values: &[&[u8]]) -> Option<NumberColumns> {
        let mut texts = Vec::new();
        let mut columns = Vec::new();
        let mut text = Vec::new();
        for piece in &self.pieces {
            text.extend_from_slice(piece.text);
            if piece.is_same {
                text.extend_from_slice(piece.number);
                continue;
            }
            texts.push(boxed(&std::mem::take(&mut text))?);
            columns.push(NumberColumn {
                digits: if piece.is_fixed {
                    piece.number.len()
                } else {
                    0
                },
                numbers: Vec::with_capacity(values.len()),
            });
        }
        text.extend_from_slice(self.tail);
        texts.push(boxed(&text)?);
        for value in values {
            self.push_numbers(value, &mut columns)?;
        }
        Some(NumberColumns { texts, columns })
    }

    fn push_numbers(&self, value: &[u8], columns: &mut [NumberColumn]) -> Option<()> {
        let mut columns = columns.iter_mut();
        let mut rest = value;
        for piece in &self.pieces {
            let (number, behind) = split_number(rest.get(piece.text.len()..)?)?;
            if !piece.is_same {
                columns.next()?.numbers.push(parse(number)?);
            }
            rest = behind;
        }
        Some(())
    }
}

fn boxed(text: &[u8]) -> Option<Box<str>> {
    let text = str::from_utf8(text).ok()?;
    (text.len() <= TEXT_BYTES_MAX).then(|| text.into())
}

/// The digits that a text begins with, one at least, and the rest.
fn split_number(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let end = end.unwrap_or(text.len());
    text.split_at_checked(end).filter(|_| end > 0)
}

fn is_plain(number: &[u8]) -> bool {
    number.len() == 1 || !number.starts_with(b"0")
}

fn parse(number: &[u8]) -> Option<i64> {
    if number.len() > DIGITS_MAX {
        return None;
    }
    let digits = number.iter().map(|digit| i64::from(digit - b'0'));
    Some(digits.fold(0, |number, digit| number * 10 + digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The values in columns and back; how many columns, if that is shorter than text.
    fn check(values: &[String]) -> Option<usize> {
        let bytes: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
        let (columns, plans) = NumberColumns::of(&bytes)?;
        let mut out = Vec::new();
        columns.encode(&plans, &mut out);
        let mut cursor = Cursor::new(&out);
        let read = NumberColumns::decode(&mut cursor, values.len()).unwrap();
        cursor.finish().unwrap();
        for (index, value) in values.iter().enumerate() {
            let mut text = String::new();
            read.push_value(index, &mut text).unwrap();
            assert_eq!(text, *value);
        }
        assert!(read.push_value(values.len(), &mut String::new()).is_err());
        Some(columns.columns.len())
    }

    #[test]
    fn numbers_that_vary_become_columns() {
        let scattered = |n: u32| n.wrapping_mul(2_654_435_761) >> 16;
        let of = |value: &dyn Fn(u32) -> String| check(&(0..500).map(value).collect::<Vec<_>>());
        for (columns, expected) in [
            (
                of(&|n| format!("2026-05-{:02}", scattered(n) % 28)),
                Some(1),
            ),
            (of(&|n| format!("{}:{}", scattered(n), n)), Some(2)),
            (of(&|n| format!("a{}b{:04}c", scattered(n), n)), Some(2)),
            (of(&|n| format!("10.{}.7.1", scattered(n) % 256)), Some(1)),
            (
                of(&|n| format!("{}x", "0".repeat(n as usize % 3 + 1))),
                None,
            ),
            (of(&|n| format!("{:x}", scattered(n))), None),
            (of(&|n| format!("1{:018}", scattered(n))), None),
            (of(&|n| ["x1", "y1"][n as usize % 2].to_owned()), None),
            (of(&|_| "all 1 the same".to_owned()), None),
            (
                of(&|n| format!("\u{e9}{}\u{df}{}", scattered(n), n)),
                Some(2),
            ),
        ] {
            assert_eq!(columns, expected);
        }
    }

    proptest! {
        #[test]
        fn values_of_one_form_come_back(
            numbers in prop::collection::vec((0u64..2000, 0u64..1_000_000_000_000), 1..100),
            is_fixed in any::<bool>(),
        ) {
            let value = |(a, b): (u64, u64)| match is_fixed {
                true => format!("x{a:04}/2026.{b:012}"),
                false => format!("{a}-{b}.7z"),
            };
            check(&numbers.into_iter().map(value).collect::<Vec<_>>());
        }

        #[test]
        fn damaged_bytes_never_panic(
            bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..100), count in 0usize..70,
        ) {
            if let Ok(columns) = NumberColumns::decode(&mut Cursor::new(&bytes), count) {
                for index in 0..=count {
                    let _ = columns.push_value(index, &mut String::new());
                }
            }
        }
    }
}
