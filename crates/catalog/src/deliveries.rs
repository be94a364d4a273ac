//! The delivery log: what became of each notice, and what was answered to each attempt.

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, ChannelId, Error, IncidentId, NewNotice, OutboxId, RuleId, outbox};

/// An attempt to deliver a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// The status of HTTP or SMTP; `None` if nobody answered.
    pub status: Option<u16>,
    /// The beginning of what was answered, or why nobody did.
    pub response: String,
    /// Whether it arrived.
    pub is_delivered: bool,
}

/// What becomes of a notice after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived.
    Delivered,
    /// It is tried again.
    Retry {
        /// Not before.
        at: Timestamp,
    },
    /// It is given up.
    Failed,
}

/// Where a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// On its way.
    Waiting,
    /// There.
    Delivered,
    /// Given up.
    Failed,
    /// Told of in a digest.
    Digested,
}

/// A notice and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedNotice {
    /// Its number.
    pub id: OutboxId,
    /// The channel.
    pub channel: ChannelId,
    /// The incident it tells of.
    pub incident: Option<IncidentId>,
    /// The rule it tells of.
    pub rule: Option<RuleId>,
    /// What happened: `opened`.
    pub kind: String,
    /// The key it was sent with.
    pub idempotency_key: String,
    /// What is told, as JSON.
    pub notice: String,
    /// Where it is.
    pub state: DeliveryState,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next, while it waits.
    pub due_at: Timestamp,
    /// When it arrived, was given up or digested.
    pub settled_at: Option<Timestamp>,
    /// The digest that told of it.
    pub digest: Option<OutboxId>,
    /// The attempts, the oldest first.
    pub deliveries: Vec<Delivery>,
}

impl Catalog {
    /// Writes what an attempt came to. Nothing is written of a notice that does not wait any more.
    pub fn settle_notice(
        &self,
        id: OutboxId,
        delivery: &Delivery,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "writing what became of a notice";
        self.change(
            doing,
            |transaction| {
                settle(transaction, id, delivery, settlement, now).map_err(Error::database(doing))
            },
            |_, ()| (),
        )
    }

    /// Logs a notice that was sent without waiting, to try a channel.
    pub fn log_trial(
        &self,
        notice: &NewNotice,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "writing what became of a notice";
        let settlement = match delivery.is_delivered {
            true => Settlement::Delivered,
            false => Settlement::Failed,
        };
        self.change(
            doing,
            |transaction| match outbox::insert(transaction, notice, now)? {
                Some(id) => settle(transaction, id, delivery, settlement, now)
                    .map_err(Error::database(doing)),
                None => Ok(()),
            },
            |_, ()| (),
        )
    }

    /// The log of a channel, the newest first, from below `before`, at most `limit`.
    pub fn delivery_log(
        &self,
        channel: ChannelId,
        before: Option<OutboxId>,
        limit: u32,
    ) -> Result<Vec<LoggedNotice>, Error> {
        let connection = self.connection();
        log(&connection, channel, before, limit)
            .map_err(Error::database("reading the delivery log"))
    }

    /// Takes out of the log what was settled before `before`, at most `limit` notices; returns how many were.
    pub fn forget_deliveries(&self, before: Timestamp, limit: u32) -> Result<usize, Error> {
        let doing = "shortening the delivery log";
        self.change(
            doing,
            |transaction| {
                transaction
                    .execute(
                        "DELETE FROM outbox WHERE id IN
                            (SELECT id FROM outbox WHERE settled_at < ?1 ORDER BY settled_at LIMIT ?2)",
                        params![before.as_nanos(), limit],
                    )
                    .map_err(Error::database(doing))
            },
            |_, forgotten| forgotten,
        )
    }
}

