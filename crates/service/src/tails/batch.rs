//! Rows on their way to the readers of one question: made once, shared by all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use cordwood_engine::LiveRow;
use cordwood_event::SourceId;
use cordwood_store::{MemoryBudget, Reservation};

/// A batch ends when its rows take so much: one write to a connection, and the most that a connection which takes nothing
/// holds beside its queue.
const BATCH_BYTES: u64 = 64 << 10;

/// An encoded row is about as large as the row.
const WITH_ENCODED: u64 = 2;

/// Rows that match, in the order of arrival.
#[derive(Debug)]
pub struct TailBatch {
    rows: Vec<LiveRow>,
    bytes: u64,
    names: Arc<TailNames>,
    encoded: OnceLock<Vec<u8>>,
    /// Given back when the last reader lets go of the batch.
    _held: Reservation,
}

/// What the rows of a batch are called by.
#[derive(Debug, Default)]
pub(crate) struct TailNames {
    pub(crate) sources: BTreeMap<SourceId, String>,
    /// The columns, if the stages keep only some fields.
    pub(crate) columns: Option<Vec<String>>,
}

impl TailBatch {
    pub(crate) fn new(rows: Vec<LiveRow>, names: Arc<TailNames>, held: Reservation) -> TailBatch {
        TailBatch {
            bytes: bytes_of(&rows),
            rows,
            names,
            encoded: OnceLock::new(),
            _held: held,
        }
    }

    /// The rows; at least one.
    pub fn rows(&self) -> &[LiveRow] {
        &self.rows
    }

    /// The name of a source that has rows here.
    pub fn source_name(&self, source: SourceId) -> &str {
        self.names.sources.get(&source).map_or("", String::as_str)
    }

    /// The names of the columns, if rows have columns.
    pub fn columns(&self) -> &[String] {
        self.names.columns.as_deref().unwrap_or_default()
    }

    /// The rows as the edge writes them: by the first reader that gets here, for all.
    pub fn encoded(&self, encode: impl FnOnce(&TailBatch) -> Vec<u8>) -> &[u8] {
        self.encoded.get_or_init(|| encode(self))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn last_sequence(&self) -> u64 {
        self.rows.last().map_or(0, |row| row.id().sequence)
    }

    /// The rows that came after a sequence number, if the batch has others too; else itself, or nothing.
    pub(crate) fn after(
        self: &Arc<Self>,
        sequence: u64,
        memory: &MemoryBudget,
    ) -> Option<Arc<Self>> {
        let first = self
            .rows
            .partition_point(|row| row.id().sequence <= sequence);
        if first == 0 {
            return Some(Arc::clone(self));
        }
        let rows = self.rows.get(first..).unwrap_or_default().to_vec();
        if rows.is_empty() {
            return None;
        }
        // A copy of what is there already, for the moment in which a reader begins.
        let held = memory.reserve(bytes_of(&rows) * WITH_ENCODED);
        Some(Arc::new(TailBatch::new(
            rows,
            Arc::clone(&self.names),
            held,
        )))
    }
}

/// Cuts rows into pieces of the size of a batch, each with the memory it needs.
pub(crate) fn pieces(rows: Vec<LiveRow>) -> Vec<(Vec<LiveRow>, u64)> {
    let mut pieces: Vec<(Vec<LiveRow>, u64)> = Vec::new();
    for row in rows {
        let bytes = row.bytes() * WITH_ENCODED;
        match pieces.last_mut() {
            Some((piece, held)) if *held + bytes <= BATCH_BYTES * WITH_ENCODED => {
                piece.push(row);
                *held += bytes;
            }
            _ => pieces.push((vec![row], bytes)),
        }
    }
    pieces
}

fn bytes_of(rows: &[LiveRow]) -> u64 {
    rows.iter().map(LiveRow::bytes).sum()
}
