//! What alerts and their templates are made of, as bodies describe it, and how the rule is read out of them. `docs/alerts.md` says what each
//! member means.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use cordwood_service::rules::Rule;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::rest::members::Members;

/// The members of a rule; all others are about the alert.
const RULE_MEMBERS: [&str; 19] = [
    "query",
    "measure",
    "group_by",
    "condition",
    "further_conditions",
    "window_s",
    "check_every_s",
    "lateness_s",
    "confirmation_s",
    "recovery_s",
    "cooldown_s",
    "on_missing_data",
    "incident_per",
    "only_groups",
    "except_groups",
    "severity",
    "labels",
    "cause",
    "runbook",
];

/// What of an alert is to be changed.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "the members are read one by one, and those of the rule by serde"
)]
pub(crate) struct AlertBody {
    name: Option<String>,
    description: Option<String>,
    /// Ids, `src-` ids or names of sources of its client; empty for all of them.
    source_id: Option<Vec<String>>,
    /// Ids of channels; empty for the default ones.
    channels: Option<Vec<String>>,
    /// Whether it is not checked.
    paused: Option<bool>,
    #[serde(flatten)]
    rule: RuleBody,
}

/// The members of a rule.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "they are read by serde, which knows them by the rule"
)]
pub(crate) struct RuleBody {
    /// A filter, with `where` and `parse` behind it if need be, and `| stats …` at its end if the measure and the groups are written there.
    query: Option<String>,
    /// A function such as `p95(duration_ms)`, or `{"ratio": {"of": "level:error", "to": "*"}}`; `count()` unless given.
    measure: Option<Value>,
    /// The fields whose values are judged each by itself.
    group_by: Option<Vec<String>>,
    /// `{"type": "threshold", "operator": "higher_than", "value": 5, "recovery_value": 3}`, or of type `matches`, `new_pattern`, `absence`,
    /// `relative` or `anomaly`.
    condition: Option<Value>,
    /// Up to four of the threshold kind that must hold besides.
    further_conditions: Option<Vec<Value>>,
    /// 300 unless given.
    window_s: Option<u32>,
    /// 60 unless given.
    check_every_s: Option<u32>,
    /// How much older than the window events may be that arrive in it: 60 unless given.
    lateness_s: Option<u32>,
    /// For how long it must be breached before it fires: 0 unless given.
    confirmation_s: Option<u32>,
    /// For how long it must be clear before it recovers: 300 unless given; null for never by itself.
    recovery_s: Option<u32>,
    /// For how long it does not fire again: 0 unless given.
    cooldown_s: Option<u32>,
    /// `treat_as_zero`, `dont_fire`, `treat_as_previous` or `fire`.
    on_missing_data: Option<String>,
    /// `group` unless given, or `rule`.
    incident_per: Option<String>,
    /// `"web-*"` or `{"host": "web-*"}`, one of which must fit.
    only_groups: Option<Vec<Value>>,
    /// None of which may fit.
    except_groups: Option<Vec<Value>>,
    /// `error` unless given, `info`, `warning` or `critical`.
    severity: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    /// What is said when it fires, with names in braces: `{group.host} has {value} errors`.
    cause: Option<String>,
    /// What to do then: a text or a link.
    runbook: Option<String>,
}

/// A new alert: what of [`AlertBody`] it needs, and whose it is.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `AlertBody`")]
pub(crate) struct NewAlertBody {
    name: String,
    query: String,
    condition: Value,
    /// Needed if the token sees several.
    client_id: Option<u64>,
    #[serde(flatten)]
    all_else: AlertBody,
}

/// What to back-test: the members of an alert, saved or not.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `AlertBody`")]
pub(crate) struct BackTestBody {
    /// The id or name of one that is there; what is given besides is changed for the test.
    alert: Option<String>,
    /// 1 to 30; 7 unless given.
    days: Option<u32>,
    /// 30 000 unless given, at most 600 000.
    timeout_ms: Option<u64>,
    #[serde(flatten)]
    changes: AlertBody,
}

/// What of a template of alerts is to be changed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `AlertBody`")]
pub(crate) struct RuleTemplateBody {
    /// The name of its alerts.
    name: Option<String>,
    description: Option<String>,
    /// The names of sources that each client has; empty for all of the client's.
    source_names: Option<Vec<String>>,
    /// Ids of channels of the provider; empty for the default ones.
    channels: Option<Vec<String>>,
    /// Whether clients that are made later are given one.
    for_new_clients: Option<bool>,
    /// Whether alerts that have drifted are changed too.
    carry_to_drifted: Option<bool>,
    #[serde(flatten)]
    rule: RuleBody,
}

/// A new template.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `AlertBody`")]
pub(crate) struct NewRuleTemplateBody {
    name: String,
    description: Option<String>,
    /// The names of sources that each client has; empty for all of the client's.
    source_names: Option<Vec<String>>,
    /// Ids of channels of the provider; empty for the default ones.
    channels: Option<Vec<String>>,
    /// Whether clients that are made later are given one.
    for_new_clients: Option<bool>,
    query: String,
    condition: Value,
    #[serde(flatten)]
    rule: RuleBody,
}

/// Takes the members of a rule out of a body.
pub(super) fn taken(body: &mut Map<String, Value>) -> Map<String, Value> {
    let of_rule = RULE_MEMBERS.into_iter();
    of_rule
        .filter_map(|name| Some((name.to_owned(), body.remove(name)?)))
        .collect()
}

/// A rule with some members as given; one that is given as null is as by default, but for `recovery_s`, whose null means something.
pub(super) fn merged(rule: &Rule, given: Map<String, Value>) -> Result<Rule, Failure> {
    let mut rule = serde_json::to_value(rule).unwrap_or_default();
    if let Value::Object(members) = &mut rule {
        for (name, value) in given {
            match value.is_null() && name != "recovery_s" {
                true => drop(members.remove(&name)),
                false => drop(members.insert(name, value)),
            }
        }
    }
    read(rule)
}

/// A rule whose members have been looked at one by one.
pub(super) fn read(rule: Value) -> Result<Rule, Failure> {
    serde_json::from_value(rule).map_err(|error| {
        let sentence = format!("The rule cannot be read: {error}");
        Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_values", sentence)
    })
}

/// Notes what a new rule lacks.
pub(super) fn require(members: &mut Members, of_rule: &Map<String, Value>) {
    for name in ["query", "condition"] {
        if of_rule.get(name).is_none_or(Value::is_null) {
            members.refuse::<()>(name, "can't be blank");
        }
    }
}

/// Notes which members of a rule cannot be read, each by itself, so that all are told at once.
pub(super) fn look_at(members: &mut Members, of_rule: &Map<String, Value>) {
    for (name, value) in of_rule.iter().filter(|(_, value)| !value.is_null()) {
        let mut rule = json!({ "query": "*", "condition": { "type": "matches" } });
        rule[name] = value.clone();
        if let Err(error) = serde_json::from_value::<Rule>(rule) {
            members.refuse::<()>(name, &format!("cannot be read: {error}"));
        }
    }
}

/// Ids of channels.
pub(super) fn channels(members: &mut Members) -> Option<Vec<u64>> {
    let channels = members.texts("channels")?;
    let channels = channels.iter().map(|channel| channel.trim().parse().ok());
    match channels.collect() {
        Some(channels) => Some(channels),
        None => members.refuse("channels", "has to be a list of ids of channels"),
    }
}
