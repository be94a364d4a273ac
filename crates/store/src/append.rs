//! What is asked of the store when events come in, and what it answers.

use cordwood_event::{Batch, SourceId, Timestamp};

/// A request's events: decoded, and the body they were decoded from.
#[derive(Debug)]
pub struct Append {
    /// The source they belong to.
    pub source: SourceId,
    /// When the request came. Also the clock by which batch keys expire.
    pub received_at: Timestamp,
    /// All that [`Decode`](crate::Decode) needs to know to decode `body` again; at most 64 KiB.
    pub format: String,
    /// A second batch with this key for this source within an hour is acknowledged and not stored.
    pub batch_key: Option<String>,
    /// The body as received.
    pub body: Vec<u8>,
    /// Whether the body is compressed already, so that the log need not try.
    pub compressed: bool,
    /// The events decoded from it; not empty.
    pub batch: Batch,
}

/// The events are on disk and visible to every snapshot taken from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The batch key was known: the events were stored by an earlier append.
    pub duplicate: bool,
    /// The sequence number of the first event; the others follow one by one. Of a duplicate, those given
    /// out by the earlier append.
    pub first_sequence: u64,
}
