//! One reader of a tail: what waits for it, what it was too slow for, and why it ends.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cordwood_catalog::ApiTokenId;
use cordwood_store::MemoryBudget;

use super::batch::TailBatch;

/// Rows that wait for one reader: a second of all that two cores take in, for one that looks away for so long.
pub(crate) const READER_ROWS_MAX: usize = 10_000;

/// The same in bytes: a few seconds of a busy terminal. Many readers may wait at once, and share what all tails may hold.
pub(crate) const READER_BYTES_MAX: u64 = 4 << 20;

/// A reader that takes nothing for so long while something waits is gone, or as good as.
const STALLED_MAX: Duration = Duration::from_secs(60);

/// Told when there is something to take. Called by the thread that serves all tails: it must not block.
pub struct Wake(Box<dyn Fn() + Send + Sync>);

impl Wake {
    /// Calls `wake`.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Wake {
        Wake(Box::new(wake))
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wake")
    }
}

/// What comes next in a tail.
#[derive(Clone, Debug)]
pub enum TailItem {
    /// Rows that match.
    Rows(Arc<TailBatch>),
    /// Rows that are left out here.
    Dropped(Dropped),
    /// Nothing comes any more.
    Ended(TailEnd),
}

/// Rows that a reader does not get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Why.
    pub reason: DropReason,
    /// How many, if that is known.
    pub count: Option<u64>,
}

/// Why rows are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The reader takes them more slowly than they come; the oldest went. Counts rows that matched.
    SlowReader,
    /// The server could not look at all that came. Counts events that were not looked at, of which any may have matched.
    SlowServer,
    /// More came since the reader left than is sent again; the oldest are left out. Counts events that match.
    TooFarBack,
    /// The place to go on from is none of this server's: what came since cannot be known.
    UnknownPosition,
}

/// Why a tail ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailEnd {
    /// The API token was revoked or has expired.
    Unauthenticated,
    /// A source that was asked for is there no more: its id or name as asked.
    SourceGone(String),
    /// The reader took nothing for a minute.
    Stalled,
    /// The server shuts down.
    Stopping,
}

/// What the thread that serves tails and the edge share of one reader.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) token: ApiTokenId,
    wake: Wake,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Up to where the past was read; `None` while that is under way.
    begun_after: Option<u64>,
    queue: VecDeque<Arc<TailBatch>>,
    rows: usize,
    bytes: u64,
    /// Every event up to this one was offered, if it matched.
    offered_up_to: u64,
    from_past: Option<Dropped>,
    too_slow_for: u64,
    unexamined: u64,
    ended: Option<TailEnd>,
    /// Since when something waits and nothing was taken.
    waiting_since: Option<Instant>,
}

/// What one round has for a reader.
#[derive(Debug, Default)]
pub(crate) struct Offer {
    pub(crate) batches: Vec<Arc<TailBatch>>,
    /// Rows that match and for which there was no memory.
    pub(crate) too_many: u64,
    pub(crate) unexamined: u64,
    pub(crate) up_to: u64,
}

impl Offer {
    fn is_news(&self) -> bool {
        !self.batches.is_empty() || self.too_many > 0 || self.unexamined > 0
    }
}

impl Reader {
    pub(crate) fn new(token: ApiTokenId, wake: Wake) -> Reader {
        Reader {
            token,
            wake,
            state: Mutex::default(),
        }
    }

    /// Puts the past before what has arrived meanwhile, of which the past is left out: everything up to `after`.
    pub(crate) fn begin(
        &self,
        past: Vec<Arc<TailBatch>>,
        dropped: Option<Dropped>,
        after: u64,
        memory: &MemoryBudget,
    ) {
        let mut state = self.lock();
        if state.ended == Some(TailEnd::Unauthenticated) {
            return;
        }
        let arrived = std::mem::take(&mut state.queue);
        let arrived = arrived
            .iter()
            .filter_map(|batch| batch.after(after, memory));
        let queue: VecDeque<_> = past.into_iter().chain(arrived).collect();
        state.rows = queue.iter().map(|batch| batch.rows().len()).sum();
        state.bytes = queue.iter().map(|batch| batch.bytes()).sum();
        state.queue = queue;
        if state.offered_up_to <= after {
            // Whatever was dropped while the past was read is in the past.
            state.too_slow_for = 0;
            state.unexamined = 0;
        }
        state.offered_up_to = state.offered_up_to.max(after);
        state.begun_after = Some(after);
        state.from_past = dropped;
        state.shrink();
    }

