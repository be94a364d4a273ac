//! How a test that takes long on a text is told to give up: a regular expression can need a minute for one of ten megabytes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asked by tests that may take long, before and while they look at a text. Clones share what came of it.
///
/// A test that gives up says that it does not hold. Who set the interrupt must ask [`Self::has_stopped`] before believing what
/// was found.
#[derive(Clone, Default)]
pub struct Interrupt(Option<Arc<Asked>>);

struct Asked {
    is_over: Box<dyn Fn() -> bool + Send + Sync>,
    has_stopped: AtomicBool,
}

impl Interrupt {
    /// Gives up as soon as `is_over` holds; from then on it must go on to. It is asked for every few kilobytes of text.
    pub fn when(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Interrupt {
        Interrupt(Some(Arc::new(Asked {
            is_over: Box::new(is_over),
            has_stopped: AtomicBool::new(false),
        })))
    }

    /// Whether a test has given up.
    pub fn has_stopped(&self) -> bool {
        let asked = self.0.as_ref();
        asked.is_some_and(|asked| asked.has_stopped.load(Ordering::Relaxed))
    }

    /// Whether it can ever say that a test must give up.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Whether to give up now.
    pub(crate) fn stops(&self) -> bool {
        let Some(asked) = &self.0 else {
            return false;
        };
        let stops = asked.has_stopped.load(Ordering::Relaxed) || (asked.is_over)();
        if stops {
            asked.has_stopped.store(true, Ordering::Relaxed);
        }
        stops
    }

    /// Counts work, and asks now and then.
    pub(crate) fn every(&self, units: usize) -> Pace<'_> {
        Pace {
            interrupt: self,
            units,
            done: 0,
        }
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupt")
    }
}

/// Asks an interrupt once for so many units of work.
#[derive(Debug)]
pub(crate) struct Pace<'i> {
    interrupt: &'i Interrupt,
    units: usize,
    done: usize,
}

impl Pace<'_> {
    /// Takes note of work that is about to be done; whether to give up instead.
    pub(crate) fn stops(&mut self, units: usize) -> bool {
        self.done += units;
        if self.done < self.units {
            return false;
        }
        self.done = 0;
        self.interrupt.stops()
    }
}
