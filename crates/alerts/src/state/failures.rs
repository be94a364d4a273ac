//! Checks that failed one after the other.

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::limits::FAILURES_TOLD_AT;
use crate::{Effect, instant};

/// How many checks have failed since the last that did not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failures {
    count: u32,
    #[serde(default, with = "instant::optional")]
    since: Option<Timestamp>,
    reason: String,
}

impl Failures {
    pub(crate) fn are_none(&self) -> bool {
        self.count == 0
    }

    /// Why the last failed, and when the first was.
    pub(crate) fn current(&self) -> Option<(&str, Timestamp)> {
        Some((self.reason.as_str(), self.since?))
    }

    /// One more; told when there are enough of them.
    pub(crate) fn add(&mut self, reason: &str, at: Timestamp) -> Option<Effect> {
        let since = *self.since.get_or_insert(at);
        self.count = self.count.saturating_add(1);
        reason.clone_into(&mut self.reason);
        (self.count == FAILURES_TOLD_AT).then(|| Effect::Failing {
            reason: reason.to_owned(),
            since,
        })
    }

    /// A check did not fail; told if failing was.
    pub(crate) fn end(&mut self) -> Option<Effect> {
        let ended = std::mem::take(self);
        let since = ended.since?;
        (ended.count >= FAILURES_TOLD_AT).then_some(Effect::Working { since })
    }
}
