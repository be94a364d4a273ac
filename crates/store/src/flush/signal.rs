//! What wakes the flusher: enough to flush, age, or a request.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;

/// How long to leave a disk alone after a flush failed.
const RETRY_AFTER: Duration = Duration::from_secs(5);

pub(crate) type FlushAnswer = SyncSender<Result<(), Error>>;

/// Told by the writer of the log and by callers, waited for by the flusher. Reads the monotonic clock only: age is a
/// span, not a time.
#[derive(Debug, Default)]
pub(crate) struct FlushSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<FlushAnswer>,
    is_due: bool,
    is_closed: bool,
    /// When the first event of the active generation came.
    first_event_at: Option<Instant>,
    /// Not before, unless asked.
    not_before: Option<Instant>,
}

/// Why the flusher is woken.
pub(super) enum Wake {
    Due,
    Requested(Vec<FlushAnswer>),
    Closed,
}

impl FlushSignal {
    /// Events were published; `is_due` when there are enough for a flush.
    pub(crate) fn events_arrived(&self, is_due: bool) {
        let mut state = self.lock();
        let is_first = state.first_event_at.is_none();
        if is_first {
            state.first_event_at = Some(Instant::now());
        }
        let is_news = is_first || (is_due && !state.is_due);
        state.is_due |= is_due;
        if is_news {
            self.changed.notify_all();
        }
    }

    /// Asks for a flush of all there is now.
    pub(crate) fn request(&self, answer: FlushAnswer) -> Result<(), Error> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(Error::Closed);
        }
        state.requests.push(answer);
        self.changed.notify_all();
        Ok(())
    }

    /// Ends the flusher after what it is doing.
    pub(crate) fn close(&self) {
        let requests = {
            let mut state = self.lock();
            state.is_closed = true;
            std::mem::take(&mut state.requests)
        };
        self.changed.notify_all();
        answer(requests, Err(Error::Closed));
    }

    /// The active generation was asked to be frozen; events count for the next.
    pub(super) fn begin_generation(&self) {
        let mut state = self.lock();
        state.is_due = false;
        state.first_event_at = None;
    }

    /// Leaves the disk alone for a while after a failure.
    pub(super) fn postpone(&self) {
        let mut state = self.lock();
        let now = Instant::now();
        state.not_before = Some(now + RETRY_AFTER);
        // What could not be flushed is due as soon as that has passed.
        state.is_due = true;
    }

    pub(super) fn wait(&self, age_max: Duration) -> Wake {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Wake::Closed;
            }
            if !state.requests.is_empty() {
                return Wake::Requested(std::mem::take(&mut state.requests));
            }
            let now = Instant::now();
            let due_at = state.due_at(age_max, now);
            if due_at.is_some_and(|due_at| due_at <= now) {
                state.is_due = false;
                state.not_before = None;
                return Wake::Due;
            }
            state = match due_at {
                Some(due_at) => {
                    let woken = self.changed.wait_timeout(state, due_at - now);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
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

impl State {
    fn due_at(&self, age_max: Duration, now: Instant) -> Option<Instant> {
        let by_age = self.first_event_at.map(|first| first + age_max);
        let due_at = if self.is_due { Some(now) } else { by_age };
        due_at.map(|due_at| {
            self.not_before
                .map_or(due_at, |not_before| due_at.max(not_before))
        })
    }
}

/// Tells everybody who asked. Errors are told in words, once cloned.
pub(super) fn answer(requests: Vec<FlushAnswer>, result: Result<(), Error>) {
    let mut requests = requests.into_iter();
    let first = requests.next();
    for request in requests {
        // Who has gone away needs no answer.
        let _ = request.send(match &result {
            Ok(()) => Ok(()),
            Err(error) => Err(error.retold()),
        });
    }
    if let Some(first) = first {
        let _ = first.send(result);
    }
}
