//! One posting list: rising numbers below a bound, as Elias and Fano code them (Vigna, "Quasi-succinct indices", 2013).
//!
//! The high bits of each number go into one run, as gaps in unary; the low bits, of which all have equally many, into the next. How many
//! bytes that takes follows from how many numbers there are and from the bound, so that lists lie side by side without their lengths.

use crate::Corrupt;
use crate::bits::BitReader;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Every number below the bound: nothing.
    All,
    /// A bit for each number below the bound.
    Bitmap,
    /// By high and low bits.
    EliasFano { low_bits: u32 },
}

impl Form {
    fn of(count: u32, bound: u32) -> Form {
        if count >= bound {
            return Form::All;
        }
        let low_bits = (bound / count.max(1)).checked_ilog2().unwrap_or(0);
        let coded = high_run(count, bound, low_bits) + low_run(count, low_bits);
        if coded >= u64::from(bound) {
            return Form::Bitmap;
        }
        Form::EliasFano { low_bits }
    }

    fn bits(self, count: u32, bound: u32) -> u64 {
        match self {
            Form::All => 0,
            Form::Bitmap => bound.into(),
            Form::EliasFano { low_bits } => {
                high_run(count, bound, low_bits) + low_run(count, low_bits)
            }
        }
    }
}

/// The bits of all gaps between high parts at most, and of what ends each.
fn high_run(count: u32, bound: u32, low_bits: u32) -> u64 {
    u64::from(count) + u64::from(bound.saturating_sub(1) >> low_bits)
}

fn low_run(count: u32, low_bits: u32) -> u64 {
    u64::from(count) * u64::from(low_bits)
}

/// How many bytes a list of so many numbers takes.
pub(super) fn encoded_bytes(count: u32, bound: u32) -> usize {
    let bits = Form::of(count, bound).bits(count, bound);
    usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
}

/// Appends numbers below the bound, rising.
pub(super) fn encode(list: &[u32], bound: u32, out: &mut Vec<u8>) {
    let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
    let start = out.len();
    out.resize(start + encoded_bytes(count, bound), 0);
    let run = out.get_mut(start..).unwrap_or_default();
    match Form::of(count, bound) {
        Form::All => {}
        Form::Bitmap => list.iter().for_each(|number| put_bit(run, *number)),
        Form::EliasFano { low_bits } => {
            let high_run = high_run(count, bound, low_bits);
            put_high_run(list, low_bits, high_run, run);
            put_low_run(list, low_bits, high_run, run);
        }
    }
}

fn put_bit(run: &mut [u8], at: u32) {
    let (index, bit) = place_of(at.into());
    if let Some(byte) = run.get_mut(index) {
        *byte |= 1 << bit;
    }
}

/// Ones, so many in all, but for a zero at the end of each number: as many ones stand before it as its high part says.
fn put_high_run(list: &[u32], low_bits: u32, bits: u64, run: &mut [u8]) {
    let (whole, rest) = place_of(bits);
    run.get_mut(..whole).unwrap_or_default().fill(u8::MAX);
    if let Some(byte) = run.get_mut(whole) {
        *byte = (1 << rest) - 1;
    }
    for (ends_before, number) in (0u64..).zip(list) {
        let (index, bit) = place_of(u64::from(number >> low_bits) + ends_before);
        if let Some(byte) = run.get_mut(index) {
            *byte &= !(1 << bit);
        }
    }
}

/// The low bits of each number, into zeros.
fn put_low_run(list: &[u32], low_bits: u32, start: u64, run: &mut [u8]) {
    let mask = (1 << low_bits) - 1;
    let places = std::iter::successors(Some(start), |at| Some(at + u64::from(low_bits)));
    for (number, at) in list.iter().zip(places) {
        let (index, bit) = place_of(at);
        let bits = u64::from(number & mask) << bit;
        let tail = run.get_mut(index..).unwrap_or_default();
        match tail.first_chunk_mut() {
            Some(bytes) => *bytes = (u64::from_le_bytes(*bytes) | bits).to_le_bytes(),
            None => {
                let parts = tail.iter_mut().zip(bits.to_le_bytes());
                parts.for_each(|(byte, part)| *byte |= part);
            }
        }
    }
}

/// The byte in which a bit of a run is, and which of its bits it is.
fn place_of(bit: u64) -> (usize, u32) {
    let index = usize::try_from(bit / 8).unwrap_or(usize::MAX);
    (index, (bit % 8) as u32)
}

