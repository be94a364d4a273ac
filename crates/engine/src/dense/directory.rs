//! Grouping by what the directory of a block counts: events by level, by minute and level, and by the value of a field.
//!
//! Whatever selects and groups rows by level and intervals of whole minutes alone, or by a single field with few values, is
//! answered without reading the block.

use cordwood_event::{Level, Timestamp};
use cordwood_query::{CompiledClause, FieldName, Interval, Target};
use cordwood_store::block::{BlockDirectory, LevelCounts};

use super::codes::is_compound;
use super::{NANOS_PER_MINUTE, has_raw_level};
use crate::SearchedSource;
use crate::condition::Condition;
use crate::counted::{CountedColumn, ValueSet, ValueVerdicts, columns_of, counted_column};
use crate::datum::Datum;
use crate::groups::{Aggregation, GroupBy, Groups, interval_start};
use crate::key::KeyRef;
use crate::narrow::LevelSet;
use crate::row::FieldSet;

/// A block, all of whose rows lie in the range.
pub(crate) struct DirectoryGrouping<'a> {
    pub(crate) directory: &'a BlockDirectory,
    pub(crate) verdicts: &'a ValueVerdicts,
    pub(crate) fields: &'a FieldSet,
    pub(crate) source: &'a SearchedSource,
}

/// What a directory knows of a key.
enum CountedKey<'a> {
    /// All rows of the block have it.
    Constant(KeyRef<'a>),
    Level,
    /// Of whole minutes.
    Time(Interval),
    /// The values of the column at this index.
    Values(usize),
}

