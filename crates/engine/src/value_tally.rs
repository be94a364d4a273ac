//! How many events have each value of a field, as long as the values are few and short.

use std::collections::HashMap;

use cordwood_event::Scalar;

use crate::Cell;
use crate::datum::Datum;
use crate::groups::compare_keys;
use crate::key::Key;

/// Different values that are told apart. A list to choose from shows a hundred; past this many, which are the commonest is a
/// question of its own.
pub(crate) const VALUES_MAX: usize = 10_000;

/// Bytes of these values, so that those of all fields of an answer fit into memory.
const BYTES_MAX: u64 = 1 << 20;

/// Bytes of one value. Nobody chooses a longer text from a list.
const VALUE_BYTES_MAX: u64 = 1024;

/// A value and in how many events it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCount {
    /// The value; elements of arrays one by one.
    pub value: Cell,
    /// In how many events.
    pub events: u64,
}

/// The values so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueTally {
    events: HashMap<Key, u64>,
    bytes: u64,
    /// How many different values there were when they became too many or too long to be told apart.
    given_up_at: Option<u64>,
}

impl ValueTally {
    /// Counts the values of a field in so many events: one, or the different elements of an array.
    pub(crate) fn add(&mut self, value: Scalar<'_>, events: u64) {
        match value {
            Scalar::Json(_) => self.add_elements(value, events),
            _ => {
                if let Some(leaf) = Datum::Scalar(value).leaf() {
                    self.add_key(Key::of(leaf), events);
                }
            }
        }
    }

    fn add_elements(&mut self, value: Scalar<'_>, events: u64) {
        let mut keys: Vec<Key> = Vec::new();
        Datum::Scalar(value).each_leaf(&mut |leaf| {
            let key = Key::of(leaf);
            if !keys.contains(&key) && keys.len() < VALUES_MAX {
                keys.push(key);
            }
        });
        keys.into_iter().for_each(|key| self.add_key(key, events));
    }

    fn add_key(&mut self, key: Key, events: u64) {
        if self.given_up_at.is_some() || events == 0 {
            return;
        }
        if let Some(counted) = self.events.get_mut(&key) {
            *counted += events;
            return;
        }
        let bytes = key.bytes();
        self.bytes += bytes;
        match bytes > VALUE_BYTES_MAX || self.bytes > BYTES_MAX || self.events.len() == VALUES_MAX {
            true => self.give_up(),
            false => drop(self.events.insert(key, events)),
        }
    }

    /// Counts what another has counted.
    pub(crate) fn merge(&mut self, other: ValueTally) {
        if other.given_up_at.is_some() {
            self.give_up();
            self.given_up_at = self.given_up_at.max(other.given_up_at);
        }
        for (key, events) in other.events {
            self.add_key(key, events);
        }
    }

    /// Some values are not known: no count means anything any more.
    pub(crate) fn give_up(&mut self) {
        let seen = self.events.len() as u64;
        self.given_up_at = self.given_up_at.max(Some(seen));
        self.events = HashMap::new();
        self.bytes = 0;
    }

    /// The memory they take, about.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether all values are told apart.
    pub(crate) fn is_whole(&self) -> bool {
        self.given_up_at.is_none()
    }

    /// How many different values there are, at least.
    pub(crate) fn distinct(&self) -> u64 {
        self.given_up_at.unwrap_or(self.events.len() as u64)
    }

    /// The values in most events, at most `limit`, the greatest counts first; those in as many events in the order of values.
    pub(crate) fn top(&self, limit: usize) -> Vec<ValueCount> {
        let counted = self.events.iter().map(|(key, events)| ValueCount {
            value: key.as_ref().to_cell(),
            events: *events,
        });
        let mut sorted: Vec<ValueCount> = counted.collect();
        sorted.sort_by(|a, b| {
            let by_events = b.events.cmp(&a.events);
            by_events.then_with(|| compare_keys(&a.value, &b.value))
        });
        sorted.truncate(limit);
        sorted
    }
}
