//! The records that a seal covers against those that stand before it: what was done to them.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::hash::Digest;

/// Tables beyond this many cells are not made: where so much was changed, it is not told apart.
const CELLS_MAX: usize = 1 << 24;

/// A difference between what was sealed and what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Another record stands in the place of this one.
    Edited {
        record: u64,
        sealed: Digest,
        found: Digest,
    },
    /// No record stands in its place.
    Dropped { record: u64, sealed: Digest },
    /// A record stands where there was none.
    Added {
        behind: u64,
        claims: Option<u64>,
        found: Digest,
        /// The sealed record it is like, of those the same seal covers.
        like: Option<u64>,
    },
    /// More than can be told apart.
    Changed { first: u64, last: u64 },
}

/// A line as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) digest: Digest,
    /// The number it says it has.
    pub(crate) claims: Option<u64>,
}

/// What turns the sealed records, the first of which has the number `first`, into those found.
pub(crate) fn compare(sealed: &[Digest], first: u64, found: &[Found]) -> Vec<Difference> {
    let pairs = || sealed.iter().zip(found);
    let is_same = |(sealed, found): &(&Digest, &Found)| **sealed == found.digest;
    let before = pairs().take_while(is_same).count();
    let reversed = sealed.iter().rev().zip(found.iter().rev());
    let room = sealed.len().min(found.len()) - before;
    let behind = reversed.take_while(is_same).take(room).count();
    let sealed_left = sealed.get(before..sealed.len() - behind);
    let found_left = found.get(before..found.len() - behind);
    let (sealed_left, found_left) = (
        sealed_left.unwrap_or_default(),
        found_left.unwrap_or_default(),
    );
    let first_left = first + before as u64;
    if sealed_left.len().saturating_mul(found_left.len()) > CELLS_MAX {
        return vec![Difference::Changed {
            first: first_left,
            last: first_left + (sealed_left.len() as u64).saturating_sub(1),
        }];
    }
    let whole = Gap {
        sealed: sealed_left,
        found: found_left,
        first: first_left,
    };
    let mut differences = Vec::new();
    if whole.is_one_edit_or_swap() {
        whole.explain(sealed, first, &mut differences);
        return differences;
    }
    let kept = kept(sealed_left, found_left);
    let (mut at_sealed, mut at_found) = (0, 0);
    let ends = (sealed_left.len(), found_left.len());
    for (sealed_at, found_at) in kept.into_iter().chain([ends]) {
        let gap = Gap {
            sealed: sealed_left.get(at_sealed..sealed_at).unwrap_or_default(),
            found: found_left.get(at_found..found_at).unwrap_or_default(),
            first: first_left + at_sealed as u64,
        };
        gap.explain(sealed, first, &mut differences);
        (at_sealed, at_found) = (sealed_at + 1, found_at + 1);
    }
    differences
}

/// What lies between two records that are as they were.
struct Gap<'c> {
    sealed: &'c [Digest],
    found: &'c [Found],
    /// The number of the first sealed record in it.
    first: u64,
}

impl Gap<'_> {
    /// Whether it has other records in two places at most, and as many as there were: then two that were swapped are not taken for
    /// some that were moved.
    fn is_one_edit_or_swap(&self) -> bool {
        let mut pairs = self.sealed.iter().zip(self.found);
        let mut others = pairs
            .by_ref()
            .filter(|(sealed, found)| **sealed != found.digest);
        self.sealed.len() == self.found.len() && others.nth(2).is_none()
    }

    /// As many as there are of both were edited; what is left over was dropped or added.
    fn explain(&self, all: &[Digest], first_of_all: u64, differences: &mut Vec<Difference>) {
        let both = self.sealed.len().min(self.found.len());
        let pairs = (self.first..).zip(self.sealed).zip(self.found);
        for ((record, sealed), found) in pairs.filter(|((_, one), other)| **one != other.digest) {
            differences.push(Difference::Edited {
                record,
                sealed: *sealed,
                found: found.digest,
            });
        }
        for (record, sealed) in (self.first..).zip(self.sealed).skip(both) {
            differences.push(Difference::Dropped {
                record,
                sealed: *sealed,
            });
        }
        let behind = (self.first + self.sealed.len() as u64).saturating_sub(1);
        for found in self.found.iter().skip(both) {
            let mut numbered = (first_of_all..).zip(all);
            let like = numbered.find(|(_, sealed)| **sealed == found.digest);
            differences.push(Difference::Added {
                behind,
                claims: found.claims,
                found: found.digest,
                like: like.map(|(record, _)| record),
            });
        }
    }
}

