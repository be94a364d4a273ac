//! An event on its own, as a search gives it back.

use crate::{EventId, EventRef, Level, SourceId, Value};

/// An event found: identity, level and fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Who it is; holds its time.
    pub id: EventId,
    /// Where it came from.
    pub source: SourceId,
    /// The normalised level.
    pub level: Option<Level>,
    /// Paths (escaped form) and values. Each path at most once.
    pub fields: Vec<(Box<str>, Value)>,
}

impl Event {
    /// Copies an event out of its batch.
    pub fn copy_of(event: EventRef<'_>, source: SourceId, sequence: u64) -> Event {
        let paths = event.batch().paths();
        let fields = event
            .fields()
            .map(|(field, value)| (paths[field.index()].clone(), value.to_value()))
            .collect();
        let id = EventId {
            timestamp: event.timestamp(),
            sequence,
        };
        Event {
            id,
            source,
            level: event.level(),
            fields,
        }
    }
}
