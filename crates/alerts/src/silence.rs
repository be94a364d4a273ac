//! Silences: what holds notices back, for how long. Maintenance windows and quiet hours are silences too.
//!
//! A silence says of whom it is by matchers, and when: from one instant to another, weekly at certain hours of a place, or both.

mod check;
mod matcher;
#[cfg(test)]
mod tests;
mod weekly;

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Group, Severity, instant};
use weekly::CheckedWeekly;

pub use matcher::SilenceMatcher;
pub use weekly::{Weekday, Weekly};

/// A silence as its author writes it. In JSON, members are named as here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// What it is of: all of these must fit. None: everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matchers: Vec<SilenceMatcher>,
    /// From when; from now on unless it is given.
    #[serde(
        default,
        with = "instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub starts_at: Option<Timestamp>,
    /// Until when. Must be given unless it is weekly.
    #[serde(
        default,
        with = "instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub ends_at: Option<Timestamp>,
    /// Only at these hours of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<Weekly>,
    /// What is as bad as this, or worse, is told all the same: `critical` makes quiet hours of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lets_pass: Option<Severity>,
}

/// What a silence is asked about: an incident, or a rule that fires.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The number of the rule, if there is one.
    pub rule_id: Option<u64>,
    /// Its name.
    pub rule_name: Option<&'a str>,
    /// How bad it is.
    pub severity: Severity,
    /// The labels.
    pub labels: &'a BTreeMap<String, String>,
    /// The group that fires.
    pub group: &'a Group,
}

/// A silence in which nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedSilence {
    silence: Silence,
    weekly: Option<CheckedWeekly>,
}

impl CheckedSilence {
    /// The silence as it was written.
    pub fn silence(&self) -> &Silence {
        &self.silence
    }

    /// Whether it holds back what is told of the subject now; then until when, as far as it says. Another silence, or the next hours of the same, may begin at that instant.
    pub fn mutes(&self, subject: &Subject<'_>, now: Timestamp) -> Option<Timestamp> {
        let passes = |least: Severity| subject.severity >= least;
        if self.silence.lets_pass.is_some_and(passes) {
            return None;
        }
        let mut matchers = self.silence.matchers.iter();
        if !matchers.all(|matcher| matcher.fits(subject)) {
            return None;
        }
        self.lasts_until(now)
    }

    /// Until when it lasts if it does now, whoever it is of.
    pub fn lasts_until(&self, now: Timestamp) -> Option<Timestamp> {
        let ends_at = self.silence.ends_at.unwrap_or(Timestamp::MAX);
        let has_begun = self
            .silence
            .starts_at
            .is_none_or(|starts_at| now >= starts_at);
        if !has_begun || now >= ends_at {
            return None;
        }
        match &self.weekly {
            Some(weekly) => Some(weekly.lasts_until(now)?.min(ends_at)),
            None => Some(ends_at),
        }
    }

    /// Whether it is over for good.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.silence.ends_at.is_some_and(|ends_at| now >= ends_at)
    }
}
