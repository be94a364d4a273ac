//! A run of bits, the first in the lowest bit of the first byte.

use crate::Corrupt;

/// Bits being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    /// Eight at a time.
    bytes: Vec<u8>,
    /// The last bits, fewer than 64.
    open: u64,
    open_bits: u32,
}

impl BitWriter {
    /// With room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> BitWriter {
        BitWriter {
            bytes: Vec::with_capacity(bytes),
            ..BitWriter::default()
        }
    }

    /// Appends the lowest `width` bits, at most 64.
    #[inline]
    pub(crate) fn push(&mut self, value: u64, width: u32) {
        debug_assert!(width == 64 || value >> width == 0, "the value fits");
        self.open |= value << self.open_bits;
        let bits = self.open_bits + width;
        if bits < u64::BITS {
            self.open_bits = bits;
            return;
        }
        self.bytes.extend_from_slice(&self.open.to_le_bytes());
        let taken = u64::BITS - self.open_bits;
        self.open = value.checked_shr(taken).unwrap_or(0);
        self.open_bits = bits - u64::BITS;
    }

    /// Appends a number from 1 on in Elias' gamma code: as many ones as it has bits beyond the first, a zero, those bits.
    pub(crate) fn push_gamma(&mut self, value: u32) {
        let extra = gamma_extra(value);
        let ones = (1 << extra) - 1;
        self.push(
            ones | (u64::from(value) & ones) << (extra + 1),
            2 * extra + 1,
        );
    }

    pub(crate) fn bits(&self) -> usize {
        self.bytes.len() * 8 + self.open_bits as usize
    }

    /// Appends all of another run.
    pub(crate) fn append(&mut self, other: &BitWriter) {
        let (eights, _) = other.bytes.as_chunks();
        for eight in eights {
            self.push(u64::from_le_bytes(*eight), u64::BITS);
        }
        self.push(other.open, other.open_bits);
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        let bytes = self.open_bits.div_ceil(8) as usize;
        self.bytes
            .extend(self.open.to_le_bytes().iter().take(bytes));
        self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.open = 0;
        self.open_bits = 0;
    }
}

/// The bits a number from 1 on has beyond the first.
fn gamma_extra(value: u32) -> u32 {
    u32::BITS - 1 - value.max(1).leading_zeros()
}

/// How many bits a number takes in gamma code.
pub(crate) fn gamma_bits(value: u32) -> usize {
    2 * gamma_extra(value) as usize + 1
}

/// Bits being read.
#[derive(Clone, Debug)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// How many bits a reader sees at one look.
pub(crate) const LOOK_BITS: u32 = 57;

const PAST_END: Corrupt = Corrupt("bits that end early");

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, at: 0 }
    }

    /// The next [`LOOK_BITS`] bits, zeros past the end; does not move on.
    fn peek(&self) -> u64 {
        self.look().unwrap_or_else(|| {
            let tail = self.bytes.get(self.at / 8..).unwrap_or_default();
            let bytes = tail.iter().rev();
            bytes.fold(0, |bytes, byte| bytes << 8 | u64::from(*byte)) >> (self.at % 8)
        })
    }

    /// The next [`LOOK_BITS`] bits, and some that may be zero in place of what follows; `None` near the end. Does not move on.
    pub(crate) fn look(&self) -> Option<u64> {
        let chunk = self.bytes.get(self.at / 8..)?.first_chunk()?;
        Some(u64::from_le_bytes(*chunk) >> (self.at % 8))
    }

    pub(crate) fn skip(&mut self, bits: u32) -> Result<(), Corrupt> {
        self.at += bits as usize;
        if self.at > self.bytes.len() * 8 {
            return Err(PAST_END);
        }
        Ok(())
    }

    /// The next `width` bits, at most 57.
    pub(crate) fn read(&mut self, width: u32) -> Result<u64, Corrupt> {
        let bits = self.peek() & ((1 << width) - 1);
        self.skip(width)?;
        Ok(bits)
    }

    /// How many ones there are before the next zero, at most `ones_max`. The zero is read with them; after
    /// `ones_max` there is none.
    pub(crate) fn read_ones(&mut self, ones_max: u32) -> Result<u32, Corrupt> {
        let ones = self.peek().trailing_ones().min(ones_max);
        self.skip(ones + u32::from(ones < ones_max))?;
        Ok(ones)
    }

    /// A number in gamma code.
    pub(crate) fn read_gamma(&mut self) -> Result<u32, Corrupt> {
        let extra = self.read_ones(u32::BITS)?;
        if extra >= u32::BITS {
            return Err(Corrupt("a number of too many bits"));
        }
        let low = self.read(extra)?;
        u32::try_from(1 << extra | low).map_err(|_| PAST_END)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bit_by_bit(numbers: &[(u64, u32)]) -> Vec<u8> {
        let bits = numbers
            .iter()
            .flat_map(|(value, width)| (0..*width).map(move |bit| u8::from(value >> bit & 1 == 1)));
        let bits: Vec<u8> = bits.collect();
        let bytes = bits.chunks(8);
        bytes
            .map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | bit))
            .collect()
    }

    fn numbers() -> impl Strategy<Value = Vec<(u64, u32)>> {
        let number = (any::<u64>(), 0u32..=64);
        let number = number.prop_map(|(value, width)| match width {
            64 => (value, width),
            _ => (value & ((1 << width) - 1), width),
        });
        prop::collection::vec(number, 0..20)
    }

    fn written(numbers: &[(u64, u32)]) -> BitWriter {
        let mut bits = BitWriter::default();
        numbers
            .iter()
            .for_each(|(value, width)| bits.push(*value, *width));
        bits
    }

    proptest! {
        #[test]
        fn bits_lie_one_after_the_other(numbers in numbers(), more in numbers()) {
            let mut bits = written(&numbers);
            bits.append(&written(&more));
            let all = [numbers, more].concat();
            prop_assert_eq!(bits.bits(), all.iter().map(|(_, width)| *width as usize).sum::<usize>());
            prop_assert_eq!(bits.into_bytes(), bit_by_bit(&all));
        }

        #[test]
        fn gamma_codes_come_back(numbers in prop::collection::vec(1u32.., 0..20)) {
            let mut bits = BitWriter::default();
            numbers.iter().for_each(|number| bits.push_gamma(*number));
            prop_assert_eq!(bits.bits(), numbers.iter().map(|number| gamma_bits(*number)).sum::<usize>());
            let bytes = bits.into_bytes();
            let mut reader = BitReader::new(&bytes);
            for number in numbers {
                prop_assert_eq!(reader.read_gamma(), Ok(number));
            }
        }
    }
}
