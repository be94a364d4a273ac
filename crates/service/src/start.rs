//! What opening a data directory did: made it, or replayed it.

use std::path::PathBuf;

use crate::{Secret, Source};

/// What the first start made. The tokens are shown here and never again.
#[derive(Clone, Debug)]
pub struct FirstStart {
    /// The first source, `default`, platform `http`.
    pub source: Source,
    /// Its token.
    pub source_token: Secret,
    /// The file, mode 0600, with the API token of the command line.
    pub cli_token_path: PathBuf,
}

/// What recovery found in the store.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Events read back from the write-ahead log.
    pub events: u64,
    /// Bytes cut off the end of the log: a write that was never acknowledged.
    pub torn_bytes: u64,
    /// Files that could not be read and were set aside, with the reason.
    pub quarantined: Vec<String>,
}
