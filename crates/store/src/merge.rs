//! The thread that makes few large segments of many small ones, and leaves out what has expired or was deleted.
//!
//! A merge reads blocks of old segments and writes new ones, then commits both in one manifest: segments out, segments in. It
//! never blocks a flush, and a merge that fails leaves everything as it was.

mod choose;
mod join;
mod out_of_reach;
mod plan;
mod purge;
mod settle;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::bucket::{self, BucketFailure};
use crate::eviction::{self, Evictions};
use crate::manifest::{Chain, SegmentEntry};
use crate::offload::bring_home;
use crate::segment::{OpenFiles, Segment, SegmentId};
use crate::shared::Shared;
use crate::view::View;
use crate::work_signal::Wake;
use crate::{Compacted, DeletionId, Error, Retention};

use choose::{Eagerness, Limits, SegmentFacts, choose};
use out_of_reach::OutOfReach;
use plan::outputs_of;
use purge::Purge;
use settle::Settled;

/// How long a merge stands back for rows that wait to be encoded, before each of its blocks: ingest comes first, and
/// merges still go on.
const STAND_BACK: Duration = Duration::from_millis(50);

/// Merges.
#[derive(Debug)]
pub(crate) struct Merger {
    shared: Arc<Shared>,
    files: Arc<OpenFiles>,
    chain: Arc<Chain>,
    /// Segments that could not be read; left alone until the next start.
    unreadable: BTreeSet<SegmentId>,
    /// Up to which deletion no row of a segment is deleted; not kept over a start, which looks again.
    purged_up_to: BTreeMap<SegmentId, DeletionId>,
    /// Deletions that cannot be carried out in some block; left alone until the next start.
    held_up: BTreeSet<DeletionId>,
    out_of_reach: OutOfReach,
    is_failing: bool,
}

impl Merger {
    pub(crate) fn new(shared: Arc<Shared>, files: Arc<OpenFiles>, chain: Arc<Chain>) -> Merger {
        let remote = shared.options.remote.as_ref();
        let retry_after = remote.map_or(bucket::RETRY_AFTER, |remote| remote.retry_after);
        Merger {
            out_of_reach: OutOfReach::new(retry_after),
            shared,
            files,
            chain,
            unreadable: BTreeSet::new(),
            purged_up_to: BTreeMap::new(),
            held_up: BTreeSet::new(),
            is_failing: false,
        }
    }

