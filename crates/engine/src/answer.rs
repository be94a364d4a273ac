//! What a search answers.

use cordwood_event::Event;

use crate::{Account, AnswerMemory, Position};

/// The events found, and the account of the search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchAnswer {
    /// In the order asked for, at most `limit`.
    pub events: Vec<Event>,
    /// How many events match in the range, when asked; at least so many when the account is incomplete.
    pub total: Option<u64>,
    /// Where the next page begins; `None` when nothing can follow.
    pub next: Option<Position>,
    /// The last sequence number the search could see: give it back as
    /// [`up_to_sequence`](crate::SearchRequest::up_to_sequence) for the next page.
    pub up_to_sequence: u64,
    /// Completeness, range and cost.
    pub account: Account,
    /// The memory the events take; to be kept as long as they are.
    pub memory: AnswerMemory,
}
