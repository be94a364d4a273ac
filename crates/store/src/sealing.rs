//! The threads that turn open rows into encoded blocks.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cordwood_event::SourceId;

use crate::memtable::{MemoryBlock, SealingRows};
use crate::shared::Shared;

/// Rows of one source to be sealed.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) generation: u64,
    pub(crate) source: SourceId,
    pub(crate) rows: Arc<SealingRows>,
}

/// What waits to be sealed. Bounded by the memory that fresh events may take.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    is_closed: bool,
    /// Counts what was sealed, for those who wait for more.
    done: u64,
}

impl Sealing {
    pub(crate) fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.changed.notify_all();
    }

    /// Ends the threads once nothing waits.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// How many sets of rows wait.
    pub(crate) fn waiting_jobs(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Blocks until `is_reached`, which is asked again whenever something was sealed.
    pub(crate) fn wait_until(&self, mut is_reached: impl FnMut() -> bool) {
        let mut waiting = self.lock();
        loop {
            let done = waiting.done;
            drop(waiting);
            if is_reached() {
                return;
            }
            waiting = self.lock();
            while waiting.done == done && !waiting.is_closed {
                waiting = self.wait(waiting);
            }
            if waiting.is_closed {
                return;
            }
        }
    }

    fn take(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self.wait(waiting);
        }
    }

    fn finish(&self) {
        self.lock().done += 1;
        self.changed.notify_all();
    }

    fn wait<'a>(&self, waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        let woken = self.changed.wait(waiting);
        woken.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every change is a single push, pop or increment.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work of one sealing thread.
pub(crate) fn run(shared: &Shared) {
    while let Some(job) = shared.sealing.take() {
        seal(shared, job);
        shared.sealing.finish();
    }
}

/// Lets go of the rows before it returns: who waits for the sealing may ask for their memory at once.
fn seal(shared: &Shared, job: Job) {
    // The encoder is pure: nothing is left half done if it panics. The rows stay readable as they are.
    let sealed = catch_unwind(AssertUnwindSafe(|| {
        MemoryBlock::seal(&job.rows.rows, shared)
    }));
    match sealed {
        Ok(Ok(blocks)) => {
            let replaced = shared.published.update(|view| {
                let generation = view.generation_mut(job.generation)?;
                generation.replace_sealing(job.source, &job.rows, blocks)
            });
            drop(replaced);
        }
        Ok(Err(error)) => {
            shared.poison(&error);
        }
        Err(_) => {
            shared.poison_because("the encoding of a block failed".into());
        }
    }
}
