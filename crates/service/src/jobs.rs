//! Work that takes minutes: runs on a thread of its own, one at a time of each kind, while callers ask how far it is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use cordwood_event::Timestamp;

use crate::{Access, Caller, Error, Scope};

/// A job, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Job<T> {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub finished_at: Option<Timestamp>,
    /// Bytes done so far.
    pub bytes_done: u64,
    /// What it did, or why it failed; `None` while it runs.
    pub outcome: Option<Result<T, String>>,
}

impl<T> Job<T> {
    /// What it did, if it is done and did not fail.
    pub fn done(&self) -> Option<&T> {
        self.outcome.as_ref()?.as_ref().ok()
    }
}

/// What a job and those who watch it share.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) bytes_done: AtomicU64,
    /// Whether the service closes, and the job is to end unfinished.
    pub(crate) is_stopped: AtomicBool,
}

/// The jobs of one kind: the one that runs, or the last.
#[derive(Debug)]
pub(crate) struct Jobs<T> {
    /// The name of the thread, and of the job.
    name: &'static str,
    state: Arc<Mutex<Option<Job<T>>>>,
    progress: Arc<Progress>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<T: Clone + Send + 'static> Jobs<T> {
    pub(crate) fn new(name: &'static str) -> Jobs<T> {
        Jobs {
            name,
            state: Arc::default(),
            progress: Arc::default(),
            thread: Mutex::new(None),
        }
    }

    /// Starts one, unless one is running. `work` counts the bytes it has done.
    pub(crate) fn start(
        &self,
        clock: Arc<dyn crate::Clock>,
        work: impl FnOnce(&Progress) -> Result<T, String> + Send + 'static,
    ) -> Result<Job<T>, Error> {
        let mut state = lock(&self.state);
        if state.as_ref().is_some_and(|job| job.outcome.is_none()) {
            return Err(Error::AlreadyRunning { what: self.name });
        }
        self.join();
        self.progress.bytes_done.store(0, Ordering::Relaxed);
        let job = Job {
            started_at: clock.now(),
            finished_at: None,
            bytes_done: 0,
            outcome: None,
        };
        let (shared, progress) = (Arc::clone(&self.state), Arc::clone(&self.progress));
        let name = self.name;
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let outcome =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&progress)));
            let outcome = outcome.unwrap_or_else(|_| Err(format!("the {name} panicked")));
            if let Err(reason) = &outcome {
                tracing::warn!(reason, "the {name} failed");
            }
            if let Some(job) = lock(&shared).as_mut() {
                job.finished_at = Some(clock.now());
                job.outcome = Some(outcome);
            }
        });
        let thread = thread.map_err(|error| Error::internal("starting a thread", error))?;
        *lock(&self.thread) = Some(thread);
        *state = Some(job.clone());
        Ok(job)
    }

    /// The one that runs, or the last; `None` if there was none since the start.
    pub(crate) fn last(&self) -> Option<Job<T>> {
        let job = lock(&self.state).clone()?;
        Some(Job {
            bytes_done: self.progress.bytes_done.load(Ordering::Relaxed),
            ..job
        })
    }
}

impl<T> Jobs<T> {
    /// Has the one that runs end, and waits for it.
    pub(crate) fn stop(&self) {
        self.progress.is_stopped.store(true, Ordering::Relaxed);
        self.join();
    }

    fn join(&self) {
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // A panic was caught in the thread, and told.
            let _ = thread.join();
        }
    }
}

impl<T> Drop for Jobs<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is a single assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Jobs see the events of all clients: so must who starts them.
pub(crate) fn require_whole(caller: &Caller) -> Result<(), Error> {
    caller.require(Access::Admin)?;
    match caller.scope() {
        Scope::AllClients => Ok(()),
        Scope::Clients(_) => Err(Error::NeedsAllClients),
    }
}

/// An error with all its causes, in words.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}
