//! Why a use case did not do what was asked, by what the caller can do about it.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use crate::{Access, EventAbsence, Refusal, TAILS_MAX, TAILS_PER_TOKEN_MAX};

/// About how long the store takes to purge something.
const RETRY_AFTER_PURGE: Duration = Duration::from_secs(60);
/// Tails end when somebody closes a window.
const RETRY_AFTER_TAILS: Duration = Duration::from_secs(10);

/// About how long an export takes.
const RETRY_AFTER_EXPORT: Duration = Duration::from_secs(30);

/// The error of every use case. `Display` is the sentence for the user; [`code`](Error::code) and
/// [`hint`](Error::hint) go beside it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API token is missing, unknown, expired or revoked (401).
    #[error("Invalid API token")]
    Unauthenticated,
    /// The API token is good but not for this (403).
    #[error("this needs an API token with {needed} access, this one has {has} access")]
    Forbidden {
        /// What would be enough.
        needed: Access,
        /// What the token has.
        has: Access,
    },
    /// The API token is for some clients, and this is about all (403).
    #[error("this needs an API token for all clients, this one is for some")]
    NeedsAllClients,
    /// It runs already (409).
    #[error("a {what} is running already")]
    AlreadyRunning {
        /// What runs.
        what: &'static str,
    },
    /// No such thing, or none that the caller may know of: the two look alike (404).
    #[error("{kind} `{name}` was not found")]
    NotFound {
        /// What was looked for: `source`, `API token`.
        kind: &'static str,
        /// As the caller named it.
        name: String,
        /// Names the caller may have meant.
        near: Vec<String>,
    },
    /// There is no such event, or none that the caller may know of: the two look alike (404).
    #[error("event `{id}` was not found")]
    EventNotFound {
        /// As the caller wrote it.
        id: String,
        /// What is known of why.
        absence: EventAbsence,
    },
    /// The name fits several things that the caller sees (400).
    #[error("{kind} `{name}` is ambiguous, use one of the ids {ids:?}")]
    Ambiguous {
        /// What was looked for.
        kind: &'static str,
        /// As the caller named it.
        name: String,
        /// The ids it may be.
        ids: Vec<String>,
    },
    /// The query text is not in the language (400). Never empty.
    #[error("{}", first_message(.0))]
    Query(Vec<QueryProblem>),
    /// A statement of SQL is wrong, or would change something (400).
    #[error("{message}")]
    Statement {
        /// `invalid_sql` or `sql_not_read_only`.
        code: &'static str,
        /// What is wrong with it.
        message: String,
        /// Where, in bytes of its text, if that is known.
        position: Option<Range<usize>>,
        /// How to mend it.
        hint: Option<String>,
    },
    /// A statement of SQL needs more than it may take, and has no answer (422).
    #[error("{message}")]
    StatementTooCostly {
        /// `sql_memory` or `sql_deadline`.
        code: &'static str,
        /// Of what it needs more.
        message: String,
    },
    /// Values of a record are wrong (422).
    #[error("Sorry, some values are incorrect")]
    InvalidValues(Vec<InvalidValue>),
    /// A parameter of the request is wrong (400).
    #[error("{message}")]
    InvalidParameter {
        /// Which.
        parameter: &'static str,
        /// What is wrong with it.
        message: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// The cursor is no cursor of this query (400).
    #[error("{message}")]
    InvalidCursor {
        /// What is wrong with it.
        message: &'static str,
    },
    /// An ingest request was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much at once; the same request will be answered later (429).
    #[error("the server is at its memory limit, try again in {} s", .retry_after.as_secs())]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// More deletions stand than searches can look past (429).
    #[error("{standing} deletions wait until their events are purged, try again later")]
    TooManyDeletions {
        /// How many.
        standing: u64,
    },
    /// As many tails are open as may be (429).
    #[error(
        "{open} live tails are open, {own} of them with this API token; there can be {TAILS_MAX} and {TAILS_PER_TOKEN_MAX}"
    )]
    TooManyTails {
        /// How many are open.
        open: usize,
        /// Of these, with the API token of the caller.
        own: usize,
    },
    /// More exports wait, or are kept, than there may be (429).
    #[error("{waiting} exports wait or run, and {kept} are kept")]
    TooManyExports {
        /// How many are not over.
        waiting: usize,
        /// How many there are.
        kept: usize,
    },
    /// The export has no file, or none yet (409).
    #[error("the export is {state} and has no file")]
    ExportNotReady {
        /// Its state.
        state: &'static str,
    },
    /// What it is now does not allow this (409).
    #[error("{message}")]
    Conflict {
        /// What is in the way.
        message: String,
        /// What can be done instead.
        hint: Option<String>,
    },
    /// The server was built without what this needs (501).
    #[error("this server was built without {what}")]
    NotBuilt {
        /// What it lacks.
        what: &'static str,
        /// `parquet_not_built`.
        code: &'static str,
        /// The command that builds a server with it.
        command: &'static str,
    },
    /// The caller went away.
    #[error("the request was cancelled")]
    Cancelled,
    /// The data directory is in use by another process.
    #[error("the data directory is in use by another process")]
    InUse,
    /// Something under the service failed: disk, catalog, store (500). `source` says what.
    #[error("{doing} failed")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A problem in the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryProblem {
    /// What is wrong, a plain sentence.
    pub message: String,
    /// Where, in bytes of the query text.
    pub position: Range<usize>,
    /// How to mend it.
    pub hint: Option<String>,
}

