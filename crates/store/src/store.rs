//! The store as a whole: appends go in, snapshots come out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cordwood_event::Batch;

use crate::memtable::{HeldBatch, OpenRows, Sequences, gather_small};
use crate::snapshot::Snapshot;
use crate::view::{Published, View};
use crate::{
    Append, AppendError, Appended, BusyReason, Decode, Disk, Error, MemoryBudget, Options,
    Recovery, Stats,
};

/// An open data directory. Share it by `Arc`; every function takes `&self`.
pub struct Store {
    disk: Arc<dyn Disk>,
    decode: Arc<dyn Decode>,
    memory: MemoryBudget,
    published: Published,
    /// Held while a batch gets its sequence numbers and is published.
    order: Mutex<()>,
    events: AtomicU64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("disk", &self.disk)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory that `disk` is the root of, creating it if need be, and says what was found.
    pub fn open(
        options: Options,
        disk: Arc<dyn Disk>,
        decode: Arc<dyn Decode>,
    ) -> Result<(Store, Recovery), Error> {
        disk.create_dir("").map_err(Error::io("create", ""))?;
        let store = Store {
            disk,
            decode,
            memory: options.memory.part(options.fresh_bytes_max),
            published: Published::new(View::new(1)),
            order: Mutex::new(()),
            events: AtomicU64::new(0),
        };
        Ok((store, Recovery::default()))
    }

    /// Stores a batch; returns once it is on disk and visible.
    pub fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let bytes = append.batch.memory_bytes() as u64;
        let reservation = self.memory.try_reserve(bytes).ok_or(AppendError::Busy {
            reason: BusyReason::Memory,
            retry_after: std::time::Duration::from_secs(1),
        })?;
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = append.batch.len();
        let held = Arc::new(HeldBatch::new(append.batch, reservation));
        let first_sequence = self.published.update(|view| {
            let first = view.next_sequence;
            view.next_sequence += rows as u64;
            let open = OpenRows::new(held, Sequences::consecutive(first, rows));
            view.active_mut().push(append.source, open);
            first
        });
        self.gather(append.source);
        self.events.fetch_add(rows as u64, Ordering::Relaxed);
        Ok(Appended {
            duplicate: false,
            first_sequence,
        })
    }

    fn gather(&self, source: cordwood_event::SourceId) {
        self.published.update(|view| {
            let Some(rows) = view.active_mut().sources.get_mut(&source) else {
                return;
            };
            if let Some(gathered) = gather_small(&rows.open, &self.memory) {
                Arc::make_mut(rows).open = gathered;
            }
        });
    }

    /// The store as it is now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.published.get())
    }

    /// Moves all fresh events into a segment; returns when that is durable.
    pub fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Refuses appends from now on, waits for those under way, and ends all threads. Events stay in the log, from where
    /// the next start takes them.
    pub fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Counters and gauges.
    pub fn stats(&self) -> Stats {
        Stats {
            events: self.events.load(Ordering::Relaxed),
            fresh_bytes: self.memory.used_bytes(),
            ..Stats::default()
        }
    }

    /// The decoder the store was opened with.
    pub fn decoder(&self) -> &Arc<dyn Decode> {
        &self.decode
    }
}

#[expect(
    dead_code,
    reason = "asserts at compile time that a store can be shared"
)]
fn assert_shared(store: Store, batch: Batch) -> (impl Send + Sync, impl Send + Sync) {
    (store, batch)
}
