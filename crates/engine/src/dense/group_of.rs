//! Which group each row of a block is in, or each rank of a column.

use std::borrow::Cow;

use cordwood_store::column::Presence;

use super::NONE;

/// By row, or by rank.
pub(super) enum GroupOf<'g> {
    /// All `len` of them are in one.
    One { group: u32, len: usize },
    /// All are in some group, which is `first` and its code: one for each code of a key.
    Coded { first: u32, codes: Cow<'g, [u16]> },
    /// [`NONE`] for those in none.
    Each(Cow<'g, [u32]>),
}

impl GroupOf<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            GroupOf::One { len, .. } => *len,
            GroupOf::Coded { codes, .. } => codes.len(),
            GroupOf::Each(groups) => groups.len(),
        }
    }

    /// The group at an index; [`NONE`] if there is none.
    pub(super) fn get(&self, index: usize) -> u32 {
        match self {
            GroupOf::One { group, .. } => *group,
            GroupOf::Coded { first, codes } => codes
                .get(index)
                .map_or(NONE, |code| first + u32::from(*code)),
            GroupOf::Each(groups) => groups.get(index).copied().unwrap_or(NONE),
        }
    }

    /// The group that all are in.
    pub(super) fn common(&self) -> Option<usize> {
        match self {
            GroupOf::One { group, .. } => Some(*group as usize),
            GroupOf::Coded { .. } | GroupOf::Each(_) => None,
        }
    }

    /// Those in a group, and which it is.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        let groups = (0..self.len()).map(|index| (index, self.get(index)));
        groups
            .filter(|(_, group)| *group != NONE)
            .map(|(index, group)| (index, group as usize))
    }

    /// The same again.
    pub(super) fn borrowed(&self) -> GroupOf<'_> {
        match self {
            GroupOf::One { group, len } => GroupOf::One {
                group: *group,
                len: *len,
            },
            GroupOf::Coded { first, codes } => GroupOf::Coded {
                first: *first,
                codes: Cow::Borrowed(codes),
            },
            GroupOf::Each(groups) => GroupOf::Each(Cow::Borrowed(groups)),
        }
    }

    /// From rows to the ranks of those that have a field.
    pub(super) fn by_rank(&self, presence: &Presence) -> GroupOf<'_> {
        match (self, presence.words()) {
            (GroupOf::One { group, .. }, _) => GroupOf::One {
                group: *group,
                len: presence.present(),
            },
            (_, None) => self.borrowed(),
            (GroupOf::Coded { first, codes }, Some(words)) => GroupOf::Coded {
                first: *first,
                codes: Cow::Owned(of_present(words, codes, presence.present())),
            },
            (GroupOf::Each(groups), Some(words)) => {
                GroupOf::Each(Cow::Owned(of_present(words, groups, presence.present())))
            }
        }
    }
}

/// What there is of the rows whose bits are set, which are so many.
fn of_present<T: Copy + Default>(words: &[u64], by_row: &[T], present: usize) -> Vec<T> {
    const BITS: usize = u64::BITS as usize;
    /// Of more rows of a word, each is written where the next one belongs, and stays there if its bit is set: no branch on the
    /// bits, which nobody could foresee.
    const FEW: u32 = 16;
    let mut by_rank = Vec::with_capacity(present);
    for (word, of_word) in words.iter().zip(by_row.chunks(BITS)) {
        if *word == u64::MAX {
            by_rank.extend_from_slice(of_word);
            continue;
        }
        let mut open = *word;
        if open.count_ones() > FEW {
            let mut kept = [T::default(); BITS];
            let mut next = 0;
            for value in of_word {
                // The mask is there for who checks bounds: at most 63 were kept before.
                kept[next % BITS] = *value;
                next += usize::from(open & 1 == 1);
                open >>= 1;
            }
            by_rank.extend_from_slice(&kept[..next]);
            continue;
        }
        while open != 0 {
            let row = open.trailing_zeros() as usize;
            by_rank.extend(of_word.get(row));
            open &= open - 1;
        }
    }
    by_rank
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use cordwood_store::column::Presence;
    use proptest::prelude::*;

    use super::GroupOf;
    use crate::dense::NONE;

    proptest! {
        #[test]
        fn ranks_are_in_the_groups_of_their_rows(
            rows in proptest::collection::vec((any::<bool>(), any::<bool>(), 0u16..5), 0..300),
            is_dense in any::<bool>(),
            first in 0u32..3,
        ) {
            let has_field = |row: usize| rows[row].0 || (is_dense && rows[row].1);
            let presence = Presence::of_rows(rows.len(), (0..rows.len()).filter(|row| has_field(*row)));
            let codes: Vec<u16> = rows.iter().map(|(_, _, code)| *code).collect();
            let each: Vec<u32> = rows
                .iter()
                .map(|(_, in_group, code)| if *in_group { u32::from(*code) } else { NONE })
                .collect();
            let ways = [
                GroupOf::One { group: first, len: rows.len() },
                GroupOf::Coded { first, codes: Cow::Owned(codes) },
                GroupOf::Each(Cow::Owned(each)),
            ];
            for by_row in ways {
                let by_rank = by_row.by_rank(&presence);
                prop_assert_eq!(by_rank.len(), presence.present());
                for (row, rank) in presence.iter() {
                    prop_assert_eq!(by_rank.get(rank), by_row.get(row));
                }
            }
        }
    }
}
