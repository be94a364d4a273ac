//! The service itself, and its use cases.

use std::path::Path;
use std::time::Duration;

use crate::{
    Admission, ApiToken, Caller, Cancel, CreatedApiToken, CreatedSource, Error, FirstStart, Health,
    NewApiToken, NewSource, Options, Outcome, Payload, Refusal, Replayed, RotatedToken,
    SearchAnswer, SearchRequest, Source, SourceChanges, SourceFilter, SourcePage,
};

/// Cordwood without its edges. Shared by all threads; every function blocks until it is done,
/// except [`admit`](Service::admit), which never waits for a disk.
#[derive(Debug)]
pub struct Service {
    options: Options,
    replayed: Replayed,
}

impl Service {
    /// Opens the data directory, replays what a crash left, and makes what a first start needs.
    pub fn open(options: Options) -> Result<Service, Error> {
        Ok(Service {
            options,
            replayed: Replayed::default(),
        })
    }

    /// What the first start made; `None` on every later one.
    pub fn first_start(&self) -> Option<&FirstStart> {
        None
    }

    /// What recovery found.
    pub fn replayed(&self) -> &Replayed {
        &self.replayed
    }

    /// Seals what is open and closes the files. Later writes are refused.
    pub fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The caller an API token stands for.
    pub fn authenticate(&self, _api_token: &str) -> Result<Caller, Error> {
        Err(Error::Unauthenticated)
    }

    /// The first half of ingest, before a body is read: token, pause, quota, and memory for a body
    /// of `body_bytes` (its `Content-Length`; the limit of 20 MiB when that is not known).
    pub fn admit(&self, _source_token: &str, _body_bytes: u64) -> Result<Admission, Refusal> {
        Err(Refusal::Unauthorized)
    }

    /// The second half of ingest: decodes the body and returns when its events are on disk.
    pub fn ingest(&self, _admission: Admission, _payload: Payload) -> Result<Outcome, Refusal> {
        Err(Refusal::Unauthorized)
    }

    /// The same for a caller with an API token, as import uses it. `source`: id, `src-` id or name.
    pub fn ingest_as(
        &self,
        caller: &Caller,
        _source: &str,
        _payload: Payload,
    ) -> Result<Outcome, Error> {
        caller.require(crate::Access::Write)?;
        Err(unwired())
    }

    /// Searches; see [`SearchRequest`] and [`SearchAnswer`].
    pub fn search(
        &self,
        caller: &Caller,
        _request: &SearchRequest,
        _cancel: &Cancel,
    ) -> Result<SearchAnswer, Error> {
        caller.require(crate::Access::Read)?;
        Err(unwired())
    }

    /// Makes a source and its first token.
    pub fn create_source(&self, caller: &Caller, _new: &NewSource) -> Result<CreatedSource, Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// The caller's sources, by id, a page at a time.
    pub fn list_sources(
        &self,
        caller: &Caller,
        _filter: &SourceFilter,
    ) -> Result<SourcePage, Error> {
        caller.require(crate::Access::Read)?;
        Err(unwired())
    }

    /// One source: by id, `src-` id or name.
    pub fn source(&self, caller: &Caller, _source: &str) -> Result<Source, Error> {
        caller.require(crate::Access::Read)?;
        Err(unwired())
    }

    /// Changes a source.
    pub fn update_source(
        &self,
        caller: &Caller,
        _source: &str,
        _changes: &SourceChanges,
    ) -> Result<Source, Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// Gives a source a new token. The old ones stay good for `overlap` (a day when `None`), or not at all with zero.
    pub fn rotate_source_token(
        &self,
        caller: &Caller,
        _source: &str,
        _overlap: Option<Duration>,
    ) -> Result<RotatedToken, Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// Deletes a source and its tokens. Its events can no longer be found by anyone; their bytes
    /// leave the disk when retention comes to them.
    pub fn delete_source(&self, caller: &Caller, _source: &str) -> Result<(), Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// Makes an API token.
    pub fn create_api_token(
        &self,
        caller: &Caller,
        _new: &NewApiToken,
    ) -> Result<CreatedApiToken, Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// The API tokens whose clients the caller sees, revoked ones too, by id.
    pub fn list_api_tokens(&self, caller: &Caller) -> Result<Vec<ApiToken>, Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// Revokes an API token, by id; it is refused from now on.
    pub fn revoke_api_token(&self, caller: &Caller, _id: u64) -> Result<ApiToken, Error> {
        caller.require(crate::Access::Admin)?;
        Err(unwired())
    }

    /// How the service is.
    pub fn health(&self) -> Health {
        Health {
            can_read: true,
            can_write: true,
            problems: Vec::new(),
        }
    }

    /// All counters, in the text format of Prometheus.
    pub fn metrics_text(&self) -> String {
        String::new()
    }

    /// The options it was opened with.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

/// Verifies a data directory that no server has open.
pub fn check(_data_dir: &Path) -> Result<CheckReport, Error> {
    Ok(CheckReport::default())
}

/// What [`check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What was verified, one sentence each.
    pub verified: Vec<String>,
    /// What is wrong, one sentence each; empty for a good directory.
    pub problems: Vec<String>,
}

fn unwired() -> Error {
    Error::internal("opening the catalog", "this build has no catalog yet")
}
