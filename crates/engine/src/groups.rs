//! Rows by group, and what each group holds so far.

mod aside;
mod column;
mod held;
mod of_row;
mod order;
mod top;

use std::sync::Arc;

use cordwood_event::Timestamp;
use cordwood_query::{Aggregate, Function, Interval};
use hashbrown::HashTable;

use crate::aggregate::{Accumulator, Approximation};
use crate::budget::{Budget, Cut};
use crate::key::{KeyList, KeyRef, hash_of_keys};
use crate::pattern::PatternKey;
use crate::row::filter::RowFilter;
use crate::{Cell, Incomplete, Table};

use aside::Aside;
pub(crate) use column::GroupColumn;
use column::Incoming;
pub(crate) use held::Held;
pub(crate) use of_row::COMBINATIONS_MAX;
pub(crate) use order::compare_keys;

/// What rows are grouped by.
#[derive(Clone, Debug)]
pub(crate) enum GroupBy {
    Field(usize),
    Time(Interval),
    /// The id of the source.
    Source,
    /// The pattern of a field: the number of its form.
    Pattern(usize, Arc<PatternKey>),
}

/// One computed column.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    pub(crate) aggregate: Aggregate,
    /// The field of the function; `None` takes every row.
    pub(crate) field: Option<usize>,
    pub(crate) condition: Option<RowFilter>,
}

/// What is computed, of what.
#[derive(Clone, Debug)]
pub(crate) struct Aggregation {
    pub(crate) keys: Vec<GroupBy>,
    pub(crate) key_names: Vec<String>,
    pub(crate) computed: Vec<Computed>,
    /// How many groups are wanted, those with the most rows; `None` for all.
    pub(crate) greatest: Option<usize>,
}

impl Aggregation {
    /// What texts are grouped by, if pattern is among the keys.
    pub(crate) fn patterns(&self) -> Option<&Arc<PatternKey>> {
        self.keys.iter().find_map(|key| match key {
            GroupBy::Pattern(_, patterns) => Some(patterns),
            _ => None,
        })
    }

    /// The interval of a group, if time is among its keys.
    pub(crate) fn interval(&self) -> Option<Interval> {
        self.keys.iter().find_map(|key| match key {
            GroupBy::Time(interval) => Some(*interval),
            GroupBy::Field(_) | GroupBy::Source | GroupBy::Pattern(..) => None,
        })
    }
}

/// The start of the interval an instant lies in; the first one may begin before time does.
pub(crate) fn interval_start(time: Timestamp, interval: Interval) -> Timestamp {
    let nanos = i128::from(time.as_nanos());
    let length = i128::from(interval.nanos.max(1));
    let start = nanos.div_euclid(length) * length;
    Timestamp::from_nanos(i64::try_from(start).unwrap_or(i64::MIN))
}

/// The groups.
#[derive(Debug)]
pub(crate) struct Groups {
    aggregation: Arc<Aggregation>,
    /// Group after group, a key for each that is grouped by.
    keys: KeyList,
    /// The hash of the keys of each group.
    hashes: Vec<u64>,
    /// The groups that are looked for by their keys.
    index: HashTable<Indexed>,
    /// One for each computed column.
    columns: Vec<GroupColumn>,
    /// Groups that have not become any yet, because they have few rows.
    aside: Aside,
}

/// A group in the index.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    /// A part of the hash, beside the number, so that another group is seldom looked at.
    tag: u32,
    group: u32,
}

impl Groups {
    pub(crate) fn new(aggregation: &Arc<Aggregation>) -> Groups {
        let computed = aggregation.computed.iter();
        Groups {
            keys: KeyList::default(),
            hashes: Vec::new(),
            index: HashTable::new(),
            columns: computed
                .map(|computed| GroupColumn::new(&computed.aggregate.function))
                .collect(),
            aside: Aside::default(),
            aggregation: Arc::clone(aggregation),
        }
    }