/// A field of a record with a value it cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// The field, as in the API; `condition.value` for one within another.
    pub field: Cow<'static, str>,
    /// What is wrong: `can't be blank`.
    pub message: String,
}

impl InvalidValue {
    pub(crate) fn new(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> InvalidValue {
        InvalidValue {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl Error {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Unauthenticated => "unauthenticated",
            Error::Forbidden { .. } => "forbidden",
            Error::NeedsAllClients => "forbidden",
            Error::AlreadyRunning { .. } => "already_running",
            Error::NotFound { kind: "source", .. } => "source_not_found",
            Error::NotFound { .. } => "not_found",
            Error::EventNotFound { .. } => "event_not_found",
            Error::Ambiguous { .. } => "ambiguous_name",
            Error::Query(_) => "invalid_query",
            Error::Statement { code, .. } | Error::StatementTooCostly { code, .. } => code,
            Error::InvalidValues(_) => "invalid_values",
            Error::InvalidParameter { .. } => "invalid_parameter",
            Error::InvalidCursor { .. } => "invalid_cursor",
            Error::Refused(refusal) => refusal.code(),
            Error::Busy { .. } => "busy",
            Error::TooManyDeletions { .. } => "too_many_deletions",
            Error::TooManyTails { .. } => "too_many_tails",
            Error::TooManyExports { .. } => "too_many_exports",
            Error::ExportNotReady { .. } => "export_not_ready",
            Error::Conflict { .. } => "conflict",
            Error::NotBuilt { code, .. } => code,
            Error::Cancelled => "cancelled",
            Error::InUse => "data_directory_in_use",
            Error::Internal { .. } => "internal",
        }
    }

    /// What would help, if that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::NotFound { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", near.join(", ")))
            }
            Error::EventNotFound { absence, .. } => Some(absence.to_string()),
            Error::Query(problems) => problems.first()?.hint.clone(),
            Error::InvalidParameter { hint, .. }
            | Error::Statement { hint, .. }
            | Error::Conflict { hint, .. } => hint.clone(),
            Error::StatementTooCostly { .. } => {
                Some("ask for a shorter range, fewer columns or fewer groups".into())
            }
            Error::TooManyTails { .. } => Some("close tails that nobody looks at".into()),
            Error::Busy { .. } => Some(
                "ask for fewer events or fewer fields, or give the server more `memory`".into(),
            ),
            Error::TooManyExports { .. } => {
                Some("wait until some are done, or delete those that nobody needs".into())
            }
            Error::NotBuilt { command, .. } => Some(format!("build it with `{command}`")),
            Error::InvalidCursor { .. } => Some(
                "start again without a cursor, with the same query and sources on every page"
                    .into(),
            ),
            _ => None,
        }
    }

    /// When to try again, if that will help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Busy { retry_after } => Some(*retry_after),
            Error::TooManyDeletions { .. } => Some(RETRY_AFTER_PURGE),
            Error::TooManyTails { .. } => Some(RETRY_AFTER_TAILS),
            Error::TooManyExports { .. } => Some(RETRY_AFTER_EXPORT),
            Error::Refused(refusal) => refusal.retry_after(),
            _ => None,
        }
    }

    pub(crate) fn internal(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        Error::Internal {
            doing,
            source: source.into(),
        }
    }
}

fn first_message(problems: &[QueryProblem]) -> &str {
    problems
        .first()
        .map_or("the query is not valid", |problem| &problem.message)
}
