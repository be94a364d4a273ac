//! The thread that moves fresh events from memory and log into segments.

mod signal;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use cordwood_event::SourceId;

use crate::log::{self, Frozen};
use crate::manifest::{self, Manifest, SegmentEntry};
use crate::memtable::{Generation, MemoryBlock};
use crate::sealing::Job;
use crate::segment::{OpenFiles, Segment, SegmentContent, SegmentId, write_segment};
use crate::shared::Shared;
use crate::{Disk, Error};

pub(crate) use signal::FlushSignal;
use signal::Wake;

/// Manifests that are kept: the newest, and the one before it in case the newest goes bad before its log is gone.
const MANIFESTS_KEPT: usize = 2;

/// Flushes.
#[derive(Debug)]
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    files: Arc<OpenFiles>,
    /// What was committed last, or may have been.
    manifest: Manifest,
    /// Frozen and not yet in a segment, oldest first: more than one after a flush that failed.
    frozen: VecDeque<Frozen>,
    /// The segment of the oldest, when it is written and its commit has failed or is not certain.
    written: Option<Arc<Segment>>,
}

impl Flusher {
    /// Goes on from a manifest.
    pub(crate) fn new(shared: Arc<Shared>, files: Arc<OpenFiles>, manifest: Manifest) -> Flusher {
        Flusher {
            shared,
            files,
            manifest,
            frozen: VecDeque::new(),
            written: None,
        }
    }

    /// Flushes whenever it is due or asked for, until the store closes.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            let requests = match shared.flush.wait(shared.options.flush_age) {
                Wake::Due => Vec::new(),
                Wake::Requested(requests) => requests,
                Wake::Closed => return,
            };
            let is_requested = !requests.is_empty();
            let result = self.flush(is_requested);
            if let Err(error) = &result {
                shared.counters.flush_failed();
                tracing::error!(%error, source = std::error::Error::source(error), "could not flush");
                shared.flush.postpone();
            }
            signal::answer(requests, result);
        }
    }

    fn flush(&mut self, is_requested: bool) -> Result<(), Error> {
        self.shared.check_not_poisoned()?;
        // After a failure what is frozen goes first: to freeze more with every attempt would make ever smaller segments.
        if self.frozen.is_empty() || is_requested {
            self.freeze()?;
        }
        while let Some(oldest) = self.frozen.front() {
            let generation = oldest.generation;
            if self.written.is_none() {
                let blocks = self.seal(generation)?;
                self.written = Some(self.write(blocks)?);
            }
            self.commit()?;
        }
        Ok(())
    }

    fn freeze(&mut self) -> Result<(), Error> {
        let (answer, answered) = sync_channel(1);
        // Before, not after: an event of the next generation must find its clock stopped and start it.
        self.shared.flush.begin_generation();
        self.shared.queue.freeze(answer)?;
        let frozen = answered.recv().map_err(|_| Error::Closed)??;
        self.frozen.extend(frozen);
        Ok(())
    }

    /// Has all rows of a frozen generation sealed, and gives its blocks.
    fn seal(&self, id: u64) -> Result<Vec<(SourceId, Arc<MemoryBlock>)>, Error> {
        let shared = &self.shared;
        let jobs = shared.published.update(|view| {
            let generation = view.generation_mut(id);
            generation.map(begin_sealing_all).unwrap_or_default()
        });
        for job in jobs {
            shared.sealing.push(job);
        }
        shared
            .sealing
            .wait_until(|| shared.poisoned().is_some() || self.is_sealed(id));
        if !self.is_sealed(id) {
            shared.check_not_poisoned()?;
            return Err(Error::Closed);
        }
        let view = shared.published.get();
        let generation = view.generation(id);
        Ok(generation.map(blocks_of).unwrap_or_default())
    }

    fn is_sealed(&self, id: u64) -> bool {
        let view = self.shared.published.get();
        view.generation(id).is_none_or(Generation::is_sealed)
    }

    fn write(&mut self, blocks: Vec<(SourceId, Arc<MemoryBlock>)>) -> Result<Arc<Segment>, Error> {
        let id = SegmentId(self.manifest.next_segment);
        // A number is used once, whatever becomes of it.
        self.manifest.next_segment += 1;
        write_segment(self.shared.disk.as_ref(), id, &SegmentContent::new(blocks))?;
        let segment = Segment::open(id, Arc::clone(&self.files));
        let segment = segment.map_err(|error| {
            let _ = self.shared.disk.remove(&id.path());
            Error::Damaged {
                file: id.path(),
                reason: format!("just written, and {error}"),
            }
        })?;
        Ok(Arc::new(segment))
    }

    /// Commits the segment that is written, and lets go of what it stands for.
    fn commit(&mut self) -> Result<(), Error> {
        let (Some(frozen), Some(segment)) = (self.frozen.front(), &self.written) else {
            return Ok(());
        };
        let mut next = self.manifest.clone();
        next.number += 1;
        next.log_floor = frozen.log_floor;
        next.next_sequence = frozen.next_sequence;
        next.batch_keys.clone_from(&frozen.batch_keys);
        next.segments.push(SegmentEntry::of(segment));
        // From here on the number is taken, even if the commit fails.
        self.manifest.number = next.number;
        manifest::commit(self.shared.disk.as_ref(), &next)?;
        let (generation, segment) = (frozen.generation, Arc::clone(segment));
        self.manifest = next;
        self.written = None;
        self.frozen.pop_front();
        self.shared.flushed(generation, segment);
        self.remove_flushed();
        Ok(())
    }

    /// Removes log files and manifests that nothing needs any more. What cannot be removed now is removed at the next start.
    fn remove_flushed(&self) {
        let disk = self.shared.disk.as_ref();
        if let Err(error) = remove_below_floor(disk, &self.manifest) {
            tracing::warn!(%error, "could not remove flushed log files");
        }
    }
}

/// Removes log files below the floor, and all but the newest manifests.
pub(crate) fn remove_below_floor(disk: &dyn Disk, manifest: &Manifest) -> Result<(), Error> {
    let names = disk.list(log::DIRECTORY);
    let names = names.map_err(Error::io("list", log::DIRECTORY))?;
    let numbers = names.iter().filter_map(|name| log::file_number(name));
    for number in numbers.filter(|number| *number < manifest.log_floor) {
        let path = log::file_name(number);
        disk.remove(&path).map_err(Error::io("remove", path))?;
    }
    let manifests = manifest::list_manifests(disk)?;
    let surplus = manifests.len().saturating_sub(MANIFESTS_KEPT);
    for number in manifests.into_iter().take(surplus) {
        let path = manifest::path_of(number);
        disk.remove(&path).map_err(Error::io("remove", path))?;
    }
    Ok(())
}

fn begin_sealing_all(generation: &mut Generation) -> Vec<Job> {
    let id = generation.id;
    let with_open = generation
        .sources
        .iter_mut()
        .filter(|(_, rows)| !rows.open.is_empty());
    with_open
        .map(|(source, rows)| Job {
            generation: id,
            source: *source,
            rows: Arc::make_mut(rows).begin_sealing(),
        })
        .collect()
}

fn blocks_of(generation: &Generation) -> Vec<(SourceId, Arc<MemoryBlock>)> {
    let mut blocks = Vec::new();
    for (source, rows) in &generation.sources {
        blocks.extend(rows.blocks.iter().map(|block| (*source, Arc::clone(block))));
    }
    blocks
}
