//! How long events are kept: by source, a time before which they have expired, and a size above which the oldest go.

use std::collections::BTreeMap;

use cordwood_event::{SourceId, Timestamp};

/// What has expired, as of a moment. Who asks the store for events leaves out what has expired; the store removes
/// it when a merge comes by, or when most of a segment is dead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// The moment.
    pub now: Timestamp,
    /// Events of a source before this time have expired; sources that are not named keep theirs for ever.
    pub horizons: BTreeMap<SourceId, Timestamp>,
    /// How many bytes of segments a source may take; of what is over, the oldest events go. Sources that are not named
    /// take what they need.
    pub size_limits: BTreeMap<SourceId, u64>,
}

impl Retention {
    /// Whether an event of this time has expired.
    pub fn is_expired(&self, source: SourceId, time: Timestamp) -> bool {
        self.horizons
            .get(&source)
            .is_some_and(|horizon| time < *horizon)
    }
}
