//! Integers as they are stored, to be asked for one by one: for a few rows of a block, unpacking all of them would take most of the time.

use std::cell::OnceCell;

use crate::encoding::Corrupt;
use crate::encoding::bitpack::{GROUP, mask, number_at, packed_len, unpack};
use crate::encoding::cursor::Cursor;

use super::{MODE_DELTAS, MODE_FREQUENT, MODE_OFFSETS, MODE_REPEATED, position_width};

const PAST_END: Corrupt = Corrupt("an index past the last integer");
const UNKNOWN_MODE: Corrupt = Corrupt("an unknown mode of integers");

/// Integers that are still packed.
#[derive(Debug)]
pub(crate) struct IntView<'a> {
    count: usize,
    usual: Option<Usual<'a>>,
    /// All of them, or those that are not the usual one.
    run: RunView<'a>,
}

/// Which integers are in the run, a bit for each, and what the others are.
#[derive(Debug)]
enum Usual<'a> {
    Frequent(i64, &'a [u8]),
    /// The same as the one before.
    Repeated(&'a [u8]),
}

/// Offsets from a base, or from the number before and a base.
#[derive(Debug)]
struct RunView<'a> {
    count: usize,
    /// Of deltas.
    first: Option<i64>,
    packed: PackedView<'a>,
    /// Of deltas, the sum of all before each group; made for the first that is asked for.
    sums: OnceCell<Vec<i64>>,
}

/// Numbers of which some have bits beyond the width of the others.
#[derive(Debug)]
struct PackedView<'a> {
    count: usize,
    base: i64,
    width: u32,
    low: &'a [u8],
    exceptions: usize,
    positions: &'a [u8],
    high_width: u32,
    high: &'a [u8],
}

