//! Identities: of a source, and of one event.

use std::fmt;
use std::str::FromStr;

use crate::Timestamp;

/// A source of events. Given out by the catalog, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u64);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One event, for ever: its time and the sequence number the store gave it when it was logged.
///
/// The order is that of search results: by time, then by arrival. The time is part of the identity
/// so that an event is found without searching all of them. Written `<time>-<sequence>` in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The event's time.
    pub timestamp: Timestamp,
    /// Unique within a data directory; rises with arrival.
    pub sequence: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:x}", self.timestamp.as_nanos(), self.sequence)
    }
}

/// The text is not an event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<EventId, InvalidEventId> {
        let (time, sequence) = text.split_once('-').ok_or(InvalidEventId)?;
        if time.len() != 16 || sequence.is_empty() || sequence.starts_with('+') {
            return Err(InvalidEventId);
        }
        let nanos = u64::from_str_radix(time, 16).map_err(|_| InvalidEventId)?;
        let sequence = u64::from_str_radix(sequence, 16).map_err(|_| InvalidEventId)?;
        Ok(EventId {
            timestamp: Timestamp::from_nanos(nanos.cast_signed()),
            sequence,
        })
    }
}
