//! The groups of a row: what grouping means, said row by row of any kind of row.

use std::sync::Arc;

use super::{GroupBy, Groups, interval_start};
use crate::evaluate::Failure;
use crate::key::{Key, KeyRef};
use crate::row::Row;

impl Groups {
    /// Adds one row to its groups.
    pub(crate) fn add(&mut self, row: &dyn Row) -> Result<(), Failure> {
        let aggregation = Arc::clone(self.aggregation());
        for keys in keys_of(&aggregation.keys, row)? {
            let keys: Vec<KeyRef<'_>> = keys.iter().map(Key::as_ref).collect();
            let group = self.group(&keys);
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
        }
        Ok(())
    }
}

/// The keys of the groups a row belongs to: one for each combination of the different elements of its fields.
fn keys_of(keys: &[GroupBy], row: &dyn Row) -> Result<Vec<Vec<Key>>, Failure> {
    let mut combined: Vec<Vec<Key>> = vec![Vec::new()];
    for key in keys {
        let mut found: Vec<Key> = Vec::new();
        match key {
            GroupBy::Time(interval) => {
                found.extend(
                    row.time()
                        .map(|time| Key::Time(interval_start(time, *interval))),
                );
            }
            GroupBy::Field(field) => row.each(*field, &mut |datum| {
                datum.each_leaf(&mut |leaf| {
                    let key = Key::of(leaf);
                    if !found.contains(&key) {
                        found.push(key);
                    }
                });
            })?,
        }
        if found.is_empty() {
            found.push(Key::Null);
        }
        let with_each = combined.iter().flat_map(|before| {
            found
                .iter()
                .map(|key| before.iter().cloned().chain([key.clone()]).collect())
        });
        combined = with_each.collect();
    }
    Ok(combined)
}
