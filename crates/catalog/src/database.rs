//! The SQLite file: how it is opened, how its format moves on, whether it is whole.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::Error;

/// The formats of the file, in order; a file of format `n` has had the first `n` applied. One that is out is never changed.
const MIGRATIONS: [&str; 6] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_patterns.sql"),
    include_str!("migrations/0003_saved_queries.sql"),
    include_str!("migrations/0004_alerts.sql"),
    include_str!("migrations/0005_rule_templates.sql"),
    include_str!("migrations/0006_audit.sql"),
];

/// How long to wait for another process that has the file locked, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Of a file that is new: most of the sixty tables and indexes have a few rows or none, and each takes a page at least.
const PAGE_BYTES: u32 = 1024;

/// Opens the file, makes it when missing, and brings it to the newest format.
pub(crate) fn open(path: &Path) -> Result<Connection, Error> {
    let mut connection = Connection::open(path).map_err(Error::database("opening the catalog"))?;
    configure(&connection).map_err(Error::database("configuring the catalog"))?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// WAL for readers beside a writer; FULL because a token shown to its owner must survive a power cut.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Before anything is written; a file that is there keeps the size it has.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let doing = "bringing the catalog to the newest format";
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Error::database(doing))?;
    let found = format_of(&transaction).map_err(Error::database(doing))?;
    let known = MIGRATIONS.len();
    let applied = match usize::try_from(found) {
        Ok(applied) if applied <= known => applied,
        _ => return Err(too_new(path, found)),
    };
    for migration in MIGRATIONS.iter().skip(applied) {
        transaction
            .execute_batch(migration)
            .map_err(Error::database(doing))?;
    }
    transaction
        .pragma_update(None, "user_version", newest_format())
        .map_err(Error::database(doing))?;
    transaction.commit().map_err(Error::database(doing))
}

fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn newest_format() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn too_new(path: &Path, found: i64) -> Error {
    Error::TooNew {
        path: path.to_owned(),
        found,
        known: newest_format(),
    }
}

/// Verifies a catalog file without changing it: SQLite's own integrity check, foreign keys and the
/// format. What is wrong comes back as sentences, none for a good file.
pub fn check(path: &Path) -> Result<Vec<String>, Error> {
    let doing = "checking the catalog";
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(Error::database("opening the catalog"))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(Error::database(doing))?;
    match problems_of(&connection, path) {
        Ok(problems) => Ok(problems),
        Err(error) if is_damage(&error) => Ok(vec![format!("the catalog is damaged: {error}")]),
        Err(error) => Err(Error::Database {
            doing,
            source: error,
        }),
    }
}

fn problems_of(connection: &Connection, path: &Path) -> rusqlite::Result<Vec<String>> {
    let mut problems = Vec::new();
    let found = format_of(connection)?;
    if found > newest_format() {
        problems.push(too_new(path, found).to_string());
    }
    connection.pragma_query(None, "integrity_check", |row| {
        let text: String = row.get(0)?;
        if text != "ok" {
            problems.push(format!("integrity check: {text}"));
        }
        Ok(())
    })?;
    connection.pragma_query(None, "foreign_key_check", |row| {
        let table: String = row.get(0)?;
        problems.push(format!("a row of {table} refers to a record that is gone"));
        Ok(())
    })?;
    Ok(problems)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

/// An id as SQLite gave it; ours are positive.
pub(crate) fn id_from(rowid: i64) -> u64 {
    rowid.cast_unsigned()
}

/// An id as SQLite takes it.
pub(crate) fn id_to(id: u64) -> i64 {
    id.cast_signed()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::{Connection, MIGRATIONS, id_to};
    use crate::Catalog;

    #[test]
    fn files_of_all_formats_open() {
        for format in 0..=MIGRATIONS.len() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("catalog.db");
            let connection = Connection::open(&path).unwrap();
            for migration in MIGRATIONS.iter().take(format) {
                connection.execute_batch(migration).unwrap();
            }
            connection
                .pragma_update(None, "user_version", id_to(format as u64))
                .unwrap();
            drop(connection);
            let catalog = Catalog::open(&path, cordwood_event::Timestamp::from_nanos(0)).unwrap();
            assert!(!catalog.has_rules());
        }
    }

    #[test]
    fn a_new_file_is_small_and_an_old_one_keeps_its_pages() {
        let directory = tempfile::tempdir().unwrap();
        let page_bytes = |name: &str| {
            let path = directory.path().join(name);
            drop(Catalog::open(&path, cordwood_event::Timestamp::from_nanos(0)).unwrap());
            let connection = Connection::open(&path).unwrap();
            let page_bytes: i64 = connection
                .pragma_query_value(None, "page_size", |row| row.get(0))
                .unwrap();
            (page_bytes, std::fs::metadata(&path).unwrap().len())
        };
        let (of_new, bytes) = page_bytes("new.db");
        assert_eq!(of_new, i64::from(super::PAGE_BYTES));
        assert!(bytes < 100_000, "{bytes} bytes");

        let old = Connection::open(directory.path().join("old.db")).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        drop(old);
        assert_eq!(page_bytes("old.db").0, 4096);
    }

    /// Whoever changes what is out leaves files of that format behind that are not brought to the newest. What is to be changed is changed by
    /// another migration, and gets its line here.
    #[test]
    fn migrations_that_are_out_stay_as_they_are() {
        let digests = MIGRATIONS.map(|migration| {
            let digest = Sha256::digest(migration);
            let start: String = digest
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            start
        });
        let expected = [
            "7a8f7b3dfd70bc5a",
            "ce97ed9104329705",
            "527980bd6b061473",
            "61f58982f384e008",
            "32106782b5360b57",
            "571d9441d63ee514",
        ];
        assert_eq!(digests, expected);
    }
}
