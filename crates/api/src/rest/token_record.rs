//! An API token as JSON.

use std::collections::BTreeSet;

use cordwood_event::Timestamp;
use cordwood_service::{Access, ApiToken, ClientId, NewApiToken, Scope, Secret};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::failure::Failure;
use crate::rest::envelope::{Attributes, Record, masked, record};
use crate::rest::members::Members;
use crate::rest::times::RecordTime;

/// An API token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenAttributes {
    name: String,
    /// `read`, `write` or `admin`; each includes the ones before it.
    access: &'static str,
    /// Ids of the clients it is for; null for all.
    clients: Option<Vec<String>>,
    /// In full at creation; else its last characters.
    token: String,
    created_at: RecordTime,
    last_used_at: Option<RecordTime>,
    expires_at: Option<RecordTime>,
    revoked_at: Option<RecordTime>,
}

impl Attributes for TokenAttributes {
    const TYPE: &'static str = "token";
}

/// The record of a token; `plain` is its text where that is shown: at creation.
pub(crate) fn token_record(token: &ApiToken, plain: Option<&Secret>) -> Record<TokenAttributes> {
    let clients = match &token.scope {
        Scope::AllClients => None,
        Scope::Clients(clients) => Some(clients.iter().map(ToString::to_string).collect()),
    };
    let attributes = TokenAttributes {
        name: token.name.clone(),
        access: token.access.name(),
        clients,
        token: plain.map_or_else(|| masked(&token.ending), |plain| plain.reveal().to_owned()),
        created_at: RecordTime(token.created_at),
        last_used_at: token.last_used_at.map(RecordTime),
        expires_at: token.expires_at.map(RecordTime),
        revoked_at: token.revoked_at.map(RecordTime),
    };
    record(token.id, attributes)
}

/// An API token to be made.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_token` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewTokenBody {
    name: String,
    /// `read` unless given, `write` or `admin`.
    access: Option<String>,
    /// Ids of clients; all that its maker sees unless given.
    clients: Option<Vec<String>>,
    /// Such as `2026-12-31T00:00:00Z`; never unless given.
    expires_at: Option<String>,
}

/// A token to be made, from the body of a `POST`: `access` is read unless given, and the token is for
/// all clients that its maker sees unless `clients` names some.
pub(crate) fn new_token(
    body: Map<String, Value>,
    scope_of_maker: &Scope,
) -> Result<NewApiToken, Failure> {
    let mut members = Members::new(body);
    let new = NewApiToken {
        name: members.text("name").unwrap_or_default(),
        access: access(&mut members),
        scope: scope(&mut members).unwrap_or_else(|| scope_of_maker.clone()),
        expires_at: expires_at(&mut members),
    };
    members.finish()?;
    Ok(new)
}

fn access(members: &mut Members) -> Access {
    let Some(name) = members.text("access") else {
        return Access::Read;
    };
    let access = Access::parse(&name);
    let access = access.or_else(|| members.refuse("access", "has to be read, write or admin"));
    access.unwrap_or(Access::Read)
}

fn scope(members: &mut Members) -> Option<Scope> {
    let ids = members.texts("clients")?;
    let ids: Result<BTreeSet<ClientId>, _> =
        ids.iter().map(|id| id.parse().map(ClientId)).collect();
    match ids {
        Ok(ids) if !ids.is_empty() => Some(Scope::Clients(ids)),
        _ => members.refuse("clients", "has to be a list of ids of clients"),
    }
}

fn expires_at(members: &mut Members) -> Option<Timestamp> {
    let text = members.text("expires_at")?;
    let time = Timestamp::parse_rfc3339(&text);
    time.or_else(|| {
        members.refuse(
            "expires_at",
            "has to be a time such as 2026-12-31T00:00:00Z",
        )
    })
}
