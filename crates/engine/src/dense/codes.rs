//! The keys of all rows of a block as codes into a list of keys, and the numbers of their groups.

use std::hash::Hash;

use cordwood_event::{Level, Scalar, Timestamp};
use cordwood_query::Interval;
use cordwood_store::column::{Column, StrValues, Values};
use hashbrown::HashTable;

use super::NONE;
use crate::datum::{Datum, Leaf};
use crate::evaluate::Failure;
use crate::groups::{Groups, interval_start};
use crate::key::{Key, hash_of};
use crate::selection::Selection;

/// Up to so many combinations of codes a table holds the group of each; beyond, a hash table of those that occur.
const TABLE_MAX: usize = 1 << 16;

/// A key for each row.
pub(super) struct Coded {
    /// The keys; two of them may be equal.
    keys: Vec<Key>,
    /// By row; empty when all rows have the first key.
    codes: Vec<u32>,
}

impl Coded {
    pub(super) fn constant(key: Key) -> Coded {
        Coded {
            keys: vec![key],
            codes: Vec::new(),
        }
    }

    fn key(&self, row: usize) -> &Key {
        let code = self.codes.get(row).copied().unwrap_or(0);
        self.keys.get(code as usize).unwrap_or(&Key::Null)
    }
}

fn code_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// Of sorted times: intervals follow each other.
pub(super) fn of_times(times: &[i64], interval: Interval) -> Coded {
    let mut coded = Coded {
        keys: Vec::new(),
        codes: Vec::with_capacity(times.len()),
    };
    let mut row = 0;
    while let Some(time) = times.get(row) {
        let start = interval_start(Timestamp::from_nanos(*time), interval);
        let length = i128::from(interval.nanos);
        // Counted from the time itself: the first interval may begin before time does.
        let end = (i128::from(*time).div_euclid(length) + 1) * length - 1;
        let tail = times.get(row..).unwrap_or_default();
        let length = tail.partition_point(|time| i128::from(*time) <= end);
        let code = code_of(coded.keys.len());
        coded.keys.push(Key::Time(start));
        coded.codes.resize(coded.codes.len() + length, code);
        row += length;
    }
    coded
}

pub(super) fn of_levels(levels: &[u8]) -> Coded {
    let named = Level::ALL
        .iter()
        .map(|level| Key::of(Leaf::Text(level.name())));
    Coded {
        keys: [Key::Null].into_iter().chain(named).collect(),
        codes: levels.iter().map(|code| u32::from(*code)).collect(),
    }
}

/// The key of a single value; `None` of an array or object, which has any number.
fn key_of(value: Scalar<'_>) -> Option<Key> {
    match value {
        Scalar::Json(json) if json.starts_with(['[', '{']) => None,
        value => Some(Datum::Scalar(value).leaf().map_or(Key::Null, Key::of)),
    }
}

/// Of a column in which no row has several values; else `None`.
pub(super) fn of_column(column: &Column) -> Result<Option<Coded>, Failure> {
    let (keys, codes) = match &column.values {
        Values::Const(value) => match key_of(value.as_scalar()) {
            Some(key) if column.presence.is_all() => return Ok(Some(Coded::constant(key))),
            Some(key) => (vec![key], vec![0; column.presence.present()]),
            None => return Ok(None),
        },
        Values::Dict { values, codes } => {
            let keys: Option<Vec<Key>> = values.iter().map(key_of).collect();
            match keys {
                Some(keys) => (keys, codes.iter().map(|code| u32::from(*code)).collect()),
                None => return Ok(None),
            }
        }
        Values::Int(integers) => interned(
            integers
                .iter()
                .map(|integer| (*integer, Key::Int((*integer).into()))),
        ),
        Values::Float(floats) => interned(floats.iter().map(|float| {
            (
                float.to_bits(),
                Key::of(Leaf::Number(cordwood_event::Number::Float(*float))),
            )
        })),
        Values::Str(texts) => {
            let interned = Interned::of(texts)?;
            (interned.keys, interned.codes)
        }
        Values::Text(texts) => {
            let mut interned = Interned::default();
            for rank in 0..texts.len() {
                interned.push_text(texts.get(rank)?);
            }
            (interned.keys, interned.codes)
        }
        Values::Packed(packed) => {
            let Interned {
                keys,
                codes: of_slots,
                ..
            } = Interned::of(packed.texts())?;
            let codes = packed.codes().map(|slots| {
                let slots = slots.iter().map(|slot| usize::from(*slot));
                slots
                    .map(|slot| of_slots.get(slot).copied().unwrap_or(0))
                    .collect()
            });
            (keys, codes.unwrap_or(of_slots))
        }
        Values::Mixed(_) => return Ok(None),
    };
    Ok(Some(over_rows(column, keys, codes)))
}