/// As many as a reader takes in one look.
const ONES_AT_ONCE: u32 = 32;

const OUT_OF_ORDER: Corrupt = Corrupt("a posting list that does not rise");

/// Reads the list of `count` numbers below the bound.
pub(super) fn decode(bytes: &[u8], count: u32, bound: u32) -> Result<Vec<u32>, Corrupt> {
    if count > bound || bytes.len() != encoded_bytes(count, bound) {
        return Err(Corrupt("a posting list of another length"));
    }
    let list = match Form::of(count, bound) {
        Form::All => (0..bound).collect(),
        Form::Bitmap => read_bitmap(bytes),
        Form::EliasFano { low_bits } => read_parts(bytes, count, bound, low_bits)?,
    };
    let is_below = list.last().is_none_or(|last| *last < bound);
    if list.len() != count as usize || !is_below || !list.is_sorted_by(|a, b| a < b) {
        return Err(OUT_OF_ORDER);
    }
    Ok(list)
}

fn read_bitmap(bytes: &[u8]) -> Vec<u32> {
    let mut list = Vec::new();
    for (first, byte) in (0u32..).step_by(8).zip(bytes) {
        let mut rest = *byte;
        while rest != 0 {
            list.push(first + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
    list
}

fn read_parts(bytes: &[u8], count: u32, bound: u32, low_bits: u32) -> Result<Vec<u32>, Corrupt> {
    let mut high_bits = BitReader::new(bytes);
    let mut low_parts = BitReader::new(bytes);
    let low_start = high_run(count, bound, low_bits);
    low_parts.skip(u32::try_from(low_start).map_err(|_| OUT_OF_ORDER)?)?;
    let mut list = Vec::with_capacity(count as usize);
    let mut high = 0u32;
    for _ in 0..count {
        loop {
            let ones = high_bits.read_ones(ONES_AT_ONCE)?;
            high = high.checked_add(ones).ok_or(OUT_OF_ORDER)?;
            if ones < ONES_AT_ONCE {
                break;
            }
        }
        let low = u32::try_from(low_parts.read(low_bits)?).map_err(|_| OUT_OF_ORDER)?;
        let high = high
            .checked_shl(low_bits)
            .filter(|_| high <= bound >> low_bits);
        list.push(high.ok_or(OUT_OF_ORDER)? | low);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn check(list: &[u32], bound: u32, bytes: usize) {
        let mut encoded = Vec::new();
        encode(list, bound, &mut encoded);
        assert_eq!(encoded.len(), bytes, "{list:?} below {bound}");
        let count = u32::try_from(list.len()).unwrap();
        assert_eq!(encoded_bytes(count, bound), bytes);
        assert_eq!(decode(&encoded, count, bound).as_deref(), Ok(list));
    }

    #[test]
    fn a_list_takes_about_as_many_bits_as_there_are_to_choose_from() {
        check(&[], 0, 0);
        check(&[0], 1, 0);
        check(&[0, 1, 2], 3, 0);
        check(&[16_383], 16_384, 2);
        check(&[0], 16_384, 2);
        check(&[0, 16_383], 16_384, 4);
        check(
            &(0..100).map(|number| number * 3).collect::<Vec<u32>>(),
            300,
            38,
        );
        check(
            &(0..100).map(|number| number * 100).collect::<Vec<u32>>(),
            10_000,
            107,
        );
    }

    proptest! {
        #[test]
        fn lists_come_back(
            list in prop::collection::btree_set(0u32..5_000, 0..400), beyond in 1u32..5_000,
        ) {
            let bound = list.last().map_or(0, |last| last + beyond);
            let list: Vec<u32> = list.into_iter().collect();
            let mut encoded = Vec::new();
            encode(&list, bound, &mut encoded);
            let count = u32::try_from(list.len()).unwrap();
            prop_assert_eq!(decode(&encoded, count, bound), Ok(list));
        }

        #[test]
        fn damaged_bytes_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..40), count in 0u32..80, bound in any::<u32>(),
        ) {
            if let Ok(list) = decode(&bytes, count, bound) {
                let distinct: BTreeSet<u32> = list.iter().copied().collect();
                prop_assert_eq!(distinct.len(), count as usize);
                prop_assert!(list.iter().all(|number| *number < bound));
            }
        }
    }
}
