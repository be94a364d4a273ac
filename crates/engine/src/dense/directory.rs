//! Grouping by what the directory of a block counts: events by level, and by minute and level.
//!
//! Whatever selects and groups rows by these alone, with intervals of whole minutes, is answered without reading the block.

use cordwood_event::{Level, Timestamp};
use cordwood_query::{CompiledClause, Interval, Target};
use cordwood_store::block::{BlockDirectory, LevelCounts};

use super::has_raw_level;
use crate::SearchedSource;
use crate::condition::Condition;
use crate::groups::{Aggregation, GroupBy, Groups, interval_start};
use crate::key::KeyRef;
use crate::narrow::LevelSet;
use crate::row::FieldSet;

const NANOS_PER_MINUTE: i64 = 60_000_000_000;

/// A block, all of whose rows lie in the range.
pub(crate) struct DirectoryGrouping<'a> {
    pub(crate) directory: &'a BlockDirectory,
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
        let keys = aggregation.keys.iter().map(|key| self.counted_key(*key));
        let keys: Option<Vec<CountedKey<'_>>> = keys.collect();
        let selected = LevelSet::of(condition, clauses, self.directory);
        let (Some(keys), Some(selected), Some(columns)) =
            (keys, selected, self.levels_of_columns(&aggregation))
        else {
            return false;
        };
        if !keys.iter().any(|key| matches!(key, CountedKey::Time(_))) {
            add(
                groups,
                &keys,
                (0, self.directory.levels),
                selected,
                &columns,
            );
            return true;
        }
        let Some(minutes) = &self.directory.minutes else {
            return false;
        };
        for of_minute in minutes.iter() {
            add(groups, &keys, of_minute, selected, &columns);
        }
        true
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

    fn counted_key(&self, key: GroupBy) -> Option<CountedKey<'_>> {
        let field = match key {
            GroupBy::Field(field) => field,
            GroupBy::Time(interval) => {
                let (first, last) = self.directory.timestamps;
                let start = interval_start(first, interval);
                if start == interval_start(last, interval) {
                    return Some(CountedKey::Constant(KeyRef::Time(start)));
                }
                let is_whole = interval.nanos % NANOS_PER_MINUTE == 0;
                return is_whole.then_some(CountedKey::Time(interval));
            }
        };
        match self.fields.targets().get(field) {
            Some(Target::Source) => {
                let name = KeyRef::Text(&self.source.name);
                Some(CountedKey::Constant(name))
            }
            Some(Target::Level) if !has_raw_level(self.directory) => Some(CountedKey::Level),
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
        });
        let group = groups.group(&keys.collect::<Vec<KeyRef<'_>>>());
        for (column, levels) in columns.iter().enumerate() {
            if levels.contains(level) {
                groups.column(column).count(group, rows);
            }
        }
    }
}
