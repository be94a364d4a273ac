//! The thread that makes few large segments of many small ones, and leaves out what has expired.
//!
//! A merge reads blocks of old segments and writes new ones, then commits both in one manifest: segments out, segments in. It
//! never blocks a flush, and a merge that fails leaves everything as it was.

mod choose;
mod join;
mod plan;
mod signal;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::bucket::BucketFailure;
use crate::manifest::{Chain, SegmentEntry};
use crate::offload::bring_home;
use crate::segment::{OpenFiles, Segment, SegmentId, SegmentWriter};
use crate::shared::Shared;
use crate::{Compacted, Error, Retention};

use choose::{Eagerness, Limits, SegmentFacts, choose};
use plan::{Output, Step, outputs_of};
pub(crate) use signal::MergeSignal;
use signal::Wake;

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
    is_failing: bool,
}

impl Merger {
    pub(crate) fn new(shared: Arc<Shared>, files: Arc<OpenFiles>, chain: Arc<Chain>) -> Merger {
        Merger {
            shared,
            files,
            chain,
            unreadable: BTreeSet::new(),
            is_failing: false,
        }
    }

    /// Merges whenever there is something to merge, until the store closes.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            match shared.merge.wait() {
                Wake::Due => {
                    let result = self.merge_all(Eagerness::Tiered);
                    self.note(result.map(drop));
                }
                Wake::Requested(answer) => {
                    // Who has gone away needs no answer.
                    let _ = answer.send(self.merge_all(Eagerness::Everything));
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

    /// Merges until nothing is left to merge.
    fn merge_all(&mut self, eagerness: Eagerness) -> Result<Compacted, Error> {
        let mut compacted = Compacted::default();
        loop {
            self.shared.check_not_poisoned()?;
            let retention = self.shared.retention();
            let (segments, facts) = self.candidates(&retention, eagerness);
            let limits = Limits::of(&self.shared.options);
            let Some(chosen) = choose(&facts, &limits, &retention, eagerness) else {
                return Ok(compacted);
            };
            let inputs = chosen
                .into_iter()
                .filter_map(|index| segments.get(index).cloned());
            let inputs: Vec<Arc<Segment>> = inputs.collect();
            drop(segments);
            let merged = self.merge(inputs, &retention);
            compacted.add(&merged.inspect_err(|error| self.leave_alone(error))?);
        }
    }

    /// The segments that may be merged. What is in the bucket stays as it is, but for what is dead and what somebody asked
    /// for: fewer segments there would make a search faster by less than it costs to bring them here and back.
    fn candidates(
        &self,
        retention: &Retention,
        eagerness: Eagerness,
    ) -> (Vec<Arc<Segment>>, Vec<SegmentFacts>) {
        let view = self.shared.published.get();
        let readable = view.segments.iter();
        let readable = readable.filter(|segment| !self.unreadable.contains(&segment.id()));
        let has_bucket = self.files.cache().is_some();
        let can_come_home = eagerness == Eagerness::Everything && has_bucket;
        let facts = readable.map(|segment| {
            let facts = SegmentFacts::of(segment, retention);
            (Arc::clone(segment), facts)
        });
        facts
            .filter(|(segment, facts)| segment.is_local() || facts.is_dead() || can_come_home)
            .unzip()
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

    fn merge(&self, inputs: Vec<Arc<Segment>>, retention: &Retention) -> Result<Compacted, Error> {
        let shared = &self.shared;
        let outputs = outputs_of(&inputs, retention, &shared.options);
        let read_bytes: u64 = inputs.iter().map(|segment| segment.file_bytes()).sum();
        let away = inputs.iter().filter(|segment| !segment.is_local());
        let away: Vec<&Arc<Segment>> = away
            .filter(|segment| !SegmentFacts::of(segment, retention).is_dead())
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
            match self.write(output) {
                Ok(segment) => written.push(segment),
                Err(error) => {
                    written.iter().for_each(|segment| segment.retire());
                    return Err(error);
                }
            }
        }
        let merged = Compacted::of(&inputs, &written);
        self.commit(inputs, written)?;
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

    fn write(&self, output: Output) -> Result<Arc<Segment>, Error> {
        let shared = &self.shared;
        let id = self.chain.take_segment_id();
        let mut writer = SegmentWriter::create(shared.disk.as_ref(), id)?;
        for (source, step) in output.steps {
            if shared.sealing.waiting_jobs() > 0 {
                shared.merge.stand_back(STAND_BACK);
            }
            if shared.merge.is_closed() {
                return Err(Error::Closed);
            }
            match step {
                Step::Copy(block) => writer.push(source, &block.into())?,
                Step::Join(blocks) => {
                    for block in join::join(blocks, &shared.options) {
                        writer.push(source, &block)?;
                    }
                }
            }
        }
        writer.finish()?;
        Segment::open_written(id, &self.files)
    }

    /// Commits, and lets the old segments go with the last who reads them.
    fn commit(&self, inputs: Vec<Arc<Segment>>, written: Vec<Arc<Segment>>) -> Result<(), Error> {
        let disk = self.shared.disk.as_ref();
        let merged: BTreeSet<SegmentId> = inputs.iter().map(|segment| segment.id()).collect();
        self.chain.commit(disk, |next| {
            next.segments.retain(|entry| !merged.contains(&entry.id));
            let entries = written.iter().map(|segment| SegmentEntry::of(segment));
            next.segments.extend(entries);
        })?;
        self.shared
            .published
            .update(|view| view.replace_segments(&merged, written));
        // The manifest that is kept beside the newest, in case that one goes bad, must not name files that are gone.
        self.chain.commit(disk, |_| {})?;
        inputs.iter().for_each(|segment| segment.retire());
        drop(inputs);
        self.shared.offload.wake();
        Ok(())
    }
}
