//! The memory that an answer in the making holds.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cordwood_store::Reservation;

/// What is held, shared by the threads that work on the answer.
#[derive(Debug)]
pub(crate) struct Held {
    reservation: Mutex<Option<Reservation>>,
    bytes_max: u64,
}

impl Held {
    /// Nothing yet; at most a share of the budget, so that others can ask too.
    pub(crate) fn new(memory: &cordwood_store::MemoryBudget) -> Held {
        /// One question may keep a quarter of what all have.
        const SHARE: u64 = 4;
        Held {
            reservation: Mutex::new(memory.try_reserve(0)),
            bytes_max: memory.ceiling_bytes() / SHARE,
        }
    }

    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    pub(crate) fn try_grow(&self, bytes: u64) -> bool {
        self.reservation().as_mut().is_some_and(|reservation| {
            reservation.bytes() + bytes <= self.bytes_max && reservation.try_grow(bytes)
        })
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        if let Some(reservation) = self.reservation().as_mut() {
            reservation.shrink_to(reservation.bytes().saturating_sub(bytes));
        }
    }

    /// No panic leaves a reservation half changed.
    fn reservation(&self) -> MutexGuard<'_, Option<Reservation>> {
        self.reservation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
