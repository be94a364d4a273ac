//! Until when a query may look at what has arrived; set anew for each batch, and kept even in the middle of a large text.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cordwood_event::Timestamp;
use cordwood_query::Interrupt;

use crate::Clock;
use crate::clauses::Compiler;

/// A time that can be moved, and the interrupt of the tests that keep to it.
#[derive(Debug)]
pub(super) struct Deadline {
    clock: Clock,
    began: Instant,
    /// The deadline, in nanoseconds since `began`.
    nanos: Arc<AtomicU64>,
    interrupt: Interrupt,
}

impl Deadline {
    pub(super) fn new(clock: Clock) -> Deadline {
        let began = clock.now();
        let nanos = Arc::new(AtomicU64::new(u64::MAX));
        let (of_text, until) = (clock.clone(), Arc::clone(&nanos));
        let interrupt = Interrupt::when(move || {
            nanos_between(began, of_text.now()) >= until.load(Ordering::Relaxed)
        });
        Deadline {
            clock,
            began,
            nanos,
            interrupt,
        }
    }

    /// One whose tests have not been interrupted: an interrupt that has been told lasts.
    pub(super) fn anew(&self) -> Deadline {
        Deadline::new(self.clock.clone())
    }

    pub(super) fn set(&self, until: Instant) {
        let nanos = nanos_between(self.began, until);
        self.nanos.store(nanos, Ordering::Relaxed);
    }

    pub(super) fn has_passed(&self) -> bool {
        nanos_between(self.began, self.clock.now()) >= self.nanos.load(Ordering::Relaxed)
    }

    /// Whether a test has given up: what it said must not be believed, nor what any test says that keeps to this deadline.
    pub(super) fn has_interrupted(&self) -> bool {
        self.interrupt.has_stopped()
    }

    /// Compiles what keeps to the deadline.
    pub(super) fn compiler(&self, now: Timestamp) -> Compiler {
        Compiler::new(now).interrupted_by(&self.interrupt)
    }
}

/// No process runs for the five centuries that would not fit.
fn nanos_between(from: Instant, to: Instant) -> u64 {
    let nanos = to.saturating_duration_since(from).as_nanos();
    u64::try_from(nanos).unwrap_or(u64::MAX)
}
