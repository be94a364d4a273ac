//! An alert as its users see it: a rule, to whom it belongs, and how it stands.

use cordwood_alerts::Rule;
use cordwood_event::{SourceId, Timestamp};
use serde_json::{Map, Value};

use crate::ClientId;

/// A rule that the server checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: u64,
    /// Unique among those of its client.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it watches and when it fires.
    pub rule: Rule,
    /// The client it belongs to.
    pub client: ClientId,
    /// The sources it looks at; none for all of the client's.
    pub sources: Vec<SourceId>,
    /// The channels it tells; none for the default ones.
    pub channels: Vec<u64>,
    /// Why it is not checked; `None` if it is.
    pub paused: Option<String>,
    /// The template it was made from.
    pub template: Option<OfTemplate>,
    /// The saved query it was made for.
    pub saved_query: Option<u64>,
    /// What its maker said of it that means nothing here, and is given back.
    pub kept: Map<String, Value>,
    /// The token that made it.
    pub created_by: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How it stands.
    pub status: AlertStatus,
}

/// Which template an alert was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfTemplate {
    /// Its number.
    pub id: u64,
    /// Which version of it the alert has.
    pub version: u64,
}

/// How an alert stands, as of its last check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertStatus {
    /// Whether a group fires; `None` before the first check.
    pub is_firing: Option<bool>,
    /// The groups that fire, at most [`GROUPS_TOLD_MAX`], and since when.
    pub firing: Vec<FiringGroup>,
    /// How many fire.
    pub firing_count: usize,
    /// How many are known.
    pub group_count: usize,
    /// How many there were beyond those that one rule may have.
    pub groups_left_out: u64,
    /// The last check.
    pub checked_at: Option<Timestamp>,
    /// Since when checks fail and why; `None` if the last one did not.
    pub failing: Option<FailingChecks>,
    /// Why the last check could not tell whether something is missing; `None` if it could.
    pub partly_heard: Option<String>,
    /// When it is checked next; `None` if it is paused.
    pub next_check_at: Option<Timestamp>,
}

/// Groups that [`AlertStatus::firing`] has at most.
pub const GROUPS_TOLD_MAX: usize = 100;

/// A group that fires.
#[derive(Clone, Debug, PartialEq)]
pub struct FiringGroup {
    /// What it is: each field with its value; none for a rule without groups.
    pub group: Vec<(String, String)>,
    /// Since when.
    pub since: Timestamp,
    /// The value of the last check.
    pub value: Option<f64>,
}

/// Checks that fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingChecks {
    /// Why the last one did.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What an alert is to be, or to be changed to; what is `None` stays, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct AlertChanges {
    /// See [`Alert::name`]; needed for a new one.
    pub name: Option<String>,
    /// See [`Alert::description`].
    pub description: Option<String>,
    /// See [`Alert::rule`]; needed for a new one. The whole rule.
    pub rule: Option<Rule>,
    /// Ids, `src-` ids or names.
    pub sources: Option<Vec<String>>,
    /// See [`Alert::channels`].
    pub channels: Option<Vec<u64>>,
    /// Whether it is not checked.
    pub is_paused: Option<bool>,
    /// See [`Alert::saved_query`].
    pub saved_query: Option<u64>,
    /// See [`Alert::kept`]. All of it.
    pub kept: Option<Map<String, Value>>,
}
