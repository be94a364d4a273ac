//! The way from a body to a batch: decompress, decode, and the account of what was refused.

use std::fmt;

use cordwood_event::{Batch, Timestamp};

use crate::events::Events;
use crate::{ContentKind, Format, Limits, decompress, json, lines, msgpack};

/// A decoded body.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// The events, in the order of the body.
    pub batch: Batch,
    /// What was refused: the first [`REJECTIONS_KEPT`](Self::REJECTIONS_KEPT) of them.
    pub rejected: Vec<Rejection>,
    /// How many events were refused.
    pub rejected_count: usize,
    /// Whether [`Limits::batch_bytes_max`] was met: with a wider one there might be more events.
    pub was_full: bool,
    /// The size of the body after decompression.
    pub decompressed_bytes: usize,
}

impl Decoded {
    /// A body of a hundred million commas can be refused piece by piece; a reader needs some.
    pub const REJECTIONS_KEPT: usize = 1_000;
}

/// An event that was refused, beside others that were not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Which event of the body, counted from 0, kept and refused ones alike.
    pub index: usize,
    /// Why.
    pub reason: RejectionReason,
}

/// Why an event was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionReason {
    /// Its objects and arrays nest deeper than the limit.
    TooDeep {
        /// [`Limits::depth_max`].
        limit: usize,
    },
    /// It takes more of the body than the limit.
    TooLarge {
        /// [`Limits::event_bytes_max`].
        limit_bytes: usize,
    },
    /// The events before it fill the memory one request may use.
    BatchFull {
        /// [`Limits::batch_bytes_max`].
        limit_bytes: usize,
    },
    /// It is neither an object nor a string.
    NotAnObject,
}

impl fmt::Display for RejectionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RejectionReason::TooDeep { limit } => {
                write!(f, "the event nests deeper than {limit} levels")
            }
            RejectionReason::TooLarge { limit_bytes } => {
                write!(f, "the event is larger than {limit_bytes} bytes")
            }
            RejectionReason::BatchFull { limit_bytes } => write!(
                f,
                "the request needs more than {limit_bytes} bytes of memory; send it in parts"
            ),
            RejectionReason::NotAnObject => write!(f, "an event must be an object"),
        }
    }
}

/// Why a whole body was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing of it can be read as what it claims to be.
    #[error("the body cannot be decoded: {reason}")]
    Undecodable {
        /// What is wrong, and where.
        reason: String,
    },
    /// It grows beyond the limit when decompressed.
    #[error("the body is larger than {limit_bytes} bytes when decompressed")]
    TooLarge {
        /// [`Limits::decompressed_bytes_max`].
        limit_bytes: usize,
    },
    /// Its `Content-Encoding` is unknown, or more than one.
    #[error("content encoding `{encoding}` is not supported; use one of gzip, deflate, zstd, br")]
    UnsupportedEncoding {
        /// As sent, lower case.
        encoding: String,
    },
}

impl Refusal {
    pub(crate) fn undecodable(reason: impl Into<String>) -> Refusal {
        Refusal::Undecodable {
            reason: reason.into(),
        }
    }
}

/// Decodes a body as received.
///
/// An empty one, or an empty array, gives no events and is no error. An event without a time of its
/// own gets `received_at`.
///
/// # Errors
/// See [`Refusal`]. What is wrong with one event among others is no error but a [`Rejection`], or an
/// event that holds the line and says what is wrong with it in the field `_parse_error`.
pub fn decode(
    format: &Format,
    body: &[u8],
    received_at: Timestamp,
    limits: &Limits,
) -> Result<Decoded, Refusal> {
    let body = decompress::decompress(format.encoding, body, limits.decompressed_bytes_max)?;
    let mut events = Events::new(format, received_at, *limits);
    // Most of a body is text that is kept. Pages of the room that nothing is written to take no memory.
    events
        .builder
        .reserve(body.len().min(limits.batch_bytes_max));
    match format.kind {
        ContentKind::Json | ContentKind::Ndjson => json::decode(&body, &mut events)?,
        ContentKind::MessagePack => {
            msgpack::decode(&body, &mut events)?;
        }
        ContentKind::Lines => lines::decode(&body, &mut events)?,
    }
    Ok(events.finish(body.len()))
}
