//! Brings deletions to their end: what is in the log is flushed, segments that hold deleted rows are written again without
//! them, and a deletion of which no file holds a row any more is done.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::Merger;
use super::plan::StoredBlock;
use super::purge::Purge;
use crate::memtable::Generation;
use crate::segment::{Segment, SegmentId};
use crate::view::View;
use crate::{Deletion, DeletionId, DeletionRequest, Error};

/// What there is to do for deletions.
pub(super) enum Settled {
    /// There is nothing to do now.
    Nothing,
    /// A step was made, and there may be another.
    Step,
    /// This segment is to be merged, alone: it holds deleted rows.
    Purge(Arc<Segment>),
}

impl Merger {
    /// The next step for the deletions that stand.
    pub(super) fn settle_deletions(&mut self, view: &View) -> Result<Settled, Error> {
        let Some(reach) = Purge::new(view, &self.shared).reach() else {
            return Ok(Settled::Nothing);
        };
        if is_fresh_touched(view) {
            self.flush()?;
            return Ok(Settled::Step);
        }
        for segment in view.segments.iter() {
            if self.shared.merge.is_closed() {
                return Err(Error::Closed);
            }
            if self.holds_deleted(view, segment, reach) {
                return Ok(Settled::Purge(Arc::clone(segment)));
            }
        }
        self.finish_deletions(view)
    }

    /// Has the rows in the log become a segment.
    fn flush(&self) -> Result<(), Error> {
        let (answer, answered) = sync_channel(1);
        self.shared.flush.request(answer)?;
        answered.recv().unwrap_or(Err(Error::Closed))
    }

    /// Whether a segment holds a row that is deleted. Each is looked at once for each deletion.
    fn holds_deleted(&mut self, view: &View, segment: &Arc<Segment>, reach: DeletionId) -> bool {
        let up_to = self.purged_up_to.get(&segment.id()).copied();
        let is_left_alone =
            self.unreadable.contains(&segment.id()) || self.out_of_reach.contains(segment.id());
        if up_to >= Some(reach) || is_left_alone {
            return false;
        }
        let is_new = |deletion: &&Deletion| up_to.is_none_or(|up_to| deletion.id > up_to);
        let new: Vec<&Deletion> = view.deletions.iter().filter(is_new).collect();
        let mut purge = Purge::new(view, &self.shared);
        for (index, block) in segment.blocks.iter().enumerate() {
            let (times, sequences) = (block.directory.timestamps, block.directory.sequences);
            let is_touched = new
                .iter()
                .any(|deletion| deletion.request.may_touch(block.source, times, sequences.0));
            let stored = StoredBlock::new(segment, index);
            if is_touched && purge.deleted_rows(block.source, &stored).is_some() {
                return true;
            }
            if let Some(reason) = purge.out_of_reach.take() {
                let failure = std::io::Error::other(reason);
                let failure = Error::bucket("read", segment.path())(failure);
                self.out_of_reach.note(segment.id(), failure);
                return false;
            }
        }
        self.held_up.append(&mut purge.held_up);
        self.purged_up_to.insert(segment.id(), reach);
        false
    }

    /// Takes note of what a merge has carried out.
    pub(super) fn note_purged(
        &mut self,
        inputs: &[Arc<Segment>],
        written: &[Arc<Segment>],
        mut purge: Purge,
    ) {
        for segment in inputs {
            self.purged_up_to.remove(&segment.id());
        }
        if let Some(reach) = purge.reach().filter(|_| purge.out_of_reach.is_none()) {
            let written = written.iter().map(|segment| (segment.id(), reach));
            self.purged_up_to.extend(written);
        }
        self.held_up.append(&mut purge.held_up);
    }

    /// Commits the end of the deletions of which nothing is left. No readable segment holds any of their rows.
    fn finish_deletions(&self, view: &View) -> Result<Settled, Error> {
        let is_missing =
            |id: SegmentId| view.missing.iter().any(|missing| missing.file == id.path());
        let is_in_view = |id: SegmentId| view.segments.iter().any(|segment| segment.id() == id);
        let mut committed = self.chain.segment_ids().into_iter();
        if !committed.all(|id| is_in_view(id) || is_missing(id)) {
            // A flush has been committed and not yet published; it wakes this thread when it has.
            return Ok(Settled::Nothing);
        }
        let is_done = |deletion: &&Deletion| {
            !self.held_up.contains(&deletion.id) && !self.is_unreadable_touched(view, deletion)
        };
        let done = view.deletions.iter().filter(is_done);
        let done: Vec<DeletionId> = done.map(|deletion| deletion.id).collect();
        if done.is_empty() {
            return Ok(Settled::Nothing);
        }
        let disk = self.shared.disk.as_ref();
        // The log must be gone for certain, not only when it could be removed.
        self.chain.remove_surplus(disk)?;
        self.chain.commit(disk, |next| next.mark_purged(&done))?;
        self.shared.published.update(|view| {
            let standing = Arc::make_mut(&mut view.deletions);
            standing.retain(|deletion| !done.contains(&deletion.id));
        });
        Ok(Settled::Step)
    }

    /// Whether what cannot be read may hold rows of a deletion.
    fn is_unreadable_touched(&self, view: &View, deletion: &Deletion) -> bool {
        let request = &deletion.request;
        let of_missing = view
            .missing
            .iter()
            .map(|missing| (missing.source, missing.totals));
        let unreadable = view.segments.iter();
        let unreadable = unreadable.filter(|segment| {
            self.unreadable.contains(&segment.id()) || self.out_of_reach.contains(segment.id())
        });
        let of_unreadable = unreadable.flat_map(|segment| segment.totals());
        of_missing.chain(of_unreadable).any(|(source, totals)| {
            // What sequence numbers it holds is not known.
            request.may_touch(source, (totals.time_min, totals.time_max), 0)
        })
    }
}

/// Whether rows that are in the log only may be deleted.
fn is_fresh_touched(view: &View) -> bool {
    let deletions = view.deletions.iter();
    let mut requests = deletions.map(|deletion| &*deletion.request);
    requests.any(|request| {
        let mut generations = view.generations.iter();
        generations.any(|generation| is_touched(generation, request))
    })
}

fn is_touched(generation: &Generation, request: &DeletionRequest) -> bool {
    generation.sources.iter().any(|(source, rows)| {
        let blocks = rows.blocks.iter().map(|block| {
            let directory = &block.directory;
            (directory.timestamps, directory.sequences.0)
        });
        let open = rows.unsealed();
        let open = open.map(|rows| (rows.time_range(), rows.sequence(0)));
        let mut extents = blocks.chain(open);
        extents.any(|(times, first_sequence)| request.may_touch(*source, times, first_sequence))
    })
}
