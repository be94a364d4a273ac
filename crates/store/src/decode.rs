//! The one thing the store asks of those above it: to decode a logged body again.

use cordwood_event::{Batch, SourceId, Timestamp};

/// A body as it was received and logged.
#[derive(Clone, Copy, Debug)]
pub struct LoggedBody<'a> {
    /// The source it was sent to.
    pub source: SourceId,
    /// When it came.
    pub received_at: Timestamp,
    /// What [`Append::format`](crate::Append::format) said; the store does not look into it.
    pub format: &'a str,
    /// The bytes as received.
    pub body: &'a [u8],
}

/// Decodes logged bodies on recovery.
///
/// Must be a pure function of the body: the batch it gives has to be the one that was appended, event by
/// event, because sequence numbers were given out by position.
pub trait Decode: Send + Sync {
    /// The batch that was appended with this body; why not, otherwise.
    fn decode(&self, logged: &LoggedBody<'_>) -> Result<Batch, String>;
}
