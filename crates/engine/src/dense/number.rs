//! The groups of the rows of a block, found by the codes of their keys.

use hashbrown::HashTable;

use super::NONE;
use super::codes::{Coded, Codes};
use crate::evaluate::ranks;
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
    columns: usize,
    selected: &Selection,
) -> bool {
    let mut varying = keys.iter().filter(|coded| !coded.is_constant());
    let (Some(coded), None) = (varying.next(), varying.next()) else {
        return false;
    };
    for (code, rows) in rows_by_code(coded, selected).into_iter().enumerate() {
        if rows > 0 {
            let group = groups.push(keys_of(keys, |_| code));
            for column in 0..columns {
                groups.column(column).count(group, rows.into());
            }
        }
    }
    true
}

/// How many of the selected rows have each code.
fn rows_by_code(coded: &Coded<'_>, selected: &Selection) -> Vec<u32> {
    let mut counts = vec![0; coded.len()];
    let ranks = match &coded.presence {
        None => selected,
        Some(presence) => &ranks::to_ranks(presence, selected),
    };
    let present = ranks.count();
    match &coded.codes {
        Codes::One => counts[0] = narrow(present),
        Codes::Narrow(codes) => count_codes(codes, ranks, &mut counts),
        Codes::Wide(codes) => count_codes(codes, ranks, &mut counts),
    }
    if coded.presence.is_some() {
        let absent = counts.len() - 1;
        counts[absent] = narrow(selected.count() - present);
    }
    counts
}

fn count_codes<T: Copy + Into<u32>>(codes: &[T], ranks: &Selection, counts: &mut [u32]) {
    if ranks.is_all() {
        codes
            .iter()
            .for_each(|code| counts[(*code).into() as usize] += 1);
    } else {
        ranks
            .iter()
            .for_each(|rank| counts[codes[rank].into() as usize] += 1);
    }
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

/// The group of each selected row, made for it; [`NONE`] for the others. Keys that are equal may have several groups.
pub(super) fn number_groups(
    groups: &mut Groups,
    keys: &[Coded<'_>],
    selected: &Selection,
) -> Vec<u32> {
    let mut varying = keys.iter().filter(|coded| !coded.is_constant());
    match (varying.next(), varying.next()) {
        (Some(coded), None) => {
            let codes = coded.by_row();
            let new_group = |code: usize| narrow(groups.push(keys_of(keys, |_| code)));
            match &codes {
                Codes::One => Vec::new(),
                Codes::Narrow(codes) => number_codes(codes, coded.len(), selected, new_group),
                Codes::Wide(codes) => number_codes(codes, coded.len(), selected, new_group),
            }
        }
        _ => number_by_combination(groups, keys, selected),
    }
}

/// One key varies: each of its codes that occurs is a group.
fn number_codes<T: Copy + Into<u32>>(
    codes: &[T],
    code_count: usize,
    selected: &Selection,
    mut new_group: impl FnMut(usize) -> u32,
) -> Vec<u32> {
    let mut counts = vec![0; code_count];
    count_codes(codes, selected, &mut counts);
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

fn number_by_combination(
    groups: &mut Groups,
    keys: &[Coded<'_>],
    selected: &Selection,
) -> Vec<u32> {
    let mut group_of = vec![NONE; selected.rows()];
    let by_row: Vec<Codes<'_>> = keys.iter().map(Coded::by_row).collect();
    let code = |index: usize, row: usize| by_row[index].get(row);
    let combinations = keys
        .iter()
        .try_fold(1usize, |product, coded| product.checked_mul(coded.len()));
    let combined = |row: usize| {
        let keys = keys.iter().enumerate();
        keys.fold(0usize, |combined, (index, coded)| {
            combined
                .wrapping_mul(coded.len())
                .wrapping_add(code(index, row))
        })
    };
    let mut new_group = |row: usize| narrow(groups.push(keys_of(keys, |index| code(index, row))));
    match combinations {
        Some(combinations) if combinations <= TABLE_MAX => {
            let mut table = vec![NONE; combinations];
            for row in selected.iter() {
                let slot = &mut table[combined(row)];
                if *slot == NONE {
                    *slot = new_group(row);
                }
                group_of[row] = *slot;
            }
        }
        Some(_) => {
            let mut table: HashTable<(usize, u32)> = HashTable::new();
            for row in selected.iter() {
                let key = combined(row);
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
                let of_row = keys_of(keys, |index| code(index, row));
                group_of[row] = narrow(groups.group(&of_row.collect::<Vec<KeyRef<'_>>>()));
            }
        }
    }
    group_of
}
