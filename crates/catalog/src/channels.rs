//! Channels: where notices go. What kind of channel means what is decided elsewhere; here settings and secrets are texts.

use std::sync::Arc;

use cordwood_event::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, ClientId, Error, Secret};

/// The number of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its number.
    pub id: ChannelId,
    /// The client it belongs to; `None` for one of the provider, for all clients.
    pub client: Option<ClientId>,
    /// What of it can be chosen.
    pub content: ChannelContent,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What of a channel can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelContent {
    /// Unique within its client, whatever the case of ASCII letters.
    pub name: String,
    /// Of which provider it is: `slack`.
    pub kind: String,
    /// What can be shown, as JSON.
    pub settings: String,
    /// What cannot, as JSON.
    pub secrets: Secret,
    /// Notices it takes in a minute.
    pub per_minute: u32,
    /// Whether it is told of what names no channels.
    pub is_default: bool,
    /// Whether nothing is sent to it.
    pub is_paused: bool,
}

/// How a channel has been doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelHealth {
    /// When a notice last arrived.
    pub delivered_at: Option<Timestamp>,
    /// When an attempt last failed.
    pub failed_at: Option<Timestamp>,
    /// Why it did.
    pub failure: Option<String>,
    /// Notices that wait.
    pub waiting: u64,
}

impl Catalog {
    /// All channels, by id.
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        self.read().channels.values().cloned().collect()
    }

    /// One channel.
    pub fn channel(&self, id: ChannelId) -> Option<Arc<Channel>> {
        self.read().channels.get(&id).cloned()
    }

    /// Makes a channel.
    pub fn create_channel(
        &self,
        client: Option<ClientId>,
        content: ChannelContent,
        now: Timestamp,
    ) -> Result<Arc<Channel>, Error> {
        self.change(
            "making a channel",
            |transaction| insert(transaction, client, content, now),
            |memory, channel| memory.show_channel(channel),
        )
    }

    /// Changes a channel.
    pub fn update_channel(
        &self,
        id: ChannelId,
        content: ChannelContent,
        now: Timestamp,
    ) -> Result<Arc<Channel>, Error> {
        let known = self
            .channel(id)
            .ok_or(Error::NotFound { kind: "channel" })?;
        let channel = Channel {
            content,
            updated_at: now,
            ..(*known).clone()
        };
        self.change(
            "changing a channel",
            |transaction| update(transaction, &channel).map(|()| channel),
            |memory, channel| memory.show_channel(channel),
        )
    }

    /// Deletes a channel, the notices that wait for it, and its log.
    pub fn delete_channel(&self, id: ChannelId) -> Result<(), Error> {
        self.change(
            "deleting a channel",
            |transaction| {
                let deleted = transaction
                    .execute("DELETE FROM channels WHERE id = ?1", [id_to(id.0)])
                    .map_err(Error::database("deleting a channel"))?;
                found(deleted)
            },
            |memory, ()| drop(memory.channels.remove(&id)),
        )
    }

    /// How a channel has been doing.
    pub fn channel_health(&self, id: ChannelId) -> Result<ChannelHealth, Error> {
        let connection = self.connection();
        health(&connection, id).map_err(Error::database("reading how a channel does"))
    }
}

fn insert(
    connection: &Connection,
    client: Option<ClientId>,
    content: ChannelContent,
    now: Timestamp,
) -> Result<Channel, Error> {
    connection
        .execute(
            "INSERT INTO channels (client_id, name, kind, settings, secrets, per_minute, is_default, is_paused,
                created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
            params![
                client.map(|client| id_to(client.0)),
                content.name,
                content.kind,
                content.settings,
                content.secrets.reveal(),
                content.per_minute,
                content.is_default,
                content.is_paused,
                now.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("making a channel"))?;
    Ok(Channel {
        id: ChannelId(id_from(connection.last_insert_rowid())),
        client,
        content,
        created_at: now,
        updated_at: now,
    })
}

fn update(connection: &Connection, channel: &Channel) -> Result<(), Error> {
    let content = &channel.content;
    let updated = connection
        .execute(
            "UPDATE channels SET name = ?2, kind = ?3, settings = ?4, secrets = ?5, per_minute = ?6, is_default = ?7,
                is_paused = ?8, updated_at = ?9
             WHERE id = ?1",
            params![
                id_to(channel.id.0),
                content.name,
                content.kind,
                content.settings,
                content.secrets.reveal(),
                content.per_minute,
                content.is_default,
                content.is_paused,
                channel.updated_at.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("changing a channel"))?;
    found(updated)
}

fn found(rows: usize) -> Result<(), Error> {
    match rows {
        0 => Err(Error::NotFound { kind: "channel" }),
        _ => Ok(()),
    }
}

fn health(connection: &Connection, id: ChannelId) -> rusqlite::Result<ChannelHealth> {
    let told = connection
        .prepare_cached(
            "SELECT delivered_at, failed_at, failure FROM channel_health WHERE channel_id = ?1",
        )?
        .query_row([id_to(id.0)], |row| {
            Ok(ChannelHealth {
                delivered_at: time(row, 0)?,
                failed_at: time(row, 1)?,
                failure: row.get(2)?,
                waiting: 0,
            })
        })
        .optional()?;
    let waiting = connection
        .prepare_cached("SELECT count(*) FROM outbox WHERE channel_id = ?1 AND state = 'waiting'")?
        .query_row([id_to(id.0)], |row| row.get(0))?;
    Ok(ChannelHealth {
        waiting: id_from(waiting),
        ..told.unwrap_or_default()
    })
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    let nanos: Option<i64> = row.get(index)?;
    Ok(nanos.map(Timestamp::from_nanos))
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<Channel>> {
    let mut statement = connection.prepare(
        "SELECT id, client_id, name, kind, settings, secrets, per_minute, is_default, is_paused, created_at, updated_at
         FROM channels ORDER BY id",
    )?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Channel> {
    let client: Option<i64> = row.get(1)?;
    let secrets: String = row.get(5)?;
    Ok(Channel {
        id: ChannelId(id_from(row.get(0)?)),
        client: client.map(|client| ClientId(id_from(client))),
        content: ChannelContent {
            name: row.get(2)?,
            kind: row.get(3)?,
            settings: row.get(4)?,
            secrets: Secret::new(secrets),
            per_minute: row.get(6)?,
            is_default: row.get(7)?,
            is_paused: row.get(8)?,
        },
        created_at: Timestamp::from_nanos(row.get(9)?),
        updated_at: Timestamp::from_nanos(row.get(10)?),
    })
}
