//! The memory of answers: a part of the budget that all of them share, so that many large ones side by side stay below the
//! ceiling with everything else.
//!
//! An answer is charged while it is made and until it is dropped, which is when it has been sent. What does not fit waits a
//! moment for others to go, then a page ends early, or has nothing and says so.

use std::sync::Arc;
use std::thread;

use cordwood_store::{MemoryBudget, Reservation};

use crate::budget::Budget;
use crate::run::PATIENCE;

/// All answers together may take so much of the budget: a quarter.
const SHARE: u64 = 4;

/// One answer may take so much of what all may.
const SHARE_OF_ONE: u64 = 4;

/// When the events of an answer take more memory than this, the page ends early. Far above a page of ordinary events.
const ONE_BYTES_MAX: u64 = 64 << 20;

/// How often it is asked again whether there is room, every [`PATIENCE`]: a second, in which most answers are sent.
const TURNS: usize = 100;

/// What all answers may take together.
#[derive(Clone, Debug)]
pub(crate) struct AnswerBudget {
    all: MemoryBudget,
    /// The answers, of `all`.
    answers: MemoryBudget,
}

/// The memory of an answer, counted until the last clone is dropped: to be kept as long as the answer is.
#[derive(Clone, Debug)]
pub struct AnswerMemory {
    reservation: Arc<Reservation>,
}

impl AnswerMemory {
    /// How much it is.
    pub fn bytes(&self) -> u64 {
        self.reservation.bytes()
    }
}

/// Answers are compared by what they say.
impl PartialEq for AnswerMemory {
    fn eq(&self, _: &AnswerMemory) -> bool {
        true
    }
}

impl From<Reservation> for AnswerMemory {
    fn from(reservation: Reservation) -> AnswerMemory {
        AnswerMemory {
            reservation: Arc::new(reservation),
        }
    }
}

impl AnswerBudget {
    pub(crate) fn new(all: &MemoryBudget) -> AnswerBudget {
        AnswerBudget {
            answers: all.part(all.ceiling_bytes() / SHARE),
            all: all.clone(),
        }
    }

    /// The most that one answer may take, but for its first event, which may be larger.
    pub(crate) fn bytes_max(&self) -> u64 {
        (self.answers.ceiling_bytes() / SHARE_OF_ONE).min(ONE_BYTES_MAX)
    }

    /// Nothing yet.
    pub(crate) fn begin(&self) -> Reservation {
        self.answers.reserve(0)
    }

    /// Room for what an answer is made with, and gives back before it is sent; `None` when there is none, or the caller gives up.
    pub(crate) fn work(&self, bytes: u64, budget: &Budget) -> Option<Reservation> {
        wait_for(&self.all, bytes, budget).then(|| self.all.try_reserve(bytes))?
    }

    /// Makes an answer larger; `false` when there is no room, or the caller gives up.
    pub(crate) fn grow(&self, held: &mut Reservation, bytes: u64, budget: &Budget) -> bool {
        wait_for(&self.answers, bytes, budget) && held.try_grow(bytes)
    }
}

/// Whether there is room, at once or within a moment. Who waits holds little: it is asked for before anything is made.
fn wait_for(memory: &MemoryBudget, bytes: u64, budget: &Budget) -> bool {
    for _ in 0..TURNS {
        if memory.has_room(bytes) {
            return true;
        }
        if bytes > memory.ceiling_bytes() || budget.check().is_err() {
            return false;
        }
        thread::sleep(PATIENCE);
    }
    memory.has_room(bytes)
}