    pub(crate) fn aggregation(&self) -> &Arc<Aggregation> {
        &self.aggregation
    }

    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty() && self.aside.is_empty()
    }

    /// No groups, of the same aggregation.
    pub(crate) fn afresh(&self) -> Groups {
        Groups::new(&self.aggregation)
    }

    /// Makes the group of everything, which is there even of no row, when nothing is grouped by.
    pub(crate) fn ensure_whole(&mut self) {
        if self.aggregation.keys.is_empty() {
            self.group(&[]);
        }
    }

    /// The group of these keys, made unless it is there.
    pub(crate) fn group(&mut self, keys: &[KeyRef<'_>]) -> usize {
        let hash = hash_of_keys(keys.iter().copied());
        let width = keys.len();
        let has_keys = |group: usize| {
            let keys = keys.iter().enumerate();
            let mut keys = keys.map(|(index, key)| self.keys.is(group * width + index, *key));
            keys.all(|is_key| is_key)
        };
        self.find(hash, has_keys).map_or_else(
            || {
                let group = self.push(keys.iter().copied());
                self.index_group(hash, narrow(group));
                group
            },
            |group| group as usize,
        )
    }

    /// A new group that is never looked for, only merged: another may have the same keys. Without an index, groups are
    /// made in a fraction of the time.
    pub(crate) fn push<'k>(&mut self, keys: impl Iterator<Item = KeyRef<'k>> + Clone) -> usize {
        let group = self.push_keys(keys);
        let computed = self.aggregation.computed.iter();
        for (column, computed) in self.columns.iter_mut().zip(computed) {
            column.push(&computed.aggregate.function);
        }
        group
    }

    /// The same where everything computed counts rows, of which the group has so many.
    pub(crate) fn push_counted<'k>(
        &mut self,
        keys: impl Iterator<Item = KeyRef<'k>> + Clone,
        rows: u64,
    ) {
        self.push_keys(keys);
        self.columns
            .iter_mut()
            .for_each(|column| column.push_count(rows));
    }

    fn push_keys<'k>(&mut self, keys: impl Iterator<Item = KeyRef<'k>> + Clone) -> usize {
        let group = self.len();
        self.hashes.push(hash_of_keys(keys.clone()));
        keys.for_each(|key| self.keys.push(key));
        group
    }

    /// Makes room for so many more groups.
    pub(crate) fn reserve(&mut self, groups: usize) {
        self.hashes.reserve(groups);
        self.keys.reserve(groups * self.aggregation.keys.len());
        self.columns
            .iter_mut()
            .for_each(|column| column.reserve(groups));
    }

    /// The group of this hash that has the keys looked for.
    fn find(&self, hash: u64, has_keys: impl Fn(usize) -> bool) -> Option<u32> {
        let tag = tag_of(hash);
        let is_group = |indexed: &Indexed| indexed.tag == tag && has_keys(indexed.group as usize);
        self.index.find(hash, is_group).map(|found| found.group)
    }

    /// Whether the keys of a group are those of a group of another list.
    fn has_keys(&self, own: usize, keys: &KeyList, group: usize) -> bool {
        let width = self.aggregation.keys.len();
        let (own, other) = (own * width, group * width);
        (0..width).all(|index| self.keys.is_same(own + index, keys, other + index))
    }

    fn index_group(&mut self, hash: u64, group: u32) {
        let hashes = &self.hashes;
        let hash_of = |indexed: &Indexed| hashes.get(indexed.group as usize).copied().unwrap_or(0);
        let tag = tag_of(hash);
        self.index
            .insert_unique(hash, Indexed { tag, group }, hash_of);
    }

    /// What the groups hold for a computed column.
    pub(crate) fn column(&mut self, column: usize) -> &mut GroupColumn {
        let found = self.columns.get_mut(column);
        found.expect("there is a column for everything computed")
    }

    /// Adds what other groups hold. When that is cut short, a part of them is added to some columns.
    /// What they left aside stays so.
    pub(crate) fn merge(
        &mut self,
        other: Groups,
        held: &Held,
        budget: &Budget,
    ) -> Result<(), Incomplete> {
        self.take_aside(other.aside, held, budget)?;
        let mut more: Vec<Incoming> = other.columns.into_iter().map(Incoming::from).collect();
        let mut first = 0;
        for hashes in other.hashes.chunks(MERGED_AT_ONCE) {
            budget.check()?;
            let before = self.bytes();
            let groups = self.number(hashes, &other.keys, first);
            first += hashes.len();
            let columns = self.columns.iter_mut().zip(&mut more);
            let mut grown = 0;
            for (own, more) in columns {
                grown += own.merge(more, &groups, budget)?;
            }
            grown += self.bytes() - before;
            self.hold(grown, held)?;
        }
        Ok(())
    }

    /// The memory that the groups take, but for what they hold.
    fn bytes(&self) -> u64 {
        /// About what the hash of a group and its place in the index take, at their worst.
        const GROUP_BYTES: u64 = 32;
        self.keys.bytes() + self.len() as u64 * GROUP_BYTES
    }

    /// The numbers of the groups of these hashes, whose keys lie from those of the group `first` on. New ones are made,
    /// but for what they hold.
    fn number(&mut self, hashes: &[u64], keys: &KeyList, first: usize) -> Vec<u32> {
        let width = self.aggregation.keys.len();
        let mut numbers = Vec::with_capacity(hashes.len());
        let known = self.known(hashes, keys, first);
        for ((group, hash), known) in (first..).zip(hashes).zip(known) {
            let found = known.or_else(|| self.find(*hash, |own| self.has_keys(own, keys, group)));
            numbers.push(found.unwrap_or_else(|| {
                let number = narrow(self.len());
                self.hashes.push(*hash);
                let of_group = group * width..(group + 1) * width;
                of_group.for_each(|index| self.keys.push_from(keys, index));
                self.index_group(*hash, number);
                number
            }));
        }
        numbers
    }

    /// Of the groups that are there, as a rule all. The index and the keys lie where no cache holds them, and are waited
    /// for together: each is looked up for all groups before the next.
    fn known(&self, hashes: &[u64], keys: &KeyList, first: usize) -> Vec<Option<u32>> {
        let tagged = |hash: &u64| {
            let tag = tag_of(*hash);
            let found = self.index.find(*hash, |indexed| indexed.tag == tag);
            found.map(|found| found.group)
        };
        let tagged: Vec<Option<u32>> = hashes.iter().map(tagged).collect();
        let known = (first..).zip(tagged);
        known
            .map(|(group, number)| {
                number.filter(|number| self.has_keys(*number as usize, keys, group))
            })
            .collect()
    }

    /// Takes memory for what has grown; sketches take the place of values before it runs out.
    fn hold(&mut self, grown: u64, held: &Held) -> Result<(), Incomplete> {
        if held.try_grow(grown) {
            return Ok(());
        }
        let condensed: u64 = self.columns.iter_mut().map(GroupColumn::condense).sum();
        held.give_back(condensed);
        if held.try_grow(grown) {
            return Ok(());
        }
        Err(Incomplete::Groups {
            groups: self.len() as u64,
            bytes_max: held.bytes_max(),
        })
    }

    /// Which columns are approximate.
    pub(crate) fn approximations(&self) -> Vec<Approximation> {
        let columns = self.aggregation.computed.iter().zip(&self.columns);
        let approximation = |(computed, column): (&Computed, &GroupColumn)| {
            let mut accumulators = column.accumulators().iter();
            let method = accumulators.find_map(Accumulator::method)?;
            Some(Approximation {
                column: computed.aggregate.name.clone(),
                method,
            })
        };
        columns.filter_map(approximation).collect()
    }

    /// About the memory that a table of them takes.
    pub(crate) fn table_bytes(&self) -> u64 {
        let cells = self.aggregation.keys.len() + self.columns.len();
        let row = size_of::<Vec<Cell>>() + cells * size_of::<Cell>();
        self.len() as u64 * row as u64 + self.keys.bytes()
    }

    /// The table, a row for each group, in no order. `seconds` is how long the range lasts.
    pub(crate) fn into_table(self, seconds: f64, budget: &Budget) -> Result<Table, Cut> {
        let aggregation = self.aggregation;
        let seconds = aggregation.interval().map_or(seconds, seconds_of);
        let width = aggregation.keys.len();
        let mut columns = Vec::with_capacity(self.columns.len());
        for (column, computed) in self.columns.into_iter().zip(&aggregation.computed) {
            let cells = column.finish(&computed.aggregate.function, seconds, budget)?;
            columns.push(cells.into_iter());
        }
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(self.hashes.len());
        for group in 0..self.hashes.len() {
            if group.is_multiple_of(MERGED_AT_ONCE) {
                budget.check()?;
            }
            let keys = (0..width).map(|index| self.keys.get(group * width + index).to_cell());
            let computed = columns.iter_mut().map(|column| column.next());
            let computed = computed.map(|cell| cell.unwrap_or(Cell::Null));
            rows.push(keys.chain(computed).collect());
        }
        let names = aggregation.key_names.iter().cloned();
        let computed = aggregation.computed.iter();
        Ok(Table {
            columns: names
                .chain(computed.map(|column| column.aggregate.name.clone()))
                .collect(),
            rows,
            more: false,
        })
    }
}

/// Memory is taken, and the budget of time asked, for so many groups together: every thread asks, and asking costs more than a
/// group.
const MERGED_AT_ONCE: usize = 256;

/// Bits of a hash that its place in a table does not depend on.
fn tag_of(hash: u64) -> u32 {
    let [_, _, _, a, b, c, d, _] = hash.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn narrow(group: usize) -> u32 {
    u32::try_from(group).expect("groups of 32 bytes are fewer than 2^32")
}

#[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
fn seconds_of(interval: Interval) -> f64 {
    interval.nanos as f64 / 1e9
}

/// The field a function reads; `None` for those that count rows.
pub(crate) fn field_of(function: &Function) -> Option<&cordwood_query::FieldName> {
    match function {
        Function::Count(field) => field.as_ref(),
        Function::Rate => None,
        Function::CountDistinct(field)
        | Function::Sum(field)
        | Function::Avg(field)
        | Function::Min(field)
        | Function::Max(field)
        | Function::Percentile(_, field)
        | Function::First(field)
        | Function::Last(field) => Some(field),
    }
}
