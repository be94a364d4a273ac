//! The patterns of the messages of each source, since the first event: what they are and when they were seen outlives the events.

use std::collections::BTreeMap;

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::database::{id_from, id_to};
use crate::{Catalog, Error};

/// A pattern of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearntPattern {
    /// What people read.
    pub text: String,
    /// How many events have had it.
    pub count: u64,
    /// The time of the earliest of them.
    pub first_seen: Timestamp,
    /// The time of the latest.
    pub last_seen: Timestamp,
}

/// What is known of the patterns of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearntPatterns {
    /// The last sequence number that is counted; 0 before the first.
    pub up_to_sequence: u64,
    /// How many patterns were forgotten, because there were too many.
    pub forgotten: u64,
    /// By form.
    pub by_form: BTreeMap<String, LearntPattern>,
}

impl Catalog {
    /// What is known of the patterns of every source.
    pub fn patterns(&self) -> Result<BTreeMap<SourceId, LearntPatterns>, Error> {
        let connection = self.connection();
        load(&connection).map_err(Error::database("reading patterns"))
    }

    /// Puts what is known now in the place of what was known before, in one transaction: of patterns, those that differ. Of a
    /// source that is gone, nothing is kept.
    pub fn write_patterns(
        &self,
        source: SourceId,
        before: &LearntPatterns,
        now: &LearntPatterns,
    ) -> Result<(), Error> {
        self.change(
            "writing patterns",
            |transaction| {
                write(transaction, source, before, now).map_err(Error::database("writing patterns"))
            },
            |_, ()| (),
        )
    }
}

fn load(connection: &Connection) -> rusqlite::Result<BTreeMap<SourceId, LearntPatterns>> {
    let mut known: BTreeMap<SourceId, LearntPatterns> = BTreeMap::new();
    let mut learnt =
        connection.prepare("SELECT source_id, up_to_sequence, forgotten FROM patterns_learnt")?;
    let mut rows = learnt.query([])?;
    while let Some(row) = rows.next()? {
        let of_source = known.entry(SourceId(id_from(row.get(0)?))).or_default();
        of_source.up_to_sequence = id_from(row.get(1)?);
        of_source.forgotten = id_from(row.get(2)?);
    }
    let mut patterns = connection.prepare(
        "SELECT source_id, form, text, count, first_seen_at, last_seen_at FROM patterns",
    )?;
    let mut rows = patterns.query([])?;
    while let Some(row) = rows.next()? {
        let form: Vec<u8> = row.get(1)?;
        let pattern = LearntPattern {
            text: row.get(2)?,
            count: id_from(row.get(3)?),
            first_seen: Timestamp::from_nanos(row.get(4)?),
            last_seen: Timestamp::from_nanos(row.get(5)?),
        };
        let of_source = known.entry(SourceId(id_from(row.get(0)?))).or_default();
        let form = String::from_utf8_lossy(&form).into_owned();
        of_source.by_form.insert(form, pattern);
    }
    Ok(known)
}

fn write(
    transaction: &Transaction<'_>,
    source: SourceId,
    before: &LearntPatterns,
    now: &LearntPatterns,
) -> rusqlite::Result<()> {
    let id = id_to(source.0);
    let is_there = transaction
        .prepare_cached("SELECT 1 FROM sources WHERE id = ?1")?
        .query_row([id], |_| Ok(()))
        .optional()?;
    if is_there.is_none() {
        return Ok(());
    }
    let mut remove =
        transaction.prepare_cached("DELETE FROM patterns WHERE source_id = ?1 AND form = ?2")?;
    for form in before.by_form.keys() {
        if !now.by_form.contains_key(form) {
            remove.execute(params![id, form.as_bytes()])?;
        }
    }
    let mut put = transaction.prepare_cached(
        "INSERT INTO patterns (source_id, form, text, count, first_seen_at, last_seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET text = excluded.text, count = excluded.count,
         first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at",
    )?;
    for (form, pattern) in &now.by_form {
        if before.by_form.get(form) == Some(pattern) {
            continue;
        }
        put.execute(params![
            id,
            form.as_bytes(),
            pattern.text,
            id_to(pattern.count),
            pattern.first_seen.as_nanos(),
            pattern.last_seen.as_nanos(),
        ])?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO patterns_learnt (source_id, up_to_sequence, forgotten) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET up_to_sequence = excluded.up_to_sequence,
             forgotten = excluded.forgotten",
        )?
        .execute(params![id, id_to(now.up_to_sequence), id_to(now.forgotten)])?;
    Ok(())
}
