//! What opening a data directory does beyond opening: the first source, the token of the command line, and the saved queries
//! that clients begin with.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use cordwood_catalog::{self as catalog, ApiTokenPurpose, NewToken, TokenHash};

use cordwood_store::Recovery;

use crate::saved_queries::starters;
use crate::{Access, Error, Platform, Scope, Secret, Service, Source};

/// The file in the data directory that holds the API token of the command line.
pub const CLI_TOKEN_FILE: &str = "cli-token";

/// The name of the first source.
const FIRST_SOURCE_NAME: &str = "default";

/// The name of the command line's API token.
const CLI_TOKEN_NAME: &str = "command line";

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Events read back from the write-ahead log.
    pub events: u64,
    /// Bytes cut off the end of the log: a write that was never acknowledged.
    pub torn_bytes: u64,
    /// What is damaged or missing, one sentence each; acknowledged events may be among it.
    pub damage: Vec<String>,
}

impl From<Recovery> for Replayed {
    fn from(recovery: Recovery) -> Replayed {
        Replayed {
            events: recovery.replayed_events,
            torn_bytes: recovery.torn_bytes,
            damage: recovery.damage,
        }
    }
}

pub(crate) fn make_what_is_missing(service: &Service) -> Result<Option<FirstStart>, Error> {
    let cli_token_path = service.options.data_dir.join(CLI_TOKEN_FILE);
    ensure_cli_token(service, &cli_token_path)?;
    service
        .catalog
        .make_starters(&starters(), service.now())
        .map_err(|error| Error::internal("making the first saved queries", error))?;
    if service.catalog.has_made_sources() {
        return Ok(None);
    }
    let (source, source_token) = make_first_source(service)?;
    Ok(Some(FirstStart {
        source,
        source_token,
        cli_token_path,
    }))
}

/// The one record nobody asked for, so that a first event can be sent at once.
fn make_first_source(service: &Service) -> Result<(Source, Secret), Error> {
    let making = "making the first source";
    let client = service.catalog.clients().first().map(|client| client.id);
    let new = catalog::NewSource {
        client: client.ok_or_else(|| Error::internal(making, "the catalog has no client"))?,
        name: FIRST_SOURCE_NAME.to_owned(),
        platform: Platform::HTTP.name().to_owned(),
        ingesting_paused: false,
        quota_bytes_per_month: None,
        retention_days: None,
        disk_bytes_max: None,
    };
    let token = NewToken::for_source(&*service.options.random);
    let source = service
        .catalog
        .create_source(&new, &token, service.now())
        .map_err(|error| Error::internal(making, error))?;
    Ok((service.describe(&source), token.secret))
}

/// A file that is missing, or holds a token nobody knows, gets a new token, and the one before is
/// revoked. A token revoked by hand stays in its file and stays revoked: that was somebody's wish,
/// undone by deleting the file.
fn ensure_cli_token(service: &Service, path: &Path) -> Result<(), Error> {
    let making = "making the API token of the command line";
    let held = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Error::internal(
                "reading the API token of the command line",
                error,
            ));
        }
    };
    if service
        .catalog
        .known_api_token(TokenHash::of(held.trim()))
        .is_some()
    {
        return Ok(());
    }
    let now = service.now();
    let token = NewToken::for_api(&*service.options.random);
    let new = catalog::NewApiToken {
        name: CLI_TOKEN_NAME.to_owned(),
        purpose: ApiTokenPurpose::CommandLine,
        access: Access::Admin,
        scope: Scope::AllClients,
        expires_at: None,
    };
    let made = service
        .catalog
        .create_api_token(&new, &token, now)
        .map_err(|error| Error::internal(making, error))?;
    write_secret(path, token.secret.reveal()).map_err(|error| Error::internal(making, error))?;
    for old in service.catalog.api_tokens() {
        let is_live = old.purpose == ApiTokenPurpose::CommandLine && old.revoked_at.is_none();
        if is_live && old.id != made.id {
            service
                .catalog
                .revoke_api_token(old.id, now)
                .map_err(|error| Error::internal(making, error))?;
        }
    }
    Ok(())
}

/// Writes a file only its owner can read, whole or not at all.
fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}
