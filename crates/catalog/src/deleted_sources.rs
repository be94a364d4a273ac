//! Sources that were deleted: what remains of them here, so that whoever keeps their events can tell a source that somebody
//! deleted from one that a lost catalog no longer knows.

use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, Source};

/// A source that was deleted. Its number is never given out again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedSource {
    /// Its number.
    pub id: SourceId,
    /// The name it had.
    pub name: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

impl Catalog {
    /// All that were deleted, by id.
    pub fn deleted_sources(&self) -> Vec<Arc<DeletedSource>> {
        self.read().deleted_sources.values().cloned().collect()
    }
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<DeletedSource>> {
    let mut statement =
        connection.prepare("SELECT id, name, deleted_at FROM deleted_sources ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(DeletedSource {
            id: SourceId(id_from(row.get(0)?)),
            name: row.get(1)?,
            deleted_at: Timestamp::from_nanos(row.get(2)?),
        })
    })?;
    rows.collect()
}

pub(crate) fn record(
    connection: &Connection,
    source: &Source,
    now: Timestamp,
) -> rusqlite::Result<DeletedSource> {
    connection.execute(
        "INSERT INTO deleted_sources (id, name, deleted_at) VALUES (?1, ?2, ?3)",
        params![id_to(source.id.0), source.name, now.as_nanos()],
    )?;
    Ok(DeletedSource {
        id: source.id,
        name: source.name.clone(),
        deleted_at: now,
    })
}
