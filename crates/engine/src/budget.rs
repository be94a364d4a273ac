//! How long a search may go on: its deadline, and whether its caller still wants the answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

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

/// The caller's way to stop a search: clones share one switch.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops the search at its next frame or block.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was stopped.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a search must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Deadline,
    Cancelled,
}

/// Asked between blocks and between the frames of a block.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    clock: Clock,
    deadline: Option<Instant>,
    cancel: Cancel,
}

impl Budget {
    pub(crate) fn new(clock: Clock, deadline: Option<Instant>, cancel: Cancel) -> Budget {
        Budget {
            clock,
            deadline,
            cancel,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Cut> {
        if self.cancel.is_cancelled() {
            return Err(Cut::Cancelled);
        }
        match self.deadline {
            Some(deadline) if self.clock.now() >= deadline => Err(Cut::Deadline),
            _ => Ok(()),
        }
    }

    /// The same without the deadline, to fetch what was found before it passed.
    pub(crate) fn without_deadline(&self) -> Budget {
        Budget {
            deadline: None,
            ..self.clone()
        }
    }
}
