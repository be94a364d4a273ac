//! What wakes the thread that speaks with the bucket: a segment that came or went, a sweep that is due, or a request.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Offloaded;
use crate::Error;

/// How long to wait after the first failure; doubled with each that follows.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The longest wait: what an outage of hours is tried again at.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

pub(crate) type OffloadAnswer = SyncSender<Result<Offloaded, Error>>;

/// Told by flusher, merger and callers. Reads the monotonic clock only.
#[derive(Debug, Default)]
pub(crate) struct OffloadSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<OffloadAnswer>,
    is_due: bool,
    is_closed: bool,
    /// Not before, unless asked.
    not_before: Option<Instant>,
    retry_after: Option<Duration>,
}

/// Why the thread is woken.
pub(super) enum Wake {
    Due,
    Requested(OffloadAnswer),
    Closed,
}

impl OffloadSignal {
    /// A segment came or went.
    pub(crate) fn wake(&self) {
        self.lock().is_due = true;
        self.changed.notify_all();
    }

    /// Asks for a round now.
    pub(crate) fn request(&self, answer: OffloadAnswer) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Error::Closed);
        }
        state.requests.push(answer);
        self.changed.notify_all();
        Ok(())
    }

    /// Ends the thread after the piece it is copying.
    pub(crate) fn close(&self) {
        let requests = {
            let mut state = self.lock();
            state.is_closed = true;
            std::mem::take(&mut state.requests)
        };
        self.changed.notify_all();
        for request in requests {
            let _ = request.send(Err(Error::Closed));
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        state.not_before = None;
        state.retry_after = None;
    }

    /// Leaves the bucket alone for a while after a failure.
    pub(super) fn postpone(&self) {
        let mut state = self.lock();
        let after = state.retry_after.map_or(RETRY_AFTER, |after| after * 2);
        let after = after.min(RETRY_AFTER_MAX);
        state.retry_after = Some(after);
        state.not_before = Some(Instant::now() + after);
        state.is_due = true;
    }

    /// Waits for something to do; a sweep is, from `sweep_at` on, at once if there was none.
    pub(super) fn wait(&self, sweep_at: Option<Instant>) -> Wake {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Wake::Closed;
            }
            if let Some(request) = state.requests.pop() {
                return Wake::Requested(request);
            }
            let now = Instant::now();
            let wanted_at = match state.is_due {
                true => now,
                false => sweep_at.unwrap_or(now),
            };
            let due_at = state.not_before.map_or(wanted_at, |at| wanted_at.max(at));
            if due_at <= now {
                state.is_due = false;
                return Wake::Due;
            }
            let woken = self.changed.wait_timeout(state, due_at - now);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a single assignment or push.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
