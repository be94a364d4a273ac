//! The manifest: which segments live, where the log begins, which batch keys are in use. One new file per commit.
//!
//! Because the segments and the floor of the log they reach up to are committed in one file, an event is either in
//! the log or in a segment, never in both or in neither, wherever power is lost.

mod chain;
mod commit;
mod deletions;
mod serial;
#[cfg(test)]
mod tests;

use cordwood_event::SourceId;

use crate::batch_keys::{KeyDigest, KeyUse};
use crate::bucket::Home;
use crate::deletion::PURGED_KEPT;
use crate::eviction::Evictions;
use crate::segment::{Object, Segment, SegmentId};
use crate::{Deletion, DeletionId, DeletionState, SourceTotals};

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
    /// No deletion has this number or a higher one.
    pub(crate) next_deletion: u64,
    /// Those that stand, and the last of those that are done, by their numbers.
    pub(crate) deletions: Vec<Deletion>,
    pub(crate) evictions: Evictions,
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
            next_deletion: 1,
            ..Manifest::default()
        }
    }

    /// The deletions whose events may still be in a file.
    pub(crate) fn standing_deletions(&self) -> impl Iterator<Item = &Deletion> {
        let deletions = self.deletions.iter();
        deletions.filter(|deletion| deletion.state == DeletionState::Hidden)
    }

    /// Takes note that nothing of some deletions is left, and forgets the oldest that are done.
    pub(crate) fn mark_purged(&mut self, purged: &[DeletionId]) {
        for deletion in &mut self.deletions {
            if purged.contains(&deletion.id) {
                deletion.state = DeletionState::Purged;
            }
        }
        let standing = self.standing_deletions().count();
        let mut surplus = (self.deletions.len() - standing).saturating_sub(PURGED_KEPT);
        self.deletions.retain(|deletion| {
            let is_surplus = deletion.state == DeletionState::Purged && surplus > 0;
            surplus -= usize::from(is_surplus);
            !is_surplus
        });
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
