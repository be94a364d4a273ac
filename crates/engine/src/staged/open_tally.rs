//! Counting open rows in many ways at once: an event is gone through once and each of its values looked up once, by however many
//! groupings it is counted.

use std::collections::HashMap;

use hashbrown::HashTable;

use crate::budget::Cut;
use crate::evaluate::Failure;
use crate::groups::{COMBINATIONS_MAX, GroupBy, Groups};
use crate::key::{Key, KeyRef};
use crate::row::open::OpenRow;

/// The groups of the rows so far, by the codes of their keys.
pub(super) struct OpenTally {
    fields: Vec<FieldCodes>,
    counters: Vec<Counter>,
    /// The groups that are counted, none yet.
    groups: Vec<Groups>,
    /// How many rows were added.
    rows: u32,
}

/// The keys that rows have in a field, numbered as they are met; the first is that of rows without the field.
struct FieldCodes {
    keys: Vec<Key>,
    codes: HashTable<u32>,
    /// For each key, the number of the row that had it last.
    last_rows: Vec<u32>,
    /// The different keys of the row that is added.
    of_row: Vec<u32>,
}

/// How many rows there are of each group of a grouping.
enum Counter {
    /// Of the only one.
    Whole(u64),
    /// By the codes of a field.
    Single { field: usize, rows: Vec<u64> },
    /// By those of several.
    Several {
        fields: Vec<usize>,
        rows: HashMap<Vec<u32>, u64>,
    },
}

impl OpenTally {
    /// For groups of rows that are counted by fields, of which there are so many.
    pub(super) fn new(groups: Vec<Groups>, fields: usize) -> OpenTally {
        OpenTally {
            fields: (0..fields).map(|_| FieldCodes::new()).collect(),
            counters: groups.iter().map(Counter::new).collect(),
            groups,
            rows: 0,
        }
    }

    pub(super) fn add(&mut self, row: &OpenRow<'_>) -> Result<(), Failure> {
        self.rows += 1;
        let (fields, number) = (&mut self.fields, self.rows);
        fields.iter_mut().for_each(|field| field.of_row.clear());
        row.each_field(&mut |field, datum| {
            if let Some(field) = fields.get_mut(field) {
                datum.each_leaf(&mut |leaf| field.add(KeyRef::of(leaf), number));
            }
        })?;
        fields.iter_mut().for_each(FieldCodes::ensure_any);
        let mut counters = self.counters.iter_mut();
        counters.try_for_each(|counter| counter.add(&self.fields))
    }

    /// The groups, in the order of the groupings.
    pub(super) fn into_groups(mut self) -> Vec<Groups> {
        for (groups, counter) in self.groups.iter_mut().zip(&self.counters) {
            counter.fill(groups, &self.fields);
        }
        self.groups
    }
}

impl FieldCodes {
    const ABSENT: u32 = 0;

    fn new() -> FieldCodes {
        FieldCodes {
            keys: vec![Key::Null],
            codes: HashTable::new(),
            last_rows: vec![0],
            of_row: Vec::new(),
        }
    }

    /// Adds a key to those of the row of this number, once.
    fn add(&mut self, key: KeyRef<'_>, row: u32) {
        if self.of_row.len() > COMBINATIONS_MAX {
            return;
        }
        let code = self.code(key);
        if let Some(last_row) = self.last_rows.get_mut(code as usize)
            && *last_row != row
        {
            *last_row = row;
            self.of_row.push(code);
        }
    }

    fn code(&mut self, key: KeyRef<'_>) -> u32 {
        if key == KeyRef::Null {
            return FieldCodes::ABSENT;
        }
        let hash = key.hash();
        let keys = &self.keys;
        let is_key = |code: &u32| {
            keys.get(*code as usize)
                .is_some_and(|own| own.as_ref() == key)
        };
        if let Some(code) = self.codes.find(hash, is_key) {
            return *code;
        }
        let code = u32::try_from(self.keys.len()).expect("open rows have fewer than 2^32 values");
        let hash_of = |code: &u32| {
            keys.get(*code as usize)
                .map_or(0, |key| key.as_ref().hash())
        };
        self.codes.insert_unique(hash, code, hash_of);
        self.keys.push(Key::copy_of(key));
        self.last_rows.push(0);
        code
    }