    /// Takes what one round has; lets go of the oldest when it becomes too much. Says how many rows that were.
    pub(crate) fn offer(&self, offer: &Offer, now: Instant) -> u64 {
        let mut state = self.lock();
        state.offered_up_to = state.offered_up_to.max(offer.up_to);
        if !offer.is_news() || state.ended.is_some() {
            return 0;
        }
        let after = state.begun_after.unwrap_or(0);
        for batch in &offer.batches {
            // Who has just begun knows the first rows from the past.
            if batch.last_sequence() > after {
                state.rows += batch.rows().len();
                state.bytes += batch.bytes();
                state.queue.push_back(Arc::clone(batch));
            }
        }
        state.too_slow_for += offer.too_many;
        state.unexamined += offer.unexamined;
        state.waiting_since.get_or_insert(now);
        let dropped = state.shrink();
        drop(state);
        (self.wake.0)();
        dropped + offer.too_many
    }

    /// Lets go of all that waits; says how much memory and how many rows that were.
    pub(crate) fn shed(&self) -> (u64, u64) {
        let mut state = self.lock();
        let (bytes, rows) = (state.bytes, state.rows as u64);
        let queue = std::mem::take(&mut state.queue);
        (state.rows, state.bytes) = (0, 0);
        state.too_slow_for += rows;
        drop(state);
        drop(queue);
        (bytes, rows)
    }

    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.lock().bytes
    }

    pub(crate) fn is_stalled(&self, now: Instant) -> bool {
        let since = self.lock().waiting_since;
        since.is_some_and(|since| now.saturating_duration_since(since) >= STALLED_MAX)
    }

    /// What is there comes still, then the end; of a reader that may not read any more, only the end.
    pub(crate) fn end(&self, end: TailEnd) {
        let mut state = self.lock();
        let may_read = matches!(end, TailEnd::Stopping | TailEnd::SourceGone(_));
        let let_go = match may_read {
            true => VecDeque::new(),
            false => std::mem::take(&mut state.queue),
        };
        state.ended.get_or_insert(end);
        drop(state);
        drop(let_go);
        (self.wake.0)();
    }

    pub(crate) fn take(&self, memory: &MemoryBudget) -> Option<TailItem> {
        let mut state = self.lock();
        state.waiting_since = None;
        let dropped = state.take_dropped();
        if let Some(dropped) = dropped {
            return Some(TailItem::Dropped(dropped));
        }
        let after = state.begun_after.unwrap_or(0);
        while let Some(batch) = state.queue.pop_front() {
            state.rows = state.rows.saturating_sub(batch.rows().len());
            state.bytes = state.bytes.saturating_sub(batch.bytes());
            let is_past = batch.last_sequence() <= after;
            let left = if is_past {
                Some(batch)
            } else {
                batch.after(after, memory)
            };
            if let Some(batch) = left {
                return Some(TailItem::Rows(batch));
            }
        }
        state.ended.clone().map(TailItem::Ended)
    }

    /// Up to where everything was taken, when nothing waits.
    pub(crate) fn position(&self) -> Option<u64> {
        let state = self.lock();
        let is_even = state.queue.is_empty() && state.too_slow_for == 0 && state.unexamined == 0;
        is_even.then_some(state.offered_up_to)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Were a change cut short, the counts of what waits would be off, and nothing else.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_dropped(&mut self) -> Option<Dropped> {
        let counted = |reason, count: &mut u64| {
            let count = std::mem::take(count);
            (count > 0).then_some(Dropped {
                reason,
                count: Some(count),
            })
        };
        self.from_past
            .take()
            .or_else(|| counted(DropReason::SlowReader, &mut self.too_slow_for))
            .or_else(|| counted(DropReason::SlowServer, &mut self.unexamined))
    }

    /// Lets go of the oldest rows until the others are few enough; one batch is always kept.
    fn shrink(&mut self) -> u64 {
        let before = self.too_slow_for;
        while (self.rows > READER_ROWS_MAX || self.bytes > READER_BYTES_MAX)
            && self.queue.len() > 1
            && let Some(oldest) = self.queue.pop_front()
        {
            self.rows = self.rows.saturating_sub(oldest.rows().len());
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.too_slow_for += oldest.rows().len() as u64;
        }
        self.too_slow_for - before
    }
}