/// From codes by rank to codes by row; rows without the field have the key null.
fn over_rows(column: &Column, mut keys: Vec<Key>, codes: Vec<u32>) -> Coded {
    if column.presence.is_all() {
        return Coded { keys, codes };
    }
    let absent = code_of(keys.len());
    keys.push(Key::Null);
    let mut by_row = vec![absent; column.rows()];
    for (row, rank) in column.presence.iter() {
        if let (Some(by_row), Some(code)) = (by_row.get_mut(row), codes.get(rank)) {
            *by_row = *code;
        }
    }
    Coded {
        keys,
        codes: by_row,
    }
}

fn interned<T: Hash + Eq + Copy>(values: impl Iterator<Item = (T, Key)>) -> (Vec<Key>, Vec<u32>) {
    let mut table: HashTable<(T, u32)> = HashTable::new();
    let (mut keys, mut codes) = (Vec::new(), Vec::new());
    for (value, key) in values {
        let hash = hash_of(&value);
        let entry = table.entry(
            hash,
            |(other, _)| *other == value,
            |(other, _)| hash_of(other),
        );
        let (_, code) = *entry
            .or_insert_with(|| {
                keys.push(key);
                (value, code_of(keys.len() - 1))
            })
            .get();
        codes.push(code);
    }
    (keys, codes)
}

/// Texts as codes.
#[derive(Default)]
struct Interned {
    table: HashTable<u32>,
    keys: Vec<Key>,
    codes: Vec<u32>,
}

impl Interned {
    fn of(texts: &StrValues) -> Result<Interned, Failure> {
        let mut interned = Interned::default();
        for index in 0..texts.frame_count() {
            let frame = texts.frame(index)?;
            for index in 0..frame.len() {
                interned.push_text(frame.get(index).unwrap_or_default());
            }
        }
        Ok(interned)
    }

    fn push_text(&mut self, text: &str) {
        let Interned { table, keys, codes } = self;
        let is_text = |code: &u32| matches!(keys.get(*code as usize), Some(Key::Text(known)) if **known == *text);
        let hash = hash_of(text);
        let found = table.find(hash, is_text).copied();
        let code = found.unwrap_or_else(|| {
            let code = code_of(keys.len());
            keys.push(Key::Text(text.into()));
            table.insert_unique(hash, code, |code| match keys.get(*code as usize) {
                Some(Key::Text(known)) => hash_of(&**known),
                _ => 0,
            });
            code
        });
        codes.push(code);
    }
}

/// The group of each selected row, made for it; [`NONE`] for the others. Keys that are equal may have several groups.
pub(super) fn number_groups(
    groups: &mut Groups,
    mut keys: Vec<Coded>,
    selected: &Selection,
) -> Vec<u32> {
    let mut varying = keys.iter_mut().filter(|coded| !coded.codes.is_empty());
    match (varying.next(), varying.next()) {
        (Some(_), None) => number_by_code(groups, &mut keys, selected),
        _ => number_by_combination(groups, &keys, selected),
    }
}

/// One key varies: each of its codes is a group, and the key moves there.
fn number_by_code(groups: &mut Groups, keys: &mut [Coded], selected: &Selection) -> Vec<u32> {
    let mut group_of = vec![NONE; selected.rows()];
    let mut codes = Vec::new();
    let mut table = Vec::new();
    for coded in keys.iter_mut().filter(|coded| !coded.codes.is_empty()) {
        codes = std::mem::take(&mut coded.codes);
        table = vec![NONE; coded.keys.len()];
    }
    for row in selected.iter() {
        let code = codes[row] as usize;
        let slot = &mut table[code];
        if *slot == NONE {
            let of_row = keys.iter_mut().map(|coded| match &mut *coded.keys {
                [constant] => constant.clone(),
                varying => std::mem::replace(&mut varying[code], Key::Null),
            });
            *slot = code_of(groups.push(of_row));
        }
        group_of[row] = *slot;
    }
    group_of
}

fn number_by_combination(groups: &mut Groups, keys: &[Coded], selected: &Selection) -> Vec<u32> {
    let mut group_of = vec![NONE; selected.rows()];
    let varying: Vec<&Coded> = keys
        .iter()
        .filter(|coded| !coded.codes.is_empty())
        .collect();
    let combinations = varying.iter().try_fold(1usize, |product, coded| {
        product.checked_mul(coded.keys.len())
    });
    let combined = |row: usize| {
        varying.iter().fold(0usize, |combined, coded| {
            let code = coded.codes.get(row).copied().unwrap_or(0);
            combined
                .wrapping_mul(coded.keys.len())
                .wrapping_add(code as usize)
        })
    };
    let mut new_group = |row: usize| {
        let of_row = keys.iter().map(|coded| coded.key(row).clone());
        code_of(groups.push(of_row))
    };
    match combinations {
        Some(_) if varying.is_empty() => {
            if let Some(first) = selected.iter().next() {
                let group = new_group(first);
                selected.iter().for_each(|row| group_of[row] = group);
            }
        }
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
                let of_row = keys.iter().map(|coded| coded.key(row).clone());
                group_of[row] = code_of(groups.group(&of_row.collect::<Vec<Key>>()));
            }
        }
    }
    group_of
}
