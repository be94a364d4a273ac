//! What is counted of tails, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Since the service was opened.
#[derive(Debug, Default)]
pub(crate) struct TailCounters {
    opened: AtomicU64,
    refused: AtomicU64,
    rows: AtomicU64,
    dropped: AtomicU64,
    unexamined: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailCounts {
    pub(crate) opened: u64,
    pub(crate) refused: u64,
    pub(crate) rows: u64,
    pub(crate) dropped: u64,
    pub(crate) unexamined: u64,
}

impl TailCounters {
    pub(crate) fn open(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Rows offered to a reader, rows dropped for it, and events not looked at.
    pub(crate) fn offer(&self, rows: u64, dropped: u64, unexamined: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.dropped.fetch_add(dropped, Ordering::Relaxed);
        self.unexamined.fetch_add(unexamined, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> TailCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TailCounts {
            opened: read(&self.opened),
            refused: read(&self.refused),
            rows: read(&self.rows),
            dropped: read(&self.dropped),
            unexamined: read(&self.unexamined),
        }
    }
}
