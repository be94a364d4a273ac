//! Following the store: each batch, as it becomes visible, in the order of sequence numbers.
//!
//! The writer of the log hands batches over by reference and waits for nobody. What a follower does not take in time is let
//! go, the oldest first, and counted by source: neither the memory nor an acknowledgement waits for a slow one. What became of
//! the rows since, sealed, flushed or deleted, is of no matter here: a batch never changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cordwood_event::SourceId;

use crate::OpenRows;

/// What arrives at the store from a moment on; ends when it is dropped.
#[derive(Debug)]
pub struct Feed {
    queue: Arc<FeedQueue>,
}

/// A batch of one source that became visible.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The source.
    pub source: SourceId,
    /// The events, which are in every snapshot taken from now on.
    pub rows: OpenRows,
}

/// What arrived since it was last asked.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// How many events of each source were let go; they came before all of `batches`.
    pub missed: BTreeMap<SourceId, u64>,
    /// The batches, in the order of their sequence numbers.
    pub batches: Vec<Arrival>,
    /// Nothing will arrive any more.
    pub is_closed: bool,
}

impl Feed {
    /// What arrived since the last call. Waits for something so long, unless the feed is closed.
    pub fn take(&self, patience: Duration) -> Arrivals {
        let queue = &self.queue;
        let is_quiet = |waiting: &mut Waiting| waiting.is_quiet();
        let woken = queue
            .changed
            .wait_timeout_while(queue.lock(), patience, is_quiet);
        let (mut waiting, _) = woken.unwrap_or_else(PoisonError::into_inner);
        waiting.bytes = 0;
        Arrivals {
            missed: std::mem::take(&mut waiting.missed),
            batches: std::mem::take(&mut waiting.batches).into(),
            is_closed: waiting.is_closed,
        }
    }

    /// Wakes who waits in [`take`](Self::take), now and ever after.
    pub fn close(&self) {
        self.queue.close();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.close();
        // The writer lets go of the queue when it next publishes, which may be much later.
        let let_go = std::mem::take(&mut self.queue.lock().batches);
        drop(let_go);
    }
}

#[derive(Debug)]
struct FeedQueue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// The most memory of batches that wait, beside one that is larger alone.
    bytes_max: u64,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<Arrival>,
    bytes: u64,
    missed: BTreeMap<SourceId, u64>,
    is_closed: bool,
}

impl Waiting {
    fn is_quiet(&self) -> bool {
        self.batches.is_empty() && self.missed.is_empty() && !self.is_closed
    }

    /// Adds a batch and gives back those that must go for it, to be dropped outside of the lock.
    fn push(&mut self, arrival: Arrival, bytes_max: u64) -> Vec<Arrival> {
        self.bytes += arrival.rows.memory_bytes();
        self.batches.push_back(arrival);
        let mut let_go = Vec::new();
        while self.bytes > bytes_max
            && self.batches.len() > 1
            && let Some(oldest) = self.batches.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.rows.memory_bytes());
            *self.missed.entry(oldest.source).or_default() += oldest.rows.batch().len() as u64;
            let_go.push(oldest);
        }
        let_go
    }
}

impl FeedQueue {
    fn push(&self, arrival: Arrival) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return;
        }
        let let_go = waiting.push(arrival, self.bytes_max);
        drop(waiting);
        drop(let_go);
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Should a push have been cut short, its count of bytes is off until the next take.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who follows the store.
#[derive(Debug, Default)]
pub(crate) struct Followers {
    state: Mutex<Following>,
}

#[derive(Debug, Default)]
struct Following {
    queues: Vec<Arc<FeedQueue>>,
    is_closed: bool,
}

impl Followers {
    /// A feed of what is published from now on: what was published before is in every snapshot taken after this call.
    pub(crate) fn follow(&self, bytes_max: u64) -> Feed {
        let mut following = self.lock();
        let queue = Arc::new(FeedQueue {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            bytes_max,
        });
        match following.is_closed {
            true => queue.close(),
            false => following.queues.push(Arc::clone(&queue)),
        }
        Feed { queue }
    }

    /// Publishes batches and hands them to all followers. Nobody begins to follow in between: every batch is in the first
    /// snapshot of a follower or in its feed.
    pub(crate) fn hand_over<T>(
        &self,
        arrived: Vec<(SourceId, OpenRows)>,
        publish: impl FnOnce(Vec<(SourceId, OpenRows)>) -> T,
    ) -> T {
        let mut following = self.lock();
        following.queues.retain(|queue| !queue.is_closed());
        if following.queues.is_empty() {
            return publish(arrived);
        }
        let handed_over = arrived.clone();
        let published = publish(arrived);
        for queue in &following.queues {
            for (source, rows) in &handed_over {
                queue.push(Arrival {
                    source: *source,
                    rows: rows.clone(),
                });
            }
            queue.changed.notify_all();
        }
        published
    }

    /// Ends all feeds, those that begin later too.
    pub(crate) fn close(&self) {
        let mut following = self.lock();
        following.is_closed = true;
        for queue in following.queues.drain(..) {
            queue.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Following> {
        // Every change is a single push, retain or drain.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
