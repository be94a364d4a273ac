//! `/api/v1/alerts/{alert}/checks`: what the checks of an alert saw at which something happened, or which failed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use cordwood_service::rules::{Effect, Group, Value as Measured};
use cordwood_service::{KeptCheck, SeenCheck};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Attributes, LogPage, Record, log_page, record};
use crate::rest::times::{Millis, RecordTime};

/// A check that was kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckAttributes {
    at: RecordTime,
    /// `seen`, `partly_heard` if it could not tell whether something is missing, or `failed`; null if its record cannot be read any more.
    outcome: Option<&'static str>,
    /// Why it failed, or could not tell.
    reason: Option<String>,
    /// The query that was asked of the window.
    asked: Option<String>,
    from: Option<RecordTime>,
    to: Option<RecordTime>,
    took_ms: Option<Millis>,
    /// How many groups were found.
    group_count: usize,
    /// Of the first twenty, those to which something happened first.
    values: Vec<GroupValue>,
    happened: Vec<Happening>,
}

/// What was measured of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupValue {
    group: BTreeMap<String, Option<String>>,
    /// A number or a text; null where nothing was found.
    value: Option<Value>,
}

/// What happened at a check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Happening {
    /// `opened`, `joined`, `left`, `recovered`, `failing` or `working`.
    #[serde(rename = "type")]
    kind: &'static str,
    group: Option<BTreeMap<String, Option<String>>>,
    /// The number of the episode, which has an incident.
    episode: Option<u64>,
    since: RecordTime,
    /// What the value was held against: `above 5`.
    limit: Option<String>,
}

impl Attributes for CheckAttributes {
    const TYPE: &'static str = "alert_check";
}

/// Which checks to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`checks` reads the parameters by their names")]
pub(crate) struct CheckListParameters {
    /// Only those with a smaller id.
    before: Option<u64>,
    /// 1 to 60; 20 unless given.
    limit: Option<u32>,
}

/// List the checks of an alert that were kept
///
/// Those at which something happened and those that failed, the newest first; the last sixty.
#[utoipa::path(
    get, path = "/alerts/{alert}/checks", tag = "alerts",
    params(("alert" = String, Path, description = "Its id or name"), CheckListParameters),
    responses((status = 200, body = LogPage<Record<CheckAttributes>>)),
)]
pub(crate) async fn checks(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    uri: Uri,
    links: Links,
) -> Result<Json<LogPage<Record<CheckAttributes>>>, Failure> {
    let parameters = Parameters::of(&uri);
    parameters.only::<CheckListParameters>()?;
    let before = parameters.parsed("before", "the id of a check")?;
    let limit = parameters.parsed("limit", "a number of 1 to 60")?;
    let page = edge
        .managed(move |service| service.alert_checks(&caller, &name, before, limit))
        .await?;
    let records = page.checks.iter().map(check_record);
    Ok(Json(log_page(records, &links, page.next)))
}

fn check_record(check: &KeptCheck) -> Record<CheckAttributes> {
    let seen = check.seen.as_ref();
    let attributes = CheckAttributes {
        at: RecordTime(check.at),
        outcome: seen.map(outcome),
        reason: seen.and_then(|seen| seen.failure.clone().or_else(|| seen.partly_heard.clone())),
        asked: seen.map(|seen| seen.asked.clone()),
        from: seen.map(|seen| RecordTime(seen.from())),
        to: seen.map(|seen| RecordTime(seen.to())),
        took_ms: seen.map(|seen| Millis(seen.took())),
        group_count: seen.map_or(0, |seen| seen.groups),
        values: seen.map_or_else(Vec::new, values),
        happened: seen.map_or_else(Vec::new, |seen| {
            seen.effects.iter().map(happening).collect()
        }),
    };
    record(check.id, attributes)
}

fn outcome(seen: &SeenCheck) -> &'static str {
    match (&seen.failure, &seen.partly_heard) {
        (Some(_), _) => "failed",
        (None, Some(_)) => "partly_heard",
        (None, None) => "seen",
    }
}

fn values(seen: &SeenCheck) -> Vec<GroupValue> {
    let values = seen.values.iter().map(|(group, value)| GroupValue {
        group: fields(group),
        value: value.as_ref().map(measured),
    });
    values.collect()
}

/// A value that was measured, as JSON.
pub(super) fn measured(value: &Measured) -> Value {
    match value {
        Measured::Number(number) => Value::from(*number),
        Measured::Text(text) => Value::from(text.as_str()),
    }
}

/// The fields of a group and their values.
pub(super) fn fields(group: &Group) -> BTreeMap<String, Option<String>> {
    group.fields().iter().cloned().collect()
}

fn happening(effect: &Effect) -> Happening {
    let (kind, group, episode, since, limit) = match effect {
        Effect::Opened(of) => (
            "opened",
            Some(&of.group),
            Some(of.episode),
            of.since,
            Some(&of.limit),
        ),
        Effect::Joined(of) => (
            "joined",
            Some(&of.group),
            Some(of.episode),
            of.since,
            Some(&of.limit),
        ),
        Effect::Left(of) => ("left", Some(&of.group), Some(of.episode), of.since, None),
        Effect::Recovered(of) => (
            "recovered",
            Some(&of.group),
            Some(of.episode),
            of.since,
            None,
        ),
        Effect::Failing { since, .. } => ("failing", None, None, *since, None),
        Effect::Working { since } => ("working", None, None, *since, None),
    };
    Happening {
        kind,
        group: group.map(fields),
        episode,
        since: RecordTime(since),
        limit: limit.cloned(),
    }
}
