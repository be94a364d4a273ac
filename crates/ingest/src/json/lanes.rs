//! Sixteen bytes of a JSON string at once: which of them the scanner has to look at.

/// How many bytes are looked at together: most strings of an event are no longer.
pub(super) const LANES: usize = crate::sink::SHORT_TEXT_BYTES;

/// A bit for each byte, the first one the least significant, that is a quote, a backslash or a control character. Only the lowest
/// that is set is certain.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn special(lanes: &[u8; LANES]) -> u32 {
    use safe_arch::{
        cmp_eq_mask_i8_m128i, load_unaligned_m128i, min_u8_m128i, move_mask_i8_m128i,
        set_splat_i8_m128i,
    };
    let lanes = load_unaligned_m128i(lanes);
    let all = |byte: u8| set_splat_i8_m128i(byte.cast_signed());
    let quotes = cmp_eq_mask_i8_m128i(lanes, all(b'"'));
    let backslashes = cmp_eq_mask_i8_m128i(lanes, all(b'\\'));
    let controls = cmp_eq_mask_i8_m128i(min_u8_m128i(lanes, all(b' ' - 1)), lanes);
    move_mask_i8_m128i(quotes | backslashes | controls).cast_unsigned()
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(super) fn special(lanes: &[u8; LANES]) -> u32 {
    portable(lanes)
}

/// Eight bytes to a number: each test leaves the high bit of the bytes that pass, and no false ones below the first
/// true one.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable(lanes: &[u8; LANES]) -> u32 {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    /// Brings the lowest bit of each byte together in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let special = |eight: &[u8]| {
        let word = eight
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        let quote = word ^ (LOW_BITS * u64::from(b'"'));
        let backslash = word ^ (LOW_BITS * u64::from(b'\\'));
        let found = quote.wrapping_sub(LOW_BITS) & !quote
            | backslash.wrapping_sub(LOW_BITS) & !backslash
            | word.wrapping_sub(LOW_BITS * u64::from(b' ')) & !word;
        let bits = (found >> 7 & LOW_BITS).wrapping_mul(GATHER) >> 56;
        u32::try_from(bits).unwrap_or(0)
    };
    let (low, high) = lanes.split_at(LANES / 2);
    special(low) | special(high) << (LANES / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found(lanes: [u8; LANES], others in 0usize..=LANES) {
            let mut lanes = lanes;
            lanes.iter_mut().take(others).for_each(|byte| *byte |= 0x80);
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
            let expected = lanes.iter().position(is_special);
            for found in [special(&lanes), portable(&lanes)] {
                let first = (found != 0).then_some(found.trailing_zeros() as usize);
                prop_assert_eq!(first, expected, "{:?}", lanes);
            }
        }
    }
}
