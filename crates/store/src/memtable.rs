//! Fresh events: what is in the log and not yet in a segment.
//!
//! A generation holds the events of a run of log files; the active one grows, a frozen one waits to be
//! flushed. Everything here is an immutable tree of `Arc`s under one root, [`View`](crate::view::View), so that a
//! snapshot is one clone; a change copies the path from the root to what changed, and only while a snapshot
//! still holds it. This file must not know the log's bytes or the disk.

use std::collections::HashMap;
use std::sync::Arc;

use cordwood_event::{Batch, SourceId, Timestamp};

use crate::Reservation;
use crate::fill::Fill;

mod block;
mod gather;
mod sequences;

pub(crate) use block::MemoryBlock;
pub(crate) use gather::gather_small;
pub use sequences::Sequences;

/// A batch in memory, with the bytes it takes of the budget.
#[derive(Debug)]
pub(crate) struct HeldBatch {
    pub(crate) batch: Batch,
    pub(crate) fill: Fill,
    pub(crate) time_range: (Timestamp, Timestamp),
    pub(crate) memory_bytes: u64,
    /// Given back when the last snapshot lets go of the batch.
    reservation: Reservation,
}

impl HeldBatch {
    /// The batch must not be empty.
    pub(crate) fn new(batch: Batch, reservation: Reservation) -> HeldBatch {
        let mut fill = Fill::default();
        let mut time_range = (Timestamp::MAX, Timestamp::MIN);
        for event in batch.events() {
            fill = fill.plus(Fill::of_event(event));
            time_range.0 = time_range.0.min(event.timestamp());
            time_range.1 = time_range.1.max(event.timestamp());
        }
        HeldBatch {
            fill,
            time_range,
            memory_bytes: batch.memory_bytes() as u64,
            batch,
            reservation,
        }
    }

    /// The batch without the share of the budget that its body had while it waited to be written.
    pub(crate) fn written(mut self) -> HeldBatch {
        self.reservation.shrink_to(self.memory_bytes);
        self
    }
}

/// Rows that are not in a block yet. Cheap to clone.
#[derive(Clone, Debug)]
pub struct OpenRows {
    held: Arc<HeldBatch>,
    sequences: Sequences,
}

impl OpenRows {
    pub(crate) fn new(held: Arc<HeldBatch>, sequences: Sequences) -> OpenRows {
        OpenRows { held, sequences }
    }

    /// The events, in the order they came.
    pub fn batch(&self) -> &Batch {
        &self.held.batch
    }

    /// The sequence number of row `row` of the batch. They rise with the row.
    pub fn sequence(&self, row: usize) -> u64 {
        self.sequences.at(row)
    }

    /// The sequence numbers of all rows.
    pub fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// How many bytes the events took as sent.
    pub fn event_bytes(&self) -> u64 {
        self.held.fill.event_bytes
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.held.memory_bytes
    }

    /// The earliest and the latest time of the rows.
    pub fn time_range(&self) -> (Timestamp, Timestamp) {
        self.held.time_range
    }
}

/// The fresh events of one source in one generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceRows {
    pub(crate) blocks: Vec<Arc<MemoryBlock>>,
    /// Batches that were taken to be sealed; each set is replaced by its blocks at once.
    pub(crate) sealing: Vec<Arc<SealingRows>>,
    /// Batches in order of arrival.
    pub(crate) open: Vec<OpenRows>,
    /// What they weigh together.
    pub(crate) open_fill: Fill,
}

/// Rows on their way into blocks.
#[derive(Debug)]
pub(crate) struct SealingRows {
    pub(crate) rows: Vec<OpenRows>,
}

impl SourceRows {
    pub(crate) fn push(&mut self, rows: OpenRows) {
        self.open_fill = self.open_fill.plus(rows.held.fill);
        self.open.push(rows);
    }

    /// Takes all open rows to be sealed.
    pub(crate) fn begin_sealing(&mut self) -> Arc<SealingRows> {
        let rows = std::mem::take(&mut self.open);
        self.open_fill = Fill::default();
        let sealing = Arc::new(SealingRows { rows });
        self.sealing.push(Arc::clone(&sealing));
        sealing
    }

    pub(crate) fn unsealed(&self) -> impl Iterator<Item = &OpenRows> {
        let sealing = self.sealing.iter().flat_map(|sealing| &sealing.rows);
        sealing.chain(&self.open)
    }
}

/// The fresh events of all sources in a run of log files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generation {
    pub(crate) id: u64,
    pub(crate) sources: HashMap<SourceId, Arc<SourceRows>>,
    /// Bytes of the events as sent.
    pub(crate) event_bytes: u64,
    /// Bytes of encoded blocks.
    pub(crate) sealed_bytes: u64,
    /// Bytes of memory, encoded or not.
    pub(crate) memory_bytes: u64,
}

impl Generation {
    pub(crate) fn new(id: u64) -> Generation {
        Generation {
            id,
            ..Generation::default()
        }
    }

    pub(crate) fn push(&mut self, source: SourceId, rows: OpenRows) {
        self.event_bytes += rows.event_bytes();
        self.memory_bytes += rows.memory_bytes();
        self.rows_mut(source).push(rows);
    }

    pub(crate) fn rows_mut(&mut self, source: SourceId) -> &mut SourceRows {
        Arc::make_mut(self.sources.entry(source).or_default())
    }

    /// Puts gathered batches in place of those they were gathered from, which are given back to be dropped.
    pub(crate) fn replace_open(
        &mut self,
        source: SourceId,
        gathered: Vec<OpenRows>,
    ) -> Vec<OpenRows> {
        let rows = self.rows_mut(source);
        let replaced = std::mem::replace(&mut rows.open, gathered);
        let after: u64 = rows.open.iter().map(OpenRows::memory_bytes).sum();
        let before: u64 = replaced.iter().map(OpenRows::memory_bytes).sum();
        self.memory_bytes = (self.memory_bytes + after).saturating_sub(before);
        replaced
    }

    /// Puts blocks in place of the rows they were made of, which are given back to be dropped.
    pub(crate) fn replace_sealing(
        &mut self,
        source: SourceId,
        sealed: &Arc<SealingRows>,
        blocks: Vec<Arc<MemoryBlock>>,
    ) -> Option<Arc<SealingRows>> {
        let sealed_bytes: u64 = blocks.iter().map(|block| block.memory_bytes()).sum();
        let open_bytes: u64 = sealed.rows.iter().map(OpenRows::memory_bytes).sum();
        let rows = self.rows_mut(source);
        let index = rows
            .sealing
            .iter()
            .position(|found| Arc::ptr_eq(found, sealed))?;
        let replaced = rows.sealing.remove(index);
        rows.blocks.extend(blocks);
        self.sealed_bytes += sealed_bytes;
        self.memory_bytes = (self.memory_bytes + sealed_bytes).saturating_sub(open_bytes);
        Some(replaced)
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sources
            .values()
            .all(|rows| rows.unsealed().next().is_none())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }
}
