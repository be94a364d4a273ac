//! The groups with the greatest counts: of as many groups as there are rows, making a row of a table of each takes longer
//! than counting them, and so does bringing together what several threads have counted.

use super::{GroupColumn, Groups};
use crate::budget::{Budget, Cut};
use crate::key::KeyRef;

/// How many groups are looked at between two looks at the budget.
const GROUPS_PER_CHECK: usize = 4096;

impl Groups {
    /// Those with the greatest counts, at least so many, where rows are counted and nothing else is computed.
    pub(crate) fn greatest(self, limit: usize, budget: &Budget) -> Result<Groups, Cut> {
        let Some(counts) = self.counts() else {
            return Ok(self);
        };
        if limit == 0 || limit >= counts.len() {
            return Ok(self);
        }
        let least = greatest_at(counts, limit);
        let mut greatest = self.afresh();
        for (group, count) in counts.iter().enumerate() {
            if group.is_multiple_of(GROUPS_PER_CHECK) {
                budget.check()?;
            }
            if *count >= least {
                greatest.push_counted(self.keys_of(group), *count);
            }
        }
        Ok(greatest)
    }

    /// The same of groups that lie in several tables, each made by merging; `None` if nothing is saved over merging all.
    ///
    /// A group that is among the first has at least as many rows as the last of the first in any table, and so it has
    /// its share of them, less what may have been left aside, in some table. All others can be left where they are.
    pub(crate) fn greatest_of(
        tables: &[Groups],
        limit: usize,
        budget: &Budget,
    ) -> Result<Option<Groups>, Cut> {
        /// With a smaller share, most groups may have it.
        const SHARE_MIN: u64 = 8;
        let counts = tables.iter().map(Groups::counts);
        let (Some(counts), Some(first)) = (counts.collect::<Option<Vec<&[u64]>>>(), tables.first())
        else {
            return Ok(None);
        };
        let of_first = counts.iter().map(|counts| match limit {
            1.. if limit <= counts.len() => greatest_at(counts, limit),
            _ => 0,
        });
        let aside: u64 = tables.iter().map(|table| table.aside.rows_max()).sum();
        let share = of_first.max().unwrap_or(0).saturating_sub(aside);
        let share = share.div_ceil(tables.len() as u64);
        if share < SHARE_MIN {
            return Ok(None);
        }
        let mut candidates = first.afresh();
        for (table, counts) in tables.iter().zip(&counts) {
            let groups = counts.iter().enumerate();
            for (index, (group, _)) in groups.filter(|(_, count)| **count >= share).enumerate() {
                if index.is_multiple_of(GROUPS_PER_CHECK) {
                    budget.check()?;
                }
                let keys: Vec<KeyRef<'_>> = table.keys_of(group).collect();
                candidates.group(&keys);
            }
        }
        for (candidate, hash) in candidates.hashes.clone().into_iter().enumerate() {
            if candidate.is_multiple_of(GROUPS_PER_CHECK) {
                budget.check()?;
            }
            let of_tables = tables.iter().zip(&counts).filter_map(|(table, counts)| {
                let has_keys = |own: usize| table.has_keys(own, &candidates.keys, candidate);
                counts.get(table.find(hash, has_keys)? as usize)
            });
            let rows = of_tables.sum();
            candidates.column(0).count(candidate, rows);
        }
        if aside > 0 {
            candidates.count_aside(tables, limit);
        }
        candidates.greatest(limit, budget).map(Some)
    }

    /// Adds the rows that tables left aside, for those that may be among the first with them.
    fn count_aside(&mut self, tables: &[Groups], limit: usize) {
        let counts = self.counts().unwrap_or_default().to_vec();
        let least = match limit {
            1.. if limit <= counts.len() => greatest_at(&counts, limit),
            _ => 0,
        };
        let aside: u64 = tables.iter().map(|table| table.aside.rows_max()).sum();
        let may_be_first = |(_, count): &(usize, &u64)| **count + aside >= least;
        for (group, _) in counts.iter().enumerate().filter(may_be_first) {
            let rows = self.keys_of(group).next().map(|key| {
                let rows = tables.iter().map(|table| table.aside.rows_of(key));
                rows.sum()
            });
            self.column(0).count(group, rows.unwrap_or(0));
        }
    }

    /// How many rows each has, if nothing else is computed.
    pub(super) fn counts(&self) -> Option<&[u64]> {
        match &*self.columns {
            [GroupColumn::Counts(counts)] => Some(counts),
            _ => None,
        }
    }

    fn keys_of(&self, group: usize) -> impl Iterator<Item = KeyRef<'_>> + Clone {
        let width = self.aggregation.keys.len();
        (group * width..(group + 1) * width).map(|index| self.keys.get(index))
    }
}

/// The count at a place, the greatest being at 1; there are as many.
pub(super) fn greatest_at<T: Copy + Ord>(counts: &[T], place: usize) -> T {
    let mut counts = counts.to_vec();
    let (_, count, _) = counts.select_nth_unstable_by(place - 1, |a, b| b.cmp(a));
    *count
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use cordwood_query::{Aggregate, Function};
    use proptest::prelude::*;

    use super::Groups;
    use crate::budget::Budget;
    use crate::groups::{Aggregation, Computed, GroupBy};
    use crate::key::KeyRef;
    use crate::{Cancel, Clock};

    fn counted(rows: &[(i8, u64)]) -> Groups {
        let count = Computed {
            aggregate: Aggregate {
                function: Function::Count(None),
                condition: None,
                name: "count()".to_owned(),
            },
            field: None,
            condition: None,
        };
        let mut groups = Groups::new(&Arc::new(Aggregation {
            keys: vec![GroupBy::Field(0)],
            key_names: vec!["key".to_owned()],
            computed: vec![count],
            greatest: None,
        }));
        for (key, rows) in rows {
            let group = groups.group(&[KeyRef::Int((*key).into())]);
            groups.column(0).count(group, *rows);
        }
        groups
    }

    fn rows_of(groups: Groups) -> Vec<(i128, u64)> {
        let counts = groups.counts().map(<[u64]>::to_vec).unwrap_or_default();
        let keys = (0..groups.len()).map(|group| match groups.keys.get(group) {
            KeyRef::Int(key) => key,
            other => panic!("{other:?} is no key that was added"),
        });
        let mut rows: Vec<(i128, u64)> = keys.zip(counts).collect();
        rows.sort_by_key(|(key, rows)| (std::cmp::Reverse(*rows), *key));
        rows
    }

    proptest! {
        #[test]
        fn the_first_of_several_tables_are_those_of_all(
            tables in proptest::collection::vec(
                proptest::collection::vec((-9i8..9, prop_oneof![0u64..9, 0u64..500]), 0..40), 1..4),
            limit in 0usize..12,
        ) {
            let mut all = rows_of(counted(&tables.concat()));
            let tables: Vec<Groups> = tables.iter().map(|rows| counted(rows)).collect();
            let budget = Budget::new(Clock::new(Instant::now), None, Cancel::default());
            if let Some(found) = Groups::greatest_of(&tables, limit, &budget).expect("nobody stops it") {
                let mut found = rows_of(found);
                found.truncate(limit);
                all.truncate(limit);
                prop_assert_eq!(found, all);
            }
        }
    }
}
