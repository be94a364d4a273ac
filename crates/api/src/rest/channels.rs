//! `/api/v1/channels`: where notices go. What may be secret is taken and never shown.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cordwood_service::{Channel, ChannelChanges, ChannelKind, ChannelOwner, ChannelTrial};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{
    Anonymous, Attributes, Data, Page, Record, anonymous, data, list as page, record,
};
use crate::rest::members::Members;
use crate::rest::times::{Millis, RecordTime};

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelAttributes {
    name: String,
    /// `email`, `slack`, `teams`, `discord`, `pagerduty`, `opsgenie`, `ntfy`, `telegram` or `webhook`.
    kind: &'static str,
    /// What it is made of; empty for a channel of the provider where the token is for some clients.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The names of the secrets it has; their values are never shown.
    secrets_set: Vec<String>,
    /// Notices it takes in a minute; more become a digest.
    per_minute: u32,
    /// Whether it is told of incidents and rules that name no channels.
    default: bool,
    paused: bool,
    /// Null for a channel of the provider.
    client_id: Option<String>,
    /// Whether it is the provider's, for all clients.
    provider: bool,
    health: Option<ChannelHealthAttributes>,
    created_at: RecordTime,
    updated_at: RecordTime,
}

/// How a channel has been doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelHealthAttributes {
    last_delivered_at: Option<RecordTime>,
    last_failed_at: Option<RecordTime>,
    /// What was answered then, or why nobody answered.
    last_failure: Option<String>,
    /// Notices that wait.
    waiting: u64,
}

impl Attributes for ChannelAttributes {
    const TYPE: &'static str = "channel";
}

/// What came of trying a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelTrialAttributes {
    delivered: bool,
    /// Of HTTP or SMTP; null if nobody answered.
    status: Option<u16>,
    /// The beginning of what was answered, or why nobody did.
    response: String,
    took_ms: Millis,
}

impl Attributes for ChannelTrialAttributes {
    const TYPE: &'static str = "channel_test";
}

type ChannelRecord = Record<ChannelAttributes>;
type Answer = Result<Json<Data<ChannelRecord>>, Failure>;

/// A new channel. What is wrong with it is told all at once.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`changes` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewChannelBody {
    name: String,
    /// `email`, `slack`, `teams`, `discord`, `pagerduty`, `opsgenie`, `ntfy`, `telegram` or `webhook`.
    kind: String,
    /// docs/channels.md has those of each kind.
    #[schema(value_type = Object)]
    settings: Option<Map<String, Value>>,
    #[schema(value_type = Object)]
    secrets: Option<Map<String, Value>>,
    /// 1 to 60; 20 unless given.
    per_minute: Option<u64>,
    default: Option<bool>,
    paused: Option<bool>,
    /// The client it belongs to; the first the token sees unless given.
    client_id: Option<u64>,
    /// Makes it the provider's, for all clients.
    provider: Option<bool>,
}

/// What of a channel to change.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `NewChannelBody`")]
pub(crate) struct ChannelBody {
    name: Option<String>,
    /// Members that are not named stay; null takes one away.
    #[schema(value_type = Object)]
    settings: Option<Map<String, Value>>,
    /// The same. Where a setting that says where the channel leads changes, all secrets have to be given again.
    #[schema(value_type = Object)]
    secrets: Option<Map<String, Value>>,
    per_minute: Option<u64>,
    default: Option<bool>,
    paused: Option<bool>,
}

