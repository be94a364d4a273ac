//! Ingest: a body for a source is admitted, decoded, made durable and counted.

use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog::{Source, SourceUsage, TokenHash};
use cordwood_event::{SourceId, Timestamp};
use cordwood_ingest::{self as wire, Decoded, Format, Rejection, RejectionReason};
use cordwood_store::{Append, AppendError, Reservation};

use crate::decoding;
use crate::{Access, Caller, Error, Service};

/// The longest batch key, in bytes; four UUIDs fit.
pub const BATCH_KEY_BYTES_MAX: usize = 256;
/// The longest name of a field to take the time from, in bytes.
const DT_FIELD_BYTES_MAX: usize = 1024;
/// When to try again after a moment's shortage of memory.
pub(crate) const RETRY_AFTER_BUSY: Duration = Duration::from_secs(1);
/// When to try again after what a person has to mend.
const RETRY_AFTER_UNAVAILABLE: Duration = Duration::from_secs(30);

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
    memory: Reservation,
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
        let Some((source, usage)) = self
            .catalog
            .find_source_token(TokenHash::of(source_token), now)
        else {
            self.counters.count_unauthorized();
            return Err(Refusal::Unauthorized);
        };
        self.admit_to(&source, usage, body_bytes, now)
    }

    /// The second half of ingest: decodes the body and returns when its events are on disk.
    pub fn ingest(&self, admission: Admission, payload: Payload) -> Result<Outcome, Refusal> {
        let usage = Arc::clone(&admission.usage);
        self.ingest_admitted(admission, payload)
            .inspect_err(|refusal| self.count_refusal(&usage, refusal))
    }

    /// Counts a body that was admitted and then refused by the edge, before it could be ingested:
    /// one larger than the wire may carry.
    pub fn refuse(&self, admission: &Admission, refusal: &Refusal) {
        self.count_refusal(&admission.usage, refusal);
    }

    /// The same as [`admit`](Self::admit) and [`ingest`](Self::ingest) for a caller with an API
    /// token, as import uses it. `source`: id, `src-` id or name.
    pub fn ingest_as(
        &self,
        caller: &Caller,
        source: &str,
        payload: Payload,
    ) -> Result<Outcome, Error> {
        let admission = self.admit_as(caller, source, payload.body.len() as u64)?;
        Ok(self.ingest(admission, payload)?)
    }

    /// [`admit`](Self::admit) for a caller with an API token.
    pub fn admit_as(
        &self,
        caller: &Caller,
        source: &str,
        body_bytes: u64,
    ) -> Result<Admission, Error> {
        caller.require(Access::Write)?;
        let source = self.find_source(caller, source)?;
        let usage = self.catalog.usage(source.id).unwrap_or_default();
        Ok(self.admit_to(&source, usage, body_bytes, self.now())?)
    }

    fn admit_to(
        &self,
        source: &Source,
        usage: Arc<SourceUsage>,
        body_bytes: u64,
        now: Timestamp,
    ) -> Result<Admission, Refusal> {
        let admitted = if source.ingesting_paused {
            Err(Refusal::Paused)
        } else if is_used_up(source, &usage, now) {
            Err(Refusal::QuotaExceeded)
        } else {
            let memory = self.memory.try_reserve(body_bytes);
            memory.ok_or(Refusal::Busy {
                retry_after: RETRY_AFTER_BUSY,
            })
        };
        match admitted {
            Ok(memory) => Ok(Admission {
                source: source.id,
                usage,
                memory,
            }),
            Err(refusal) => {
                self.count_refusal(&usage, &refusal);
                Err(refusal)
            }
        }
    }

    fn ingest_admitted(
        &self,
        mut admission: Admission,
        payload: Payload,
    ) -> Result<Outcome, Refusal> {
        let batch_key = batch_key_of(&payload)?;
        let format = format_of(&payload)?;
        let received_at = self.now();
        let decoded = decoding::decode_within(
            &mut admission.memory,
            &self.memory,
            &format,
            &payload.body,
            received_at,
        )?;
        let mut outcome = outcome_of(admission.source, &decoded)?;
        let bytes = decoded
            .batch
            .events()
            .map(|event| event.source_bytes() as u64)
            .sum();
        let rejected = decoded.rejected;
        if !decoded.batch.is_empty() {
            // The store counts the batch as its own from here on.
            admission.memory.shrink_to(payload.body.len() as u64);
            let appended = self.store.append(Append {
                source: admission.source,
                received_at,
                format: format.to_string(),
                batch_key,
                body: payload.body,
                compressed: format.encoding.is_compressed(),
                batch: decoded.batch,
            });
            outcome.duplicate = appended.map_err(of_append)?.duplicate;
        }
        if !outcome.duplicate {
            count_rejected(
                &admission.usage,
                &rejected,
                outcome.rejected_count,
                received_at,
            );
            admission.usage.accept(bytes, outcome.accepted, received_at);
            self.counters.count_accepted(outcome.accepted, bytes);
        }
        Ok(outcome)
    }

    fn count_refusal(&self, usage: &SourceUsage, refusal: &Refusal) {
        usage.refuse(refusal.code(), 1, self.now());
    }
}

