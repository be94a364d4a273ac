//! Sources of events.

use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, Row, params};

use crate::database::{id_from, id_to};
use crate::deleted_sources::{self, DeletedSource};
use crate::source_tokens::insert_token;
use crate::{Catalog, ClientId, Error, NewToken, SourceUsage};

/// The longest table name; what a column or file name anywhere can be.
const TABLE_NAME_LENGTH_MAX: usize = 60;

/// A source of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its number, never given out again.
    pub id: SourceId,
    /// Whose it is.
    pub client: ClientId,
    /// Unique for the client, whatever the case of ASCII letters.
    pub name: String,
    /// What sends to it.
    pub platform: String,
    /// A name of lower-case ASCII letters, digits and `_`, unique for the client; from the first name.
    pub table_name: String,
    /// Whether its events are refused.
    pub ingesting_paused: bool,
    /// Bytes a month; `None` for any number.
    pub quota_bytes_per_month: Option<u64>,
    /// Days its events are kept; `None` for ever.
    pub retention_days: Option<u32>,
    /// Bytes on disk that it may take; `None` for any number.
    pub disk_bytes_max: Option<u64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A source to be made; fields as in [`Source`].
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "documented on Source")]
pub struct NewSource {
    pub client: ClientId,
    pub name: String,
    pub platform: String,
    pub ingesting_paused: bool,
    pub quota_bytes_per_month: Option<u64>,
    pub retention_days: Option<u32>,
    pub disk_bytes_max: Option<u64>,
}

/// Changes to a source; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "documented on Source")]
pub struct SourceChanges {
    pub name: Option<String>,
    pub ingesting_paused: Option<bool>,
    pub quota_bytes_per_month: Option<Option<u64>>,
    pub retention_days: Option<Option<u32>>,
    pub disk_bytes_max: Option<Option<u64>>,
}

impl Catalog {
    /// All sources, by id.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        let memory = self.read();
        let sources = memory.sources.values();
        sources.map(|live| Arc::clone(&live.source)).collect()
    }

    /// One source.
    pub fn source(&self, id: SourceId) -> Option<Arc<Source>> {
        let memory = self.read();
        memory.sources.get(&id).map(|live| Arc::clone(&live.source))
    }

    /// Whether there ever was a source, be it deleted since.
    pub fn has_made_sources(&self) -> bool {
        self.read().has_made_sources
    }

    /// Never gives out an id up to `last` from now on. Events outlive a catalog that was lost or put
    /// back from a backup, and must not turn up in a source made later.
    pub fn skip_source_ids(&self, last: SourceId) -> Result<(), Error> {
        self.change(
            "skipping the ids of sources",
            |transaction| {
                skip_ids(transaction, last).map_err(Error::database("skipping the ids of sources"))
            },
            |_, ()| {},
        )
    }

    /// Makes a source with its first token.
    pub fn create_source(
        &self,
        new: &NewSource,
        token: &NewToken,
        now: Timestamp,
    ) -> Result<Arc<Source>, Error> {
        self.change(
            "making a source",
            |transaction| {
                let source = insert(transaction, new, now)?;
                let token = insert_token(transaction, source.id, token, now)?;
                Ok((source, token))
            },
            |memory, (source, token)| {
                let id = source.id;
                memory.show_source(source, SourceUsage::default());
                memory.show_source_token(token);
                Arc::clone(&memory.sources[&id].source)
            },
        )
    }

    /// Changes a source.
    pub fn update_source(
        &self,
        id: SourceId,
        changes: &SourceChanges,
        now: Timestamp,
    ) -> Result<Arc<Source>, Error> {
        self.change(
            "changing a source",
            |transaction| {
                let before = self.source(id).ok_or(NO_SOURCE)?;
                let after = changed(&before, changes, now);
                update(transaction, &after)?;
                Ok(Arc::new(after))
            },
            |memory, after| {
                if let Some(live) = memory.sources.get_mut(&id) {
                    live.source = Arc::clone(&after);
                }
                after
            },
        )
    }

    /// Deletes a source, its tokens and its usage, and keeps a [`DeletedSource`](crate::DeletedSource) of it.
    pub fn delete_source(&self, id: SourceId, now: Timestamp) -> Result<(), Error> {
        self.change(
            "deleting a source",
            |transaction| {
                let source = self.source(id).ok_or(NO_SOURCE)?;
                delete(transaction, &source, now).map_err(Error::database("deleting a source"))
            },
            |memory, deleted| {
                memory.sources.remove(&id);
                memory.source_tokens.retain(|_, token| token.source != id);
                memory.show_deleted_source(deleted);
            },
        )
    }
}

pub(crate) const NO_SOURCE: Error = Error::NotFound { kind: "source" };

fn changed(before: &Source, changes: &SourceChanges, now: Timestamp) -> Source {
    let before = before.clone();
    Source {
        name: changes.name.clone().unwrap_or(before.name),
        ingesting_paused: changes.ingesting_paused.unwrap_or(before.ingesting_paused),
        quota_bytes_per_month: changes
            .quota_bytes_per_month
            .map_or(before.quota_bytes_per_month, |quota| quota.map(reachable)),
        retention_days: changes.retention_days.unwrap_or(before.retention_days),
        disk_bytes_max: changes
            .disk_bytes_max
            .map_or(before.disk_bytes_max, |bytes| bytes.map(reachable)),
        updated_at: now,
        ..before
    }
}

