//! The outbox: notices on their way, each to one channel. Nothing is told that was not first written here, in the transaction of what
//! it tells of.

use cordwood_event::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, ChannelId, Error, IncidentId, RuleId};

/// The number of a notice in the outbox; a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(pub u64);

/// A notice to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// Where it goes.
    pub channel: ChannelId,
    /// The incident it tells of.
    pub incident: Option<IncidentId>,
    /// The rule it tells of.
    pub rule: Option<RuleId>,
    /// What happened: `opened`.
    pub kind: String,
    /// The same however often it is written, and for every attempt.
    pub idempotency_key: String,
    /// What is told, as JSON.
    pub notice: String,
}

/// A notice that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingNotice {
    /// Its number.
    pub id: OutboxId,
    /// What was written.
    pub notice: NewNotice,
    /// When that was.
    pub created_at: Timestamp,
    /// Not to be tried before.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

impl Catalog {
    /// Writes notices, all or none; those whose key is there already are left out. Returns how many are new.
    pub fn write_notices(&self, notices: &[NewNotice], now: Timestamp) -> Result<usize, Error> {
        self.change(
            "writing notices",
            |transaction| insert_all(transaction, notices, now),
            |_, written| written,
        )
    }

    /// The oldest waiting notice of each channel, due or not, oldest first: those of a channel go in their order, one at a time.
    pub fn first_waiting(&self) -> Result<Vec<WaitingNotice>, Error> {
        let connection = self.connection();
        first_waiting(&connection).map_err(Error::database("reading the outbox"))
    }

    /// The waiting notices of a channel that were never tried, oldest first, at most `limit`.
    pub fn untried(&self, channel: ChannelId, limit: u32) -> Result<Vec<WaitingNotice>, Error> {
        let connection = self.connection();
        untried(&connection, channel, limit).map_err(Error::database("reading the outbox"))
    }

    /// Has one notice tell of several that wait, which then do not go out themselves.
    pub fn digest_notices(
        &self,
        of: &[OutboxId],
        digest: &NewNotice,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.change(
            "writing a digest",
            |transaction| match insert(transaction, digest, now)? {
                Some(id) => mark_digested(transaction, of, id, now)
                    .map_err(Error::database("writing a digest")),
                None => Ok(()),
            },
            |_, ()| (),
        )
    }
}

/// Writes notices in somebody's transaction; returns how many are new.
pub(crate) fn insert_all(
    connection: &Connection,
    notices: &[NewNotice],
    now: Timestamp,
) -> Result<usize, Error> {
    let mut written = 0;
    for notice in notices {
        written += usize::from(insert(connection, notice, now)?.is_some());
    }
    Ok(written)
}

/// Writes a notice in somebody's transaction; `None` if its key is there already, or its channel no more.
pub(crate) fn insert(
    connection: &Connection,
    notice: &NewNotice,
    now: Timestamp,
) -> Result<Option<OutboxId>, Error> {
    let doing = "writing a notice";
    let written = connection
        .prepare_cached(
            "INSERT INTO outbox (channel_id, incident_id, rule_id, kind, idempotency_key, notice, state, created_at,
                due_at, attempts)
             SELECT id, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?7, 0 FROM channels WHERE id = ?1
             ON CONFLICT (idempotency_key) DO NOTHING",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                id_to(notice.channel.0),
                notice.incident.map(|incident| id_to(incident.0)),
                notice.rule.map(|rule| id_to(rule.0)),
                notice.kind,
                notice.idempotency_key,
                notice.notice,
                now.as_nanos(),
            ])
        })
        .map_err(Error::database(doing))?;
    Ok((written > 0).then(|| OutboxId(id_from(connection.last_insert_rowid()))))
}

/// Changes the notices of an incident, sent or not, in somebody's transaction; `rewritten` makes `None` of those that stay.
pub(crate) fn rewrite(
    connection: &Connection,
    incident: IncidentId,
    rewritten: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Error> {
    let rewriting = || Error::database("changing notices");
    let notices = notices_of(connection, incident).map_err(rewriting())?;
    for (id, notice) in notices {
        let Some(notice) = rewritten(&notice) else {
            continue;
        };
        let mut change = connection
            .prepare_cached("UPDATE outbox SET notice = ?2 WHERE id = ?1")
            .map_err(rewriting())?;
        change.execute(params![id, notice]).map_err(rewriting())?;
        let mut forget = connection
            .prepare_cached("UPDATE deliveries SET response = '' WHERE outbox_id = ?1")
            .map_err(rewriting())?;
        forget.execute([id]).map_err(rewriting())?;
    }
    Ok(())
}

fn notices_of(
    connection: &Connection,
    incident: IncidentId,
) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement =
        connection.prepare_cached("SELECT id, notice FROM outbox WHERE incident_id = ?1")?;
    let rows = statement.query_map([id_to(incident.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

const WAITING: &str = "SELECT id, channel_id, incident_id, rule_id, kind, idempotency_key, notice, created_at, due_at,
    attempts FROM outbox";

fn first_waiting(connection: &Connection) -> rusqlite::Result<Vec<WaitingNotice>> {
    let mut statement = connection.prepare_cached(&format!(
        "{WAITING} WHERE id IN (SELECT min(id) FROM outbox WHERE state = 'waiting' GROUP BY channel_id) ORDER BY id"
    ))?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

fn untried(
    connection: &Connection,
    channel: ChannelId,
    limit: u32,
) -> rusqlite::Result<Vec<WaitingNotice>> {
    let mut statement = connection.prepare_cached(&format!(
        "{WAITING} WHERE channel_id = ?1 AND state = 'waiting' AND attempts = 0 ORDER BY id LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![id_to(channel.0), limit], from_row)?;
    rows.collect()
}

fn mark_digested(
    connection: &Connection,
    of: &[OutboxId],
    digest: OutboxId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE outbox SET state = 'digested', digest_id = ?2, settled_at = ?3 WHERE id = ?1 AND state = 'waiting'",
    )?;
    for id in of {
        statement.execute(params![id_to(id.0), id_to(digest.0), now.as_nanos()])?;
    }
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<WaitingNotice> {
    let incident: Option<i64> = row.get(2)?;
    let rule: Option<i64> = row.get(3)?;
    Ok(WaitingNotice {
        id: OutboxId(id_from(row.get(0)?)),
        notice: NewNotice {
            channel: ChannelId(id_from(row.get(1)?)),
            incident: incident.map(|incident| IncidentId(id_from(incident))),
            rule: rule.map(|rule| RuleId(id_from(rule))),
            kind: row.get(4)?,
            idempotency_key: row.get(5)?,
            notice: row.get(6)?,
        },
        created_at: Timestamp::from_nanos(row.get(7)?),
        due_at: Timestamp::from_nanos(row.get(8)?),
        attempts: row.get(9)?,
    })
}

/// Whether a notice still waits, and for which channel: it may have gone with its channel meanwhile.
pub(crate) fn channel_of_waiting(
    connection: &Connection,
    id: OutboxId,
) -> rusqlite::Result<Option<ChannelId>> {
    connection
        .prepare_cached("SELECT channel_id FROM outbox WHERE id = ?1 AND state = 'waiting'")?
        .query_row([id_to(id.0)], |row| Ok(ChannelId(id_from(row.get(0)?))))
        .optional()
}
