//! What a search reads: the store as it was at one moment, whatever happens to it meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};

use crate::memtable::OpenRows;
use crate::view::View;

/// An immutable state of the store; takes microseconds to make and nothing to clone. Holds on to memory and
/// files until it is dropped.
#[derive(Clone, Debug)]
pub struct Snapshot {
    view: Arc<View>,
}

/// A set of rows of one source. Parts do not overlap; they come in no order.
#[derive(Clone, Debug)]
pub enum Part {
    /// Rows not yet in a block, to be looked at one by one.
    Open(OpenRows),
}

/// How much of a source there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceTotals {
    /// Events.
    pub rows: u64,
    /// Bytes of the events as sent.
    pub event_bytes: u64,
    /// The time of the earliest event.
    pub time_min: Timestamp,
    /// The time of the latest event.
    pub time_max: Timestamp,
}

/// Events that are known to exist and cannot be read: an answer about their source and time is incomplete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which source.
    pub source: SourceId,
    /// The file that should hold them.
    pub file: String,
    /// Why it cannot be read.
    pub reason: String,
    /// How much is missing.
    pub totals: SourceTotals,
}

impl Snapshot {
    pub(crate) fn new(view: Arc<View>) -> Snapshot {
        Snapshot { view }
    }

    /// The sequence number of the last event; 0 before the first. Every event up to it is in the snapshot.
    pub fn last_sequence(&self) -> u64 {
        self.view.next_sequence - 1
    }

    /// The rows of a source.
    pub fn parts(&self, source: SourceId) -> impl Iterator<Item = Part> {
        let of_source = move |generation| rows_of(generation, source);
        self.view
            .generations
            .iter()
            .filter_map(of_source)
            .flat_map(|rows| rows.unsealed().cloned().map(Part::Open))
    }

    /// What exists of a source and cannot be read.
    pub fn missing(&self, _source: SourceId) -> impl Iterator<Item = &Missing> {
        std::iter::empty()
    }

    /// All sources that have events, with how much.
    pub fn sources(&self) -> BTreeMap<SourceId, SourceTotals> {
        let mut totals: BTreeMap<SourceId, SourceTotals> = BTreeMap::new();
        for generation in &self.view.generations {
            for (source, rows) in &generation.sources {
                let sum = totals.entry(*source).or_insert(SourceTotals::NONE);
                for rows in rows.unsealed() {
                    sum.add(&SourceTotals::of_open(rows));
                }
            }
        }
        totals
    }

    /// How much there is of one source.
    pub fn totals(&self, source: SourceId) -> Option<SourceTotals> {
        self.sources().remove(&source)
    }
}

fn rows_of(
    generation: &Arc<crate::memtable::Generation>,
    source: SourceId,
) -> Option<&Arc<crate::memtable::SourceRows>> {
    generation.sources.get(&source)
}

impl SourceTotals {
    pub(crate) const NONE: SourceTotals = SourceTotals {
        rows: 0,
        event_bytes: 0,
        time_min: Timestamp::MAX,
        time_max: Timestamp::MIN,
    };

    pub(crate) fn of_open(rows: &OpenRows) -> SourceTotals {
        let (time_min, time_max) = rows.time_range();
        SourceTotals {
            rows: rows.batch().len() as u64,
            event_bytes: rows.event_bytes(),
            time_min,
            time_max,
        }
    }

    pub(crate) fn add(&mut self, other: &SourceTotals) {
        self.rows += other.rows;
        self.event_bytes += other.event_bytes;
        self.time_min = self.time_min.min(other.time_min);
        self.time_max = self.time_max.max(other.time_max);
    }
}
