//! What the machine of a rule knows between two checks. JSON, written with whatever a step did.

mod failures;
mod phase;

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Closed, Effect, Group, PatternMemory, Roster, instant};

pub(crate) use failures::Failures;
pub use phase::{GroupState, Phase};

/// The state of a rule. The same state and the same observations give the same effects, wherever it was written and read in between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// The version of this form.
    #[serde(deserialize_with = "known_version")]
    pub(crate) version: u32,
    /// Since when the rule listens: a window that begins earlier was not listened to as a whole.
    #[serde(with = "instant")]
    pub(crate) listens_since: Timestamp,
    /// The end of the last window that was checked, whether or not that failed.
    #[serde(
        default,
        with = "instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) checked_until: Option<Timestamp>,
    /// Groups of which something has to be remembered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) groups: BTreeMap<Group, GroupState>,
    /// How many groups there was no room for at the last check.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) groups_left_out: usize,
    /// The number of the last episode.
    #[serde(default)]
    pub(crate) last_episode: u64,
    /// Checks that failed one after the other.
    #[serde(default, skip_serializing_if = "Failures::are_none")]
    pub(crate) failures: Failures,
    /// Who is expected to send.
    #[serde(default, skip_serializing_if = "Roster::is_empty")]
    pub(crate) roster: Roster,
    /// Which patterns are no news.
    #[serde(default, skip_serializing_if = "PatternMemory::is_empty")]
    pub(crate) patterns: PatternMemory,
}

/// A state that another version of the server has written is refused, not guessed at.
fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let version = u32::deserialize(deserializer)?;
    match version {
        RuleState::VERSION => Ok(version),
        _ => Err(D::Error::custom(format!(
            "a rule's state of version {version} cannot be read"
        ))),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl RuleState {
    const VERSION: u32 = 1;

    /// The state of a rule that begins to listen: that was made now, or changed so that what it knew is of no use.
    pub fn new(now: Timestamp) -> RuleState {
        RuleState {
            version: RuleState::VERSION,
            listens_since: now,
            checked_until: None,
            groups: BTreeMap::new(),
            groups_left_out: 0,
            last_episode: 0,
            failures: Failures::default(),
            roster: Roster::default(),
            patterns: PatternMemory::default(),
        }
    }

    /// Since when the rule listens.
    pub fn listens_since(&self) -> Timestamp {
        self.listens_since
    }

    /// The end of the last window that was checked.
    pub fn checked_until(&self) -> Option<Timestamp> {
        self.checked_until
    }

    /// The groups of which something is remembered, those that fire among them.
    pub fn groups(&self) -> &BTreeMap<Group, GroupState> {
        &self.groups
    }

    /// How many groups the rule did not follow at the last check, since it follows at most [`GROUPS_MAX`](crate::limits::GROUPS_MAX).
    pub fn groups_left_out(&self) -> usize {
        self.groups_left_out
    }

    /// Why the last check failed, and since when all have; `None` if it did not.
    pub fn failing(&self) -> Option<(&str, Timestamp)> {
        self.failures.current()
    }

    /// Who is expected to send.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Begins to listen anew, as after a change of the rule: nothing is pending and what fires stays what it is.
    pub fn listen_anew(&mut self, now: Timestamp) {
        self.listens_since = now;
        self.groups
            .retain(|_, group| group.phase.episode().is_some());
    }

    /// Begins to ask something else: what was learnt is of no use, and what fires stays what it is until it is clear.
    pub fn begin_anew(&mut self, now: Timestamp) {
        self.listen_anew(now);
        self.checked_until = None;
        self.roster = Roster::default();
        self.patterns = PatternMemory::default();
    }

    /// Who sent something before the rule began to listen: what [`CheckedRule::roster_question`](crate::CheckedRule::roster_question) found.
    pub fn fill_roster(&mut self, members: impl IntoIterator<Item = (Group, Timestamp)>) {
        for (group, last_seen) in members {
            self.roster.hear(&group, last_seen);
        }
    }

    /// Which patterns there were before the rule began to listen. Where nobody can tell, the first check teaches them.
    pub fn know_patterns(&mut self, patterns: impl IntoIterator<Item = Group>) {
        for pattern in patterns {
            self.patterns.know(&pattern, self.listens_since);
        }
        self.patterns.finish_teaching();
    }

    /// Somebody has resolved the incident of an episode: its groups are quiet, and fire again only after they were clear.
    pub fn resolve_by_hand(&mut self, episode: u64, now: Timestamp) {
        for group in self.groups.values_mut() {
            if group.phase.episode() == Some(episode) {
                group.phase = Phase::Quiet {
                    recovered_at: Some(now),
                    awaits_clear: true,
                };
            }
        }
    }

    /// A group is no more: a host that was switched off for good. It is forgotten until it is heard from in a window that begins later, and its
    /// episode goes on without it.
    pub fn retire(&mut self, group: &Group, now: Timestamp) -> Option<Effect> {
        self.roster.retire(group, now);
        let phase = self.groups.remove(group)?.phase;
        let closed = Closed {
            group: group.clone(),
            episode: phase.episode()?,
            since: phase.since()?,
            until: now,
        };
        Some(self.closing(closed))
    }

    /// That a group of an episode is clear: the end of the episode if it was the last.
    pub(crate) fn closing(&self, closed: Closed) -> Effect {
        let mut others = self
            .groups
            .iter()
            .filter(|(group, _)| **group != closed.group);
        let goes_on = others.any(|(_, other)| other.phase.episode() == Some(closed.episode));
        match goes_on {
            true => Effect::Left(closed),
            false => Effect::Recovered(closed),
        }
    }
}
