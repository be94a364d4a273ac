//! Evictions: the oldest events of a source that go because it takes more space than it may.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_event::{SourceId, Timestamp};

use crate::manifest::Chain;
use crate::segment::SegmentBlock;
use crate::shared::Shared;
use crate::view::View;
use crate::{Error, Retention};

/// What was evicted of a source: events before a time that had come by then. Who asks the store for events leaves them out;
/// blocks that hold nothing else go as what has expired does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// Their time is earlier.
    pub before: Timestamp,
    /// Their sequence number is this or a lower one.
    pub up_to_sequence: u64,
}

/// What each source has lost for its size.
pub(crate) type Evictions = BTreeMap<SourceId, Eviction>;

impl Eviction {
    /// Whether every row of a block was evicted.
    fn covers(&self, block: &SegmentBlock) -> bool {
        let directory = &block.directory;
        directory.timestamps.1 < self.before && directory.sequences.1 <= self.up_to_sequence
    }
}

/// Whether nothing of a block is wanted any more: it has expired, or was evicted.
pub(crate) fn is_dead(block: &SegmentBlock, retention: &Retention, evictions: &Evictions) -> bool {
    let evicted = evictions.get(&block.source);
    retention.is_expired(block.source, block.directory.timestamps.1)
        || evicted.is_some_and(|eviction| eviction.covers(block))
}

/// Has sources that have grown above their limit lose their oldest events: on return they are hidden.
pub(crate) fn evict(shared: &Shared, chain: &Chain) -> Result<(), Error> {
    let due = due(&shared.published.get(), &shared.retention());
    if due.is_empty() {
        return Ok(());
    }
    chain.commit(shared.disk.as_ref(), |next| {
        extend(&mut next.evictions, &due)
    })?;
    shared
        .published
        .update(|view| extend(Arc::make_mut(&mut view.evictions), &due));
    Ok(())
}

/// Events older than others that went go with them; and who evicts at the same time may have seen less.
fn extend(evictions: &mut Evictions, due: &Evictions) {
    for (source, eviction) in due {
        let known = evictions.entry(*source).or_insert(*eviction);
        known.before = known.before.max(eviction.before);
        known.up_to_sequence = known.up_to_sequence.max(eviction.up_to_sequence);
    }
}

/// What must be evicted now for every source to keep to its limit: whole blocks, those first whose last event is the oldest.
/// Events that are not in a segment do not count, nor do blocks that are dead already.
fn due(view: &View, retention: &Retention) -> Evictions {
    let limits = retention.size_limits.iter();
    let due = limits.filter_map(|(source, bytes_max)| {
        let before = overflow(*source, *bytes_max, view, retention)?;
        let eviction = Eviction {
            before,
            up_to_sequence: view.next_sequence - 1,
        };
        Some((*source, eviction))
    });
    due.collect()
}

/// The time before which events have to go.
fn overflow(
    source: SourceId,
    bytes_max: u64,
    view: &View,
    retention: &Retention,
) -> Option<Timestamp> {
    let mut blocks: Vec<(Timestamp, u64)> = Vec::new();
    for segment in view.segments.iter() {
        let live = segment
            .blocks_of(source)
            .filter(|(_, block)| !is_dead(block, retention, &view.evictions));
        blocks.extend(live.map(|(_, block)| {
            let last = block.directory.timestamps.1;
            (last, segment.disk_bytes(block.directory.encoded_bytes()))
        }));
    }
    blocks.sort_unstable();
    let mut left: u64 = blocks.iter().map(|(_, bytes)| *bytes).sum();
    let mut before = None;
    for (last, bytes) in blocks {
        if left <= bytes_max {
            break;
        }
        left -= bytes;
        before = Some(Timestamp::from_nanos(last.as_nanos().saturating_add(1)));
    }
    before
}
