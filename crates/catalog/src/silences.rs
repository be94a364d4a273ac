//! Silences: who is not to be told of what, until when. What a silence says is one document that the crate must not know.

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, ClientId, Error};

/// The number of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SilenceId(pub u64);

/// A silence to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSilence {
    /// Whose it is; `None` for one of the provider, for all clients.
    pub client: Option<ClientId>,
    /// What it mutes, and when.
    pub silence: String,
    /// When it ends by itself; `None` if it comes back for ever.
    pub ends_at: Option<Timestamp>,
    /// What it is for.
    pub comment: String,
    /// Who made it: the name of a token.
    pub author: String,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: SilenceId,
    /// What it says.
    pub content: NewSilence,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody ended it.
    pub ended_at: Option<Timestamp>,
}

impl Silence {
    /// Whether it can mute nothing any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ended_at.is_some() || self.content.ends_at.is_some_and(|end| end <= now)
    }
}

impl Catalog {
    /// All silences, the newest first.
    pub fn silences(&self) -> Result<Vec<Silence>, Error> {
        let connection = self.connection();
        select(&connection, "ORDER BY id DESC", &[])
    }

    /// Those that mute something now or will, by id.
    pub fn standing_silences(&self, now: Timestamp) -> Result<Vec<Silence>, Error> {
        let clauses = "WHERE ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?1) ORDER BY id";
        select(&self.connection(), clauses, &[&now.as_nanos()])
    }

    /// The silence with this number.
    pub fn silence(&self, id: SilenceId) -> Result<Option<Silence>, Error> {
        let found = select(&self.connection(), "WHERE id = ?1", &[&id_to(id.0)]);
        Ok(found?.pop())
    }

    /// Keeps a silence.
    pub fn create_silence(&self, new: &NewSilence, now: Timestamp) -> Result<SilenceId, Error> {
        self.change(
            "keeping a silence",
            |transaction| {
                transaction
                    .execute(
                        "INSERT INTO silences (client_id, silence, comment, author, created_at, ends_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        params![
                            new.client.map(|client| id_to(client.0)),
                            new.silence,
                            new.comment,
                            new.author,
                            now.as_nanos(),
                            new.ends_at.map(Timestamp::as_nanos),
                        ],
                    )
                    .map_err(Error::database("keeping a silence"))?;
                Ok(SilenceId(id_from(transaction.last_insert_rowid())))
            },
            |_, id| id,
        )
    }

    /// Has a silence say something else, of its end or its comment.
    pub fn update_silence(&self, id: SilenceId, content: &NewSilence) -> Result<(), Error> {
        self.write_silence(
            "UPDATE silences SET silence = ?2, comment = ?3, ends_at = ?4 WHERE id = ?1",
            params![
                id_to(id.0),
                content.silence,
                content.comment,
                content.ends_at.map(Timestamp::as_nanos)
            ],
        )
    }

    /// Ends a silence; one that was ended before keeps its end.
    pub fn end_silence(&self, id: SilenceId, now: Timestamp) -> Result<(), Error> {
        self.write_silence(
            "UPDATE silences SET ended_at = coalesce(ended_at, ?2) WHERE id = ?1",
            params![id_to(id.0), now.as_nanos()],
        )
    }

    /// Forgets silences that were over before then. Incidents that they muted keep their numbers.
    pub fn forget_silences(&self, over_before: Timestamp) -> Result<u64, Error> {
        let forgetting = "forgetting silences";
        self.change(
            forgetting,
            |transaction| {
                let forgotten = transaction.execute(
                    "DELETE FROM silences
                     WHERE min(coalesce(ended_at, ends_at), coalesce(ends_at, ended_at)) < ?1",
                    [over_before.as_nanos()],
                );
                let forgotten = forgotten.map_err(Error::database(forgetting))?;
                Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
            },
            |_, forgotten| forgotten,
        )
    }

    fn write_silence(
        &self,
        statement: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<(), Error> {
        self.change(
            "changing a silence",
            |transaction| {
                let changed = transaction.execute(statement, parameters);
                match changed.map_err(Error::database("changing a silence"))? {
                    0 => Err(Error::NotFound { kind: "silence" }),
                    _ => Ok(()),
                }
            },
            |_, ()| (),
        )
    }
}

fn select(
    connection: &Connection,
    clauses: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Silence>, Error> {
    let doing = "reading silences";
    let mut statement = connection
        .prepare_cached(&format!(
            "SELECT id, client_id, silence, comment, author, created_at, ends_at, ended_at FROM silences {clauses}"
        ))
        .map_err(Error::database(doing))?;
    let rows = statement.query_map(parameters, from_row);
    let rows = rows.map_err(Error::database(doing))?;
    rows.collect::<rusqlite::Result<Vec<Silence>>>()
        .map_err(Error::database(doing))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Silence> {
    let client: Option<i64> = row.get(1)?;
    let time = |index: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_nanos))
    };
    Ok(Silence {
        id: SilenceId(id_from(row.get(0)?)),
        content: NewSilence {
            client: client.map(|client| ClientId(id_from(client))),
            silence: row.get(2)?,
            ends_at: time(6)?,
            comment: row.get(3)?,
            author: row.get(4)?,
        },
        created_at: Timestamp::from_nanos(row.get(5)?),
        ended_at: time(7)?,
    })
}
