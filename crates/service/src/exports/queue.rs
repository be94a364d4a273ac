//! The exports there are and the thread that makes them, one after the other in the order they were asked for.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use cordwood_engine::{Cancel, Engine};
use cordwood_event::Timestamp;
use cordwood_store::{MemoryBudget, Store};

use super::directory::Directory;
use super::export::{Export, ExportState};
use super::file::ExportFile;
use super::not_found;
use super::run::{Failed, Running};
use super::task::Task;
use crate::{Clock, Error, Random};

/// Exports that wait or run at most: at disk speed, hours of work.
const WAITING_MAX: usize = 32;

/// Exports that are listed at most: each is a file that somebody has to look through.
const KEPT_MAX: usize = 1000;

const STOPPED: &str = "the server was stopped before the export was done; start it again";

/// What exports are made with.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<Store>,
    pub(crate) memory: MemoryBudget,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) data_dir: PathBuf,
    /// How much of the disk all exports may take.
    pub(crate) disk_bytes_max: u64,
}

/// How far an export under way is, for those who ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    pub(super) bytes: Arc<AtomicU64>,
    rows: Arc<AtomicU64>,
    /// The bits of a float.
    progress: Arc<AtomicU64>,
    /// One more than the estimate; 0 while there is none.
    estimate: Arc<AtomicU64>,
}

/// The exports.
#[derive(Debug)]
pub(crate) struct Exports {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    directory: Directory,
    means: Means,
    state: Mutex<State>,
    /// Told of each export that is enqueued, and of the end.
    wakes: Condvar,
}

#[derive(Debug, Default)]
struct State {
    exports: BTreeMap<String, Job>,
    queue: VecDeque<(String, Task)>,
    is_stopped: bool,
}

#[derive(Debug)]
struct Job {
    export: Export,
    cancel: Cancel,
    watch: Watch,
}

