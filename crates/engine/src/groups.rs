//! Rows by group, and what each group holds so far.

use std::cmp::Ordering;
use std::sync::Arc;

use cordwood_event::Timestamp;
use cordwood_query::{Aggregate, Function, Interval};
use cordwood_store::Reservation;
use hashbrown::HashTable;

use crate::aggregate::{Accumulator, Approximation};
use crate::evaluate::Failure;
use crate::key::{Key, hash_of};
use crate::row::Row;
use crate::row::filter::RowFilter;
use crate::table::SortValue;
use crate::{Cell, Incomplete, Table};

/// What rows are grouped by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GroupBy {
    Field(usize),
    Time(Interval),
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
}

impl Aggregation {
    /// The interval of a group, if time is among its keys.
    pub(crate) fn interval(&self) -> Option<Interval> {
        self.keys.iter().find_map(|key| match key {
            GroupBy::Time(interval) => Some(*interval),
            GroupBy::Field(_) => None,
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
    keys: Vec<Key>,
    index: HashTable<usize>,
    /// The hash of the keys of each group.
    hashes: Vec<u64>,
    /// Group after group, one for each computed column.
    accumulators: Vec<Accumulator>,
}

impl Groups {
    pub(crate) fn new(aggregation: &Arc<Aggregation>) -> Groups {
        Groups {
            aggregation: Arc::clone(aggregation),
            keys: Vec::new(),
            index: HashTable::new(),
            hashes: Vec::new(),
            accumulators: Vec::new(),
        }
    }

    pub(crate) fn aggregation(&self) -> &Arc<Aggregation> {
        &self.aggregation
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
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
    pub(crate) fn group(&mut self, keys: &[Key]) -> usize {
        let hash = hash_of(keys);
        match self.find(hash, keys) {
            Some(group) => group,
            None => {
                let computed = self.aggregation.computed.iter();
                self.accumulators.extend(
                    computed.map(|computed| Accumulator::new(&computed.aggregate.function)),
                );
                self.insert(hash, keys.iter().cloned())
            }
        }
    }

    fn find(&self, hash: u64, keys: &[Key]) -> Option<usize> {
        let width = self.aggregation.keys.len();
        let is_group = |group: &usize| {
            let start = *group * width;
            self.hashes.get(*group) == Some(&hash)
                && self.keys.get(start..start + width) == Some(keys)
        };
        self.index.find(hash, is_group).copied()
    }

    /// A new group, whose accumulators are there already.
    fn insert(&mut self, hash: u64, keys: impl Iterator<Item = Key>) -> usize {
        let group = self.index.len();
        self.keys.extend(keys);
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.index.insert_unique(hash, group, |group| {
            hashes.get(*group).copied().unwrap_or_default()
        });
        group
    }

    /// What a group holds for a column.
    pub(crate) fn accumulator(&mut self, group: usize, column: usize) -> &mut Accumulator {
        let index = group * self.aggregation.computed.len() + column;
        let found = self.accumulators.get_mut(index);
        found.expect("a group has an accumulator for each column")
    }

    /// Adds one row to its groups.
    pub(crate) fn add(&mut self, row: &dyn Row) -> Result<(), Failure> {
        let aggregation = Arc::clone(&self.aggregation);
        for keys in keys_of(&aggregation.keys, row)? {
            let group = self.group(&keys);
            for (column, computed) in aggregation.computed.iter().enumerate() {
                if let Some(condition) = &computed.condition
                    && !condition.holds(row)?
                {
                    continue;
                }
                let mut outcome = Ok(());
                let accumulator = self.accumulator(group, column);
                match (computed.field, accumulator) {
                    (None, Accumulator::Count(count)) => *count += 1,
                    (None, _) => {}
                    (Some(field), accumulator) => accumulator.add(row.id(), &mut |visit| {
                        outcome = row.each(field, visit);
                    }),
                }
                outcome?;
            }
        }
        Ok(())
    }

    /// Adds what other groups hold.
    pub(crate) fn merge(&mut self, other: Groups, held: &mut Held) -> Result<(), Incomplete> {
        let (width, columns) = (self.aggregation.keys.len(), self.aggregation.computed.len());
        let mut accumulators = other.accumulators.into_iter();
        let mut all_keys = other.keys.into_iter();
        let mut keys: Vec<Key> = Vec::with_capacity(width);
        for hash in other.hashes {
            keys.clear();
            keys.extend(all_keys.by_ref().take(width));
            let more = accumulators.by_ref().take(columns);
            let mut grown = 0;
            if let Some(group) = self.find(hash, &keys) {
                for (column, more) in more.enumerate() {
                    let accumulator = self.accumulator(group, column);
                    let before = accumulator.bytes();
                    accumulator.merge(more);
                    grown += accumulator.bytes().saturating_sub(before);
                }
            } else {
                let first = self.accumulators.len();
                self.accumulators.extend(more);
                let new = self.accumulators.iter().skip(first);
                grown += new.map(Accumulator::bytes).sum::<u64>();
                grown += keys.iter().map(Key::bytes).sum::<u64>() + GROUP_BYTES;
                self.insert(hash, keys.drain(..));
            }
            self.hold(grown, held)?;
        }
        Ok(())
    }

    /// Takes memory for what has grown; sketches take the place of values before it runs out.
    pub(crate) fn hold(&mut self, grown: u64, held: &mut Held) -> Result<(), Incomplete> {
        if held.try_grow(grown) {
            return Ok(());
        }
        let size =
            |accumulators: &[Accumulator]| accumulators.iter().map(Accumulator::bytes).sum::<u64>();
        let before = size(&self.accumulators);
        self.accumulators.iter_mut().for_each(Accumulator::condense);
        held.give_back(before.saturating_sub(size(&self.accumulators)));
        if held.try_grow(grown) {
            return Ok(());
        }
        Err(Incomplete::Groups {
            groups: self.len() as u64,
            bytes_max: held.bytes_max,
        })
    }

    /// Which columns are approximate.
    pub(crate) fn approximations(&self) -> Vec<Approximation> {
        let columns = self.aggregation.computed.iter().enumerate();
        let approximation = |(column, computed): (usize, &Computed)| {
            let of_column = self.accumulators.iter().skip(column);
            let mut of_column = of_column.step_by(self.aggregation.computed.len());
            let method = of_column.find_map(Accumulator::method)?;
            Some(Approximation {
                column: computed.aggregate.name.clone(),
                method,
            })
        };
        columns.filter_map(approximation).collect()
    }

    /// The table, a row for each group, in no order. `seconds` is how long the range lasts.
    pub(crate) fn into_table(self, seconds: f64) -> Table {
        let aggregation = self.aggregation;
        let seconds = aggregation
            .interval()
            .map_or(seconds, |interval| interval.seconds());
        let mut keys = self.keys.into_iter();
        let mut accumulators = self.accumulators.into_iter();
        let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(self.index.len());
        for _ in 0..self.index.len() {
            let mut row: Vec<Cell> = keys
                .by_ref()
                .take(aggregation.keys.len())
                .map(Key::into_cell)
                .collect();
            for computed in &aggregation.computed {
                let cell = accumulators
                    .next()
                    .map(|accumulator| accumulator.finish(&computed.aggregate.function, seconds));
                row.push(cell.unwrap_or(Cell::Null));
            }
            rows.push(row);
        }
        let names = aggregation.key_names.iter().cloned();
        let computed = aggregation.computed.iter();
        Table {
            columns: names
                .chain(computed.map(|column| column.aggregate.name.clone()))
                .collect(),
            rows,
            more: false,
        }
    }
}

impl Table {
    /// Orders rows by their first `keys` cells.
    pub(crate) fn sort_by_keys(&mut self, keys: usize) {
        self.rows.sort_by_cached_key(|row| RowOrder {
            keys: row.iter().take(keys).map(order_of).collect(),
        });
    }
}

/// Where a key stands; of text and number alike, the number stands first.
fn order_of(cell: &Cell) -> (SortValue, u8) {
    let mut value = SortValue::Null;
    cell.visit(&mut |datum| value = SortValue::of(datum));
    (value, u8::from(matches!(cell, Cell::Str(_))))
}

struct RowOrder {
    keys: Vec<(SortValue, u8)>,
}

impl Ord for RowOrder {
    fn cmp(&self, other: &RowOrder) -> Ordering {
        let pairs = self.keys.iter().zip(&other.keys);
        let orders = pairs.map(|((a, a_kind), (b, b_kind))| a.compare(b).then(a_kind.cmp(b_kind)));
        orders.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for RowOrder {
    fn partial_cmp(&self, other: &RowOrder) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for RowOrder {
    fn eq(&self, other: &RowOrder) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RowOrder {}

/// About what the index and the hash take for a group.
const GROUP_BYTES: u64 = 32;

/// The memory that an answer in the making holds.
#[derive(Debug)]
pub(crate) struct Held {
    reservation: Option<Reservation>,
    bytes_max: u64,
}

impl Held {
    /// Nothing yet; at most a share of the budget, so that others can ask too.
    pub(crate) fn new(memory: &cordwood_store::MemoryBudget) -> Held {
        /// One question may keep a quarter of what all have.
        const SHARE: u64 = 4;
        Held {
            reservation: memory.try_reserve(0),
            bytes_max: memory.ceiling_bytes() / SHARE,
        }
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    pub(crate) fn try_grow(&mut self, bytes: u64) -> bool {
        self.reservation.as_mut().is_some_and(|reservation| {
            reservation.bytes() + bytes <= self.bytes_max && reservation.try_grow(bytes)
        })
    }

    pub(crate) fn give_back(&mut self, bytes: u64) {
        if let Some(reservation) = &mut self.reservation {
            reservation.shrink_to(reservation.bytes().saturating_sub(bytes));
        }
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

trait Seconds {
    fn seconds(self) -> f64;
}

impl Seconds for Interval {
    #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
    fn seconds(self) -> f64 {
        self.nanos as f64 / 1e9
    }
}