/// The longest common subsequence, as places in both.
fn kept(sealed: &[Digest], found: &[Found]) -> Vec<(usize, usize)> {
    let width = found.len() + 1;
    // At `row * width + column`, how much the rests from there on have in common.
    let mut common = vec![0u32; (sealed.len() + 1) * width];
    let at = |common: &[u32], row: usize, column: usize| {
        let cell = common.get(row * width + column);
        cell.copied().unwrap_or_default()
    };
    for (row, sealed) in sealed.iter().enumerate().rev() {
        for (column, found) in found.iter().enumerate().rev() {
            let longest = match *sealed == found.digest {
                true => at(&common, row + 1, column + 1) + 1,
                false => at(&common, row + 1, column).max(at(&common, row, column + 1)),
            };
            if let Some(cell) = common.get_mut(row * width + column) {
                *cell = longest;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut kept = Vec::new();
    while let (Some(one), Some(other)) = (sealed.get(row), found.get(column)) {
        if *one == other.digest {
            kept.push((row, column));
            (row, column) = (row + 1, column + 1);
        } else if at(&common, row + 1, column) >= at(&common, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
    kept
}

/// The findings that differences are, those that belong together taken together: what was dropped here and added there was moved.
pub(crate) fn findings(differences: &[Difference]) -> Vec<Finding> {
    let mut dropped: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut added: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut edited: BTreeMap<(Digest, Digest), u64> = BTreeMap::new();
    for difference in differences {
        match *difference {
            Difference::Dropped { record, sealed } => drop(dropped.insert(sealed, record)),
            Difference::Added { behind, found, .. } => drop(added.insert(found, behind)),
            Difference::Edited {
                record,
                sealed,
                found,
            } => drop(edited.insert((sealed, found), record)),
            Difference::Changed { .. } => {}
        }
    }
    let found = differences.iter().filter_map(|difference| {
        Some(match *difference {
            Difference::Edited {
                record,
                sealed,
                found,
            } => match edited.get(&(found, sealed)) {
                Some(other) if *other > record => Finding::Swapped {
                    first: record,
                    second: *other,
                },
                Some(other) if *other < record => return None,
                _ => Finding::Edited { record },
            },
            Difference::Dropped { record, sealed } => match added.get(&sealed) {
                Some(behind) => Finding::Moved {
                    record,
                    behind: *behind,
                },
                None => Finding::Dropped {
                    first: record,
                    last: record,
                },
            },
            Difference::Added {
                behind,
                claims,
                found,
                like,
            } => match (dropped.contains_key(&found), like) {
                (true, _) => return None,
                (false, Some(record)) => Finding::Repeated { record, behind },
                (false, None) => Finding::Added { behind, claims },
            },
            Difference::Changed { first, last } => Finding::Changed { first, last },
        })
    });
    joined(found)
}

/// Records dropped one after the other are one finding.
fn joined(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut joined: Vec<Finding> = Vec::new();
    for finding in findings {
        if let Finding::Dropped { first, last } = finding
            && let Some(Finding::Dropped { last: before, .. }) = joined.last_mut()
            && *before + 1 == first
        {
            *before = last;
        } else {
            joined.push(finding);
        }
    }
    joined
}
