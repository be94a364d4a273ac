//! How long sources keep their events: from days and bytes in the catalog to what the store is told, and to the times from
//! which on an answer may be whole.

use std::collections::BTreeMap;

use cordwood_catalog as catalog;
use cordwood_event::{SourceId, Timestamp};
use cordwood_query::TimeBounds;
use cordwood_store::{Retention, Snapshot};

const DAY_NANOS: i64 = 86_400_000_000_000;

/// Events of a source before this time have expired; `None` if it keeps them for ever.
pub(crate) fn kept_from(source: &catalog::Source, now: Timestamp) -> Option<Timestamp> {
    let kept_nanos = DAY_NANOS.saturating_mul(source.retention_days?.into());
    Some(Timestamp::from_nanos(
        now.as_nanos().saturating_sub(kept_nanos),
    ))
}

/// What the store is told. Sources that the catalog does not know keep what they have: the catalog may be the one that is
/// wrong, put back from a backup.
pub(crate) fn retention(catalog: &catalog::Catalog, now: Timestamp) -> Retention {
    let sources = catalog.sources();
    let horizons = sources
        .iter()
        .filter_map(|source| Some((source.id, kept_from(source, now)?)));
    let size_limits = sources
        .iter()
        .filter_map(|source| Some((source.id, source.disk_bytes_max?)));
    Retention {
        now,
        horizons: horizons.collect(),
        size_limits: size_limits.collect(),
    }
}

/// The sources of a search whose events at the start of the range are not kept, because of their age or for the size of the
/// source, and from when on they are.
pub(crate) fn cut_by_retention(
    sources: &[std::sync::Arc<catalog::Source>],
    range: TimeBounds,
    snapshot: &Snapshot,
    now: Timestamp,
) -> BTreeMap<SourceId, Timestamp> {
    let evictions = snapshot.evictions();
    let cuts = sources.iter().filter_map(|source| {
        let evicted = evictions.get(&source.id).map(|eviction| eviction.before);
        let kept_from = kept_from(source, now).max(evicted)?;
        (range.first < kept_from).then_some((source.id, kept_from))
    });
    cuts.collect()
}
