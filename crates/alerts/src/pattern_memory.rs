//! Which patterns are no news to a rule on new ones.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::limits::PATTERNS_MAX;
use crate::{Group, instant};

/// Patterns that were told of, or were there before the rule; at most [`PATTERNS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PatternMemory {
    /// When each was, by what names it.
    known: BTreeMap<Group, Known>,
    /// Whether it was told what there was before. Until then, what is found is no news.
    #[serde(default)]
    is_taught: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Known(#[serde(with = "instant")] Timestamp);

impl PatternMemory {
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty() && !self.is_taught
    }

    pub(crate) fn is_taught(&self) -> bool {
        self.is_taught
    }

    /// From now on, what it does not know is news.
    pub(crate) fn finish_teaching(&mut self) {
        self.is_taught = true;
    }

    pub(crate) fn knows(&self, pattern: &Group) -> bool {
        self.known.contains_key(pattern)
    }

    /// From now on it is no news. Where there is no room, the one known for longest makes some.
    pub(crate) fn know(&mut self, pattern: &Group, at: Timestamp) {
        self.known.entry(pattern.clone()).or_insert(Known(at));
        while self.known.len() > PATTERNS_MAX {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.0);
            let Some(oldest) = oldest.map(|(group, _)| group.clone()) else {
                return;
            };
            self.known.remove(&oldest);
        }
    }
}
