//! What a step of the machine says.

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Group, Reading, instant};

/// Something that happened. Episodes are numbered within the rule, from 1: rule, episode and kind name a notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Effect {
    /// A group fires, and with it an episode begins.
    Opened(Opened),
    /// A further group fires; with `incident_per: rule` it is part of the episode that is open.
    Joined(Opened),
    /// A group of an episode with several is clear again, others are not.
    Left(Closed),
    /// The last group of the episode is clear again: it is over.
    Recovered(Closed),
    /// Several checks in a row have failed.
    Failing {
        /// Why the last did.
        reason: String,
        /// When the first was.
        #[serde(with = "instant")]
        since: Timestamp,
    },
    /// After [`Effect::Failing`], a check did not.
    Working {
        /// When the first had failed.
        #[serde(with = "instant")]
        since: Timestamp,
    },
}

/// A group that fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// The group.
    pub group: Group,
    /// The number of the episode.
    pub episode: u64,
    /// Since when it is breached; before the check by as long as the confirmation takes.
    #[serde(with = "instant")]
    pub since: Timestamp,
    /// What the check read. Without a value where nothing was found.
    pub reading: Reading,
    /// What it was held against, for people: `above 5 %`.
    pub limit: String,
}

/// A group that is clear again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// The group.
    pub group: Group,
    /// The number of the episode.
    pub episode: u64,
    /// Since when it was breached.
    #[serde(with = "instant")]
    pub since: Timestamp,
    /// Until when: the end of the first window in which it was clear.
    #[serde(with = "instant")]
    pub until: Timestamp,
}
