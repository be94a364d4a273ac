//! How long a search may go on: its deadline, and whether its caller still wants the answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cordwood_event::Timestamp;
use cordwood_query::Interrupt;

use crate::clauses::Compiler;

/// The engine's clock, handed in by whoever owns time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Instant + Send + Sync>);

impl Clock {
    /// A clock that reads `now`; it must not run backwards.
    pub fn new(now: impl Fn() -> Instant + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    /// The instant now.
    pub fn now(&self) -> Instant {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The caller's end of a search: it can stop it, and see how far it has come. Clones are ends of the same search.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    is_cancelled: AtomicBool,
    parts_planned: AtomicU64,
    parts_done: AtomicU64,
    rows_scanned: AtomicU64,
}

/// How far a search has come. Parts are blocks, and batches of open rows; a search may be done before all are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Parts that pruning has left, as far as it has been planned.
    pub parts_planned: u64,
    /// Of these, done.
    pub parts_done: u64,
    /// Events looked at.
    pub rows_scanned: u64,
}

impl Cancel {
    /// Stops the search at its next frame or block.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Relaxed)
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress {
            // Read first, so that never more parts are done than are planned.
            parts_done: self.0.parts_done.load(Ordering::Acquire),
            parts_planned: self.0.parts_planned.load(Ordering::Relaxed),
            rows_scanned: self.0.rows_scanned.load(Ordering::Relaxed),
        }
    }

    /// So many parts more are to be done.
    pub(crate) fn plan_parts(&self, parts: u64) {
        self.0.parts_planned.fetch_add(parts, Ordering::Relaxed);
    }

    /// One part is done.
    pub(crate) fn count_part(&self, rows_scanned: u64) {
        self.0
            .rows_scanned
            .fetch_add(rows_scanned, Ordering::Relaxed);
        self.0.parts_done.fetch_add(1, Ordering::Release);
    }
}

/// Why a search must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Deadline,
    Cancelled,
    /// Arrays put a few events in more groups than all others are in.
    Combinations,
}

/// Asked between blocks and between the frames of a block.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    clock: Clock,
    deadline: Option<Instant>,
    cancel: Cancel,
    /// Asks the same in the middle of a large text.
    interrupt: Interrupt,
}

impl Budget {
    pub(crate) fn new(clock: Clock, deadline: Option<Instant>, cancel: Cancel) -> Budget {
        let (of_text, is_given_up) = (clock.clone(), cancel.clone());
        let is_over = move || check(&is_given_up, deadline, &of_text).is_err();
        Budget {
            clock,
            deadline,
            cancel,
            interrupt: Interrupt::when(is_over),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Cut> {
        check(&self.cancel, self.deadline, &self.clock)
    }

    /// The instant now, by the clock of the deadline.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The caller's end.
    pub(crate) fn caller(&self) -> &Cancel {
        &self.cancel
    }

    /// Whether its caller has given up.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Why the search must stop, if a test of a text has given up for it: what that test said must not be believed.
    pub(crate) fn interrupted(&self) -> Option<Cut> {
        let has_stopped = self.interrupt.has_stopped();
        // What has stopped it lasts.
        has_stopped.then(|| {
            check(&self.cancel, None, &self.clock)
                .err()
                .unwrap_or(Cut::Deadline)
        })
    }

    /// Compiles clauses whose tests keep to this budget.
    pub(crate) fn compiler(&self, now: Timestamp) -> Compiler {
        Compiler::new(now).interrupted_by(&self.interrupt)
    }

    /// The same without the deadline, to fetch what was found before it passed.
    pub(crate) fn without_deadline(&self) -> Budget {
        Budget {
            deadline: None,
            ..self.clone()
        }
    }
}

fn check(cancel: &Cancel, deadline: Option<Instant>, clock: &Clock) -> Result<(), Cut> {
    if cancel.is_cancelled() {
        return Err(Cut::Cancelled);
    }
    match deadline {
        Some(deadline) if clock.now() >= deadline => Err(Cut::Deadline),
        _ => Ok(()),
    }
}
