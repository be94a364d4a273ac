//! The thread that moves fresh events from memory and log into segments.

mod signal;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use cordwood_event::SourceId;

use crate::Error;
use crate::log::Frozen;
use crate::manifest::{Chain, SegmentEntry};
use crate::memtable::{Generation, MemoryBlock};
use crate::sealing::Job;
use crate::segment::{BlockSource, OpenFiles, Segment, SegmentWriter, sort_fresh};
use crate::shared::Shared;

pub(crate) use signal::FlushSignal;
use signal::Wake;

/// Flushes.
#[derive(Debug)]
pub(crate) struct Flusher {
    shared: Arc<Shared>,
    files: Arc<OpenFiles>,
    chain: Arc<Chain>,
    /// Frozen and not yet in a segment, oldest first: more than one after a flush that failed.
    frozen: VecDeque<Frozen>,
    /// The segment of the oldest, when it is written and its commit has failed or is not certain.
    written: Option<Arc<Segment>>,
}

impl Flusher {
    /// Goes on with a chain of manifests.
    pub(crate) fn new(shared: Arc<Shared>, files: Arc<OpenFiles>, chain: Arc<Chain>) -> Flusher {
        Flusher {
            shared,
            files,
            chain,
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

    fn write(&self, mut blocks: Vec<(SourceId, Arc<MemoryBlock>)>) -> Result<Arc<Segment>, Error> {
        sort_fresh(&mut blocks);
        let id = self.chain.take_segment_id();
        let mut writer = SegmentWriter::create(self.shared.disk.as_ref(), id)?;
        for (source, block) in blocks {
            writer.push(source, &BlockSource::Memory(block))?;
        }
        writer.finish()?;
        Segment::open_written(id, &self.files)
    }

    /// Commits the segment that is written, and lets go of what it stands for.
    fn commit(&mut self) -> Result<(), Error> {
        let (Some(frozen), Some(segment)) = (self.frozen.front(), &self.written) else {
            return Ok(());
        };
        self.chain.commit(self.shared.disk.as_ref(), |next| {
            next.log_floor = frozen.log_floor;
            next.next_sequence = frozen.next_sequence;
            next.batch_keys.clone_from(&frozen.batch_keys);
            next.segments.push(SegmentEntry::of(segment));
        })?;
        let (generation, segment) = (frozen.generation, Arc::clone(segment));
        self.written = None;
        self.frozen.pop_front();
        self.shared.flushed(generation, segment);
        self.shared.merge.wake();
        self.shared.offload.wake();
        Ok(())
    }
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
