//! Which group each row of a block is in, or each rank of a column.

use std::borrow::Cow;

use cordwood_store::column::Presence;

use super::NONE;

/// By row, or by rank.
pub(super) enum GroupOf<'g> {
    /// All `len` of them are in one.
    One { group: u32, len: usize },
    /// [`NONE`] for those in none.
    Each(Cow<'g, [u32]>),
}

impl GroupOf<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            GroupOf::One { len, .. } => *len,
            GroupOf::Each(groups) => groups.len(),
        }
    }

    /// The group at an index; [`NONE`] if there is none.
    pub(super) fn get(&self, index: usize) -> u32 {
        match self {
            GroupOf::One { group, .. } => *group,
            GroupOf::Each(groups) => groups.get(index).copied().unwrap_or(NONE),
        }
    }

    /// The group that all are in.
    pub(super) fn common(&self) -> Option<usize> {
        match self {
            GroupOf::One { group, .. } => Some(*group as usize),
            GroupOf::Each(_) => None,
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
            (GroupOf::Each(groups), None) => GroupOf::Each(Cow::Borrowed(groups)),
            (GroupOf::Each(groups), Some(words)) => {
                GroupOf::Each(Cow::Owned(of_present(words, groups, presence.present())))
            }
        }
    }
}

/// The groups of the rows whose bits are set, which are so many.
fn of_present(words: &[u64], groups: &[u32], present: usize) -> Vec<u32> {
    let mut by_rank = Vec::with_capacity(present);
    for (word, of_word) in words.iter().zip(groups.chunks(u64::BITS as usize)) {
        let mut open = *word;
        if open == u64::MAX {
            by_rank.extend_from_slice(of_word);
            continue;
        }
        while open != 0 {
            let row = open.trailing_zeros() as usize;
            by_rank.push(of_word.get(row).copied().unwrap_or(NONE));
            open &= open - 1;
        }
    }
    by_rank
}
