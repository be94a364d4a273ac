//! Counters of the store, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::bucket::RangeCache;
use crate::{AppendError, Appended, Compacted, Offloaded};

/// A reading of the store's counters and gauges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Appends acknowledged, duplicates included.
    pub appends: u64,
    /// Of these, repeated batch keys.
    pub duplicates: u64,
    /// Events stored since the start.
    pub events: u64,
    /// Appends refused because something was exhausted.
    pub refused_busy: u64,
    /// Appends refused for want of disk space.
    pub refused_disk_full: u64,
    /// Appends refused since a failure of the disk.
    pub refused_poisoned: u64,
    /// Why writes are refused for good, if they are.
    pub poisoned: Option<String>,
    /// Whether the last write was refused because the disk is full, as it still is.
    pub is_disk_full: bool,
    /// Writes to the log, each with one sync, for one or many appends.
    pub log_writes: u64,
    /// Bytes written to the log.
    pub log_bytes: u64,
    /// Flushes done.
    pub flushes: u64,
    /// Flushes that failed; they are tried again.
    pub flush_failures: u64,
    /// Bytes of segments written.
    pub flushed_bytes: u64,
    /// Merges done.
    pub merges: u64,
    /// Merges that failed; they are tried again.
    pub merge_failures: u64,
    /// Bytes of segments that merges have read.
    pub merged_bytes_in: u64,
    /// Bytes of segments that merges have written.
    pub merged_bytes_out: u64,
    /// Events that merges have removed, because they had expired or were deleted.
    pub events_removed: u64,
    /// Bytes of memory that fresh events take.
    pub fresh_bytes: u64,
    /// Bytes of events, as sent, that are in the log only.
    pub unflushed_event_bytes: u64,
    /// Segments that can be read.
    pub segments: u64,
    /// Bytes of these.
    pub segment_bytes: u64,
    /// Segments that cannot be read; what is in them is missing from answers.
    pub segments_missing: u64,
    /// Deletions whose events are hidden and may still be in a file.
    pub deletions_standing: u64,
    /// Reads of blocks that failed, of a disk or a checksum.
    pub read_errors: u64,
    /// Bytes free on the disk, if it says.
    pub disk_free_bytes: Option<u64>,
    /// Segments of which the blocks are in the bucket only.
    pub segments_away: u64,
    /// What there is to say of the bucket, if there is one.
    pub bucket: Option<BucketStats>,
}

/// A reading of the counters and gauges of the bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketStats {
    /// Segments copied and read back.
    pub uploads: u64,
    /// Uploads that failed; they are tried again.
    pub upload_failures: u64,
    /// Bytes of segments copied.
    pub uploaded_bytes: u64,
    /// Files of segments let go, to be read from the bucket.
    pub evictions: u64,
    /// Objects removed.
    pub removals: u64,
    /// Reads of a piece that was on the local disk.
    pub cache_hits: u64,
    /// Bytes of pieces on the local disk.
    pub cache_bytes: u64,
    /// Requests to the bucket for what was not.
    pub fetches: u64,
    /// Bytes of these.
    pub fetched_bytes: u64,
    /// Requests that failed.
    pub fetch_failures: u64,
    /// Segments that wait to be copied.
    pub segments_waiting: u64,
    /// Objects that a manifest names and the last sweep did not find.
    pub objects_missing: u64,
    /// Why the bucket is not read now, if so.
    pub outage: Option<String>,
}

impl BucketStats {
    pub(crate) fn add_cache(&mut self, cache: &RangeCache) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.cache_hits = read(&cache.counters.hits);
        self.fetches = read(&cache.counters.fetches);
        self.fetched_bytes = read(&cache.counters.fetched_bytes);
        self.fetch_failures = read(&cache.counters.fetch_failures);
        self.cache_bytes = cache.bytes();
        self.outage = cache.outage();
    }
}

