//! What the threads of one store share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cordwood_event::SourceId;

use crate::bucket::RangeCache;
use crate::feed::Followers;
use crate::flush::FlushSignal;
use crate::log::{Pace, Queue};
use crate::manifest::Chain;
use crate::memtable::{Generation, OpenRows, gather_small};
use crate::sealing::{Job, Sealing};
use crate::segment::Segment;
use crate::stats::Counters;
use crate::view::{Published, View};
use crate::work_signal::WorkSignal;
use crate::{
    AppendError, Compacted, Disk, Error, FindDeleted, MemoryBudget, Offloaded, Options, Retention,
};

/// The longest wait between two tries of a merge that fails: what a full disk is tried again at.
const MERGE_RETRY_AFTER_MAX: Duration = Duration::from_secs(1800);

/// The same for the bucket: what an outage of hours is tried again at.
const OFFLOAD_RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Everything but the threads themselves.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) disk: Arc<dyn Disk>,
    /// The part of the budget that fresh events take.
    pub(crate) memory: MemoryBudget,
    pub(crate) published: Published,
    pub(crate) followers: Followers,
    pub(crate) queue: Queue,
    pub(crate) log_pace: Pace,
    pub(crate) sealing: Sealing,
    pub(crate) flush: FlushSignal,
    pub(crate) merge: WorkSignal<Compacted>,
    pub(crate) offload: WorkSignal<Offloaded>,
    /// Set once the log is replayed.
    pub(crate) chain: OnceLock<Arc<Chain>>,
    /// Set with it, of a store with a bucket.
    pub(crate) cache: OnceLock<Option<Arc<RangeCache>>>,
    retention: Mutex<Arc<Retention>>,
    /// Set by who knows the language of queries; until then nothing is purged.
    pub(crate) find_deleted: OnceLock<Arc<dyn FindDeleted>>,
    pub(crate) counters: Counters,
    /// Bytes of events, as sent, that are in the log only.
    pub(crate) unflushed_event_bytes: AtomicU64,
    /// Whether the last write was refused for want of space.
    is_disk_full: AtomicBool,
    /// Why writes are refused, once they are.
    poisoned: OnceLock<String>,
}

impl Shared {
    pub(crate) fn new(options: Options, disk: Arc<dyn Disk>, published: Published) -> Shared {
        Shared {
            memory: options.memory.part(options.fresh_bytes_max),
            options,
            disk,
            published,
            followers: Followers::default(),
            queue: Queue::default(),
            log_pace: Pace::default(),
            sealing: Sealing::default(),
            flush: FlushSignal::default(),
            merge: WorkSignal::new(MERGE_RETRY_AFTER_MAX),
            offload: WorkSignal::new(OFFLOAD_RETRY_AFTER_MAX),
            chain: OnceLock::new(),
            cache: OnceLock::new(),
            retention: Mutex::default(),
            find_deleted: OnceLock::new(),
            counters: Counters::default(),
            unflushed_event_bytes: AtomicU64::new(0),
            is_disk_full: AtomicBool::new(false),
            poisoned: OnceLock::new(),
        }
    }

    /// Makes rows visible, all at once, hands them to those who follow, and full sources to the sealing threads.
    pub(crate) fn publish(&self, arrived: Vec<(SourceId, OpenRows)>, next_sequence: u64) {
        let event_bytes = arrived.iter().map(|(_, rows)| rows.event_bytes()).sum();
        self.unflushed_event_bytes
            .fetch_add(event_bytes, Ordering::Relaxed);
        let update = |arrived| {
            self.published.update(|view| {
                view.next_sequence = next_sequence;
                let generation = view.active_mut();
                for (source, rows) in arrived {
                    generation.push(source, rows);
                    self.seal_if_full(generation, source);
                }
                self.is_flush_due(generation)
            })
        };
        let is_due = self.followers.hand_over(arrived, update);
        self.flush.events_arrived(is_due);
    }

    /// Puts a segment in place of the generation it was made of.
    pub(crate) fn flushed(&self, generation: u64, segment: Arc<Segment>) {
        self.counters.flushed(segment.file_bytes());
        let update = |view: &mut View| view.replace_generation(generation, segment);
        if let Some(replaced) = self.published.update(update) {
            self.unflushed_event_bytes
                .fetch_sub(replaced.event_bytes, Ordering::Relaxed);
        }
    }

