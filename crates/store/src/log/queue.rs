//! What waits for the log: a bounded queue between the threads that append and the one that writes.

use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use cordwood_event::{SourceId, Timestamp};

use super::record::StoredBody;
use super::writer::{Frozen, GROUP_BYTES};
use crate::memtable::HeldBatch;
use crate::{AppendError, Appended, BusyReason, Error};

/// Requests that may wait. A server has fewer request threads than this; it bounds a caller that does not.
const REQUESTS_MAX: usize = 4096;
/// Bytes of bodies that may wait: several of the largest requests, and what a disk writes in a second.
const BODY_BYTES_MAX: usize = 256 << 20;

/// An append on its way to the log.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) source: SourceId,
    pub(crate) received_at: Timestamp,
    pub(crate) format: String,
    pub(crate) batch_key: Option<String>,
    pub(crate) body: StoredBody<'static>,
    pub(crate) held: HeldBatch,
    pub(crate) answer: SyncSender<Result<Appended, AppendError>>,
}

pub(crate) type FreezeAnswer = SyncSender<Result<Option<Frozen>, Error>>;

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) requests: Vec<Request>,
    pub(crate) freeze: Option<FreezeAnswer>,
    /// Nothing comes after this.
    pub(crate) is_last: bool,
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    work: Work,
    body_bytes: usize,
}

impl Queue {
    /// Puts a request at the end, or gives back why not.
    pub(crate) fn push(&self, request: Request) -> Result<(), AppendError> {
        let mut waiting = self.lock();
        if waiting.work.is_last {
            return Err(AppendError::Closed);
        }
        let body_bytes = waiting.body_bytes + request.body.bytes.len();
        let is_first = waiting.work.requests.is_empty();
        if !is_first && (body_bytes > BODY_BYTES_MAX || waiting.work.requests.len() >= REQUESTS_MAX)
        {
            return Err(AppendError::busy(BusyReason::Queue));
        }
        waiting.body_bytes = body_bytes;
        waiting.work.requests.push(request);
        self.arrived.notify_one();
        Ok(())
    }

    /// Whether more waits than goes into a group: what comes now waits for a whole write besides the one that is going on.
    pub(crate) fn is_long(&self) -> bool {
        self.lock().body_bytes > GROUP_BYTES
    }

    /// Asks the writer to freeze the active generation after what waits now.
    pub(crate) fn freeze(&self, answer: FreezeAnswer) -> Result<(), Error> {
        let mut waiting = self.lock();
        if waiting.work.is_last {
            return Err(Error::Closed);
        }
        waiting.work.freeze = Some(answer);
        self.arrived.notify_one();
        Ok(())
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        self.lock().work.is_last = true;
        self.arrived.notify_one();
    }

    /// Lets nothing more in, and drops what waits: nobody will take it.
    pub(crate) fn abandon(&self) {
        let dropped = {
            let mut waiting = self.lock();
            let dropped = std::mem::take(&mut waiting.work);
            waiting.work.is_last = true;
            dropped
        };
        drop(dropped);
    }

    /// Takes all that waits; waits for something otherwise.
    pub(crate) fn take(&self) -> Work {
        let mut waiting = self.lock();
        loop {
            let work = &waiting.work;
            if !work.requests.is_empty() || work.freeze.is_some() || work.is_last {
                let is_last = work.is_last;
                waiting.body_bytes = 0;
                let taken = std::mem::take(&mut waiting.work);
                waiting.work.is_last = is_last;
                return taken;
            }
            let woken = self.arrived.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Pushing to a vector leaves it whole if it panics.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use cordwood_event::Batch;

    use super::*;
    use crate::MemoryBudget;

    fn request_of(body_bytes: usize) -> Request {
        let memory = MemoryBudget::new(1).try_reserve(0);
        Request {
            source: SourceId(1),
            received_at: Timestamp::from_nanos(0),
            format: String::new(),
            batch_key: None,
            body: StoredBody::plain(vec![0; body_bytes]),
            held: HeldBatch::new(Batch::default(), memory.expect("nothing can be had")),
            answer: std::sync::mpsc::sync_channel(1).0,
        }
    }

    #[test]
    fn a_queue_is_long_while_more_than_a_group_waits() {
        let queue = Queue::default();
        for is_long_after in [false, false, true] {
            assert!(queue.push(request_of(GROUP_BYTES / 2)).is_ok());
            assert_eq!(queue.is_long(), is_long_after);
        }
        assert_eq!(queue.take().requests.len(), 3);
        assert!(!queue.is_long());
    }
}