/// What is counted while the store runs.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    appends: AtomicU64,
    duplicates: AtomicU64,
    events: AtomicU64,
    refused_busy: AtomicU64,
    refused_disk_full: AtomicU64,
    refused_poisoned: AtomicU64,
    log_writes: AtomicU64,
    log_bytes: AtomicU64,
    flushes: AtomicU64,
    flush_failures: AtomicU64,
    flushed_bytes: AtomicU64,
    merges: AtomicU64,
    merge_failures: AtomicU64,
    merged_bytes_in: AtomicU64,
    merged_bytes_out: AtomicU64,
    events_removed: AtomicU64,
    uploads: AtomicU64,
    upload_failures: AtomicU64,
    uploaded_bytes: AtomicU64,
    evictions: AtomicU64,
    removals: AtomicU64,
    objects_missing: AtomicU64,
}

impl Counters {
    pub(crate) fn appended(&self, appended: Appended, events: usize) {
        add(&self.appends, 1);
        if appended.duplicate {
            add(&self.duplicates, 1);
        } else {
            add(&self.events, events as u64);
        }
    }

    pub(crate) fn refused(&self, error: &AppendError) {
        match error {
            AppendError::Busy { .. } => add(&self.refused_busy, 1),
            AppendError::DiskFull { .. } => add(&self.refused_disk_full, 1),
            AppendError::Poisoned { .. } => add(&self.refused_poisoned, 1),
            AppendError::TooLarge { .. } | AppendError::Closed => {}
        }
    }

    pub(crate) fn group_written(&self, bytes: usize) {
        add(&self.log_writes, 1);
        add(&self.log_bytes, bytes as u64);
    }

    pub(crate) fn flushed(&self, bytes: u64) {
        add(&self.flushes, 1);
        add(&self.flushed_bytes, bytes);
    }

    pub(crate) fn flush_failed(&self) {
        add(&self.flush_failures, 1);
    }

    pub(crate) fn merged(&self, merged: &Compacted) {
        add(&self.merges, merged.merges);
        add(&self.merged_bytes_in, merged.bytes_in);
        add(&self.merged_bytes_out, merged.bytes_out);
        add(&self.events_removed, merged.events_removed);
    }

    pub(crate) fn merge_failed(&self) {
        add(&self.merge_failures, 1);
    }

    pub(crate) fn uploaded(&self, bytes: u64) {
        add(&self.uploads, 1);
        add(&self.uploaded_bytes, bytes);
    }

    pub(crate) fn upload_failed(&self) {
        add(&self.upload_failures, 1);
    }

    pub(crate) fn offloaded(&self, done: &Offloaded) {
        add(&self.evictions, done.evicted);
        add(&self.removals, done.removed);
    }

    pub(crate) fn objects_missing(&self, count: u64) {
        self.objects_missing.store(count, Ordering::Relaxed);
    }

    /// What was counted of the bucket; what the cache knows is left at nothing.
    pub(crate) fn read_bucket(&self) -> BucketStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BucketStats {
            uploads: read(&self.uploads),
            upload_failures: read(&self.upload_failures),
            uploaded_bytes: read(&self.uploaded_bytes),
            evictions: read(&self.evictions),
            removals: read(&self.removals),
            objects_missing: read(&self.objects_missing),
            ..BucketStats::default()
        }
    }

    /// What was counted; the gauges are left at nothing.
    pub(crate) fn read(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            appends: read(&self.appends),
            duplicates: read(&self.duplicates),
            events: read(&self.events),
            refused_busy: read(&self.refused_busy),
            refused_disk_full: read(&self.refused_disk_full),
            refused_poisoned: read(&self.refused_poisoned),
            log_writes: read(&self.log_writes),
            log_bytes: read(&self.log_bytes),
            flushes: read(&self.flushes),
            flush_failures: read(&self.flush_failures),
            flushed_bytes: read(&self.flushed_bytes),
            merges: read(&self.merges),
            merge_failures: read(&self.merge_failures),
            merged_bytes_in: read(&self.merged_bytes_in),
            merged_bytes_out: read(&self.merged_bytes_out),
            events_removed: read(&self.events_removed),
            ..Stats::default()
        }
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
