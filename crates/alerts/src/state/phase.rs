//! Where a group stands.

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Reading, instant};

/// What is remembered of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupState {
    /// Where it stands.
    pub phase: Phase,
    /// What was found last, where the rule takes that for missing data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Reading>,
    /// Since when nothing is found of it.
    #[serde(
        default,
        with = "instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub missing_since: Option<Timestamp>,
}

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Phase {
    /// It does not fire.
    Quiet {
        /// When it recovered: during the cooldown it stays quiet.
        #[serde(
            default,
            with = "instant::optional",
            skip_serializing_if = "Option::is_none"
        )]
        recovered_at: Option<Timestamp>,
        /// It was resolved by hand while it fired, and stays quiet until it is clear.
        #[serde(default, skip_serializing_if = "is_false")]
        awaits_clear: bool,
    },
    /// It is breached, not yet for as long as the confirmation takes.
    Pending {
        /// Since when.
        #[serde(with = "instant")]
        since: Timestamp,
        /// From when the confirmation counts: later than `since` by the time that nothing was known of.
        #[serde(with = "instant")]
        counted_from: Timestamp,
    },
    /// It fires.
    Firing {
        /// Since when it was breached.
        #[serde(with = "instant")]
        since: Timestamp,
        /// The number of the episode.
        episode: u64,
    },
    /// It fires and is clear, not yet for as long as the recovery takes.
    Recovering {
        /// Since when it was breached.
        #[serde(with = "instant")]
        since: Timestamp,
        /// The number of the episode.
        episode: u64,
        /// Since when it is clear.
        #[serde(with = "instant")]
        clear_since: Timestamp,
        /// From when the recovery counts: later than `clear_since` by the time that nothing was known of.
        #[serde(with = "instant")]
        counted_from: Timestamp,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(is: &bool) -> bool {
    !is
}

impl Default for Phase {
    fn default() -> Phase {
        Phase::QUIET
    }
}

impl Phase {
    /// Quiet, and nothing before it matters.
    pub const QUIET: Phase = Phase::Quiet {
        recovered_at: None,
        awaits_clear: false,
    };

    /// The number of the episode it is in, if it fires.
    pub fn episode(&self) -> Option<u64> {
        match self {
            Phase::Quiet { .. } | Phase::Pending { .. } => None,
            Phase::Firing { episode, .. } | Phase::Recovering { episode, .. } => Some(*episode),
        }
    }

    /// Since when it is breached, or was before it began to recover.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Phase::Quiet { .. } => None,
            Phase::Pending { since, .. }
            | Phase::Firing { since, .. }
            | Phase::Recovering { since, .. } => Some(*since),
        }
    }
}
