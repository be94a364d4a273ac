//! The checks of an alert that are kept: those at which something happened, and those that failed. What each saw is one document, written with
//! what it did.

use std::collections::BTreeMap;
use std::time::Duration;

use cordwood_alerts::{Effect, Group, Heard, Outcome, Reading, Value};
use cordwood_catalog::KeptEvaluation;
use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use super::observing::Observed;
use super::rules::invalid;
use crate::{Access, Caller, Error, Service};

/// Checks on a page unless told otherwise, and at most: all that the catalog keeps of an alert.
pub const CHECKS_DEFAULT: u32 = 20;
/// See [`CHECKS_DEFAULT`].
pub const CHECKS_MAX: u32 = 60;

/// Groups whose values are kept of one check at most, those to which something happened first: enough to see what was held against what.
const GROUPS_KEPT: usize = 20;

/// A page of the checks of an alert, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckPage {
    /// The checks.
    pub checks: Vec<KeptCheck>,
    /// From where the next page goes on; `None` on the last.
    pub next: Option<u64>,
}

/// A check that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptCheck {
    /// Its number.
    pub id: u64,
    /// When it was due: the end of its window.
    pub at: Timestamp,
    /// What it saw; `None` if that cannot be read any more.
    pub seen: Option<SeenCheck>,
}

/// What a check saw, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeenCheck {
    /// The query that was asked.
    pub asked: String,
    /// The start of the window, in nanoseconds since 1970.
    from: i64,
    /// Its end.
    to: i64,
    /// How long it took to see, in microseconds.
    took_us: u64,
    /// How many groups were found.
    pub groups: usize,
    /// What was measured of the first of them.
    pub values: Vec<(Group, Option<Value>)>,
    /// Why it could not tell whether something is missing; `None` if it could.
    pub partly_heard: Option<String>,
    /// Why it failed; `None` if it did not.
    pub failure: Option<String>,
    /// What happened at it.
    pub effects: Vec<Effect>,
}

impl SeenCheck {
    /// The start of its window.
    pub fn from(&self) -> Timestamp {
        Timestamp::from_nanos(self.from)
    }

    /// The end of its window.
    pub fn to(&self) -> Timestamp {
        Timestamp::from_nanos(self.to)
    }

    /// How long it took to see.
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.took_us)
    }
}

impl Service {
    /// The checks of an alert that were kept, the newest first, with numbers below `before`.
    pub fn alert_checks(
        &self,
        caller: &Caller,
        name: &str,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<CheckPage, Error> {
        caller.require(Access::Read)?;
        let rule = self.find_rule(caller, name)?;
        let limit = limit.unwrap_or(CHECKS_DEFAULT);
        if !(1..=CHECKS_MAX).contains(&limit) {
            return Err(invalid("limit", format!("has to be 1 to {CHECKS_MAX}")));
        }
        let kept = self.catalog.rule_evaluations(rule.id, before, limit + 1);
        let mut kept = kept.map_err(|error| Error::internal("reading checks", error))?;
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = kept.len() > page;
        kept.truncate(page);
        Ok(CheckPage {
            next: kept.last().filter(|_| has_more).map(|last| last.id),
            checks: kept.iter().map(read).collect(),
        })
    }
}

fn read(kept: &KeptEvaluation) -> KeptCheck {
    KeptCheck {
        id: kept.id,
        at: kept.at,
        seen: serde_json::from_str(&kept.evaluation).ok(),
    }
}

impl Observed {
    /// What is kept of the check, in JSON.
    pub(super) fn summary(&self, effects: &[Effect]) -> String {
        let window = self.observation.window;
        let mut seen = SeenCheck {
            asked: self.asked.clone(),
            from: window.start.as_nanos(),
            to: window.end.as_nanos(),
            took_us: u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            groups: 0,
            values: Vec::new(),
            partly_heard: None,
            failure: None,
            effects: effects.to_vec(),
        };
        match &self.observation.outcome {
            Outcome::Failed(reason) => seen.failure = Some(reason.clone()),
            Outcome::Seen { readings, heard } => {
                seen.groups = readings.len();
                seen.values = values(readings, effects);
                if let Heard::Partly(reason) = heard {
                    seen.partly_heard = Some(reason.clone());
                }
            }
        }
        serde_json::to_string(&seen).expect("a record of texts and numbers is JSON")
    }
}

/// What was measured, of the groups to which something happened first.
fn values(readings: &BTreeMap<Group, Reading>, effects: &[Effect]) -> Vec<(Group, Option<Value>)> {
    let value = |group: &Group| {
        readings
            .get(group)
            .and_then(|reading| reading.value.clone())
    };
    let touched: Vec<&Group> = effects.iter().filter_map(group_of).collect();
    let others = readings.keys().filter(|group| !touched.contains(group));
    let groups = touched.iter().copied().chain(others);
    let kept = groups.take(GROUPS_KEPT);
    kept.map(|group| (group.clone(), value(group))).collect()
}

fn group_of(effect: &Effect) -> Option<&Group> {
    match effect {
        Effect::Opened(opened) | Effect::Joined(opened) => Some(&opened.group),
        Effect::Left(closed) | Effect::Recovered(closed) => Some(&closed.group),
        Effect::Failing { .. } | Effect::Working { .. } => None,
    }
}