impl DirectoryGrouping<'_> {
    /// Adds the rows that meet a condition; `false` when the directory says too little, and nothing was added.
    pub(crate) fn group(
        &self,
        groups: &mut Groups,
        condition: &Condition,
        clauses: &[CompiledClause],
    ) -> bool {
        let aggregation = std::sync::Arc::clone(groups.aggregation());
        let keys = aggregation.keys.iter().map(|key| self.counted_key(key));
        let keys: Option<Vec<CountedKey<'_>>> = keys.collect();
        keys.is_some_and(|keys| {
            self.group_by_level(groups, &keys, (condition, clauses))
                .or_else(|| self.group_by_value(groups, &keys, (condition, clauses)))
                .is_some()
        })
    }

    fn group_by_level(
        &self,
        groups: &mut Groups,
        keys: &[CountedKey<'_>],
        (condition, clauses): (&Condition, &[CompiledClause]),
    ) -> Option<()> {
        if keys.iter().any(|key| matches!(key, CountedKey::Values(_))) {
            return None;
        }
        let selected = LevelSet::of(condition, clauses, self.directory)?;
        let columns = self.levels_of_columns(groups.aggregation())?;
        if !keys.iter().any(|key| matches!(key, CountedKey::Time(_))) {
            let levels = (0, self.directory.levels);
            add(groups, keys, levels, selected, &columns);
            return Some(());
        }
        for of_minute in self.directory.minutes.as_ref()?.iter() {
            add(groups, keys, of_minute, selected, &columns);
        }
        Some(())
    }

    fn group_by_value(
        &self,
        groups: &mut Groups,
        keys: &[CountedKey<'_>],
        (condition, clauses): (&Condition, &[CompiledClause]),
    ) -> Option<()> {
        let (directory, verdicts) = (self.directory, self.verdicts);
        let of_keys = keys.iter().find_map(|key| match key {
            CountedKey::Values(index) => Some(CountedColumn {
                directory,
                index: *index,
                verdicts,
            }),
            _ => None,
        });
        let of_condition = || CountedColumn::of_condition(condition, clauses, directory, verdicts);
        let column = of_keys.or_else(of_condition)?;
        let is_known = |key: &CountedKey<'_>| match key {
            CountedKey::Constant(_) => true,
            CountedKey::Values(index) => *index == column.index,
            CountedKey::Level | CountedKey::Time(_) => false,
        };
        if !keys.iter().all(is_known) {
            return None;
        }
        let selected = column.select(condition, clauses)?;
        let aggregation = std::sync::Arc::clone(groups.aggregation());
        let of_columns = aggregation.computed.iter().map(|computed| {
            let (None, filter) = (computed.field, &computed.condition) else {
                return None;
            };
            let all = Condition::Constant(true);
            let (condition, clauses) = filter.as_ref().map_or((all, &[][..]), |filter| {
                (filter.in_source(self.source), filter.clauses())
            });
            column.select(&condition, clauses)
        });
        let of_columns: Vec<ValueSet> = of_columns.collect::<Option<_>>()?;
        let values = column.counts()?.scalars().map(Some).chain([None]);
        for (index, (value, rows)) in values.zip(column.rows()).enumerate() {
            if rows == 0 || !selected.contains(index) {
                continue;
            }
            let leaf = value.and_then(|value| Datum::Scalar(value).leaf());
            let of_value = leaf.map_or(KeyRef::Null, KeyRef::of);
            let group = groups.push(keys.iter().map(|key| match key {
                CountedKey::Constant(key) => *key,
                _ => of_value,
            }));
            for (column, counted) in of_columns.iter().enumerate() {
                if counted.contains(index) {
                    groups.column(column).count(group, rows);
                }
            }
        }
        Some(())
    }

    /// What the directory knows of the values of a field.
    fn values_of(&self, field: &FieldName) -> Option<CountedKey<'_>> {
        if columns_of(self.directory, field)?.next().is_none() {
            return Some(CountedKey::Constant(KeyRef::Null));
        }
        let index = counted_column(self.directory, field)?;
        let entry = self.directory.columns.get(index)?;
        let mut values = entry.values.as_ref()?.scalars();
        if values.clone().any(is_compound) {
            return None;
        }
        match (values.next(), values.next(), entry.presence) {
            (Some(value), None, None) => {
                let leaf = Datum::Scalar(value).leaf();
                Some(CountedKey::Constant(leaf.map_or(KeyRef::Null, KeyRef::of)))
            }
            _ => Some(CountedKey::Values(index)),
        }
    }

    /// The levels that each column counts, if all count rows and by level alone.
    fn levels_of_columns(&self, aggregation: &Aggregation) -> Option<Vec<LevelSet>> {
        let columns = aggregation.computed.iter().map(|computed| {
            if computed.field.is_some() {
                return None;
            }
            let Some(filter) = &computed.condition else {
                return Some(LevelSet::ALL);
            };
            LevelSet::of(
                &filter.in_source(self.source),
                filter.clauses(),
                self.directory,
            )
        });
        columns.collect()
    }

    fn counted_key(&self, key: &GroupBy) -> Option<CountedKey<'_>> {
        let field = match key {
            GroupBy::Field(field) => field,
            GroupBy::Pattern(..) => return None,
            GroupBy::Source => {
                let id = KeyRef::Int(self.source.id.0.into());
                return Some(CountedKey::Constant(id));
            }
            GroupBy::Time(interval) => {
                let (first, last) = self.directory.timestamps;
                let start = interval_start(first, *interval);
                if start == interval_start(last, *interval) {
                    return Some(CountedKey::Constant(KeyRef::Time(start)));
                }
                let is_whole = interval.nanos % NANOS_PER_MINUTE == 0;
                return is_whole.then_some(CountedKey::Time(*interval));
            }
        };
        match self.fields.targets().get(*field) {
            Some(Target::Source) => {
                let name = KeyRef::Text(&self.source.name);
                Some(CountedKey::Constant(name))
            }
            Some(Target::Level) if !has_raw_level(self.directory) => Some(CountedKey::Level),
            Some(Target::Field(name)) => self.values_of(name),
            _ => None,
        }
    }
}

/// Adds the rows of one minute, or of a block that need not be told apart by time.
fn add(
    groups: &mut Groups,
    keys: &[CountedKey<'_>],
    (minute, counts): (i64, LevelCounts),
    selected: LevelSet,
    columns: &[LevelSet],
) {
    // The first minute begins before times do.
    let time = Timestamp::from_nanos(minute.saturating_mul(NANOS_PER_MINUTE));
    for level in [None].into_iter().chain(Level::ALL.map(Some)) {
        let rows = u64::from(counts.of(level));
        if rows == 0 || !selected.contains(level) {
            continue;
        }
        let keys = keys.iter().map(|key| match key {
            CountedKey::Constant(key) => *key,
            CountedKey::Time(interval) => KeyRef::Time(interval_start(time, *interval)),
            CountedKey::Level => level.map_or(KeyRef::Null, |level| KeyRef::Text(level.name())),
            CountedKey::Values(_) => KeyRef::Null,
        });
        let group = groups.group(&keys.collect::<Vec<KeyRef<'_>>>());
        for (column, levels) in columns.iter().enumerate() {
            if levels.contains(level) {
                groups.column(column).count(group, rows);
            }
        }
    }
}
