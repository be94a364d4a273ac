//! The events of deleted sources: nobody finds them any more, and they leave the disk as those of any deletion do.

use std::error::Error;

use cordwood_catalog::{self as catalog, Catalog};
use cordwood_event::{SourceId, Timestamp};
use cordwood_query::Filter;
use cordwood_store::{self as store, DeletedSource, DeletionRequest, Snapshot, Store};

/// Has the store delete what it still holds of sources that were deleted; returns whether that went well. What comes late,
/// sent before its source was deleted and stored after, goes in a later round. A failure that lasts is said once.
pub(crate) fn delete_events(
    catalog: &Catalog,
    store: &Store,
    now: Timestamp,
    was_failing: bool,
) -> bool {
    let deleted = catalog.deleted_sources();
    let mut requested = deleted.iter().map(|source| delete_from(source, store, now));
    let outcome = requested.find(Result::is_err).unwrap_or(Ok(()));
    if let (Err(error), false) = (&outcome, was_failing) {
        let source = error.source();
        tracing::warn!(%error, source, "events of deleted sources stay on disk, will try again");
    }
    outcome.is_ok()
}

fn delete_from(
    source: &catalog::DeletedSource,
    store: &Store,
    now: Timestamp,
) -> Result<(), store::Error> {
    let snapshot = store.snapshot();
    if snapshot.totals(source.id).is_none() || is_under_way(&snapshot, source.id) {
        return Ok(());
    }
    let request = DeletionRequest {
        sources: vec![DeletedSource {
            id: source.id,
            name: source.name.clone(),
        }],
        first: Timestamp::MIN,
        last: Timestamp::MAX,
        query: Filter::All.to_string(),
        requested_at: now,
        up_to_sequence: snapshot.last_sequence(),
    };
    let deletion = store.delete(request, None)?;
    tracing::info!(deletion = %deletion.id, source = %source.id, "events of a deleted source are deleted");
    Ok(())
}

/// Whether a deletion of everything of the source stands.
fn is_under_way(snapshot: &Snapshot, source: SourceId) -> bool {
    let everything = Filter::All.to_string();
    let mut deletions = snapshot.deletions().iter();
    deletions.any(|deletion| {
        let request = &deletion.request;
        let is_of_all_time = request.first == Timestamp::MIN && request.last == Timestamp::MAX;
        let is_of_source = request.sources.iter().any(|deleted| deleted.id == source);
        is_of_source && is_of_all_time && request.query == everything
    })
}