impl<'a> IntView<'a> {
    /// Reads past `count` integers.
    pub(crate) fn read(cursor: &mut Cursor<'a>, count: usize) -> Result<IntView<'a>, Corrupt> {
        let mode = cursor.byte()?;
        let frequent = match mode {
            MODE_FREQUENT => Some(cursor.signed()?),
            _ => None,
        };
        if !matches!(mode, MODE_FREQUENT | MODE_REPEATED) {
            let run = RunView::read(cursor, mode, count)?;
            let usual = None;
            return Ok(IntView { count, usual, run });
        }
        let others = cursor.count(count)?;
        let bits = cursor.take(packed_len(count, 1))?;
        let mode = cursor.byte()?;
        Ok(IntView {
            count,
            usual: Some(match frequent {
                Some(value) => Usual::Frequent(value, bits),
                None => Usual::Repeated(bits),
            }),
            run: RunView::read(cursor, mode, others)?,
        })
    }

    /// The integer at an index.
    pub(crate) fn at(&self, index: usize) -> Result<i64, Corrupt> {
        if index >= self.count {
            return Err(PAST_END);
        }
        match self.usual {
            None => self.run.at(index),
            Some(Usual::Frequent(value, bits)) => match number_at(bits, index, 1) {
                Some(0) => Ok(value),
                _ => self.run.at(ones_before(bits, index)),
            },
            Some(Usual::Repeated(bits)) => {
                let place = ones_before(bits, index + 1).checked_sub(1);
                self.run.at(place.ok_or(PAST_END)?)
            }
        }
    }
}

impl<'a> RunView<'a> {
    fn read(cursor: &mut Cursor<'a>, mode: u8, count: usize) -> Result<RunView<'a>, Corrupt> {
        let (first, packed) = match mode {
            MODE_OFFSETS => (None, count),
            MODE_DELTAS => {
                let first = cursor.signed()?;
                let deltas = count.checked_sub(1).ok_or(Corrupt("deltas of no values"))?;
                (Some(first), deltas)
            }
            _ => return Err(UNKNOWN_MODE),
        };
        Ok(RunView {
            count,
            first,
            packed: PackedView::read(cursor, packed)?,
            sums: OnceCell::new(),
        })
    }

    fn at(&self, index: usize) -> Result<i64, Corrupt> {
        if index >= self.count {
            return Err(PAST_END);
        }
        let Some(first) = self.first else {
            return self.packed.at(index);
        };
        let sums = match self.sums.get() {
            Some(sums) => sums,
            None => {
                let sums = self.packed.sums()?;
                self.sums.get_or_init(|| sums)
            }
        };
        let before = *sums.get(index / GROUP).ok_or(PAST_END)?;
        let in_group = self.packed.sum_in_group(index)?;
        Ok(first.wrapping_add(before).wrapping_add(in_group))
    }
}

impl<'a> PackedView<'a> {
    fn read(cursor: &mut Cursor<'a>, count: usize) -> Result<PackedView<'a>, Corrupt> {
        let base = cursor.signed()?;
        let width = u32::from(cursor.byte()?);
        let exceptions = cursor.count(count)?;
        if width > u64::BITS {
            return Err(Corrupt("numbers packed in more than 64 bits"));
        }
        let mut view = PackedView {
            count,
            base,
            width,
            low: cursor.take(packed_len(count, width))?,
            exceptions,
            positions: &[],
            high_width: 0,
            high: &[],
        };
        if exceptions > 0 {
            view.positions = cursor.take(packed_len(exceptions, position_width(count)))?;
            view.high_width = u32::from(cursor.byte()?);
            if width + view.high_width > u64::BITS {
                return Err(Corrupt("an exception of more than 64 bits"));
            }
            view.high = cursor.take(packed_len(exceptions, view.high_width))?;
        }
        Ok(view)
    }

    fn at(&self, index: usize) -> Result<i64, Corrupt> {
        if index >= self.count {
            return Err(PAST_END);
        }
        let low = number_at(self.low, index, self.width).ok_or(PAST_END)?;
        let value = self.base.wrapping_add(low.cast_signed());
        Ok(match self.exception_at(index) {
            Some(exception) => value.wrapping_add(self.high_of(exception)),
            None => value,
        })
    }

    fn position(&self, exception: usize) -> Option<u64> {
        number_at(self.positions, exception, position_width(self.count))
    }

    /// What an exception has beyond the width of the others.
    fn high_of(&self, exception: usize) -> i64 {
        let high = number_at(self.high, exception, self.high_width).unwrap_or(0);
        high.checked_shl(self.width).unwrap_or(0).cast_signed()
    }

    /// Which of the exceptions, whose positions rise, an index is.
    fn exception_at(&self, index: usize) -> Option<usize> {
        let exception = self.first_exception_from(index);
        let position = self.position(exception)?;
        (exception < self.exceptions && position == index as u64).then_some(exception)
    }

    /// The first exception at an index or behind it.
    fn first_exception_from(&self, index: usize) -> usize {
        let (mut low, mut high) = (0, self.exceptions);
        while low < high {
            let middle = low.midpoint(high);
            match self.position(middle) {
                Some(position) if position < index as u64 => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// The sum of the numbers before an index that are in its group.
    fn sum_in_group(&self, index: usize) -> Result<i64, Corrupt> {
        let start = index / GROUP * GROUP;
        let bytes = self.low.get(packed_len(start, self.width)..);
        let mut cursor = Cursor::new(bytes.ok_or(PAST_END)?);
        let count = GROUP.min(self.count - start);
        let wanted = index - start;
        let base = self.base.wrapping_mul((wanted as u64).cast_signed());
        let mut sum = base.cast_unsigned();
        unpack(&mut cursor, count, self.width, |low| {
            let low = low.iter().take(wanted);
            sum = low.fold(sum, |sum, low| sum.wrapping_add(*low));
        })?;
        let mut sum = sum.cast_signed();
        for exception in self.first_exception_from(start)..self.first_exception_from(index) {
            sum = sum.wrapping_add(self.high_of(exception));
        }
        Ok(sum)
    }

    /// The sum of all numbers before each group, and behind the last.
    fn sums(&self) -> Result<Vec<i64>, Corrupt> {
        let mut of_groups = vec![0i64; self.count / GROUP + 1];
        let mut groups = of_groups.iter_mut();
        unpack(&mut Cursor::new(self.low), self.count, self.width, |low| {
            let base = self.base.wrapping_mul((low.len() as u64).cast_signed());
            let low = low.iter().fold(0u64, |sum, low| sum.wrapping_add(*low));
            if let Some(sum) = groups.next() {
                *sum = base.wrapping_add(low.cast_signed());
            }
        })?;
        for exception in 0..self.exceptions {
            let position = self.position(exception).unwrap_or(u64::MAX);
            let group = usize::try_from(position).map(|position| position / GROUP);
            let sum = group.ok().and_then(|group| of_groups.get_mut(group));
            let sum = sum.ok_or(Corrupt("an exception past the last value"))?;
            *sum = sum.wrapping_add(self.high_of(exception));
        }
        let mut before = 0i64;
        for sum in &mut of_groups {
            let of_group = *sum;
            *sum = before;
            before = before.wrapping_add(of_group);
        }
        Ok(of_groups)
    }
}

/// How many of the first so many bits are set.
fn ones_before(bits: &[u8], count: usize) -> usize {
    let (words, tail) = bits.get(..count / 8).unwrap_or_default().as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let whole: u32 = words.map(u64::count_ones).sum();
    let tail: u32 = tail.iter().map(|byte| byte.count_ones()).sum();
    let last = bits.get(count / 8).copied().unwrap_or(0);
    let last = u64::from(last) & mask(u32::try_from(count % 8).unwrap_or(0));
    (whole + tail + last.count_ones()) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::int;

    /// Integers of every mode.
    fn integers() -> impl Strategy<Value = Vec<i64>> {
        let narrow = prop::collection::vec(-50i64..50, 1..300);
        let wide = prop::collection::vec(any::<i64>(), 1..150);
        let with_exceptions =
            prop::collection::vec(prop_oneof![20 => 0i64..8, 1 => any::<i64>()], 1..700);
        let frequent =
            prop::collection::vec(prop_oneof![9 => Just(7i64), 1 => any::<i64>()], 1..700);
        let repeated = prop::collection::vec((any::<i64>(), 1usize..40), 1..30);
        let repeated = repeated.prop_map(|runs| {
            let runs = runs.into_iter();
            runs.flat_map(|(value, length)| vec![value; length])
                .collect()
        });
        let rising = prop::collection::vec(prop_oneof![20 => 0i64..20, 1 => any::<i64>()], 1..700);
        let rising = rising.prop_map(|deltas| {
            let mut value = 0i64;
            let mut next = |delta| {
                value = value.wrapping_add(delta);
                value
            };
            deltas.into_iter().map(&mut next).collect()
        });
        prop_oneof![narrow, wide, with_exceptions, frequent, repeated, rising]
    }

    proptest! {
        #[test]
        fn each_integer_is_what_it_is_among_all(values in integers()) {
            let mut bytes = Vec::new();
            int::encode(&values, &mut bytes);
            let mut cursor = Cursor::new(&bytes);
            let view = IntView::read(&mut cursor, values.len()).unwrap();
            prop_assert_eq!(cursor.finish(), Ok(()));
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(view.at(index), Ok(*value));
            }
            prop_assert!(view.at(values.len()).is_err());
        }

        #[test]
        fn damaged_bytes_never_panic(
            bytes in prop::collection::vec(prop_oneof![0u8..5, any::<u8>()], 0..100), count in 0usize..300,
        ) {
            if let Ok(view) = IntView::read(&mut Cursor::new(&bytes), count) {
                for index in 0..=count {
                    let _ = view.at(index);
                }
            }
        }
    }
}
