//! A source as JSON: the attributes of Better Stack's sources that we have, and a few of our own.

use std::collections::BTreeMap;

use cordwood_service::{NewSource, Secret, Source, SourceChanges, SourceToken, Usage};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::links::Links;
use crate::rest::envelope::{Attributes, Record, masked, record};
use crate::rest::members::Members;
use crate::rest::times::RecordTime;

/// What Better Stack's clients send and one machine with one organisation has no choice of.
const WITHOUT_MEANING: [&str; 2] = ["data_region", "team_name"];

/// What sends logs, and what is kept of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceAttributes {
    name: String,
    platform: &'static str,
    /// In full at creation and rotation; else its last characters.
    token: Option<String>,
    /// The name of its table in SQL.
    table_name: String,
    client_id: String,
    /// Host and port to send events to.
    ingesting_host: String,
    /// Whether events are refused.
    ingesting_paused: bool,
    /// Days that events are kept; null for ever.
    logs_retention: Option<u32>,
    /// Bytes it may send in a calendar month; null for any number.
    quota_bytes_per_month: Option<u64>,
    /// Events stored.
    records_count: u64,
    /// Bytes of those events, as they were sent.
    records_bytes: u64,
    /// Bytes of those events on disk.
    disk_bytes: u64,
    /// Bytes they may take on disk before the oldest go; null for any number.
    disk_bytes_max: Option<u64>,
    usage: SourceUsage,
    tokens: Vec<SourceTokenRecord>,
    created_at: RecordTime,
    updated_at: RecordTime,
    /// After a rotation: until when the tokens before stay good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old_tokens_expire_at: Option<RecordTime>,
}

impl Attributes for SourceAttributes {
    const TYPE: &'static str = "source";
}

/// A token of a source, which is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceTokenRecord {
    /// Its last characters.
    token: String,
    created_at: RecordTime,
    last_used_at: Option<RecordTime>,
    expires_at: Option<RecordTime>,
}

/// What came from a source this month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceUsage {
    /// The calendar month in UTC, such as `2026-03`.
    month: String,
    bytes: u64,
    events: u64,
    /// Events refused, by reason.
    refused: BTreeMap<String, u64>,
}

/// The record of a source; `token` is its plain token where that is shown: at creation and rotation.
pub(crate) fn source_record(
    source: &Source,
    token: Option<&Secret>,
    links: &Links,
) -> Record<SourceAttributes> {
    let newest = source.tokens.first();
    let token = match token {
        Some(token) => Some(token.reveal().to_owned()),
        None => newest.map(|token| masked(&token.ending)),
    };
    let attributes = SourceAttributes {
        name: source.name.clone(),
        platform: source.platform.name(),
        token,
        table_name: source.table_name.clone(),
        client_id: source.client.to_string(),
        ingesting_host: links.host().to_owned(),
        ingesting_paused: source.ingesting_paused,
        logs_retention: source.retention_days,
        quota_bytes_per_month: source.quota_bytes_per_month,
        records_count: source.records_count,
        records_bytes: source.records_bytes,
        disk_bytes: source.disk_bytes,
        disk_bytes_max: source.disk_bytes_max,
        usage: usage(&source.usage),
        tokens: source.tokens.iter().map(token_of).collect(),
        created_at: RecordTime(source.created_at),
        updated_at: RecordTime(source.updated_at),
        old_tokens_expire_at: None,
    };
    record(source.id, attributes)
}

fn token_of(token: &SourceToken) -> SourceTokenRecord {
    SourceTokenRecord {
        token: masked(&token.ending),
        created_at: RecordTime(token.created_at),
        last_used_at: token.last_used_at.map(RecordTime),
        expires_at: token.expires_at.map(RecordTime),
    }
}

fn usage(usage: &Usage) -> SourceUsage {
    SourceUsage {
        month: usage.month.to_string(),
        bytes: usage.bytes,
        events: usage.events,
        refused: usage.refused.clone().into_iter().collect(),
    }
}

/// A source to be made.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_source` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewSourceBody {
    /// What people call it.
    name: String,
    /// What sends to it: `node`, `go`, `python`, `docker`, `syslog`, `http` …
    platform: Option<String>,
    /// The client it belongs to; the default client unless given.
    client_id: Option<String>,
    ingesting_paused: Option<bool>,
    quota_bytes_per_month: Option<u64>,
    /// Days that events are kept; null for ever.
    logs_retention: Option<u32>,
    disk_bytes_max: Option<u64>,
}

/// A source to be made, from the body of a `POST`.
pub(crate) fn new_source(body: Map<String, Value>) -> Result<NewSource, Failure> {
    let mut members = Members::new(body);
    members.ignore(&WITHOUT_MEANING);
    let new = NewSource {
        name: members.text("name").unwrap_or_default(),
        platform: members.text("platform"),
        client: members.client(),
        ingesting_paused: members.boolean("ingesting_paused").unwrap_or_default(),
        quota_bytes_per_month: members.integer("quota_bytes_per_month").flatten(),
        retention_days: retention_days(&mut members).flatten(),
        disk_bytes_max: members.integer("disk_bytes_max").flatten(),
    };
    members.finish()?;
    Ok(new)
}

/// What is to be changed of a source; what is left out stays.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`source_changes` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct SourceChangesBody {
    name: Option<String>,
    ingesting_paused: Option<bool>,
    quota_bytes_per_month: Option<u64>,
    /// Days that events are kept; null for ever.
    logs_retention: Option<u32>,
    disk_bytes_max: Option<u64>,
}

/// Changes to a source, from the body of a `PATCH`.
pub(crate) fn source_changes(body: Map<String, Value>) -> Result<SourceChanges, Failure> {
    let mut members = Members::new(body);
    members.ignore(&WITHOUT_MEANING);
    let changes = SourceChanges {
        name: members.text("name"),
        ingesting_paused: members.boolean("ingesting_paused"),
        quota_bytes_per_month: members.integer("quota_bytes_per_month"),
        retention_days: retention_days(&mut members),
        disk_bytes_max: members.integer("disk_bytes_max"),
    };
    members.finish()?;
    Ok(changes)
}

fn retention_days(members: &mut Members) -> Option<Option<u32>> {
    let days = members.integer("logs_retention")?;
    // Beyond 32 bits is beyond any retention; the service says what is allowed.
    Some(days.map(|days| u32::try_from(days).unwrap_or(u32::MAX)))
}
