//! A source as JSON: the attributes of Better Stack's sources that we have, and a few of our own.

use cordwood_service::{ClientId, NewSource, Secret, Source, SourceChanges, SourceToken};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::links::Links;
use crate::rest::envelope::{masked, record, time};
use crate::rest::members::Members;

/// What Better Stack's clients send and one machine with one organisation has no choice of.
const WITHOUT_MEANING: [&str; 2] = ["data_region", "team_name"];

/// The record of a source; `token` is its plain token where that is shown: at creation and rotation.
pub(crate) fn source_record(source: &Source, token: Option<&Secret>, links: &Links) -> Value {
    let newest = source.tokens.first();
    let token = match token {
        Some(token) => Some(token.reveal().to_owned()),
        None => newest.map(|token| masked(&token.ending)),
    };
    let attributes = json!({
        "name": source.name,
        "platform": source.platform.name(),
        "token": token,
        "table_name": source.table_name,
        "client_id": source.client.to_string(),
        "ingesting_host": links.host(),
        "ingesting_paused": source.ingesting_paused,
        "logs_retention": source.retention_days,
        "quota_bytes_per_month": source.quota_bytes_per_month,
        "records_count": source.records_count,
        "records_bytes": source.records_bytes,
        "disk_bytes": source.disk_bytes,
        "disk_bytes_max": source.disk_bytes_max,
        "usage": usage(source),
        "tokens": source.tokens.iter().map(token_of).collect::<Vec<_>>(),
        "created_at": time(source.created_at),
        "updated_at": time(source.updated_at),
    });
    record("source", source.id, attributes)
}

fn token_of(token: &SourceToken) -> Value {
    json!({
        "token": masked(&token.ending),
        "created_at": time(token.created_at),
        "last_used_at": token.last_used_at.map(time),
        "expires_at": token.expires_at.map(time),
    })
}

fn usage(source: &Source) -> Value {
    let refused = source.usage.refused.iter();
    let refused: Map<String, Value> = refused
        .map(|(reason, count)| (reason.clone(), (*count).into()))
        .collect();
    json!({
        "month": source.usage.month,
        "bytes": source.usage.bytes,
        "events": source.usage.events,
        "refused": refused,
    })
}

/// A source to be made, from the body of a `POST`.
pub(crate) fn new_source(body: Map<String, Value>) -> Result<NewSource, Failure> {
    let mut members = Members::new(body);
    members.ignore(&WITHOUT_MEANING);
    let new = NewSource {
        name: members.text("name").unwrap_or_default(),
        platform: members.text("platform"),
        client: client(&mut members),
        ingesting_paused: members.boolean("ingesting_paused").unwrap_or_default(),
        quota_bytes_per_month: members.integer("quota_bytes_per_month").flatten(),
        retention_days: retention_days(&mut members).flatten(),
        disk_bytes_max: members.integer("disk_bytes_max").flatten(),
    };
    members.finish()?;
    Ok(new)
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

fn client(members: &mut Members) -> Option<ClientId> {
    let ids = members.texts("client_id")?;
    match ids.first().map(|id| id.parse()) {
        Some(Ok(id)) if ids.len() == 1 => Some(ClientId(id)),
        _ => members.refuse("client_id", "has to be the id of a client"),
    }
}
