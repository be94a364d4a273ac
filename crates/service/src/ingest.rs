//! Ingest: a body for a source is admitted, decoded, made durable and counted.

use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog::{Source, SourceUsage, TokenHash};
use cordwood_event::{SourceId, Timestamp};

use crate::{Access, Caller, Error, Service};

/// A body of events and how to read it.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    /// The `Content-Type`, if any.
    pub content_type: Option<String>,
    /// The `Content-Encoding`, if any.
    pub content_encoding: Option<String>,
    /// A name for this batch: sent again within an hour it is acknowledged and not stored again.
    pub batch_key: Option<String>,
    /// The field that holds the event time, when it is not `dt`.
    pub dt_field: Option<String>,
    /// The body is plain text, one event a line, whatever the content type.
    pub lines: bool,
    /// The body as received.
    pub body: Vec<u8>,
}

/// Leave to send one body to one source, with memory reserved for it. Made before the body is
/// read, so that bodies nobody will take are never held. Dropped unused, it gives all back.
#[derive(Debug)]
pub struct Admission {
    source: SourceId,
    usage: Arc<SourceUsage>,
}

impl Admission {
    /// The source the body will go to.
    pub fn source(&self) -> SourceId {
        self.source
    }
}

/// What became of a body that was taken. The accepted events are on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The source they went to.
    pub source: SourceId,
    /// Events stored.
    pub accepted: u64,
    /// Events refused one by one, beside those that were stored.
    pub rejected_count: u64,
    /// The first thousand of them, with reasons.
    pub rejected: Vec<RejectedEvent>,
    /// The batch key was seen before: nothing was stored again.
    pub duplicate: bool,
}

/// An event refused beside others that were stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedEvent {
    /// Its place in the body, from 0.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// Why a whole body was refused. `Display` is the text of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No source has this token (403).
    #[error("Unauthorized")]
    Unauthorized,
    /// The source is paused (403).
    #[error("Ingesting is paused for this source")]
    Paused,
    /// The source has used up its quota for the month (402).
    #[error("Quota exceeded")]
    QuotaExceeded,
    /// The body is not what its content type says, or nothing we read (406).
    #[error("Couldn't parse JSON content.")]
    Undecodable {
        /// What is wrong with it, for the log and the detail of an answer.
        detail: String,
    },
    /// The body, or every event in it, is above a limit (413).
    #[error("payload reached size limit")]
    TooLarge {
        /// Which limit.
        detail: String,
    },
    /// A header or parameter of the request is wrong (400).
    #[error("{detail}")]
    InvalidRequest {
        /// What is wrong with it.
        detail: String,
    },
    /// Too much at once (429).
    #[error("the server is busy, try again later")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The store takes no writes: the disk is full or failed (503).
    #[error("the server cannot store events now: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
}

impl Refusal {
    /// A stable name for programs and counters.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Unauthorized => "unauthorized",
            Refusal::Paused => "ingesting_paused",
            Refusal::QuotaExceeded => "quota_exceeded",
            Refusal::Undecodable { .. } => "undecodable",
            Refusal::TooLarge { .. } => "too_large",
            Refusal::InvalidRequest { .. } => "invalid_request",
            Refusal::Busy { .. } => "busy",
            Refusal::Unavailable { .. } => "unavailable",
        }
    }

    /// When to try again, if that will help.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::Busy { retry_after } | Refusal::Unavailable { retry_after, .. } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }

    /// More than the text says, for those who log it.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Refusal::Undecodable { detail } | Refusal::TooLarge { detail } => Some(detail),
            _ => None,
        }
    }
}

impl Service {
    /// The first half of ingest, before a body is read: token, pause, quota, and memory for a body
    /// of `body_bytes` (its `Content-Length`; the limit of 20 MiB when that is not known).
    pub fn admit(&self, source_token: &str, body_bytes: u64) -> Result<Admission, Refusal> {
        let now = self.now();
        let (source, usage) = self
            .catalog
            .find_source_token(TokenHash::of(source_token), now)
            .ok_or(Refusal::Unauthorized)?;
        self.admit_to(&source, usage, body_bytes, now)
    }

    /// The second half of ingest: decodes the body and returns when its events are on disk.
    pub fn ingest(&self, admission: Admission, payload: Payload) -> Result<Outcome, Refusal> {
        let result = self.ingest_admitted(&admission, payload);
        if let Err(refusal) = &result {
            admission.usage.refuse(refusal.code(), 1, self.now());
        }
        result
    }

    /// The same for a caller with an API token, as import uses it. `source`: id, `src-` id or name.
    pub fn ingest_as(
        &self,
        caller: &Caller,
        source: &str,
        payload: Payload,
    ) -> Result<Outcome, Error> {
        caller.require(Access::Write)?;
        let source = self.find_source(caller, source)?;
        let usage = self.catalog.usage(source.id).unwrap_or_default();
        let admission = self.admit_to(&source, usage, payload.body.len() as u64, self.now())?;
        Ok(self.ingest(admission, payload)?)
    }

    fn admit_to(
        &self,
        source: &Source,
        usage: Arc<SourceUsage>,
        _body_bytes: u64,
        now: Timestamp,
    ) -> Result<Admission, Refusal> {
        let refusal = if source.ingesting_paused {
            Some(Refusal::Paused)
        } else if is_used_up(source, &usage, now) {
            Some(Refusal::QuotaExceeded)
        } else {
            None
        };
        match refusal {
            Some(refusal) => {
                usage.refuse(refusal.code(), 1, now);
                Err(refusal)
            }
            None => Ok(Admission {
                source: source.id,
                usage,
            }),
        }
    }

    fn ingest_admitted(
        &self,
        admission: &Admission,
        _payload: Payload,
    ) -> Result<Outcome, Refusal> {
        tracing::debug!(source = admission.source.0, "no store yet");
        Err(Refusal::Unavailable {
            reason: "there is no store in this build".to_owned(),
            retry_after: Duration::from_secs(60),
        })
    }
}

/// The body that crosses the quota is still taken: its size is known only when it is decoded.
fn is_used_up(source: &Source, usage: &SourceUsage, now: Timestamp) -> bool {
    source
        .quota_bytes_per_month
        .is_some_and(|quota| usage.bytes_in_month_of(now) >= quota)
}
