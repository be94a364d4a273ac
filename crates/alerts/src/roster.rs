//! Who is expected to send: the members of a rule on absence, with when they did.
//!
//! A group that sends nothing is not in any table; only who remembers it can miss it.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::limits::ROSTER_MAX;
use crate::window::{nanos_between, shifted};
use crate::{Group, Window, instant};

/// The members, at most [`ROSTER_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    members: BTreeMap<Group, Member>,
    /// How many there was no room for.
    #[serde(default)]
    left_out: usize,
    /// Who was taken off on purpose, until a window begins after that: what is sent before says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    retired: BTreeMap<Group, Retired>,
}

/// When a member was taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Retired {
    #[serde(with = "instant")]
    at: Timestamp,
}

/// When a member was heard from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// First.
    #[serde(with = "instant")]
    pub first_seen: Timestamp,
    /// Last, to the hour.
    #[serde(with = "instant")]
    pub last_seen: Timestamp,
}

impl Roster {
    /// Members heard from are noted once an hour, so that the state does not change with every check.
    pub(crate) const NOTED_EVERY_NANOS: i64 = 3_600 * 1_000_000_000;

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.left_out == 0 && self.retired.is_empty()
    }

    /// The members.
    pub fn members(&self) -> &BTreeMap<Group, Member> {
        &self.members
    }

    /// How many members were heard from at the last check that there was no room for.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    pub(crate) fn begin_check(&mut self, window: Window) {
        self.left_out = 0;
        self.retired.retain(|_, retired| window.start < retired.at);
    }

    /// Notes that a member was heard from.
    pub(crate) fn hear(&mut self, group: &Group, at: Timestamp) {
        if self.retired.contains_key(group) {
            return;
        }
        if let Some(member) = self.members.get_mut(group) {
            let is_due = nanos_between(member.last_seen, at) >= Roster::NOTED_EVERY_NANOS;
            if is_due {
                member.last_seen = at;
            }
            return;
        }
        if self.members.len() >= ROSTER_MAX {
            self.left_out += 1;
            return;
        }
        let member = Member {
            first_seen: at,
            last_seen: at,
        };
        self.members.insert(group.clone(), member);
    }

    /// Forgets those last heard from so long ago, but for those that `stay`.
    pub(crate) fn forget(&mut self, at: Timestamp, nanos: i64, stay: impl Fn(&Group) -> bool) {
        let from = shifted(at, -nanos);
        self.members
            .retain(|group, member| member.last_seen >= from || stay(group));
    }

    /// When a member was heard from last, or up to an hour before.
    pub(crate) fn last_seen(&self, group: &Group) -> Option<Timestamp> {
        self.members.get(group).map(|member| member.last_seen)
    }

    /// Takes a member off.
    pub(crate) fn retire(&mut self, group: &Group, at: Timestamp) {
        self.members.remove(group);
        self.retired.insert(group.clone(), Retired { at });
    }
}
