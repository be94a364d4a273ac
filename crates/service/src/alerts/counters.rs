//! What checking alerts came to since the server was started.

use std::sync::atomic::{AtomicU64, Ordering};

use super::AlertRound;

/// Sums of all rounds, and how late the last round with checks was.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) checks: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) questions: AtomicU64,
    pub(crate) opened: AtomicU64,
    pub(crate) lateness_ms: AtomicU64,
    pub(crate) lateness_last_ms: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, round: &AlertRound) {
        let counts = [
            (&self.checks, round.checks),
            (&self.failed, round.failed),
            (&self.questions, round.questions),
            (&self.opened, round.opened),
            (&self.lateness_ms, round.lateness_ms),
        ];
        for (counter, count) in counts {
            counter.fetch_add(count, Ordering::Relaxed);
        }
        if round.checks > 0 {
            let last = round.lateness_max_ms;
            self.lateness_last_ms.store(last, Ordering::Relaxed);
        }
    }
}
