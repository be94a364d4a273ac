//! What wakes the merger: new segments, a new retention, or a request.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Compacted, Error};

/// How long to wait after the first failure; doubled with each that follows.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The longest wait: what a full disk is tried again at.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(1800);

pub(crate) type MergeAnswer = SyncSender<Result<Compacted, Error>>;

/// Told by the flusher and by callers, waited for by the merger. Reads the monotonic clock only.
#[derive(Debug, Default)]
pub(crate) struct MergeSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<MergeAnswer>,
    is_due: bool,
    is_closed: bool,
    /// Not before, unless asked.
    not_before: Option<Instant>,
    retry_after: Option<Duration>,
}

/// Why the merger is woken.
pub(super) enum Wake {
    Due,
    Requested(MergeAnswer),
    Closed,
}

impl MergeSignal {
    /// There may be something to merge.
    pub(crate) fn wake(&self) {
        self.lock().is_due = true;
        self.changed.notify_all();
    }

    /// Asks for a merge of all there is now.
    pub(crate) fn request(&self, answer: MergeAnswer) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Error::Closed);
        }
        state.requests.push(answer);
        self.changed.notify_all();
        Ok(())
    }

    /// Ends the merger after the block it is writing.
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

    /// Waits a moment, unless the store closes.
    pub(super) fn stand_back(&self, moment: Duration) {
        let state = self.lock();
        let is_open = |state: &mut State| !state.is_closed;
        // What is waited for is time; whoever closes ends it early.
        drop(self.changed.wait_timeout_while(state, moment, is_open));
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.lock();
        state.not_before = None;
        state.retry_after = None;
    }

    /// Leaves it alone for a while after a failure.
    pub(super) fn postpone(&self) {
        let mut state = self.lock();
        let after = state.retry_after.map_or(RETRY_AFTER, |after| after * 2);
        let after = after.min(RETRY_AFTER_MAX);
        state.retry_after = Some(after);
        state.not_before = Some(Instant::now() + after);
        state.is_due = true;
    }

    pub(super) fn wait(&self) -> Wake {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Wake::Closed;
            }
            if let Some(request) = state.requests.pop() {
                return Wake::Requested(request);
            }
            let now = Instant::now();
            let pause = state
                .not_before
                .and_then(|at| at.checked_duration_since(now));
            if state.is_due && pause.is_none() {
                state.is_due = false;
                return Wake::Due;
            }
            state = match pause {
                Some(pause) if state.is_due => {
                    let woken = self.changed.wait_timeout(state, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                _ => {
                    let woken = self.changed.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a single assignment or push.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