/// List channels
///
/// Those of the clients the token sees, and the provider's, by name.
#[utoipa::path(
    get, path = "/channels", tag = "channels",
    responses((status = 200, body = Page<Record<ChannelAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<ChannelRecord>>, Failure> {
    let channels = edge
        .managed(move |service| service.list_channels(&caller))
        .await?;
    Ok(Json(page(channels.into_iter().map(channel_record), &links)))
}

/// Make a channel
///
/// Needs write access; one of the provider, an admin of all clients.
#[utoipa::path(
    post, path = "/channels", tag = "channels",
    request_body = NewChannelBody,
    responses((status = 201, body = Data<Record<ChannelAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<ChannelRecord>>), Failure> {
    let mut members = Members::new(body);
    let client = members.client();
    let owner = match members.boolean("provider") {
        Some(true) => ChannelOwner::Provider,
        _ => ChannelOwner::Client(client),
    };
    let kind = kind(&mut members);
    let new = changes(members)?;
    // One that is missing was refused above.
    let kind = kind.unwrap_or(ChannelKind::Webhook);
    let made = edge
        .managed(move |service| service.create_channel(&caller, owner, kind, &new))
        .await?;
    Ok((StatusCode::CREATED, Json(data(channel_record(made)))))
}

/// Show a channel
#[utoipa::path(
    get, path = "/channels/{channel}", tag = "channels",
    params(("channel" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Data<Record<ChannelAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Answer {
    let channel = edge
        .managed(move |service| service.channel(&caller, &name))
        .await?;
    Ok(Json(data(channel_record(channel))))
}

/// Change a channel
#[utoipa::path(
    patch, path = "/channels/{channel}", tag = "channels",
    params(("channel" = String, Path, description = "Its id or name")),
    request_body = ChannelBody,
    responses((status = 200, body = Data<Record<ChannelAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let changes = changes(Members::new(body))?;
    let changed = edge
        .managed(move |service| service.update_channel(&caller, &name, &changes))
        .await?;
    Ok(Json(data(channel_record(changed))))
}

/// Delete a channel
///
/// What waits for it and its log go with it.
#[utoipa::path(
    delete, path = "/channels/{channel}", tag = "channels",
    params(("channel" = String, Path, description = "Its id or name")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_channel(&caller, &name))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try a channel
///
/// Sends a notice to it now, paused or not, and answers with what the provider answered.
#[utoipa::path(
    post, path = "/channels/{channel}/test", tag = "channels",
    params(("channel" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Data<Anonymous<ChannelTrialAttributes>>)),
)]
pub(crate) async fn test(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Result<Json<Data<Anonymous<ChannelTrialAttributes>>>, Failure> {
    let trial = edge
        .managed(move |service| service.test_channel(&caller, &name))
        .await?;
    let ChannelTrial {
        is_delivered,
        status,
        response,
        took,
    } = trial;
    Ok(Json(data(anonymous(ChannelTrialAttributes {
        delivered: is_delivered,
        status,
        response,
        took_ms: Millis(took),
    }))))
}

fn kind(members: &mut Members) -> Option<ChannelKind> {
    let Some(name) = members.text("kind") else {
        return members.refuse("kind", "can't be blank");
    };
    let known = ChannelKind::ALL.map(ChannelKind::name).join(", ");
    match ChannelKind::parse(&name) {
        None => members.refuse("kind", &format!("has to be one of {known}")),
        kind => kind,
    }
}

fn changes(mut members: Members) -> Result<ChannelChanges, Failure> {
    let changes = ChannelChanges {
        name: members.text("name"),
        settings: part(&mut members, "settings"),
        secrets: part(&mut members, "secrets"),
        per_minute: members.integer("per_minute").flatten(),
        is_default: members.boolean("default"),
        is_paused: members.boolean("paused"),
    };
    members.finish()?;
    Ok(changes)
}

/// Settings or secrets: of all of them, only `headers` has members of its own.
fn part(members: &mut Members, name: &str) -> Option<Map<String, Value>> {
    let part = members.object(name)?;
    let nested = part
        .iter()
        .find(|(member, value)| value.is_object() && *member != "headers");
    match nested {
        Some((member, _)) => members.refuse(name, &format!("`{member}` can't be an object")),
        None => Some(part),
    }
}

fn channel_record(channel: Channel) -> ChannelRecord {
    let health = channel.health.map(|health| ChannelHealthAttributes {
        last_delivered_at: health.delivered_at.map(RecordTime),
        last_failed_at: health.failed_at.map(RecordTime),
        last_failure: health.failure,
        waiting: health.waiting,
    });
    let attributes = ChannelAttributes {
        name: channel.name,
        kind: channel.kind.name(),
        settings: channel.settings,
        secrets_set: channel.secrets,
        per_minute: channel.per_minute,
        default: channel.is_default,
        paused: channel.is_paused,
        client_id: channel.client.map(|client| client.to_string()),
        provider: channel.client.is_none(),
        health,
        created_at: RecordTime(channel.created_at),
        updated_at: RecordTime(channel.updated_at),
    };
    record(channel.id, attributes)
}