    /// What is kept of the bucket, if there is one.
    pub(crate) fn cache(&self) -> Option<&Arc<RangeCache>> {
        self.cache.get().and_then(Option::as_ref)
    }

    /// What has expired, as far as the store was told.
    pub(crate) fn retention(&self) -> Arc<Retention> {
        let retention = self.retention.lock();
        Arc::clone(&retention.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of what has expired.
    pub(crate) fn set_retention(&self, retention: Retention) {
        let mut current = self
            .retention
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(retention);
        drop(current);
        self.merge.wake();
    }

    fn seal_if_full(&self, generation: &mut Generation, source: SourceId) {
        let id = generation.id;
        let rows = generation.rows_mut(source);
        if rows.open_fill.is_full(&self.options) {
            let rows = rows.begin_sealing();
            self.sealing.push(Job {
                generation: id,
                source,
                rows,
            });
        }
    }

    fn is_flush_due(&self, generation: &Generation) -> bool {
        generation.event_bytes >= self.options.flush_event_bytes
            || generation.sealed_bytes >= self.options.flush_sealed_bytes
            // Many sources with few rows each fill the memory with rows that no block is made of yet.
            || generation.memory_bytes >= self.options.fresh_bytes_max / 2
    }

    /// Gathers the small batches of a source into larger ones. Only the writer of the log adds or takes open rows, and it calls
    /// this, so they cannot have changed between the two looks.
    pub(crate) fn gather(&self, source: SourceId) {
        let view = self.published.get();
        let rows = view.active().sources.get(&source);
        let Some(gathered) = rows.and_then(|rows| gather_small(&rows.open, &self.memory)) else {
            return;
        };
        drop(view);
        let replaced = self
            .published
            .update(|view| view.active_mut().replace_open(source, gathered));
        drop(replaced);
    }

    /// Refuses writes from now on.
    pub(crate) fn poison(&self, error: &dyn std::error::Error) -> AppendError {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            reason = format!("{reason}: {deeper}");
            cause = deeper.source();
        }
        self.poison_because(reason)
    }

    /// The same, with the reason in words.
    pub(crate) fn poison_because(&self, reason: String) -> AppendError {
        tracing::error!(reason, "writes are refused from now on");
        let reason = self.poisoned.get_or_init(|| reason).clone();
        AppendError::Poisoned { reason }
    }

    pub(crate) fn poisoned(&self) -> Option<&str> {
        self.poisoned.get().map(String::as_str)
    }

    pub(crate) fn check_not_poisoned(&self) -> Result<(), Error> {
        match self.poisoned() {
            Some(reason) => Err(Error::Poisoned {
                reason: reason.to_owned(),
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn check_writable(&self) -> Result<(), AppendError> {
        match self.poisoned() {
            Some(reason) => Err(AppendError::Poisoned {
                reason: reason.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Whether `bytes` more would leave the reserve alone. A disk that does not say is asked by writing.
    pub(crate) fn check_free_space(&self, bytes: u64) -> Result<(), AppendError> {
        let reserve_bytes = self.options.free_space_reserve_bytes;
        match self.disk.free_bytes() {
            Ok(free_bytes) if free_bytes < reserve_bytes.saturating_add(bytes) => {
                Err(self.disk_full())
            }
            _ => Ok(()),
        }
    }

    /// The refusal for want of space; said in the server's log when it begins.
    pub(crate) fn disk_full(&self) -> AppendError {
        let free_bytes = self.disk.free_bytes().unwrap_or(0);
        let reserve_bytes = self.options.free_space_reserve_bytes;
        if !self.is_disk_full.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                free_bytes,
                reserve_bytes,
                "the disk is full: events are refused"
            );
        }
        AppendError::DiskFull {
            free_bytes,
            reserve_bytes,
        }
    }

    /// After a write: there was space for it.
    pub(crate) fn disk_has_space(&self) {
        if self.is_disk_full.swap(false, Ordering::Relaxed) {
            tracing::info!("the disk has space again: events are taken");
        }
    }

    /// Whether the last write was refused for want of space and there is still none. Not only the next write
    /// tells: nobody may send one to a server that says it is full.
    pub(crate) fn is_disk_full(&self) -> bool {
        let reserve_bytes = self.options.free_space_reserve_bytes;
        self.is_disk_full.load(Ordering::Relaxed)
            && self
                .disk
                .free_bytes()
                .is_ok_and(|free| free < reserve_bytes)
    }
}
