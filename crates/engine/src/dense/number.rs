//! The groups of the rows of a block, found by the codes of their keys.

use std::borrow::Cow;
use std::collections::HashSet;

use hashbrown::HashTable;

use super::NONE;
use super::codes::{Coded, Codes, RowCodes};
use super::group_of::GroupOf;
use crate::evaluate::{Failure, ranks};
use crate::groups::Groups;
use crate::key::{KeyRef, hash_of};
use crate::selection::Selection;

/// Up to so many combinations of codes a table holds the group of each; beyond, a hash table of those that occur.
const TABLE_MAX: usize = 1 << 16;

/// The groups of a block by code where one key varies and rows are only counted: how many rows each code has is all that
/// is needed, and no row has to be told its group. `false` when more keys vary, and nothing was added.
pub(super) fn count_by_code(
    groups: &mut Groups,
    keys: &[Coded<'_>],
    selected: &Selection,
) -> Result<bool, Failure> {
    let mut varying = keys.iter().filter(|coded| !coded.is_constant());
    let (Some(coded), None) = (varying.next(), varying.next()) else {
        return Ok(false);
    };
    let mut counts = rows_by_code(coded, selected)?;
    if let ([_], Some(values)) = (keys, coded.dictionary()) {
        groups.leave_aside(values, &mut counts);
    }
    groups.reserve(counts.iter().filter(|rows| **rows > 0).count());
    for (code, rows) in counts.into_iter().enumerate() {
        if rows > 0 {
            groups.push_counted(keys_of(keys, |_| code), rows.into());
        }
    }
    Ok(true)
}

/// How many of the selected rows have each code.
fn rows_by_code(coded: &Coded<'_>, selected: &Selection) -> Result<Vec<u32>, Failure> {
    let ranks = match &coded.presence {
        None => selected,
        Some(presence) => &ranks::to_ranks(presence, selected),
    };
    let present = ranks.count();
    let mut counts = match &coded.codes {
        Codes::One => vec![narrow(present)],
        Codes::Dictionary(codes) if ranks.is_all() => codes.count()?,
        Codes::Dictionary(codes) => count_codes(codes.get()?, ranks, coded.len()),
        Codes::Narrow(codes) => count_codes(codes, ranks, coded.len()),
        Codes::Wide(codes) => count_codes(codes, ranks, coded.len()),
    };
    if coded.presence.is_some() {
        counts.resize(coded.len(), 0);
        let absent = counts.len() - 1;
        counts[absent] = narrow(selected.count() - present);
    }
    Ok(counts)
}

fn count_codes<T: Copy + Into<u32>>(codes: &[T], ranks: &Selection, len: usize) -> Vec<u32> {
    let mut counts = vec![0; len];
    if ranks.is_all() {
        codes
            .iter()
            .for_each(|code| counts[(*code).into() as usize] += 1);
    } else {
        ranks
            .iter()
            .for_each(|rank| counts[codes[rank].into() as usize] += 1);
    }
    counts
}

fn narrow(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(NONE)
}

/// The keys of a group, given the code of each that varies.
fn keys_of<'c>(
    keys: &'c [Coded<'_>],
    code: impl Fn(usize) -> usize + Clone,
) -> impl Iterator<Item = KeyRef<'c>> + Clone {
    let keys = keys.iter().enumerate();
    keys.map(move |(index, coded)| match coded.is_constant() {
        true => coded.key(0),
        false => coded.key(code(index)),
    })
}

/// The group of each selected row, made for it. Keys that are equal may have several groups.
pub(super) fn number_groups<'k>(
    groups: &mut Groups,
    keys: &'k [Coded<'_>],
    selected: &Selection,
) -> Result<GroupOf<'k>, Failure> {
    let mut varying = keys.iter().filter(|coded| !coded.is_constant());
    let by_row = match (varying.next(), varying.next()) {
        (Some(coded), None) => {
            let first = narrow(groups.len());
            let mut new_group = |code: usize| narrow(groups.push(keys_of(keys, |_| code)));
            if coded.has_each()
                && selected.is_all()
                && let RowCodes::Narrow(codes) = coded.by_row()?
            {
                (0..coded.len()).for_each(|code| {
                    new_group(code);
                });
                return Ok(GroupOf::Coded { first, codes });
            }
            match &coded.by_row()? {
                RowCodes::One => Vec::new(),
                RowCodes::Narrow(codes) => number_codes(codes, coded.len(), selected, new_group),
                RowCodes::Wide(codes) => number_codes(codes, coded.len(), selected, new_group),
            }
        }
        (None, _) if selected.is_empty() => vec![NONE; selected.rows()],
        (None, _) => {
            let group = narrow(groups.push(keys_of(keys, |_| 0)));
            if selected.is_all() {
                let len = selected.rows();
                return Ok(GroupOf::One { group, len });
            }
            let mut group_of = vec![NONE; selected.rows()];
            selected.iter().for_each(|row| group_of[row] = group);
            group_of
        }
        _ => number_by_combination(groups, keys, selected)?,
    };
    Ok(GroupOf::Each(Cow::Owned(by_row)))
}

