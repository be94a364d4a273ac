//! A channel as callers see it.

use cordwood_catalog as catalog;
use cordwood_event::Timestamp;
use cordwood_notify::ChannelKind;
use serde_json::{Map, Value};

use crate::ClientId;

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Its number.
    pub id: u64,
    /// The client it belongs to; `None` for one of the provider.
    pub client: Option<ClientId>,
    /// Unique among those of its client.
    pub name: String,
    /// Of which provider it is.
    pub kind: ChannelKind,
    /// What it is made of, as far as it can be shown.
    pub settings: Map<String, Value>,
    /// Which secrets it has.
    pub secrets: Vec<String>,
    /// Notices it takes in a minute.
    pub per_minute: u32,
    /// Whether it is told of what names no channels.
    pub is_default: bool,
    /// Whether nothing is sent to it.
    pub is_paused: bool,
    /// How it has been doing; `None` if that is not for the caller.
    pub health: Option<ChannelHealth>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

pub use cordwood_catalog::ChannelHealth;

/// Whose channel it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelOwner {
    /// The provider's, for all clients.
    Provider,
    /// A client's; the only one that the caller sees unless it is named.
    Client(Option<ClientId>),
}

/// What a channel is to be, or to be changed to; what is `None` stays, or is as by default.
#[derive(Clone, Debug, Default)]
pub struct ChannelChanges {
    /// See [`Channel::name`]; needed for a new one.
    pub name: Option<String>,
    /// Members of [`Channel::settings`]; null takes one away.
    pub settings: Option<Map<String, Value>>,
    /// Secrets; null takes one away.
    pub secrets: Option<Map<String, Value>>,
    /// See [`Channel::per_minute`].
    pub per_minute: Option<u64>,
    /// See [`Channel::is_default`].
    pub is_default: Option<bool>,
    /// See [`Channel::is_paused`].
    pub is_paused: Option<bool>,
}

pub(super) fn described(channel: &catalog::Channel, health: ChannelHealth) -> Channel {
    let content = &channel.content;
    let secrets = members(content.secrets.reveal());
    Channel {
        settings: members(&content.settings),
        secrets: secrets.into_iter().map(|(name, _)| name).collect(),
        health: Some(health),
        ..without_content(channel)
    }
}

pub(super) fn without_content(channel: &catalog::Channel) -> Channel {
    let content = &channel.content;
    Channel {
        id: channel.id.0,
        client: channel.client,
        name: content.name.clone(),
        kind: kind(content),
        settings: Map::new(),
        secrets: Vec::new(),
        per_minute: content.per_minute,
        is_default: content.is_default,
        is_paused: content.is_paused,
        health: None,
        created_at: channel.created_at,
        updated_at: channel.updated_at,
    }
}

/// The kind of a channel in the catalog, which is one we wrote.
pub(super) fn kind(content: &catalog::ChannelContent) -> ChannelKind {
    ChannelKind::parse(&content.kind).unwrap_or(ChannelKind::Webhook)
}

/// The object that was written.
pub(super) fn members(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}
