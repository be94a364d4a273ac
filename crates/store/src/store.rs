//! The store as a whole: appends go in, snapshots come out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::disk::DiskLock;
use crate::flush::Flusher;
use crate::log::{LogWriter, RECORD_BODY_BYTES_MAX, Request, StoredBody};
use crate::manifest::{Chain, SegmentEntry};
use crate::memtable::HeldBatch;
use crate::merge::Merger;
use crate::offload::Offloader;
use crate::recovery::{self, Recovered};
use crate::segment::Segment;
use crate::shared::Shared;
use crate::view::View;
use crate::{
    Append, AppendError, Appended, Backup, BusyReason, Compacted, Decode, Deletion,
    DeletionRequest, Disk, Error, Feed, FindDeleted, Offloaded, Options, Recovery, Retention,
    Snapshot, Stats, eviction, layout, sealing,
};

/// Longest format descriptor and longest batch key; their lengths take 16 bits in the log.
const TEXT_BYTES_MAX: usize = u16::MAX as usize;

/// An open data directory. Share it by `Arc`; every function takes `&self`.
pub struct Store {
    shared: Arc<Shared>,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    writer: Option<JoinHandle<()>>,
    flusher: Option<JoinHandle<()>>,
    merger: Option<JoinHandle<()>>,
    offloader: Option<JoinHandle<()>>,
    sealers: Vec<JoinHandle<()>>,
    /// Given up last.
    lock: Option<Box<dyn DiskLock>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("disk", &self.shared.disk)
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
        let lock = layout::prepare(disk.as_ref())?;
        let opened = recovery::open(options, disk)?;
        let store = Store {
            shared: Arc::clone(&opened.shared),
            threads: Mutex::new(Threads {
                lock: Some(lock),
                ..Threads::default()
            }),
        };
        // Should what follows fail, the drop of the store ends the threads.
        store.start_sealing()?;
        let recovered = opened.replay(decode.as_ref())?;
        let recovery = recovered.recovery.clone();
        store.start_writing(recovered)?;
        Ok((store, recovery))
    }

    /// Stores a batch; returns once it is on disk and visible. Blocks; about one sync of the disk.
    pub fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let result = self.try_append(append);
        if let Err(error) = &result {
            self.shared.counters.refused(error);
        }
        result
    }

    fn try_append(&self, append: Append) -> Result<Appended, AppendError> {
        check_size(&append)?;
        self.check_unflushed()?;
        self.shared.check_writable()?;
        let bytes = append.batch.memory_bytes() + append.body.len();
        let reservation = self.shared.memory.try_reserve(bytes as u64);
        let reservation = reservation.ok_or(AppendError::busy(BusyReason::Memory))?;
        let body = match !append.compressed && self.is_log_behind() {
            true => StoredBody::packed(append.body),
            false => StoredBody::plain(append.body),
        };
        let (answer, answered) = sync_channel(1);
        self.shared.queue.push(Request {
            source: append.source,
            received_at: append.received_at,
            format: append.format,
            batch_key: append.batch_key,
            body,
            held: HeldBatch::new(append.batch, reservation),
            answer,
        })?;
        // The writer answers every request; if it did not, it panicked, and what became of the batch is unknown.
        answered.recv().unwrap_or_else(|_| {
            let reason = "the thread that writes the log ended".to_owned();
            Err(self.shared.poison_because(reason))
        })
    }

    /// Whether bytes for the log are dearer than the time to compress them (decision 0024).
    fn is_log_behind(&self) -> bool {
        self.shared.log_pace.is_slow() || self.shared.queue.is_long()
    }

    fn check_unflushed(&self) -> Result<(), AppendError> {
        let unflushed = self.shared.unflushed_event_bytes.load(Ordering::Relaxed);
        if unflushed >= self.shared.options.unflushed_event_bytes_max {
            return Err(AppendError::busy(BusyReason::Unflushed));
        }
        Ok(())
    }

    /// The store as it is now: every append that has returned is in it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.shared.published.get())
    }

    /// What arrives from now on. Every event is in the feed or in all snapshots taken after this call; those that are in both
    /// are told by [`Snapshot::last_sequence`]. At most `bytes_max` of memory wait to be taken.
    pub fn follow(&self, bytes_max: u64) -> Feed {
        self.shared.followers.follow(bytes_max)
    }

    /// Moves all events there are now into segments; returns when that is durable.
    pub fn flush(&self) -> Result<(), Error> {
        let (answer, answered) = sync_channel(1);
        self.shared.flush.request(answer)?;
        answered.recv().unwrap_or(Err(Error::Closed))
    }

    /// Says what has expired, and how large sources may be: what is over is hidden on return. All of it goes with later
    /// merges, whole segments of it soon.
    pub fn set_retention(&self, retention: Retention) {
        self.shared.set_retention(retention);
        let Some(chain) = self.shared.chain.get() else {
            return;
        };
        if let Err(error) = eviction::evict(&self.shared, chain) {
            let source = std::error::Error::source(&error);
            tracing::warn!(%error, source, "could not evict events, a merge will");
        }
    }

    /// Merges all segments that can be merged, and removes all that has expired; returns when that is done.
    pub fn compact(&self) -> Result<Compacted, Error> {
        let (answer, answered) = sync_channel(1);
        self.shared.merge.request(answer)?;
        answered.recv().unwrap_or(Err(Error::Closed))
    }

    /// Deletes events: on return they are hidden for good, and who takes a snapshot learns it from
    /// [`Snapshot::deletions`]. They leave the files as segments are rewritten, which begins at once.
    pub fn delete(
        &self,
        request: DeletionRequest,
        events_hidden: Option<u64>,
    ) -> Result<Deletion, Error> {
        self.shared.check_not_poisoned()?;
        let chain = self.shared.chain.get().ok_or(Error::Closed)?;
        let deletion = chain.add_deletion(&*self.shared.disk, request, events_hidden)?;
        let hidden = deletion.clone();
        self.shared
            .published
            .update(|view| Arc::make_mut(&mut view.deletions).push(hidden));
        self.shared.merge.wake();
        // Should the newest manifest go bad, the one before it must not bring back what was deleted.
        chain.commit(&*self.shared.disk, |_| {})?;
        Ok(deletion)
    }

    /// The deletions that stand, and the last thousand of those that are done, by their numbers.
    pub fn deletions(&self) -> Vec<Deletion> {
        let chain = self.shared.chain.get();
        chain.map(|chain| chain.deletions()).unwrap_or_default()
    }

    /// Tells which rows deletions mean, so that they can be purged; to be said once.
    pub fn purge_with(&self, find_deleted: Arc<dyn FindDeleted>) {
        self.shared.find_deleted.get_or_init(|| find_deleted);
        self.shared.merge.wake();
    }

    /// Copies all segments there are now to the bucket, and lets go of files that have no room here; returns when that is
    /// done. Without a bucket there is nothing to do.
    pub fn offload(&self) -> Result<Offloaded, Error> {
        if self.shared.options.remote.is_none() {
            return Ok(Offloaded::default());
        }
        let (answer, answered) = sync_channel(1);
        self.shared.offload.request(answer)?;
        answered.recv().unwrap_or(Err(Error::Closed))
    }

    /// Flushes, and holds on to the files that make up the store then, to copy them.
    pub fn begin_backup(&self) -> Result<Backup, Error> {
        self.flush()?;
        let chain = self.shared.chain.get().ok_or(Error::Closed)?;
        loop {
            let manifest = chain.newest();
            let view = self.shared.published.get();
            if let Some(missing) = view.missing.first() {
                return Err(Error::Damaged {
                    file: missing.file.clone(),
                    reason: "what cannot be read cannot be copied".into(),
                });
            }
            let find = |entry: &SegmentEntry| {
                let found = view
                    .segments
                    .iter()
                    .find(|segment| segment.id() == entry.id);
                found.cloned()
            };
            let segments: Option<Vec<_>> = manifest.segments.iter().map(find).collect();
            if let Some(segments) = segments {
                return Ok(Backup::new(manifest.without_bucket(), segments));
            }
            // Between a commit and its publication; that takes microseconds.
            std::thread::yield_now();
        }
    }

    /// Refuses appends from now on, waits for those under way, and ends all threads. Events stay in the log, from where
    /// the next start takes them: nothing is left to sync. Closing twice is harmless.
    pub fn close(&self) -> Result<(), Error> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.offload.close();
        self.shared.merge.close();
        self.shared.flush.close();
        self.shared.queue.close();
        let writer = threads.writer.take();
        let writer = writer.map_or(Ok(()), JoinHandle::join);
        self.shared.followers.close();
        self.shared.sealing.close();
        let flusher = threads.flusher.take();
        let flusher = flusher.map_or(Ok(()), JoinHandle::join);
        let merger = threads.merger.take();
        let merger = merger.map_or(Ok(()), JoinHandle::join);
        let offloader = threads.offloader.take();
        let offloader = offloader.map_or(Ok(()), JoinHandle::join);
        let sealers = threads.sealers.drain(..).map(JoinHandle::join);
        let sealers = sealers.fold(Ok(()), Result::and);
        threads.lock = None;
        let joined = writer.and(flusher).and(merger).and(offloader).and(sealers);
        if joined.is_err() {
            self.shared
                .poison_because("a thread of the store panicked".into());
        }
        self.shared.check_not_poisoned()
    }

    /// Counters and gauges.
    pub fn stats(&self) -> Stats {
        let view = self.shared.published.get();
        let mut stats = self.shared.counters.read();
        stats.poisoned = self.shared.poisoned().map(str::to_owned);
        stats.is_disk_full = self.shared.is_disk_full();
        stats.fresh_bytes = self.shared.memory.used_bytes();
        stats.unflushed_event_bytes = self.shared.unflushed_event_bytes.load(Ordering::Relaxed);
        stats.segments = view.segments.len() as u64;
        stats.segment_bytes = view
            .segments
            .iter()
            .map(|segment| segment.file_bytes())
            .sum();
        stats.read_errors = view
            .segments
            .iter()
            .map(|segment| segment.read_errors())
            .sum();
        let mut missing: Vec<&str> = view.missing.iter().map(|missing| &*missing.file).collect();
        missing.dedup();
        stats.segments_missing = missing.len() as u64;
        stats.deletions_standing = view.deletions.len() as u64;
        stats.disk_free_bytes = self.shared.disk.free_bytes().ok();
        stats.segments_away = count(&view, |segment| !segment.is_local());
        stats.bucket = self.shared.cache().map(|cache| {
            let mut bucket = self.shared.counters.read_bucket();
            bucket.add_cache(cache);
            bucket.segments_waiting = count(&view, |segment| segment.object().is_none());
            bucket
        });
        stats
    }

    fn start_sealing(&self) -> Result<(), Error> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for index in 0..self.shared.options.sealing_threads.max(1) {
            let shared = Arc::clone(&self.shared);
            let thread = spawn(format!("store-seal-{index}"), move || sealing::run(&shared))?;
            threads.sealers.push(thread);
        }
        Ok(())
    }

    fn start_writing(&self, recovered: Recovered) -> Result<(), Error> {
        let Recovered {
            manifest,
            files,
            position,
            keys,
            next_sequence,
            recovery,
        } = recovered;
        let writer = LogWriter::new(Arc::clone(&self.shared), position, next_sequence, keys);
        let chain = Arc::new(Chain::new(manifest));
        let chain = Arc::clone(self.shared.chain.get_or_init(|| chain));
        let flusher = Flusher::new(
            Arc::clone(&self.shared),
            Arc::clone(&files),
            Arc::clone(&chain),
        );
        let offloader = files.cache().map(|cache| {
            let (shared, chain) = (Arc::clone(&self.shared), Arc::clone(&chain));
            Offloader::new(shared, chain, Arc::clone(cache.objects()), &recovery.damage)
        });
        let _ = self.shared.cache.set(files.cache().cloned());
        let merger = Merger::new(Arc::clone(&self.shared), files, chain);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = Arc::clone(&self.shared);
        threads.writer = Some(spawn("store-log".into(), move || {
            // Whoever waits for an answer must not wait for ever.
            if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                shared.poison_because("the thread that writes the log failed".into());
                shared.queue.abandon();
            }
        })?);
        let shared = Arc::clone(&self.shared);
        threads.flusher = Some(spawn("store-flush".into(), move || {
            if catch_unwind(AssertUnwindSafe(|| flusher.run())).is_err() {
                shared.poison_because("the thread that flushes failed".into());
                shared.flush.close();
            }
        })?);
        let shared = Arc::clone(&self.shared);
        threads.merger = Some(spawn("store-merge".into(), move || {
            // Nothing of a merge is committed but by its last step: reads and writes go on without merges.
            if catch_unwind(AssertUnwindSafe(|| merger.run())).is_err() {
                tracing::error!(
                    "the thread that merges failed; segments are not merged until the next start"
                );
                shared.merge.close();
            }
        })?);
        if let Some(offloader) = offloader {
            let shared = Arc::clone(&self.shared);
            threads.offloader = Some(spawn("store-bucket".into(), move || {
                if catch_unwind(AssertUnwindSafe(|| offloader.run())).is_err() {
                    tracing::error!(
                        "the thread that copies to the bucket failed; segments stay here until the next start"
                    );
                    shared.offload.close();
                }
            })?);
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Whoever wants to know the outcome calls it before.
        let _ = self.close();
    }
}

fn count(view: &View, filter: impl Fn(&Segment) -> bool) -> u64 {
    let segments = view.segments.iter();
    segments.filter(|segment| filter(segment)).count() as u64
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    std::thread::Builder::new()
        .name(name.clone())
        .spawn(work)
        .map_err(Error::io("start", format!("the thread {name}")))
}

fn check_size(append: &Append) -> Result<(), AppendError> {
    let key = append.batch_key.as_deref().unwrap_or_default();
    let sizes = [
        (append.body.len(), RECORD_BODY_BYTES_MAX),
        (append.format.len(), TEXT_BYTES_MAX),
        (key.len(), TEXT_BYTES_MAX),
    ];
    match sizes
        .into_iter()
        .find(|(bytes, bytes_max)| bytes > bytes_max)
    {
        Some((bytes, bytes_max)) => Err(AppendError::TooLarge {
            bytes: bytes as u64,
            bytes_max: bytes_max as u64,
        }),
        None => Ok(()),
    }
}
