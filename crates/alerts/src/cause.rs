//! The cause of an incident in words: from the rule's template, or from a sentence for its kind of condition.

mod sentence;
mod template;
mod words;

use cordwood_event::Timestamp;

use crate::excerpt::excerpt;
use crate::limits::CAUSE_TOLD_BYTES_MAX;
use crate::{CheckedRule, Group, Reading};

pub(crate) use template::CauseTemplate;
use words::measured;

/// What a cause tells of.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The name of the rule.
    pub rule_name: &'a str,
    /// The group that fires.
    pub group: &'a Group,
    /// What was read of it.
    pub reading: &'a Reading,
    /// Since when it is breached.
    pub since: Timestamp,
    /// When that is told: the end of the window.
    pub at: Timestamp,
}

impl CheckedRule {
    /// The cause in words, at most [`CAUSE_TOLD_BYTES_MAX`] and an ellipsis.
    pub fn cause(&self, telling: &Telling<'_>) -> String {
        let cause = match self.cause.parts() {
            Some(parts) => template::filled(parts, self, telling),
            None => sentence::sentence(self, telling),
        };
        excerpt(&cause, CAUSE_TOLD_BYTES_MAX, "…")
    }

    /// What was measured, for people: `7.2 %`, `120`, `120 / s`. `None` where nothing was found.
    pub fn value_text(&self, reading: &Reading) -> Option<String> {
        reading
            .value
            .as_ref()
            .map(|value| measured(&self.measure, value))
    }

    /// What it is held against, for people: `above 5 %`.
    pub fn limit_text(&self, reading: &Reading) -> String {
        words::limit(self, reading)
    }
}
