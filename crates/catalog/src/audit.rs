//! The audit log: which tools agents called, with which token, and what came of it.

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use crate::database::{id_from, id_to};
use crate::{ApiTokenId, Catalog, Error};

/// Entries kept; the oldest go. About 100 MiB at most, and months of an agent that calls every minute.
pub const AUDIT_ENTRIES_MAX: u32 = 100_000;

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// Whose call it was.
    pub token: ApiTokenId,
    /// The name of the token then.
    pub token_name: String,
    /// What was called.
    pub tool: String,
    /// With what, as JSON, shortened by who writes it.
    pub arguments: String,
    /// The code of the refusal; `None` if it was answered.
    pub refusal: Option<String>,
    /// How large the answer was.
    pub answer_bytes: u64,
    /// How long it took.
    pub took_ms: u64,
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number.
    pub id: u64,
    /// When it was written: at the end of the call.
    pub at: Timestamp,
    /// What it tells.
    pub entry: NewAuditEntry,
}

impl Catalog {
    /// Writes an entry, and lets the oldest go where there are too many.
    pub fn write_audit(&self, entry: &NewAuditEntry, now: Timestamp) -> Result<(), Error> {
        let doing = "writing the audit log";
        self.change(
            doing,
            |transaction| insert(transaction, entry, now).map_err(Error::database(doing)),
            |_, ()| (),
        )
    }

    /// The entries of these tokens, the newest first, from below `before`, at most `limit`.
    pub fn audit(
        &self,
        tokens: &[ApiTokenId],
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, Error> {
        let connection = self.connection();
        entries(&connection, tokens, before, limit)
            .map_err(Error::database("reading the audit log"))
    }
}

fn insert(
    transaction: &Transaction<'_>,
    entry: &NewAuditEntry,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO audit (at, token_id, token_name, tool, arguments, refusal, answer_bytes, took_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            now.as_nanos(),
            id_to(entry.token.0),
            entry.token_name,
            entry.tool,
            entry.arguments,
            entry.refusal,
            id_to(entry.answer_bytes),
            id_to(entry.took_ms),
        ],
    )?;
    let last = transaction.last_insert_rowid();
    transaction.execute(
        "DELETE FROM audit WHERE id <= ?1",
        params![last - i64::from(AUDIT_ENTRIES_MAX)],
    )?;
    Ok(())
}

fn entries(
    connection: &Connection,
    tokens: &[ApiTokenId],
    before: Option<u64>,
    limit: u32,
) -> rusqlite::Result<Vec<AuditEntry>> {
    // As JSON, because a statement takes no list, and ids are numbers.
    let tokens: Vec<String> = tokens.iter().map(|token| token.0.to_string()).collect();
    let tokens = format!("[{}]", tokens.join(","));
    let before = before.map_or(i64::MAX, id_to);
    let mut statement = connection.prepare_cached(
        "SELECT id, at, token_id, token_name, tool, arguments, refusal, answer_bytes, took_ms FROM audit
            WHERE id < ?1 AND token_id IN (SELECT value FROM json_each(?2)) ORDER BY id DESC LIMIT ?3",
    )?;
    statement
        .query_map(params![before, tokens, limit], entry)?
        .collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        id: id_from(row.get(0)?),
        at: Timestamp::from_nanos(row.get(1)?),
        entry: NewAuditEntry {
            token: ApiTokenId(id_from(row.get(2)?)),
            token_name: row.get(3)?,
            tool: row.get(4)?,
            arguments: row.get(5)?,
            refusal: row.get(6)?,
            answer_bytes: id_from(row.get(7)?),
            took_ms: id_from(row.get(8)?),
        },
    })
}