    /// Merges whenever there is something to merge, until the store closes.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            match shared.merge.wait(self.out_of_reach.ask_again_at()) {
                Wake::Due => {
                    let result = self.merge_all(Eagerness::Tiered);
                    self.note(result.map(drop));
                }
                Wake::Requested(answer) => {
                    let result = self.merge_all(Eagerness::Everything);
                    shared.merge.answer(&answer, result);
                }
                Wake::Closed => return,
            }
        }
    }

    /// A failure is said when it begins; what fails is tried again, ever more seldom.
    fn note(&mut self, result: Result<(), Error>) {
        match result {
            Ok(()) => {
                self.is_failing = false;
                self.shared.merge.succeeded();
            }
            Err(Error::Closed) => {}
            Err(error) => {
                self.shared.counters.merge_failed();
                if !self.is_failing {
                    let source = std::error::Error::source(&error);
                    tracing::warn!(%error, source, "could not merge segments, will try again");
                }
                self.is_failing = true;
                self.shared.merge.postpone();
            }
        }
    }

    /// Merges until nothing is left to merge. Who asked for everything is told what could not be reached.
    fn merge_all(&mut self, eagerness: Eagerness) -> Result<Compacted, Error> {
        self.out_of_reach.begin_round();
        let merged = self.merge_within_reach(eagerness);
        let out_of_reach = self.out_of_reach.end_round();
        match (merged, out_of_reach) {
            (Ok(_), Some(failure)) if eagerness == Eagerness::Everything => Err(failure),
            (merged, _) => merged,
        }
    }

    fn merge_within_reach(&mut self, eagerness: Eagerness) -> Result<Compacted, Error> {
        let mut compacted = Compacted::default();
        loop {
            self.shared.check_not_poisoned()?;
            eviction::evict(&self.shared, &self.chain)?;
            let view = self.shared.published.get();
            let retention = self.shared.retention();
            let settled = self.settle_deletions(&view);
            let (purged, inputs) = match settled.inspect_err(|error| self.leave_alone(error))? {
                Settled::Nothing => (None, self.choose(&view, &retention, eagerness)),
                Settled::Step => continue,
                Settled::Purge(segment) => (Some(segment.id()), Some(vec![segment])),
            };
            let Some(inputs) = inputs else {
                return Ok(compacted);
            };
            let purge = Purge::new(&view, &self.shared);
            let evictions = Arc::clone(&view.evictions);
            // A merge takes long, and must not hold on to the memory of rows that are flushed meanwhile.
            drop(view);
            match (self.merge(inputs, (&retention, &evictions), purge), purged) {
                (Ok(merged), _) => compacted.add(&merged),
                (Err(failure @ Error::Bucket { .. }), Some(segment)) => {
                    self.out_of_reach.note(segment, failure);
                }
                (Err(error), _) => {
                    self.leave_alone(&error);
                    return Err(error);
                }
            }
        }
    }

    /// The segments to merge next, if any. What is in the bucket stays as it is, but for what is dead and what somebody asked
    /// for: fewer segments there would make a search faster by less than it costs to bring them here and back.
    fn choose(
        &self,
        view: &View,
        retention: &Retention,
        eagerness: Eagerness,
    ) -> Option<Vec<Arc<Segment>>> {
        let is_readable = |segment: &&Arc<Segment>| !self.unreadable.contains(&segment.id());
        let readable = view.segments.iter().filter(is_readable);
        let can_come_home = eagerness == Eagerness::Everything && self.files.cache().is_some();
        let facts = readable.map(|segment| {
            let facts = SegmentFacts::of(segment, retention, &view.evictions);
            (segment, facts)
        });
        let (segments, facts): (Vec<&Arc<Segment>>, Vec<SegmentFacts>) = facts
            .filter(|(segment, facts)| segment.is_local() || facts.is_dead() || can_come_home)
            .unzip();
        let limits = Limits::of(&self.shared.options);
        let chosen = choose(&facts, &limits, retention, eagerness)?.into_iter();
        let inputs = chosen.filter_map(|index| segments.get(index).copied().cloned());
        Some(inputs.collect())
    }

    fn leave_alone(&mut self, error: &Error) {
        if let Error::Io {
            action: "read",
            path,
            source,
        } = error
            && !BucketFailure::is_in(source)
            && let Some(id) = SegmentId::of_path(path)
        {
            self.unreadable.insert(id);
        }
    }

    fn merge(
        &mut self,
        inputs: Vec<Arc<Segment>>,
        dead: (&Retention, &Evictions),
        mut purge: Purge,
    ) -> Result<Compacted, Error> {
        let shared = Arc::clone(&self.shared);
        let outputs = outputs_of(&inputs, dead, &shared.options);
        let read_bytes: u64 = inputs.iter().map(|segment| segment.file_bytes()).sum();
        let away = inputs.iter().filter(|segment| !segment.is_local());
        let away: Vec<&Arc<Segment>> = away
            .filter(|segment| !SegmentFacts::of(segment, dead.0, dead.1).is_dead())
            .collect();
        let away_bytes: u64 = away.iter().map(|segment| segment.file_bytes()).sum();
        self.check_space(read_bytes + away_bytes)?;
        for segment in away {
            self.bring_home(segment)?;
        }
        let memory = &shared.options.memory;
        let held = memory.try_reserve(shared.options.merge_memory_bytes);
        let _held = held.ok_or(Error::NoMemory)?;
        let mut written = Vec::with_capacity(outputs.len());
        for output in outputs {
            match self.write(output, &mut purge) {
                Ok(segment) => written.extend(segment),
                Err(error) => {
                    written.iter().for_each(|segment| segment.retire());
                    return Err(error);
                }
            }
        }
        let merged = Compacted::of(&inputs, &written);
        self.commit(&inputs, &written, &purge)?;
        self.note_purged(&inputs, &written, purge);
        inputs.iter().for_each(|segment| segment.retire());
        drop(inputs);
        shared.offload.wake();
        shared.counters.merged(&merged);
        Ok(merged)
    }

    fn bring_home(&self, segment: &Segment) -> Result<(), Error> {
        match self.files.cache() {
            Some(cache) if !self.shared.merge.is_closed() => {
                bring_home(self.shared.disk.as_ref(), cache.objects(), segment)
            }
            _ => Err(Error::Closed),
        }
    }

    /// Whether the output fits beside the input and leaves the reserve alone. A disk that does not say is asked by writing.
    fn check_space(&self, bytes: u64) -> Result<(), Error> {
        let needed = bytes.saturating_add(self.shared.options.free_space_reserve_bytes);
        match self.shared.disk.free_bytes() {
            Ok(free_bytes) if free_bytes < needed => Err(Error::NoSpace {
                free_bytes,
                needed_bytes: needed,
            }),
            _ => Ok(()),
        }
    }

    /// Commits, after which the old segments may go with the last who reads them.
    fn commit(
        &self,
        inputs: &[Arc<Segment>],
        written: &[Arc<Segment>],
        purge: &Purge,
    ) -> Result<(), Error> {
        let disk = self.shared.disk.as_ref();
        let merged: BTreeSet<SegmentId> = inputs.iter().map(|segment| segment.id()).collect();
        self.chain.commit(disk, |next| {
            next.segments.retain(|entry| !merged.contains(&entry.id));
            let entries = written.iter().map(|segment| SegmentEntry::of(segment));
            next.segments.extend(entries);
            for deletion in &mut next.deletions {
                if let Some(purged) = purge.purged.get(&deletion.id) {
                    purged.add_to(deletion);
                }
            }
        })?;
        self.shared
            .published
            .update(|view| view.replace_segments(&merged, written.to_vec()));
        // The manifest that is kept beside the newest, in case that one goes bad, must not name files that are gone.
        self.chain.commit(disk, |_| {})
    }
}
