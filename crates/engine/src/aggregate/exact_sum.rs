//! A sum of floats without any rounding on the way, so that the order of the rows does not matter.
//!
//! A fixed-point number wide enough for every float, as Kulisch describes it ("Computer Arithmetic and Validity"):
//! digits of 32 bits, held in 64 so that carries wait until somebody asks.

/// A float has bits from 2^-1074 to 2^1023; 32 bits more for 2^32 of the greatest.
const DIGITS: usize = (1074 + 1024 + 64) / 32 + 1;
const DIGIT_BITS: u32 = 32;
/// The place of the bit worth 1.
const ONE: u32 = 1074;
/// A digit takes less than 2^32 from each number; so many of them leave room in its 64 bits.
const ADDED_MAX: u32 = 1 << 29;

/// The sum so far.
#[derive(Clone, Debug)]
pub(crate) struct ExactSum {
    digits: [i64; DIGITS],
    /// Numbers added since carries were last moved up.
    added: u32,
}

impl Default for ExactSum {
    fn default() -> ExactSum {
        ExactSum {
            digits: [0; DIGITS],
            added: 0,
        }
    }
}

impl ExactSum {
    /// Adds a finite float.
    pub(crate) fn add(&mut self, float: f64) {
        let (mantissa, place) = parts_of(float);
        self.add_mantissa(mantissa, place);
    }

    /// Adds finite floats: those of about the same magnitude by place, before any digit is touched.
    pub(crate) fn add_all(&mut self, floats: &[f64]) {
        /// So many integers of 53 bits come to less than 2^63.
        const AT_ONCE: usize = 1 << 9;
        const PLACES: u32 = 64;
        for floats in floats.chunks(AT_ONCE) {
            let mut by_place = [0i64; PLACES as usize];
            let first = floats.first().map_or(0, |float| parts_of(*float).1);
            let base = first.saturating_sub(PLACES / 2);
            for float in floats {
                let (mantissa, place) = parts_of(*float);
                match by_place.get_mut(place.wrapping_sub(base) as usize) {
                    Some(sum) => *sum += mantissa,
                    None => self.add_mantissa(mantissa, place),
                }
            }
            for (place, sum) in (base..).zip(by_place) {
                self.add_mantissa(sum, place);
            }
        }
    }

    fn add_mantissa(&mut self, mantissa: i64, place: u32) {
        if mantissa != 0 {
            self.add_magnitude(mantissa.unsigned_abs().into(), place, mantissa < 0);
        }
    }

    /// Adds an integer.
    pub(crate) fn add_integer(&mut self, integer: i128) {
        let magnitude = integer.unsigned_abs();
        let (low, high) = (magnitude & u128::from(u64::MAX), magnitude >> 64);
        self.add_magnitude(low, ONE, integer < 0);
        self.add_magnitude(high, ONE + 64, integer < 0);
    }

    /// Adds `magnitude`, below 2^64, times two to the `place - 1074`.
    fn add_magnitude(&mut self, magnitude: u128, place: u32, is_negative: bool) {
        let mut rest = magnitude << (place % DIGIT_BITS);
        let mut index = (place / DIGIT_BITS) as usize;
        while rest != 0 {
            let digit = (rest & 0xffff_ffff) as u64;
            let digit = digit.cast_signed();
            self.digits[index] += if is_negative { -digit } else { digit };
            rest >>= DIGIT_BITS;
            index += 1;
        }
        self.added += 1;
        if self.added >= ADDED_MAX {
            self.carry();
        }
    }

    pub(crate) fn merge(&mut self, other: &ExactSum) {
        self.carry();
        let mut other = other.clone();
        other.carry();
        for (own, other) in self.digits.iter_mut().zip(other.digits) {
            *own += other;
        }
        self.added = 2;
    }

    /// Brings every digit but the last into 0..2^32.
    fn carry(&mut self) {
        let mut carried = 0;
        let last = DIGITS - 1;
        for digit in &mut self.digits[..last] {
            let sum = *digit + carried;
            carried = sum >> DIGIT_BITS;
            *digit = sum & 0xffff_ffff;
        }
        self.digits[last] += carried;
        self.added = 1;
    }

    /// The nearest float, ties to even; infinite beyond the range.
    pub(crate) fn to_f64(&self) -> f64 {
        let mut sum = self.clone();
        sum.carry();
        let is_negative = sum.digits[DIGITS - 1] < 0;
        if is_negative {
            sum.digits.iter_mut().for_each(|digit| *digit = -*digit);
            sum.carry();
        }
        let magnitude = sum.magnitude();
        if is_negative { -magnitude } else { magnitude }
    }

