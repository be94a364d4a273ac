//! Notices that wait to be delivered.

use cordwood_event::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::database::{id_from, id_to};
use crate::{Error, IncidentId, RuleId};

/// The number of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

/// The number of a notice in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(pub u64);

/// A notice for one channel, to be written with what it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// Where it goes.
    pub channel: ChannelId,
    /// The incident it is about.
    pub incident: Option<IncidentId>,
    /// The rule it is about.
    pub rule: Option<RuleId>,
    /// What it tells.
    pub kind: String,
    /// The same for every attempt, and for the same notice written twice.
    pub idempotency_key: String,
    /// What is told, as JSON.
    pub notice: String,
}

/// Writes a notice; `None` if its key is there already.
pub(crate) fn insert(
    connection: &Connection,
    notice: &NewNotice,
    now: Timestamp,
) -> Result<Option<OutboxId>, Error> {
    connection
        .prepare_cached(
            "INSERT INTO outbox (channel_id, incident_id, rule_id, kind, idempotency_key, notice, state,
                created_at, due_at, attempts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?7, 0)
             ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
        )
        .and_then(|mut statement| {
            let row = params![
                id_to(notice.channel.0),
                notice.incident.map(|incident| id_to(incident.0)),
                notice.rule.map(|rule| id_to(rule.0)),
                notice.kind,
                notice.idempotency_key,
                notice.notice,
                now.as_nanos(),
            ];
            let written = statement.query_row(row, |row| Ok(OutboxId(id_from(row.get(0)?))));
            written.optional()
        })
        .map_err(Error::database("writing a notice"))
}