    fn ensure_any(&mut self) {
        if self.of_row.is_empty() {
            self.of_row.push(FieldCodes::ABSENT);
        }
    }

    fn key(&self, code: u32) -> KeyRef<'_> {
        let key = self.keys.get(code as usize);
        key.map_or(KeyRef::Null, Key::as_ref)
    }
}

impl Counter {
    fn new(groups: &Groups) -> Counter {
        let keys = groups.aggregation().keys.iter();
        let fields = keys.filter_map(|key| match key {
            GroupBy::Field(field) => Some(*field),
            // A grouping is by fields alone.
            GroupBy::Time(_) | GroupBy::Source | GroupBy::Pattern(..) => None,
        });
        let fields: Vec<usize> = fields.collect();
        match fields[..] {
            [] => Counter::Whole(0),
            [field] => Counter::Single {
                field,
                rows: Vec::new(),
            },
            _ => Counter::Several {
                fields,
                rows: HashMap::new(),
            },
        }
    }

    /// Adds a row to its groups: one for each combination of the different keys of its fields.
    fn add(&mut self, of_row: &[FieldCodes]) -> Result<(), Failure> {
        match self {
            Counter::Whole(rows) => *rows += 1,
            Counter::Single { field, rows } => {
                let codes = &of_row[*field].of_row;
                if codes.len() > COMBINATIONS_MAX {
                    return Err(Cut::Combinations.into());
                }
                for code in codes {
                    let code = *code as usize;
                    if code >= rows.len() {
                        rows.resize(code + 1, 0);
                    }
                    rows[code] += 1;
                }
            }
            Counter::Several { fields, rows } => {
                let codes: Vec<&[u32]> =
                    fields.iter().map(|field| &*of_row[*field].of_row).collect();
                add_combinations(&codes, rows)?;
            }
        }
        Ok(())
    }

    fn fill(&self, groups: &mut Groups, fields: &[FieldCodes]) {
        match self {
            Counter::Whole(0) => {}
            Counter::Whole(rows) => groups.push_counted(std::iter::empty(), *rows),
            Counter::Single { field, rows } => {
                let field = &fields[*field];
                for (code, rows) in (0..).zip(rows).filter(|(_, rows)| **rows > 0) {
                    groups.push_counted(std::iter::once(field.key(code)), *rows);
                }
            }
            Counter::Several { fields: by, rows } => {
                for (codes, rows) in rows {
                    let keys = by.iter().zip(codes);
                    let keys = keys.map(|(field, code)| fields[*field].key(*code));
                    groups.push_counted(keys, *rows);
                }
            }
        }
    }
}

/// Counts a row in each combination of its codes, of which those of the last field follow each other.
fn add_combinations(codes: &[&[u32]], rows: &mut HashMap<Vec<u32>, u64>) -> Result<(), Failure> {
    /// A part has no more groups than these, several for each of its rows.
    const GROUPS_MAX: usize = 1 << 20;
    let sizes = codes.iter().map(|codes| codes.len());
    let combinations = sizes.fold(1usize, usize::saturating_mul);
    if combinations > COMBINATIONS_MAX {
        return Err(Cut::Combinations.into());
    }
    let mut combination = vec![0; codes.len()];
    for index in 0..combinations {
        let mut left = index;
        for (code, codes) in combination.iter_mut().zip(codes).rev() {
            *code = codes[left % codes.len()];
            left /= codes.len();
        }
        match rows.get_mut(&combination) {
            Some(rows) => *rows += 1,
            None => {
                rows.insert(combination.clone(), 1);
            }
        }
    }
    match rows.len() > GROUPS_MAX {
        true => Err(Cut::Combinations.into()),
        false => Ok(()),
    }
}
