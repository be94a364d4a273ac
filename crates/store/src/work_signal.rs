//! What wakes a thread that works beside ingest, the merger or the one that speaks with the bucket: something to do, a time, or a
//! request. What fails is tried again, ever more seldom.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;

/// How long to wait after the first failure; doubled with each that follows.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Where the thread says what came of a request.
pub(crate) type Answer<T> = SyncSender<Result<T, Error>>;

/// Told by whoever makes work, waited for by the thread that does it. Reads the monotonic clock only.
#[derive(Debug)]
pub(crate) struct WorkSignal<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// The longest wait after a failure.
    retry_after_max: Duration,
}

#[derive(Debug)]
struct State<T> {
    requests: Vec<Answer<T>>,
    is_due: bool,
    is_closed: bool,
    /// Not before, unless asked.
    not_before: Option<Instant>,
    retry_after: Option<Duration>,
}

/// Why the thread is woken.
pub(crate) enum Wake<T> {
    Due,
    Requested(Answer<T>),
    Closed,
}

impl<T> WorkSignal<T> {
    pub(crate) fn new(retry_after_max: Duration) -> WorkSignal<T> {
        WorkSignal {
            state: Mutex::new(State {
                requests: Vec::new(),
                is_due: false,
                is_closed: false,
                not_before: None,
                retry_after: None,
            }),
            changed: Condvar::new(),
            retry_after_max,
        }
    }

    /// There may be something to do.
    pub(crate) fn wake(&self) {
        self.lock().is_due = true;
        self.changed.notify_all();
    }

    /// Asks for all that there is to do now.
    pub(crate) fn request(&self, answer: Answer<T>) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Error::Closed);
        }
        state.requests.push(answer);
        self.changed.notify_all();
        Ok(())
    }

    /// Tells who asked; what failed is tried again.
    pub(crate) fn answer(&self, answer: &Answer<T>, result: Result<T, Error>) {
        if result.is_err() {
            self.postpone();
        }
        // Who has gone away needs no answer.
        let _ = answer.send(result);
    }

    /// Ends the thread after the piece it is at.
    pub(crate) fn close(&self) {
        let requests = {
            let mut state = self.lock();
            state.is_closed = true;
            std::mem::take(&mut state.requests)
        };
        self.changed.notify_all();
        for request in requests {
            // Who has gone away needs no answer.
            let _ = request.send(Err(Error::Closed));
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits a moment, unless the store closes.
    pub(crate) fn stand_back(&self, moment: Duration) {
        let state = self.lock();
        let is_open = |state: &mut State<T>| !state.is_closed;
        // What is waited for is time; whoever closes ends it early.
        drop(self.changed.wait_timeout_while(state, moment, is_open));
    }

    pub(crate) fn succeeded(&self) {
        let mut state = self.lock();
        state.not_before = None;
        state.retry_after = None;
    }

    /// Leaves it alone for a while after a failure.
    pub(crate) fn postpone(&self) {
        let mut state = self.lock();
        let after = state.retry_after.map_or(RETRY_AFTER, |after| after * 2);
        let after = after.min(self.retry_after_max);
        state.retry_after = Some(after);
        state.not_before = Some(Instant::now() + after);
        state.is_due = true;
    }

    /// Waits for something to do, which there is from `due_at` on in any case.
    pub(crate) fn wait(&self, due_at: Option<Instant>) -> Wake<T> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Wake::Closed;
            }
            if let Some(request) = state.requests.pop() {
                // What is asked for is all that there is to do: what was due is done with it.
                state.is_due = false;
                return Wake::Requested(request);
            }
            let now = Instant::now();
            let wanted_at = if state.is_due { Some(now) } else { due_at };
            let not_before = state.not_before;
            let begins_at = wanted_at.map(|at| not_before.map_or(at, |earliest| at.max(earliest)));
            state = match begins_at {
                Some(at) if at <= now => {
                    state.is_due = false;
                    return Wake::Due;
                }
                Some(at) => {
                    let woken = self.changed.wait_timeout(state, at - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.changed.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Every change is a single assignment or push.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