fn insert(connection: &Connection, new: &NewSource, now: Timestamp) -> Result<Source, Error> {
    let quota = new.quota_bytes_per_month.map(reachable);
    let disk_bytes_max = new.disk_bytes_max.map(reachable);
    let table_name = free_table_name(connection, new.client, &new.name)
        .map_err(Error::database("naming a table"))?;
    connection
        .execute(
            "INSERT INTO sources (client_id, name, platform, table_name, ingesting_paused,
                 quota_bytes_per_month, retention_days, disk_bytes_max, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
            params![
                id_to(new.client.0),
                new.name,
                new.platform,
                table_name,
                new.ingesting_paused,
                quota.map(id_to),
                new.retention_days,
                disk_bytes_max.map(id_to),
                now.as_nanos(),
            ],
        )
        .map_err(Error::unless_taken("making a source"))?;
    Ok(Source {
        id: SourceId(id_from(connection.last_insert_rowid())),
        client: new.client,
        name: new.name.clone(),
        platform: new.platform.clone(),
        table_name,
        ingesting_paused: new.ingesting_paused,
        quota_bytes_per_month: quota,
        retention_days: new.retention_days,
        disk_bytes_max,
        created_at: now,
        updated_at: now,
    })
}

fn update(connection: &Connection, source: &Source) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE sources SET name = ?2, ingesting_paused = ?3, quota_bytes_per_month = ?4,
                 retention_days = ?5, updated_at = ?6, disk_bytes_max = ?7
             WHERE id = ?1",
            params![
                id_to(source.id.0),
                source.name,
                source.ingesting_paused,
                source.quota_bytes_per_month.map(id_to),
                source.retention_days,
                source.updated_at.as_nanos(),
                source.disk_bytes_max.map(id_to),
            ],
        )
        .map_err(Error::unless_taken("changing a source"))?;
    Ok(())
}

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Vec<Source>> {
    let mut statement = connection.prepare(
        "SELECT id, client_id, name, platform, table_name, ingesting_paused,
             quota_bytes_per_month, retention_days, created_at, updated_at, disk_bytes_max
         FROM sources ORDER BY id",
    )?;
    let rows = statement.query_map([], from_row)?;
    rows.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Source> {
    let quota: Option<i64> = row.get(6)?;
    let disk_bytes_max: Option<i64> = row.get(10)?;
    Ok(Source {
        id: SourceId(id_from(row.get(0)?)),
        client: ClientId(id_from(row.get(1)?)),
        name: row.get(2)?,
        platform: row.get(3)?,
        table_name: row.get(4)?,
        ingesting_paused: row.get(5)?,
        quota_bytes_per_month: quota.map(i64::unsigned_abs),
        retention_days: row.get(7)?,
        disk_bytes_max: disk_bytes_max.map(i64::unsigned_abs),
        created_at: Timestamp::from_nanos(row.get(8)?),
        updated_at: Timestamp::from_nanos(row.get(9)?),
    })
}

/// SQLite keeps the largest id ever given out for each AUTOINCREMENT table.
fn delete(
    connection: &Connection,
    source: &Source,
    now: Timestamp,
) -> rusqlite::Result<DeletedSource> {
    connection.execute("DELETE FROM sources WHERE id = ?1", [id_to(source.id.0)])?;
    deleted_sources::record(connection, source, now)
}

pub(crate) fn has_made_any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'sources')",
        [],
        |row| row.get(0),
    )
}

fn skip_ids(connection: &Connection, last: SourceId) -> rusqlite::Result<()> {
    let made_any = has_made_any(connection)?;
    let set = match made_any {
        true => "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'sources'",
        false => "INSERT INTO sqlite_sequence (name, seq) VALUES ('sources', ?1)",
    };
    connection.execute(set, [id_to(last.0)]).map(drop)
}

/// SQLite counts to 2^63, and no quota beyond that is ever used up.
fn reachable(bytes: u64) -> u64 {
    bytes.min(i64::MAX.cast_unsigned())
}

/// The table name for `name`, with a number behind it when the client has that one.
fn free_table_name(
    connection: &Connection,
    client: ClientId,
    name: &str,
) -> rusqlite::Result<String> {
    let base = table_name_of(name);
    let mut is_taken = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM sources WHERE client_id = ?1 AND table_name = ?2)",
    )?;
    let mut candidate = base.clone();
    for number in 2u64.. {
        let taken: bool =
            is_taken.query_row(params![id_to(client.0), candidate], |row| row.get(0))?;
        if !taken {
            break;
        }
        candidate = format!("{base}_{number}");
    }
    Ok(candidate)
}

/// Lower-case ASCII letters and digits, one `_` for each run of anything else; never begins with a digit.
fn table_name_of(name: &str) -> String {
    let mut table_name = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        let is_kept = c.is_ascii_lowercase() || c.is_ascii_digit();
        match (is_kept, table_name.ends_with('_') || table_name.is_empty()) {
            (true, _) => table_name.push(c),
            (false, false) => table_name.push('_'),
            (false, true) => {}
        }
        if table_name.len() == TABLE_NAME_LENGTH_MAX {
            break;
        }
    }
    let trimmed = table_name.trim_end_matches('_');
    match trimmed.chars().next() {
        None => "source".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("source_{trimmed}"),
        Some(_) => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::table_name_of;

    #[test]
    fn a_table_name_is_made_from_the_name() {
        let cases = [
            ("default", "default"),
            ("Web Shop (EU)", "web_shop_eu"),
            ("--a--b--", "a_b"),
            ("7 wonders", "source_7_wonders"),
            ("åß∂", "source"),
            ("naïve café", "na_ve_caf"),
            ("", "source"),
        ];
        for (name, expected) in cases {
            assert_eq!(table_name_of(name), expected, "{name:?}");
        }
        assert_eq!(table_name_of(&"ab".repeat(100)), "ab".repeat(30));
    }
}
