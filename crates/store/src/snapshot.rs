//! What a search reads: the store as it was at one moment, whatever happens to it meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};

use crate::block::BlockDirectory;
use crate::memtable::{OpenRows, SourceRows};
use crate::segment::Segment;
use crate::view::View;
use crate::{BlockHandle, Deletion, Eviction};

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
    /// An encoded block.
    Block(BlockHandle),
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

    /// The rows of a source: segments first, oldest first.
    pub fn parts(&self, source: SourceId) -> impl Iterator<Item = Part> {
        let stored = self
            .view
            .segments
            .iter()
            .flat_map(move |segment| blocks_of(segment, source));
        let fresh = self.fresh(source);
        stored.chain(fresh.flat_map(|rows| {
            let sealed = rows.blocks.iter().cloned().map(BlockHandle::in_memory);
            let open = rows.unsealed().cloned().map(Part::Open);
            sealed.map(Part::Block).chain(open)
        }))
    }

    /// What exists of a source and cannot be read.
    pub fn missing(&self, source: SourceId) -> impl Iterator<Item = &Missing> {
        let missing = self.view.missing.iter();
        missing.filter(move |missing| missing.source == source)
    }

    /// The deletions whose events may be among the rows: who reads rows leaves out those that one of them means.
    pub fn deletions(&self) -> &[Deletion] {
        &self.view.deletions
    }

    /// What was evicted: who reads rows leaves it out.
    pub fn evictions(&self) -> &BTreeMap<SourceId, Eviction> {
        &self.view.evictions
    }

    /// How many bytes of segments each source takes, dead or not; events that are not in a segment yet take none.
    pub fn disk_bytes(&self) -> BTreeMap<SourceId, u64> {
        let mut bytes = BTreeMap::new();
        for segment in self.view.segments.iter() {
            for (source, block_bytes) in segment.block_bytes_by_source() {
                *bytes.entry(source).or_default() += segment.disk_bytes(block_bytes);
            }
        }
        bytes
    }

    /// All sources that have events that can be read, with how much.
    pub fn sources(&self) -> BTreeMap<SourceId, SourceTotals> {
        let mut sources = BTreeMap::new();
        for segment in self.view.segments.iter() {
            for (source, totals) in segment.totals() {
                add_to(&mut sources, source, &totals);
            }
        }
        for generation in &self.view.generations {
            for (source, rows) in &generation.sources {
                add_to(&mut sources, *source, &SourceTotals::of_fresh(rows));
            }
        }
        sources
    }

    /// How much there is of one source that can be read.
    pub fn totals(&self, source: SourceId) -> Option<SourceTotals> {
        let mut totals = SourceTotals::NONE;
        for segment in self.view.segments.iter() {
            if let Some(of_segment) = segment.totals_of(source) {
                totals.add(of_segment);
            }
        }
        for rows in self.fresh(source) {
            totals.add(&SourceTotals::of_fresh(rows));
        }
        (totals.rows > 0).then_some(totals)
    }

    fn fresh(&self, source: SourceId) -> impl Iterator<Item = &Arc<SourceRows>> {
        let generations = self.view.generations.iter();
        generations.filter_map(move |generation| generation.sources.get(&source))
    }
}

fn blocks_of(segment: &Arc<Segment>, source: SourceId) -> impl Iterator<Item = Part> {
    let blocks = segment.blocks_of(source);
    blocks.map(|(index, block)| Part::Block(BlockHandle::in_segment(segment, block, index)))
}

fn add_to(sources: &mut BTreeMap<SourceId, SourceTotals>, source: SourceId, totals: &SourceTotals) {
    sources
        .entry(source)
        .or_insert(SourceTotals::NONE)
        .add(totals);
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceTotals {
            rows,
            time_min,
            time_max,
            ..
        } = self.totals;
        let Missing {
            source,
            file,
            reason,
            ..
        } = self;
        write!(
            f,
            "{file}: {rows} events of source {source} from {time_min} to {time_max} cannot be read: {reason}"
        )
    }
}

impl SourceTotals {
    pub(crate) const NONE: SourceTotals = SourceTotals {
        rows: 0,
        event_bytes: 0,
        time_min: Timestamp::MAX,
        time_max: Timestamp::MIN,
    };

    pub(crate) fn of_block(directory: &BlockDirectory) -> SourceTotals {
        let (time_min, time_max) = directory.timestamps;
        SourceTotals {
            rows: u64::from(directory.rows),
            event_bytes: directory.source_bytes,
            time_min,
            time_max,
        }
    }

    fn of_fresh(rows: &SourceRows) -> SourceTotals {
        let mut totals = SourceTotals::NONE;
        for block in &rows.blocks {
            totals.add(&SourceTotals::of_block(&block.directory));
        }
        for open in rows.unsealed() {
            totals.add(&SourceTotals::of_open(open));
        }
        totals
    }

    fn of_open(rows: &OpenRows) -> SourceTotals {
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
