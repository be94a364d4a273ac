//! Between the rows of a block and the ranks of a column: the rows that have the field, numbered densely.

use cordwood_store::column::Presence;

use crate::selection::Selection;

/// The ranks of those rows of `among` that have the field.
pub(crate) fn to_ranks(presence: &Presence, among: &Selection) -> Selection {
    let Some(present) = presence.words() else {
        return among.clone();
    };
    if among.is_all() {
        return Selection::all(presence.present());
    }
    let mut ranks = Selection::none(presence.present());
    let mut before = 0;
    for (present, wanted) in present.iter().zip(among.words()) {
        let gathered = gather_bits(*wanted, *present);
        let width = present.count_ones() as usize;
        ranks.insert_bits(before, gathered, width);
        before += width;
    }
    ranks
}

/// The rows of a block of the given ranks.
pub(crate) fn to_rows(presence: &Presence, ranks: Selection) -> Selection {
    let Some(present) = presence.words() else {
        return ranks;
    };
    if ranks.is_all() {
        return Selection::of_words(presence.rows(), present.to_vec());
    }
    let mut before = 0;
    let words = present.iter().map(|present| {
        let width = present.count_ones() as usize;
        let bits = ranks.bits(before, width);
        before += width;
        scatter_bits(bits, *present)
    });
    Selection::of_words(presence.rows(), words.collect())
}

/// The bits of `from` at the places set in `mask`, moved together at the low end.
fn gather_bits(from: u64, mask: u64) -> u64 {
    if mask == u64::MAX || from & mask == 0 {
        return from & mask;
    }
    if from & mask == mask {
        return u64::MAX >> mask.count_zeros();
    }
    let mut gathered = 0;
    let mut open = from & mask;
    while open != 0 {
        let lowest = open & open.wrapping_neg();
        gathered |= 1 << (mask & (lowest - 1)).count_ones();
        open ^= lowest;
    }
    gathered
}

/// The inverse: the low bits of `from`, moved to the places set in `mask`.
fn scatter_bits(from: u64, mask: u64) -> u64 {
    /// Of so few bits, each is moved by itself.
    const FEW: u32 = 8;
    if mask == u64::MAX || from == 0 {
        return from;
    }
    let mut scattered = 0;
    let mut open = from;
    if open.count_ones() <= FEW {
        let ones = u64::from_le_bytes(ones_in_bytes(mask));
        while open != 0 {
            scattered |= nth_place(mask, ones, open.trailing_zeros());
            open &= open - 1;
        }
        return scattered;
    }
    let bytes = mask.to_le_bytes().into_iter().zip(ones_in_bytes(mask));
    for (index, (mask, ones)) in bytes.enumerate() {
        // As a rule few bits are set, and none in most bytes.
        let bits = open & !(u64::MAX << ones);
        if bits != 0 {
            scattered |= scatter_in_byte(bits, mask) << (index * 8);
        }
        open >>= ones;
    }
    scattered
}

/// The place set in `mask` that so many come before, as a bit, given how many are set in each byte; there is one. Without a branch.
/// As in S. Vigna, "Broadword implementation of rank/select queries", 2008.
fn nth_place(mask: u64, ones: u64, before: u32) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    const HIGH: u64 = EACH << 7;
    // In every byte how many are set in it and those below; then a bit in each of the bytes that are all before the place.
    let sums = ones.wrapping_mul(EACH);
    let passed = ((EACH * u64::from(before)) | HIGH).wrapping_sub(sums) & HIGH;
    let start = passed.count_ones() * u8::BITS;
    let in_bytes_before = (sums << u8::BITS).checked_shr(start).unwrap_or(0) & 0xff;
    let [byte, ..] = mask.checked_shr(start).unwrap_or(0).to_le_bytes();
    let place = u64::from(before).wrapping_sub(in_bytes_before) % 8;
    1u64.checked_shl(start + u32::from(PLACES[usize::from(byte)][place as usize]))
        .unwrap_or(0)
}

/// Of every byte, the places that are set in it, rising.
const PLACES: [[u8; 8]; 256] = places_in_bytes();

const fn places_in_bytes() -> [[u8; 8]; 256] {
    let mut places = [[0; 8]; 256];
    let mut byte = 0;
    while byte < places.len() {
        let (mut count, mut place) = (0, 0u8);
        while place < 8 {
            if byte >> place & 1 == 1 {
                places[byte][count] = place;
                count += 1;
            }
            place += 1;
        }
        byte += 1;
    }
    places
}

fn scatter_in_byte(from: u64, mask: u8) -> u64 {
    let mut scattered = 0;
    let mut places = u64::from(mask);
    let mut open = from;
    while open != 0 {
        let place = places & places.wrapping_neg();
        scattered |= place * (open & 1);
        open >>= 1;
        places ^= place;
    }
    scattered
}

/// How many bits are set in each byte, counted side by side.
fn ones_in_bytes(word: u64) -> [u8; 8] {
    const PAIRS: u64 = u64::MAX / 3;
    const FOURS: u64 = u64::MAX / 5;
    const BYTES: u64 = u64::MAX / 17;
    let pairs = word - (word >> 1 & PAIRS);
    let fours = (pairs & FOURS) + (pairs >> 2 & FOURS);
    ((fours + (fours >> 4)) & BYTES).to_le_bytes()
}

#[cfg(test)]
mod tests {
    //! Against counting one by one.

    use proptest::prelude::*;

    use super::{to_ranks, to_rows};
    use crate::selection::Selection;
    use cordwood_store::column::Presence;

    proptest! {
        #[test]
        fn rows_and_ranks_agree(
            rows in proptest::collection::vec((proptest::bool::weighted(0.7), any::<bool>()), 0..300),
            is_everywhere in any::<bool>(),
            asked_for_all in any::<bool>(),
            wanted_every in 1usize..20,
        ) {
            let has_field = |row: usize| is_everywhere || rows[row].0;
            let presence = Presence::of_rows(rows.len(), (0..rows.len()).filter(|row| has_field(*row)));
            let mut among = Selection::none(rows.len());
            (0..rows.len()).filter(|row| asked_for_all || rows[*row].1 && row % wanted_every == 0).for_each(|row| among.insert(row));

            let ranks = to_ranks(&presence, &among);
            let expected: Vec<usize> = among.iter().filter_map(|row| presence.rank(row)).collect();
            prop_assert_eq!(ranks.iter().collect::<Vec<_>>(), expected);
            prop_assert_eq!(ranks.rows(), presence.present());

            let back = to_rows(&presence, ranks);
            let expected: Vec<usize> = among.iter().filter(|row| has_field(*row)).collect();
            prop_assert_eq!(back.iter().collect::<Vec<_>>(), expected);
            prop_assert_eq!(back.rows(), rows.len());
        }
    }
}