/// One key varies: each of its codes that occurs is a group.
fn number_codes<T: Copy + Into<u32>>(
    codes: &[T],
    code_count: usize,
    selected: &Selection,
    mut new_group: impl FnMut(usize) -> u32,
) -> Vec<u32> {
    let counts = count_codes(codes, selected, code_count);
    let groups = counts.into_iter().enumerate();
    let groups: Vec<u32> = groups
        .map(|(code, rows)| if rows > 0 { new_group(code) } else { NONE })
        .collect();
    let group = |code: T| groups[code.into() as usize];
    if selected.is_all() {
        return codes.iter().map(|code| group(*code)).collect();
    }
    let mut group_of = vec![NONE; selected.rows()];
    selected
        .iter()
        .for_each(|row| group_of[row] = group(codes[row]));
    group_of
}

/// The codes of several keys together.
struct Combined<'c> {
    /// By key, and how many codes it has.
    codes: Vec<(RowCodes<'c>, usize)>,
    /// How many combinations there may be, if they can be numbered.
    combinations: Option<usize>,
}

impl<'c> Combined<'c> {
    fn new(keys: &'c [Coded<'_>]) -> Result<Combined<'c>, Failure> {
        let codes = keys.iter().map(|coded| Ok((coded.by_row()?, coded.len())));
        let mut lens = keys.iter().map(Coded::len);
        Ok(Combined {
            codes: codes.collect::<Result<_, Failure>>()?,
            combinations: lens.try_fold(1usize, |product, len| product.checked_mul(len)),
        })
    }

    /// The code of a key.
    fn code(&self, key: usize, row: usize) -> usize {
        self.codes.get(key).map_or(0, |(codes, _)| codes.get(row))
    }

    /// The number of a row's combination.
    fn get(&self, row: usize) -> usize {
        let codes = self.codes.iter();
        codes.fold(0usize, |combined, (codes, len)| {
            combined.wrapping_mul(*len).wrapping_add(codes.get(row))
        })
    }
}

fn number_by_combination(
    groups: &mut Groups,
    keys: &[Coded<'_>],
    selected: &Selection,
) -> Result<Vec<u32>, Failure> {
    let mut group_of = vec![NONE; selected.rows()];
    let combined = Combined::new(keys)?;
    let code = |row: usize| {
        let combined = &combined;
        move |key: usize| combined.code(key, row)
    };
    let mut new_group = |row: usize| narrow(groups.push(keys_of(keys, code(row))));
    match combined.combinations {
        Some(combinations) if combinations <= TABLE_MAX => {
            let mut table = vec![NONE; combinations];
            for row in selected.iter() {
                let slot = &mut table[combined.get(row)];
                if *slot == NONE {
                    *slot = new_group(row);
                }
                group_of[row] = *slot;
            }
        }
        Some(_) => {
            let mut table: HashTable<(usize, u32)> = HashTable::new();
            for row in selected.iter() {
                let key = combined.get(row);
                let entry = table.entry(
                    hash_of(&key),
                    |(other, _)| *other == key,
                    |(other, _)| hash_of(other),
                );
                group_of[row] = entry.or_insert_with(|| (key, new_group(row))).get().1;
            }
        }
        // Too many to be numbered: the keys themselves tell them apart.
        None => {
            for row in selected.iter() {
                let of_row = keys_of(keys, code(row));
                group_of[row] = narrow(groups.group(&of_row.collect::<Vec<KeyRef<'_>>>()));
            }
        }
    }
    Ok(group_of)
}

/// The first of the selected rows, in the order of `rows`, for each combination of codes. There may be more of keys that
/// are equal.
pub(super) fn first_of_each(
    keys: &[Coded<'_>],
    selected: &Selection,
    rows: impl Iterator<Item = usize>,
) -> Result<Selection, Failure> {
    let combined = Combined::new(keys)?;
    let mut first = Selection::none(selected.rows());
    let mut keep = |row: usize, is_new: bool| {
        if is_new {
            first.insert(row);
        }
    };
    match combined.combinations {
        Some(combinations) if combinations <= TABLE_MAX => {
            let mut seen = vec![false; combinations];
            rows.for_each(|row| {
                keep(row, !std::mem::replace(&mut seen[combined.get(row)], true));
            });
        }
        Some(_) => {
            let mut seen = HashSet::new();
            rows.for_each(|row| keep(row, seen.insert(combined.get(row))));
        }
        None => rows.for_each(|row| keep(row, true)),
    }
    Ok(first)
}