impl Watch {
    pub(super) fn set(&self, rows: u64, progress: f64) {
        self.rows.store(rows, Ordering::Relaxed);
        self.progress.store(progress.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn set_estimate(&self, events: Option<u64>) {
        let estimate = events.map_or(0, |events| events.saturating_add(1));
        self.estimate.store(estimate, Ordering::Relaxed);
    }
}

impl Job {
    /// The export with what is known of it by now.
    fn now(&self) -> Export {
        let mut export = self.export.clone();
        if export.state == ExportState::Running {
            export.events = self.watch.rows.load(Ordering::Relaxed);
            export.bytes = self.watch.bytes.load(Ordering::Relaxed);
            export.progress = f64::from_bits(self.watch.progress.load(Ordering::Relaxed));
            export.events_estimated = self.watch.estimate.load(Ordering::Relaxed).checked_sub(1);
        }
        export
    }
}

impl Exports {
    /// Puts the directory right and starts the thread.
    pub(crate) fn start(means: Means) -> Result<Exports, Error> {
        let opening = |error| Error::internal("opening the directory of exports", error);
        let directory = Directory::open(&means.data_dir).map_err(opening)?;
        let found = directory.recover(means.clock.now()).map_err(opening)?;
        let jobs = found.into_iter().map(|(id, export)| (id, Job::of(export)));
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                exports: jobs.collect(),
                ..State::default()
            }),
            directory,
            means,
            wakes: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("exports".to_owned())
            .spawn(move || for_thread.work())
            .map_err(|error| Error::internal("starting a thread", error))?;
        Ok(Exports {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// An id that nobody can guess.
    pub(super) fn new_id(&self, random: &dyn Random) -> String {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }

    /// Takes an export in, to be made when its turn comes.
    pub(super) fn enqueue(&self, export: Export, task: Task) -> Result<Export, Error> {
        let mut state = self.shared.lock();
        let kept = state.exports.values();
        let waiting = kept.filter(|job| !job.export.state.is_over()).count();
        if waiting >= WAITING_MAX || state.exports.len() >= KEPT_MAX {
            return Err(Error::TooManyExports {
                waiting,
                kept: state.exports.len(),
            });
        }
        let written = self.shared.directory.write_record(&export);
        written.map_err(|error| Error::internal("writing the record of an export", error))?;
        let job = Job {
            cancel: task.search.cancel.clone(),
            ..Job::of(export.clone())
        };
        state.exports.insert(export.id.clone(), job);
        state.queue.push_back((export.id.clone(), task));
        self.shared.wakes.notify_one();
        Ok(export)
    }

    /// All exports.
    pub(super) fn all(&self) -> Vec<Export> {
        self.shared.lock().exports.values().map(Job::now).collect()
    }

    /// The export of an id.
    pub(super) fn find(&self, id: &str) -> Option<Export> {
        self.shared.lock().exports.get(id).map(Job::now)
    }

    /// Cancels an export that is not over.
    pub(super) fn cancel(&self, id: &str) -> Result<(), Error> {
        let mut state = self.shared.lock();
        let is_waiting = state.queue.iter().any(|(waiting, _)| waiting == id);
        state.queue.retain(|(waiting, _)| waiting != id);
        let job = state.exports.get_mut(id).ok_or_else(|| not_found(id))?;
        job.cancel.cancel();
        if is_waiting {
            let now = self.shared.means.clock.now();
            job.export.end(ExportState::Cancelled, now);
            let written = self.shared.directory.write_record(&job.export);
            written.map_err(|error| Error::internal("writing the record of an export", error))?;
        }
        Ok(())
    }

    /// Removes an export that is over.
    pub(super) fn remove(&self, id: &str) -> Result<(), Error> {
        let mut state = self.shared.lock();
        let removed = self.shared.directory.remove(id);
        removed.map_err(|error| Error::internal("removing an export", error))?;
        state.exports.remove(id);
        Ok(())
    }

    /// Opens the file of an export that is done.
    pub(super) fn open(&self, export: &Export) -> Result<ExportFile, Error> {
        let opened = self.shared.directory.file(&export.id);
        let file = opened.and_then(|file| ExportFile::new(file, export));
        file.map_err(|error| Error::internal("opening the file of an export", error))
    }

    /// What housekeeping asks for now and then: removes what has expired.
    pub(crate) fn expire(&self) {
        self.shared.expire();
    }

    /// Ends the export that runs, and those that wait, and the thread.
    pub(crate) fn stop(&self) {
        let mut state = self.shared.lock();
        state.is_stopped = true;
        let jobs = state.exports.values();
        jobs.filter(|job| !job.export.state.is_over())
            .for_each(|job| job.cancel.cancel());
        drop(state);
        self.shared.wakes.notify_all();
        let thread = self.thread.lock();
        let thread = thread.unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of exports panicked");
        }
    }
}

impl Drop for Exports {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Job {
    fn of(export: Export) -> Job {
        Job {
            export,
            cancel: Cancel::default(),
            watch: Watch::default(),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((export, watch, task, bytes_max)) = self.next() {
            let running = Running {
                means: &self.means,
                directory: &self.directory,
                export: &export,
                task: &task,
                watch: &watch,
                bytes_max,
            };
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| running.run()));
            let outcome = outcome.unwrap_or_else(|_| {
                let reason = "writing it panicked; the log of the server says where";
                Err(Failed::Impossible(reason.to_owned()))
            });
            let ended = self.ended(export, &watch, outcome);
            self.keep(ended);
        }
        self.give_up_waiting();
    }

    /// The next export, marked as running, and how large it may become; `None` at the end.
    fn next(&self) -> Option<(Export, Watch, Task, u64)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some((id, task)) = state.queue.pop_front() {
                let taken = state.exports.values().map(|job| job.export.bytes).sum();
                let bytes_max = self.means.disk_bytes_max.saturating_sub(taken);
                let Some(job) = state.exports.get_mut(&id) else {
                    continue;
                };
                job.export.state = ExportState::Running;
                job.export.started_at = Some(self.means.clock.now());
                return Some((job.export.clone(), job.watch.clone(), task, bytes_max));
            }
            let woken = self.wakes.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The export as it is now that its run is over.
    fn ended(
        &self,
        mut export: Export,
        watch: &Watch,
        outcome: Result<super::run::Written, Failed>,
    ) -> Export {
        let now = self.means.clock.now();
        match outcome {
            Ok(written) => {
                export.end(ExportState::Done, now);
                export.events = written.events;
                export.bytes = watch.bytes.load(Ordering::Relaxed);
                export.events_estimated = Some(written.events);
                export.incomplete_reason = written.incomplete_reason();
                export.progress = 1.0;
                return export;
            }
            Err(Failed::Cancelled) if self.lock().is_stopped => {
                export.end(ExportState::Failed, now);
                export.error = Some(STOPPED.to_owned());
            }
            Err(Failed::Cancelled) => export.end(ExportState::Cancelled, now),
            Err(failed) => {
                let reason = failed.in_words();
                tracing::warn!(export = export.id, reason, "an export failed");
                export.end(ExportState::Failed, now);
                export.error = Some(reason);
            }
        }
        export
    }

    /// Shows how an export ended, once that is on disk.
    fn keep(&self, export: Export) {
        let mut kept = Ok(());
        if export.state != ExportState::Done {
            kept = self.directory.remove_draft(&export.id);
        }
        let kept = kept.and_then(|()| self.directory.write_record(&export));
        if let Err(error) = kept {
            let error: &dyn std::error::Error = &error;
            tracing::error!(export = export.id, error, "an export could not be recorded");
        }
        if let Some(job) = self.lock().exports.get_mut(&export.id) {
            job.export = export;
        }
    }

    /// What waits when the server stops will not be made.
    fn give_up_waiting(&self) {
        let mut waiting = Vec::new();
        let mut state = self.lock();
        for (id, _) in std::mem::take(&mut state.queue) {
            waiting.extend(state.exports.get(&id).map(|job| job.export.clone()));
        }
        drop(state);
        for mut export in waiting {
            export.end(ExportState::Failed, self.means.clock.now());
            export.error = Some(STOPPED.to_owned());
            self.keep(export);
        }
    }

    fn expire(&self) {
        let now: Timestamp = self.means.clock.now();
        let mut state = self.lock();
        state.exports.retain(|id, job| {
            let is_expired = job.export.expires_at.is_some_and(|expires| expires <= now);
            if !is_expired {
                return true;
            }
            let removed = self.directory.remove(id);
            if let Err(error) = &removed {
                let error: &dyn std::error::Error = error;
                tracing::warn!(export = id, error, "an export could not be removed");
            }
            removed.is_err()
        });
    }
}
