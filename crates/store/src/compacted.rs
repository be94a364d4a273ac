//! What merges did.

use std::sync::Arc;

use crate::segment::Segment;

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Merges committed.
    pub merges: u64,
    /// Segments read and replaced.
    pub segments_in: u64,
    /// Segments written in their place.
    pub segments_out: u64,
    /// Bytes of the segments read.
    pub bytes_in: u64,
    /// Bytes of those written.
    pub bytes_out: u64,
    /// Events removed: expired or deleted.
    pub events_removed: u64,
}

impl Compacted {
    pub(crate) fn of(inputs: &[Arc<Segment>], outputs: &[Arc<Segment>]) -> Compacted {
        let bytes =
            |segments: &[Arc<Segment>]| segments.iter().map(|segment| segment.file_bytes()).sum();
        let events = |segments: &[Arc<Segment>]| -> u64 {
            let totals = segments.iter().flat_map(|segment| segment.totals());
            totals.map(|(_, totals)| totals.rows).sum()
        };
        Compacted {
            merges: 1,
            segments_in: inputs.len() as u64,
            segments_out: outputs.len() as u64,
            bytes_in: bytes(inputs),
            bytes_out: bytes(outputs),
            events_removed: events(inputs).saturating_sub(events(outputs)),
        }
    }

    pub(crate) fn add(&mut self, other: &Compacted) {
        self.merges += other.merges;
        self.segments_in += other.segments_in;
        self.segments_out += other.segments_out;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.events_removed += other.events_removed;
    }
}
