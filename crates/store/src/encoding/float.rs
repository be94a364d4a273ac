//! F64: floats that are short decimals as scaled integers, others as their bits.
//!
//! A float is a decimal of exponent `e` when dividing an integer below 2^53 by 10^e gives it back
//! bit for bit: both are exact floats and division rounds correctly, so this is how the decimal was read
//! (W. D. Clinger, "How to read floating point numbers accurately", 1990). Negative zero never is.
//! A few values that are no such decimal are patched.

use super::Corrupt;
use super::bitpack::{bit_width, pack, unpack};
use super::cursor::{Cursor, push_count};
use super::frame::{Compressor, read_frame};
use super::int::IntView;
use super::int::{self, IntPlan};

const MODE_BITS: u8 = 0;
const MODE_DECIMAL: u8 = 1;

/// The powers of ten a float holds exactly, as far as integers below 2^53 make use of them.
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Every integer up to here is an exact float.
const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// At most one value in this many may be an exception; each costs some ten bytes.
const VALUES_PER_EXCEPTION: usize = 32;

/// How a run of floats will be encoded.
#[derive(Debug)]
pub(crate) enum FloatPlan {
    /// As they are.
    Bits,
    /// As integers, to be divided by the power of ten.
    Decimal {
        exponent: u8,
        integers: Vec<i64>,
        exceptions: Vec<(usize, f64)>,
        plan: IntPlan,
    },
}

impl FloatPlan {
    pub(crate) fn of(floats: &[f64]) -> FloatPlan {
        let Some((exponent, power)) = common_exponent(floats) else {
            return FloatPlan::Bits;
        };
        let mut integers = Vec::with_capacity(floats.len());
        let mut exceptions = Vec::new();
        for (index, float) in floats.iter().enumerate() {
            let integer = scaled(*float, power).unwrap_or_else(|| {
                exceptions.push((index, *float));
                integers.last().copied().unwrap_or(0)
            });
            integers.push(integer);
        }
        let plan = IntPlan::of(&integers);
        let planned = FloatPlan::Decimal {
            exponent,
            integers,
            exceptions,
            plan,
        };
        if planned.bytes(floats.len()) < FloatPlan::Bits.bytes(floats.len()) {
            planned
        } else {
            FloatPlan::Bits
        }
    }

    /// About how many bytes it takes for `count` floats.
    pub(crate) fn bytes(&self, count: usize) -> usize {
        match self {
            // Mantissas are random; sign and exponent compress.
            FloatPlan::Bits => count * 7,
            FloatPlan::Decimal {
                plan, exceptions, ..
            } => plan.bytes() + exceptions.len() * 10,
        }
    }
}

/// The least exponent that makes decimals of all but the few exceptions allowed, and its power.
fn common_exponent(floats: &[f64]) -> Option<(u8, f64)> {
    let mut counts = [0usize; POWERS.len()];
    for float in floats {
        let exponent = POWERS
            .iter()
            .position(|power| scaled(*float, *power).is_some());
        if let Some(count) = exponent.and_then(|exponent| counts.get_mut(exponent)) {
            *count += 1;
        }
    }
    let wanted = floats.len() - floats.len() / VALUES_PER_EXCEPTION;
    let mut reached = 0;
    let candidates = (0u8..).zip(POWERS).zip(counts);
    for ((exponent, power), count) in candidates {
        reached += count;
        if reached >= wanted {
            return Some((exponent, power));
        }
    }
    None
}

/// The integer that divided by `power` gives the float back bit for bit.
fn scaled(float: f64, power: f64) -> Option<i64> {
    let rounded = (float * power).round();
    if rounded.abs() > INTEGER_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "an integer within 2^53")]
    let integer = rounded as i64;
    (divided(integer, power).to_bits() == float.to_bits()).then_some(integer)
}

fn divided(integer: i64, power: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "the encoder keeps integers within 2^53"
    )]
    let integer = integer as f64;
    integer / power
}

/// Appends the floats.
pub(crate) fn encode(floats: &[f64], compressor: &mut Compressor, out: &mut Vec<u8>) {
    encode_as(floats, &FloatPlan::of(floats), compressor, out);
}

/// Appends the floats as planned for them.
pub(crate) fn encode_as(
    floats: &[f64],
    plan: &FloatPlan,
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) {
    match plan {
        FloatPlan::Bits => {
            out.push(MODE_BITS);
            compressor.push_frame(out, &planes(floats));
        }
        FloatPlan::Decimal {
            exponent,
            integers,
            exceptions,
            plan,
        } => {
            out.extend([MODE_DECIMAL, *exponent]);
            push_count(out, exceptions.len());
            let positions = exceptions.iter().map(|(position, _)| *position as u64);
            pack(positions, position_width(floats.len()), out);
            out.extend(exceptions.iter().flat_map(|(_, float)| float.to_le_bytes()));
            int::encode_as(integers, plan, out);
        }
    }
}

