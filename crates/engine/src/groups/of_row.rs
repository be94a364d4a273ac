//! The groups of a row: what grouping means, said row by row of any kind of row.

use std::collections::HashSet;
use std::sync::Arc;

use super::{GroupBy, Groups, interval_start};
use crate::budget::Cut;
use crate::evaluate::Failure;
use crate::key::{Key, KeyRef};
use crate::row::Row;

/// A row with arrays is in no more groups than these. Two arrays of a thousand elements would make a million.
pub(crate) const COMBINATIONS_MAX: usize = 1 << 16;

impl Groups {
    /// Adds one row to its groups: one for each combination of the different elements of its fields.
    pub(crate) fn add(&mut self, row: &dyn Row) -> Result<(), Failure> {
        let aggregation = Arc::clone(self.aggregation());
        let keys = aggregation.keys.iter();
        let keys: Vec<Vec<Key>> = keys
            .map(|key| keys_of(key, row))
            .collect::<Result<_, _>>()?;
        let combinations = keys
            .iter()
            .fold(1usize, |product, keys| product.saturating_mul(keys.len()));
        if combinations > COMBINATIONS_MAX {
            return Err(Cut::Combinations.into());
        }
        (0..combinations).try_for_each(|index| self.add_to(&combination(&keys, index), row))
    }

    fn add_to(&mut self, keys: &[KeyRef<'_>], row: &dyn Row) -> Result<(), Failure> {
        let aggregation = Arc::clone(self.aggregation());
        let group = self.group(keys);
        for (column, computed) in aggregation.computed.iter().enumerate() {
            if let Some(condition) = &computed.condition
                && !condition.holds(row)?
            {
                continue;
            }
            let mut outcome = Ok(());
            let column = self.column(column);
            match computed.field {
                None => column.count(group, 1),
                Some(field) => column.add(group, row.id(), &mut |visit| {
                    outcome = row.each(field, visit);
                }),
            }
            outcome?;
        }
        Ok(())
    }
}

/// The combination at an index among all, of which those of the last field follow each other.
fn combination(keys: &[Vec<Key>], index: usize) -> Vec<KeyRef<'_>> {
    let mut left = index;
    let mut combination: Vec<KeyRef<'_>> = Vec::with_capacity(keys.len());
    for keys in keys.iter().rev() {
        let (others, own) = (left / keys.len(), left % keys.len());
        combination.push(keys[own].as_ref());
        left = others;
    }
    combination.reverse();
    combination
}

/// The different keys that a row has for one of those that are grouped by: at least one.
fn keys_of(key: &GroupBy, row: &dyn Row) -> Result<Vec<Key>, Failure> {
    let mut found = Different::default();
    match key {
        GroupBy::Time(interval) => {
            let time = row.time();
            found
                .keys
                .extend(time.map(|time| Key::Time(interval_start(time, *interval))));
        }
        GroupBy::Field(field) => row.each(*field, &mut |datum| {
            datum.each_leaf(&mut |leaf| found.add(Key::of(leaf)));
        })?,
        GroupBy::Source => {
            let source = row.source();
            found
                .keys
                .extend(source.map(|(id, _)| Key::Int(id.0.into())));
        }
        GroupBy::Pattern(field, patterns) => row.each(*field, &mut |datum| {
            let source = row.source().map(|(id, _)| id);
            let mut texts = patterns.in_source(source).texts();
            datum.each_leaf(&mut |leaf| {
                let number = texts.of_key(KeyRef::of(leaf));
                found.add(number.map_or(Key::Null, |number| Key::Int(number.get().into())));
            });
        })?,
    }
    if found.keys.is_empty() {
        found.keys.push(Key::Null);
    }
    Ok(found.keys)
}

/// Keys, each once; of more than [`COMBINATIONS_MAX`] not all.
#[derive(Default)]
struct Different {
    keys: Vec<Key>,
    /// The same, once they are many.
    seen: HashSet<Key>,
}

impl Different {
    /// As many are compared one by one, in less time than one is hashed.
    const FEW: usize = 8;

    fn add(&mut self, key: Key) {
        if self.keys.len() > COMBINATIONS_MAX {
            return;
        }
        if self.keys.len() < Self::FEW {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
            return;
        }
        if self.seen.is_empty() {
            self.seen.extend(self.keys.iter().cloned());
        }
        if self.seen.insert(key.clone()) {
            self.keys.push(key);
        }
    }
}
