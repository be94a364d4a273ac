//! Why the catalog could not do what was asked.

use std::path::PathBuf;

/// The error of the catalog.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite or the disk below it failed.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The file was written by a newer Cordwood.
    #[error("{path} has format {found}, this version reads up to {known}")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// A stored value is none we write.
    #[error("the catalog holds {value:?} where {expected} belongs")]
    Corrupt {
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        value: String,
    },
    /// Another record has the name.
    #[error("the name is taken")]
    NameTaken,
    /// There is no such record.
    #[error("there is no such {kind}")]
    NotFound {
        /// Of which kind.
        kind: &'static str,
    },
    /// The source has as many live tokens as it may.
    #[error("the source has {max} live tokens, the most it may have")]
    TooManyTokens {
        /// The most it may have.
        max: usize,
    },
}

impl Error {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        move |source| Error::Database { doing, source }
    }

    /// The same for a write that may meet a unique name.
    pub(crate) fn unless_taken(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Error::NameTaken,
            _ => Error::Database { doing, source },
        }
    }
}