    /// Of digits that are all in 0..2^32.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the integer has at most 64 bits, the lowest of which stands for all below: rounding it is the point"
    )]
    fn magnitude(&self) -> f64 {
        let Some(top) = self.digits.iter().rposition(|digit| *digit != 0) else {
            return 0.0;
        };
        let digit = |index: usize| u128::from(self.digits[index].unsigned_abs());
        let lowest = top.saturating_sub(2);
        let head = (lowest..=top)
            .rev()
            .fold(0, |head, index| head << DIGIT_BITS | digit(index));
        let has_rest = self.digits[..lowest].iter().any(|digit| *digit != 0);
        let surplus = (u128::BITS - head.leading_zeros()).saturating_sub(u64::BITS);
        let has_lost = head & ((1 << surplus) - 1) != 0;
        let exponent = i32::try_from(lowest * 32 + surplus as usize).unwrap_or(i32::MAX) - 1074;
        let kept = u64::try_from(head >> surplus).unwrap_or(u64::MAX);
        // A subnormal has fewer bits than 53; all of them are whole here, as nothing lies below 2^-1074.
        let sticky = u64::from(has_rest || has_lost);
        scaled((kept | sticky) as f64, exponent)
    }
}

/// `float` times two to the `exponent`, in steps that stay within the range.
fn scaled(mut float: f64, mut exponent: i32) -> f64 {
    while exponent > 0 {
        let step = exponent.min(1000);
        float *= 2f64.powi(step);
        exponent -= step;
    }
    while exponent < 0 {
        let step = exponent.max(-1000);
        float *= 2f64.powi(step);
        exponent -= step;
    }
    float
}

/// An integer below 2^53, with a sign, and the place of its lowest bit: the float is the one times two to the other, less 1074.
fn parts_of(float: f64) -> (i64, u32) {
    let bits = float.to_bits();
    let exponent = (bits >> 52) as u32 & 0x7ff;
    let fraction = (bits & ((1 << 52) - 1)).cast_signed();
    let (magnitude, place) = match exponent {
        0 => (fraction, 0),
        exponent => (fraction | 1 << 52, exponent - 1),
    };
    let sign = bits.cast_signed() >> 63;
    ((magnitude ^ sign) - sign, place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ExactSum;

    fn sum(floats: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        sum.add_all(floats);
        sum.to_f64()
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        assert_eq!(sum(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(sum(&[]), 0.0);
    }

    proptest! {
        #[test]
        fn one_float_is_itself(float in any::<f64>().prop_filter("finite", |float| float.is_finite())) {
            prop_assert_eq!(sum(&[float]), float);
        }

        #[test]
        fn two_floats_are_rounded_once(
            a in any::<f64>().prop_filter("finite", |float| float.is_finite()),
            b in any::<f64>().prop_filter("finite", |float| float.is_finite()),
        ) {
            prop_assert_eq!(sum(&[a, b]), a + b);
        }

        #[test]
        fn floats_together_are_floats_one_by_one(
            floats in proptest::collection::vec(
                prop_oneof![-9.0f64..9.0, any::<f64>().prop_filter("finite", |float| float.is_finite())],
                0..1500,
            ),
        ) {
            let mut one_by_one = ExactSum::default();
            floats.iter().for_each(|float| one_by_one.add(*float));
            prop_assert_eq!(sum(&floats), one_by_one.to_f64());
        }

        #[test]
        fn neither_order_nor_grouping_matters(
            floats in proptest::collection::vec(-1e9f64..1e9, 0..40),
            integers in proptest::collection::vec(any::<i64>(), 0..5),
            split in 0usize..40,
        ) {
            let mut forwards = ExactSum::default();
            floats.iter().for_each(|float| forwards.add(*float));
            integers.iter().for_each(|integer| forwards.add_integer((*integer).into()));
            let (head, tail) = floats.split_at(split.min(floats.len()));
            let mut parted = ExactSum::default();
            integers.iter().for_each(|integer| parted.add_integer((*integer).into()));
            tail.iter().rev().for_each(|float| parted.add(*float));
            let mut other = ExactSum::default();
            other.add_all(head);
            parted.merge(&other);
            prop_assert_eq!(forwards.to_f64(), parted.to_f64());
        }
    }
}
