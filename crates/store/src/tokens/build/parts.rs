//! The words of all blocks of a segment, sorted, a part of the hashes at a time.
//!
//! Hashes are spread evenly, so that a pair of hash and block is nearly in its place once it lies with those of the same highest bits:
//! sorting by counting does most of the work, and few pairs are left to be compared.

/// Parts into which hashes are cut by their highest bits, so that one part fits the cache of a core.
const PART_BITS: u32 = 8;

/// The pairs of a part are laid out by the bits behind these: about so many have a place together.
const PAIRS_PER_PLACE: usize = 8;

/// What lays out the pairs of a part has to fit the cache too. A segment of a gigabyte of events has eight million pairs.
const PLACE_BITS_MAX: u32 = 12;

/// Pairs of a hash, in the high half, and the index of a block that has it.
pub(super) struct Parts<'a> {
    /// By block, the hashes of the parts that are left.
    rests: Vec<&'a [u32]>,
    next: u32,
    place_bits: u32,
    /// By place, where its pairs end; while they are laid out, where the next goes.
    places: Vec<usize>,
    pairs: Vec<u64>,
}

impl<'a> Parts<'a> {
    /// Of the words of blocks, each list rising.
    pub(super) fn of(lists: &[&'a [u32]]) -> Parts<'a> {
        let pairs: usize = lists.iter().map(|list| list.len()).sum();
        let places = (pairs >> PART_BITS) / PAIRS_PER_PLACE;
        let place_bits = places.checked_ilog2().unwrap_or(0).min(PLACE_BITS_MAX);
        Parts {
            rests: lists.to_vec(),
            next: 0,
            place_bits,
            places: vec![0; 1 << place_bits],
            pairs: Vec::new(),
        }
    }

    /// The pairs of the next part, rising; `None` after the last.
    pub(super) fn next(&mut self) -> Option<&[u64]> {
        if self.next >> PART_BITS > 0 {
            return None;
        }
        let part = self.next;
        self.next += 1;
        let is_in_part = |hash: &u32| hash >> (u32::BITS - PART_BITS) <= part;
        let cut = |rest: &mut &'a [u32]| {
            let (head, tail) = rest.split_at(rest.partition_point(is_in_part));
            *rest = tail;
            head
        };
        let heads: Vec<&[u32]> = self.rests.iter_mut().map(cut).collect();
        self.count(&heads);
        self.lay_out(&heads);
        self.sort_places();
        Some(&self.pairs)
    }

    /// Finds out where the pairs of each place begin.
    fn count(&mut self, heads: &[&[u32]]) {
        let place_bits = self.place_bits;
        self.places.fill(0);
        for hash in heads.iter().copied().flatten() {
            if let Some(count) = self.places.get_mut(place_of(*hash, place_bits)) {
                *count += 1;
            }
        }
        let mut start = 0;
        for place in &mut self.places {
            let count = *place;
            *place = start;
            start += count;
        }
        self.pairs.clear();
        self.pairs.resize(start, 0);
    }

    fn lay_out(&mut self, heads: &[&[u32]]) {
        let place_bits = self.place_bits;
        for (block, head) in (0u64..).zip(heads) {
            for hash in *head {
                if let Some(next) = self.places.get_mut(place_of(*hash, place_bits))
                    && let Some(pair) = self.pairs.get_mut(*next)
                {
                    *pair = u64::from(*hash) << u32::BITS | block;
                    *next += 1;
                }
            }
        }
    }

    fn sort_places(&mut self) {
        let mut rest = &mut *self.pairs;
        let mut start = 0;
        for end in &self.places {
            let (of_place, behind) = rest.split_at_mut(end - start);
            of_place.sort_unstable();
            rest = behind;
            start = *end;
        }
    }
}

/// Where in its part a hash belongs, about: what the bits behind those of the part say.
#[inline]
fn place_of(hash: u32, place_bits: u32) -> usize {
    let places = 1 << place_bits;
    (hash >> (u32::BITS - PART_BITS - place_bits)) as usize & (places - 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// Few and many, spread evenly and all with the same highest bits.
        #[test]
        fn pairs_come_part_by_part_and_sorted(
            sizes in vec(prop_oneof![0u32..20, 0u32..6000], 0..6), narrowed_by in 0u32..24,
        ) {
            const SPREAD: u32 = 0x9e37_79b1;
            let hash = |number: u32| number.wrapping_mul(SPREAD) >> narrowed_by;
            let hashes = |(block, size): (u32, &u32)| -> BTreeSet<u32> {
                (0..*size).map(|number| hash(number * (block + 1))).collect()
            };
            let blocks: Vec<Vec<u32>> =
                (0..).zip(&sizes).map(|block| hashes(block).into_iter().collect()).collect();
            let lists: Vec<&[u32]> = blocks.iter().map(Vec::as_slice).collect();
            let pairs = (0u64..).zip(&blocks).flat_map(|(block, hashes)| {
                hashes.iter().map(move |hash| u64::from(*hash) << u32::BITS | block)
            });
            let mut expected: Vec<u64> = pairs.collect();
            expected.sort_unstable();
            let mut parts = Parts::of(&lists);
            let mut found = Vec::new();
            while let Some(pairs) = parts.next() {
                found.extend_from_slice(pairs);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
