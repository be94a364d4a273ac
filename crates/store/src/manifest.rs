//! The manifest: which segments live, where the log begins, which batch keys are in use. One new file per commit.
//!
//! Because the segments and the floor of the log they reach up to are committed in one file, an event is either in
//! the log or in a segment, never in both or in neither, wherever power is lost.

mod chain;
mod commit;
mod serial;
#[cfg(test)]
mod tests;

use cordwood_event::SourceId;

use crate::SourceTotals;
use crate::batch_keys::{KeyDigest, KeyUse};
use crate::bucket::Home;
use crate::segment::{Object, Segment, SegmentId};

pub(crate) use chain::{Chain, remove_below_floor};
pub(crate) use commit::{commit, list_manifests, path_of, read_manifest};

/// The directory of manifests.
pub(crate) const DIRECTORY: &str = "manifest";

/// One state of the data directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Its place in the chain of commits; 0 is the empty state before the first, and has no file.
    pub(crate) number: u64,
    /// Log files below this number are in segments.
    pub(crate) log_floor: u64,
    /// The sequence number of the first event that is not in a segment.
    pub(crate) next_sequence: u64,
    /// No segment has this number or a higher one.
    pub(crate) next_segment: u64,
    pub(crate) segments: Vec<SegmentEntry>,
    pub(crate) batch_keys: Vec<(KeyDigest, KeyUse)>,
    /// Where its objects are in the bucket; `None` until there was a bucket.
    pub(crate) home: Option<Home>,
}

/// A live segment, with enough to know what is missing should it be unreadable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEntry {
    pub(crate) id: SegmentId,
    pub(crate) file_bytes: u64,
    /// Set once it is in the bucket, whether or not its file is here too.
    pub(crate) object: Option<Object>,
    pub(crate) sources: Vec<SourceEntry>,
}

/// What a segment holds of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceEntry {
    pub(crate) source: SourceId,
    pub(crate) totals: SourceTotals,
    pub(crate) first_block: u32,
    pub(crate) block_count: u32,
}

impl Manifest {
    /// The state of an empty data directory.
    pub(crate) fn empty() -> Manifest {
        Manifest {
            log_floor: 1,
            next_sequence: 1,
            next_segment: 1,
            ..Manifest::default()
        }
    }

    /// The same of a directory that has all its segments itself.
    pub(crate) fn without_bucket(mut self) -> Manifest {
        self.home = None;
        for entry in &mut self.segments {
            entry.object = None;
        }
        self
    }
}

impl SegmentEntry {
    pub(crate) fn of(segment: &Segment) -> SegmentEntry {
        let mut first_block = 0;
        let mut sources = Vec::new();
        for (source, totals) in segment.totals() {
            let block_count = u32::try_from(segment.blocks_of(source).len());
            let block_count = block_count.expect("a segment has less than 2^32 blocks");
            sources.push(SourceEntry {
                source,
                totals,
                first_block,
                block_count,
            });
            first_block += block_count;
        }
        SegmentEntry {
            id: segment.id(),
            file_bytes: segment.file_bytes(),
            object: segment.object(),
            sources,
        }
    }
}
