//! The memory one statement may take, counted against that of the whole process.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cordwood_store::{MemoryBudget, Reservation};
use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};

/// A pool for one statement.
#[derive(Debug)]
pub(crate) struct StatementMemory {
    held: Mutex<Reservation>,
    bytes_max: u64,
}

impl StatementMemory {
    /// At most a share of the budget, so that others can ask too.
    pub(crate) fn new(budget: &MemoryBudget) -> StatementMemory {
        StatementMemory {
            held: Mutex::new(budget.reserve(0)),
            bytes_max: StatementMemory::bytes_max_of(budget),
        }
    }

    /// The most a statement may take.
    pub(crate) fn bytes_max_of(budget: &MemoryBudget) -> u64 {
        /// As much as a question with stages may keep.
        const SHARE: u64 = 4;
        budget.ceiling_bytes() / SHARE
    }

    /// Takes so many bytes; whether they were to be had.
    pub(crate) fn try_take(&self, bytes: u64) -> bool {
        let mut held = self.held();
        held.bytes().saturating_add(bytes) <= self.bytes_max && held.try_grow(bytes)
    }

    fn held(&self) -> MutexGuard<'_, Reservation> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for StatementMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes for a statement", self.bytes_max)
    }
}

impl MemoryPool for StatementMemory {
    fn name(&self) -> &str {
        "statement"
    }

    /// What exists already is counted as far as there is room; DataFusion asks beforehand for what can be refused.
    fn grow(&self, _reservation: &MemoryReservation, additional: usize) {
        self.try_take(additional as u64);
    }

    fn shrink(&self, _reservation: &MemoryReservation, shrink: usize) {
        let mut held = self.held();
        let left = held.bytes().saturating_sub(shrink as u64);
        held.shrink_to(left);
    }

    fn try_grow(&self, _reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if self.try_take(additional as u64) {
            return Ok(());
        }
        Err(resources_datafusion_err!(
            "the memory of the statement ran out"
        ))
    }

    fn reserved(&self) -> usize {
        usize::try_from(self.held().bytes()).unwrap_or(usize::MAX)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(usize::try_from(self.bytes_max).unwrap_or(usize::MAX))
    }
}