/// Counts events refused one by one, of which `kept` are known. Those beyond count as the last one kept.
fn count_rejected(usage: &SourceUsage, kept: &[Rejection], count: u64, now: Timestamp) {
    for rejection in kept {
        usage.refuse(code_of(rejection.reason), 1, now);
    }
    let unknown = count.saturating_sub(kept.len() as u64);
    if let Some(last) = kept.last().filter(|_| unknown > 0) {
        usage.refuse(code_of(last.reason), unknown, now);
    }
}

/// The body that crosses the quota is still taken: its size is known only when it is decoded.
fn is_used_up(source: &Source, usage: &SourceUsage, now: Timestamp) -> bool {
    source
        .quota_bytes_per_month
        .is_some_and(|quota| usage.bytes_in_month_of(now) >= quota)
}

/// The key, unless it is empty.
fn batch_key_of(payload: &Payload) -> Result<Option<String>, Refusal> {
    let key = payload.batch_key.clone().filter(|key| !key.is_empty());
    match key {
        Some(key) if key.len() > BATCH_KEY_BYTES_MAX => Err(Refusal::InvalidRequest {
            detail: format!("a batch key has at most {BATCH_KEY_BYTES_MAX} bytes"),
        }),
        key => Ok(key),
    }
}

fn format_of(payload: &Payload) -> Result<Format, Refusal> {
    let dt_field = payload.dt_field.as_deref();
    if dt_field.is_some_and(|field| field.len() > DT_FIELD_BYTES_MAX) {
        return Err(Refusal::InvalidRequest {
            detail: format!("the name of the time field has at most {DT_FIELD_BYTES_MAX} bytes"),
        });
    }
    let request = wire::Request {
        content_type: payload.content_type.as_deref(),
        content_encoding: payload.content_encoding.as_deref(),
        dt_field,
        lines: payload.lines,
    };
    Format::from_request(&request).map_err(of_wire)
}

/// What the sender is told, if the store takes the events. A body of which no event can be kept is
/// refused as a whole, for its size when that is what is wrong with each.
fn outcome_of(source: SourceId, decoded: &Decoded) -> Result<Outcome, Refusal> {
    if let (true, Some(first)) = (decoded.batch.is_empty(), decoded.rejected.first()) {
        let detail = first.reason.to_string();
        let all_above_limits = decoded
            .rejected
            .iter()
            .all(|rejection| rejection.reason != RejectionReason::NotAnObject);
        return Err(match all_above_limits {
            true => Refusal::TooLarge { detail },
            false => Refusal::Undecodable { detail },
        });
    }
    let rejected = decoded.rejected.iter().map(|rejection| RejectedEvent {
        index: rejection.index,
        reason: rejection.reason.to_string(),
    });
    Ok(Outcome {
        source,
        accepted: decoded.batch.len() as u64,
        rejected_count: decoded.rejected_count as u64,
        rejected: rejected.collect(),
        duplicate: false,
    })
}

fn code_of(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::TooDeep { .. } => "event_too_deep",
        RejectionReason::TooLarge { .. } => "event_too_large",
        RejectionReason::BatchFull { .. } => "event_beyond_batch",
        RejectionReason::NotAnObject => "event_not_an_object",
    }
}

/// What a refusal of the decoder is to the sender.
pub(crate) fn of_wire(refusal: wire::Refusal) -> Refusal {
    let detail = refusal.to_string();
    match refusal {
        wire::Refusal::TooLarge { .. } => Refusal::TooLarge { detail },
        wire::Refusal::Undecodable { .. } | wire::Refusal::UnsupportedEncoding { .. } => {
            Refusal::Undecodable { detail }
        }
    }
}

fn of_append(error: AppendError) -> Refusal {
    let reason = error.to_string();
    match error {
        AppendError::Busy { retry_after, .. } => Refusal::Busy { retry_after },
        AppendError::TooLarge { .. } => Refusal::TooLarge { detail: reason },
        AppendError::DiskFull { .. } | AppendError::Poisoned { .. } | AppendError::Closed => {
            Refusal::Unavailable {
                reason,
                retry_after: RETRY_AFTER_UNAVAILABLE,
            }
        }
    }
}
