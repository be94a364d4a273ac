//! The record of an alert.

use std::collections::BTreeMap;

use cordwood_service::Alert;
use cordwood_service::rules::Rule;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::rest::envelope::{Attributes, Record, record};
use crate::rest::times::RecordTime;

/// An alert, with the members of its rule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertAttributes {
    name: String,
    description: String,
    client_id: String,
    /// Empty for all sources of its client.
    source_id: Vec<String>,
    /// Empty for the default ones.
    channels: Vec<String>,
    paused: bool,
    /// `manual`, or what the server found.
    paused_reason: Option<String>,
    /// The template it was made from.
    template_id: Option<String>,
    template_version: Option<u64>,
    /// The saved query it was made for, as with Better Stack.
    saved_query_id: Option<String>,
    created_by_token_id: Option<String>,
    created_at: RecordTime,
    updated_at: RecordTime,
    status: AlertStatusRecord,
    /// `query`, `condition`, `window_s` and the other members of its rule.
    #[serde(flatten)]
    rule: BTreeMap<String, Value>,
}

/// How an alert stands as of its last check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertStatusRecord {
    /// `firing`, `quiet`, `failing`, `paused`, or `new` before the first check.
    state: &'static str,
    /// Those that fire, a hundred at most.
    firing: Vec<FiringRecord>,
    firing_count: usize,
    group_count: usize,
    /// Groups beyond those that one rule follows.
    groups_left_out: u64,
    checked_at: Option<RecordTime>,
    next_check_at: Option<RecordTime>,
    /// Why the last check failed.
    failure: Option<String>,
    failing_since: Option<RecordTime>,
    /// Why the last check cannot tell whether something is missing.
    partly_heard: Option<String>,
}

/// A group that fires.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FiringRecord {
    group: BTreeMap<String, String>,
    since: RecordTime,
    value: Option<f64>,
}

impl Attributes for AlertAttributes {
    const TYPE: &'static str = "alert";
}

pub(crate) type AlertRecord = Record<AlertAttributes>;

pub(crate) fn alert_record(alert: &Alert) -> AlertRecord {
    let attributes = AlertAttributes {
        name: alert.name.clone(),
        description: alert.description.clone(),
        client_id: alert.client.to_string(),
        source_id: alert
            .sources
            .iter()
            .map(|source| source.0.to_string())
            .collect(),
        channels: alert.channels.iter().map(u64::to_string).collect(),
        paused: alert.paused.is_some(),
        paused_reason: alert.paused.clone(),
        template_id: alert.template.map(|template| template.id.to_string()),
        template_version: alert.template.map(|template| template.version),
        saved_query_id: alert.saved_query.map(|saved| saved.to_string()),
        created_by_token_id: alert.created_by.map(|token| token.to_string()),
        created_at: RecordTime(alert.created_at),
        updated_at: RecordTime(alert.updated_at),
        status: status_record(alert),
        rule: rule_members(&alert.rule),
    };
    record(alert.id, attributes)
}

/// The members of a rule, as they stand among the attributes of what it is of.
pub(super) fn rule_members(rule: &Rule) -> BTreeMap<String, Value> {
    match serde_json::to_value(rule) {
        Ok(Value::Object(members)) => members.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}

fn status_record(alert: &Alert) -> AlertStatusRecord {
    let status = &alert.status;
    let state = match (&alert.paused, &status.failing, status.is_firing) {
        (Some(_), _, _) => "paused",
        (None, Some(_), _) => "failing",
        (None, None, Some(true)) => "firing",
        (None, None, Some(false)) => "quiet",
        (None, None, None) => "new",
    };
    let firing = status.firing.iter().map(|firing| FiringRecord {
        group: firing.group.iter().cloned().collect(),
        since: RecordTime(firing.since),
        value: firing.value,
    });
    AlertStatusRecord {
        state,
        firing: firing.collect(),
        firing_count: status.firing_count,
        group_count: status.group_count,
        groups_left_out: status.groups_left_out,
        checked_at: status.checked_at.map(RecordTime),
        next_check_at: status.next_check_at.map(RecordTime),
        failure: status
            .failing
            .as_ref()
            .map(|failing| failing.reason.clone()),
        failing_since: status
            .failing
            .as_ref()
            .map(|failing| RecordTime(failing.since)),
        partly_heard: status.partly_heard.clone(),
    }
}