/// The lowest bytes of all floats, then the next ones: sign and exponent repeat, so they compress.
fn planes(floats: &[f64]) -> Vec<u8> {
    let byte_of = |float: &f64, byte: u32| (float.to_bits() >> (byte * 8)).to_le_bytes()[0];
    (0..8)
        .flat_map(|byte| floats.iter().map(move |float| byte_of(float, byte)))
        .collect()
}

/// Reads `count` floats.
pub(crate) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<f64>, Corrupt> {
    match cursor.byte()? {
        MODE_BITS => decode_bits(cursor, count),
        MODE_DECIMAL => decode_decimal(cursor, count),
        _ => Err(Corrupt("an unknown mode of floats")),
    }
}

fn decode_bits(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<f64>, Corrupt> {
    let planes = read_frame(cursor, count * 8)?;
    let mut bits = vec![0u64; count];
    if count > 0 {
        for (byte, plane) in planes.chunks_exact(count).enumerate() {
            for (bits, value) in bits.iter_mut().zip(plane) {
                *bits |= u64::from(*value) << (byte * 8);
            }
        }
    }
    all_finite(bits.into_iter().map(f64::from_bits).collect())
}

/// Events hold finite floats only, and who writes them as JSON relies on it.
pub(crate) fn all_finite(floats: Vec<f64>) -> Result<Vec<f64>, Corrupt> {
    // Without an early end, which becomes vector code.
    if floats
        .iter()
        .fold(true, |all, float| all & float.is_finite())
    {
        Ok(floats)
    } else {
        Err(Corrupt("a float that is not finite"))
    }
}

/// Reads the floats at some of `count` ranks, in the order asked for.
pub(super) fn decode_few(
    cursor: &mut Cursor<'_>,
    (count, ranks): (usize, &[usize]),
) -> Result<Vec<f64>, Corrupt> {
    const PAST_END: Corrupt = Corrupt("a rank past the last float");
    if cursor.byte()? != MODE_DECIMAL {
        let all = decode_bits(cursor, count)?;
        let floats = ranks.iter().map(|rank| all.get(*rank).copied());
        return floats.collect::<Option<_>>().ok_or(PAST_END);
    }
    let exponent = usize::from(cursor.byte()?);
    let power = POWERS.get(exponent);
    let power = *power.ok_or(Corrupt("an unknown power of ten"))?;
    let exceptions = cursor.count(count)?;
    let mut positions: Vec<u64> = Vec::with_capacity(exceptions);
    unpack(cursor, exceptions, position_width(count), |group| {
        positions.extend_from_slice(group);
    })?;
    let patches = cursor.take(exceptions * 8)?.as_chunks().0;
    let integers = IntView::read(cursor, count)?;
    let float = |rank: &usize| {
        let exception = positions.binary_search(&(*rank as u64)).ok();
        let patch = exception.and_then(|exception| patches.get(exception));
        match patch {
            Some(bits) => Ok(f64::from_le_bytes(*bits)),
            None => Ok(divided(integers.at(*rank)?, power)),
        }
    };
    let floats = ranks.iter().map(float);
    all_finite(floats.collect::<Result<_, Corrupt>>()?)
}

fn decode_decimal(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<f64>, Corrupt> {
    let exponent = usize::from(cursor.byte()?);
    let power = POWERS.get(exponent);
    let power = *power.ok_or(Corrupt("an unknown power of ten"))?;
    let exceptions = cursor.count(count)?;
    let mut positions = Vec::with_capacity(exceptions);
    unpack(cursor, exceptions, position_width(count), |group| {
        positions.extend_from_slice(group);
    })?;
    let patches = cursor.take(exceptions * 8)?;
    let integers = int::decode(cursor, count)?;
    // No integer divided by such a power is anything but finite.
    let mut floats = all_divided(integers, power);
    let patches = patches.as_chunks().0.iter();
    let patches = all_finite(patches.map(|bytes| f64::from_le_bytes(*bytes)).collect())?;
    for (position, patch) in positions.into_iter().zip(patches) {
        let position = usize::try_from(position).ok();
        let float = position.and_then(|position| floats.get_mut(position));
        *float.ok_or(Corrupt("an exception past the last float"))? = patch;
    }
    Ok(floats)
}

/// Each divided by `power`, as [`divided`] does.
fn all_divided(integers: Vec<i64>, power: f64) -> Vec<f64> {
    /// 2^51 and 1.5 times 2^52: a float as great has the unit as its last bit, so that adding an integer below 2^51 to its
    /// bits is adding it to the float. There is no vector instruction that converts integers of 64 bits.
    const NARROW: i64 = 1 << 51;
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let spread = integers.iter().fold(0, |spread, integer| {
        spread | integer.wrapping_add(NARROW).cast_unsigned()
    });
    if spread >= (2 * NARROW).cast_unsigned() {
        let floats = integers.into_iter().map(|integer| divided(integer, power));
        return floats.collect();
    }
    let narrow = |integer: i64| {
        let bits = MAGIC.to_bits().wrapping_add(integer.cast_unsigned());
        (f64::from_bits(bits) - MAGIC) / power
    };
    integers.into_iter().map(narrow).collect()
}

fn position_width(count: usize) -> u32 {
    bit_width(count.saturating_sub(1) as u64)
}
