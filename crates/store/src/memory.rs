//! A budget of bytes that everything large is taken from: fresh events, blocks, bodies, queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A ceiling and what is used of it. Cheap to clone; clones share.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    ceiling_bytes: u64,
    used_bytes: AtomicU64,
    refusals: AtomicU64,
    parent: Option<MemoryBudget>,
}

impl MemoryBudget {
    /// What a server keeps to unless told otherwise.
    pub const CEILING_BYTES_DEFAULT: u64 = 1 << 30;

    /// A budget of its own.
    pub fn new(ceiling_bytes: u64) -> MemoryBudget {
        MemoryBudget::build(ceiling_bytes, None)
    }

    /// A part of this budget: what is reserved there counts here too.
    pub fn part(&self, ceiling_bytes: u64) -> MemoryBudget {
        MemoryBudget::build(ceiling_bytes, Some(self.clone()))
    }

    fn build(ceiling_bytes: u64, parent: Option<MemoryBudget>) -> MemoryBudget {
        MemoryBudget {
            shared: Arc::new(Shared {
                ceiling_bytes,
                used_bytes: AtomicU64::new(0),
                refusals: AtomicU64::new(0),
                parent,
            }),
        }
    }

    /// Reserves `bytes` unless that goes past the ceiling.
    pub fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        if !self.try_take(bytes) {
            return None;
        }
        Some(self.holding(bytes))
    }

    /// Reserves `bytes` even past the ceiling: for what exists already and is about to replace something larger.
    pub fn reserve(&self, bytes: u64) -> Reservation {
        self.take(bytes);
        self.holding(bytes)
    }

    /// The most that [`try_reserve`](Self::try_reserve) gives out.
    pub fn ceiling_bytes(&self) -> u64 {
        self.shared.ceiling_bytes
    }

    /// What is reserved now.
    pub fn used_bytes(&self) -> u64 {
        self.shared.used_bytes.load(Ordering::Relaxed)
    }

    /// Whether so many bytes could be reserved now.
    pub fn has_room(&self, bytes: u64) -> bool {
        let sum = self.used_bytes().checked_add(bytes);
        let parent = self.shared.parent.as_ref();
        sum.is_some_and(|sum| sum <= self.shared.ceiling_bytes)
            && parent.is_none_or(|parent| parent.has_room(bytes))
    }

    /// How often a reservation was refused, for want of room here or above.
    pub fn refusals(&self) -> u64 {
        self.shared.refusals.load(Ordering::Relaxed)
    }

    fn holding(&self, bytes: u64) -> Reservation {
        Reservation {
            budget: self.clone(),
            bytes,
        }
    }

    fn try_take(&self, bytes: u64) -> bool {
        let fits = |used: u64| {
            used.checked_add(bytes)
                .filter(|sum| *sum <= self.shared.ceiling_bytes)
        };
        let used = &self.shared.used_bytes;
        let has_room = used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_ok();
        let parent = self.shared.parent.as_ref();
        if has_room && parent.is_none_or(|parent| parent.try_take(bytes)) {
            return true;
        }
        if has_room {
            used.fetch_sub(bytes, Ordering::Relaxed);
        }
        self.shared.refusals.fetch_add(1, Ordering::Relaxed);
        false
    }

    fn take(&self, bytes: u64) {
        self.shared.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Some(parent) = &self.shared.parent {
            parent.take(bytes);
        }
    }

    fn give_back(&self, bytes: u64) {
        self.shared.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(parent) = &self.shared.parent {
            parent.give_back(bytes);
        }
    }
}

impl Default for MemoryBudget {
    fn default() -> MemoryBudget {
        MemoryBudget::new(MemoryBudget::CEILING_BYTES_DEFAULT)
    }
}

/// Bytes taken from a budget; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    bytes: u64,
}

impl Reservation {
    /// How many bytes are held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives back all but `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        self.budget.give_back(surplus);
    }

    /// Takes `bytes` more, unless that goes past the ceiling.
    pub fn try_grow(&mut self, bytes: u64) -> bool {
        let is_granted = self.budget.try_take(bytes);
        if is_granted {
            self.bytes += bytes;
        }
        is_granted
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}