fn settle(
    connection: &Connection,
    id: OutboxId,
    delivery: &Delivery,
    settlement: Settlement,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(channel) = outbox::channel_of_waiting(connection, id)? else {
        return Ok(());
    };
    let (state, due_at, settled_at) = match settlement {
        Settlement::Delivered => ("delivered", None, Some(now)),
        Settlement::Retry { at } => ("waiting", Some(at), None),
        Settlement::Failed => ("failed", None, Some(now)),
    };
    connection
        .prepare_cached(
            "UPDATE outbox SET state = ?2, due_at = coalesce(?3, due_at), settled_at = ?4, attempts = attempts + 1
             WHERE id = ?1",
        )?
        .execute(params![
            id_to(id.0),
            state,
            due_at.map(Timestamp::as_nanos),
            settled_at.map(Timestamp::as_nanos),
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO deliveries (outbox_id, at, took_ms, status, response, is_delivered)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            id_to(id.0),
            delivery.at.as_nanos(),
            id_to(delivery.took_ms),
            delivery.status,
            delivery.response,
            delivery.is_delivered,
        ])?;
    note_health(connection, channel, delivery, now)
}

fn note_health(
    connection: &Connection,
    channel: ChannelId,
    delivery: &Delivery,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (delivered_at, failed_at, failure) = match delivery.is_delivered {
        true => (Some(now.as_nanos()), None, None),
        false => (None, Some(now.as_nanos()), Some(&delivery.response)),
    };
    connection
        .prepare_cached(
            "INSERT INTO channel_health (channel_id, delivered_at, failed_at, failure) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET delivered_at = coalesce(excluded.delivered_at, delivered_at),
             failed_at = coalesce(excluded.failed_at, failed_at), failure = coalesce(excluded.failure, failure)",
        )?
        .execute(params![id_to(channel.0), delivered_at, failed_at, failure])?;
    Ok(())
}

fn log(
    connection: &Connection,
    channel: ChannelId,
    before: Option<OutboxId>,
    limit: u32,
) -> rusqlite::Result<Vec<LoggedNotice>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, channel_id, incident_id, rule_id, kind, idempotency_key, notice, state, created_at, due_at,
            settled_at, digest_id
         FROM outbox WHERE channel_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let before = before.map_or(i64::MAX, |before| id_to(before.0));
    let rows = statement.query_map(params![id_to(channel.0), before, limit], logged)?;
    let mut log = rows.collect::<rusqlite::Result<Vec<LoggedNotice>>>()?;
    for notice in &mut log {
        notice.deliveries = deliveries(connection, notice.id)?;
    }
    Ok(log)
}

fn logged(row: &Row<'_>) -> rusqlite::Result<LoggedNotice> {
    let id = |index: usize| -> rusqlite::Result<Option<u64>> {
        let rowid: Option<i64> = row.get(index)?;
        Ok(rowid.map(id_from))
    };
    let state: String = row.get(7)?;
    let settled_at: Option<i64> = row.get(10)?;
    Ok(LoggedNotice {
        id: OutboxId(id_from(row.get(0)?)),
        channel: ChannelId(id_from(row.get(1)?)),
        incident: id(2)?.map(IncidentId),
        rule: id(3)?.map(RuleId),
        kind: row.get(4)?,
        idempotency_key: row.get(5)?,
        notice: row.get(6)?,
        // The table holds no fifth.
        state: match state.as_str() {
            "delivered" => DeliveryState::Delivered,
            "failed" => DeliveryState::Failed,
            "digested" => DeliveryState::Digested,
            _ => DeliveryState::Waiting,
        },
        created_at: Timestamp::from_nanos(row.get(8)?),
        due_at: Timestamp::from_nanos(row.get(9)?),
        settled_at: settled_at.map(Timestamp::from_nanos),
        digest: id(11)?.map(OutboxId),
        deliveries: Vec::new(),
    })
}

fn deliveries(connection: &Connection, id: OutboxId) -> rusqlite::Result<Vec<Delivery>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, took_ms, status, response, is_delivered FROM deliveries WHERE outbox_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([id_to(id.0)], |row| {
        Ok(Delivery {
            at: Timestamp::from_nanos(row.get(0)?),
            took_ms: id_from(row.get(1)?),
            status: row.get(2)?,
            response: row.get(3)?,
            is_delivered: row.get(4)?,
        })
    })?;
    rows.collect()
}
