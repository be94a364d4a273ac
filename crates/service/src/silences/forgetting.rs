//! Silences that were over long ago are forgotten.

use cordwood_catalog::Catalog;
use cordwood_event::Timestamp;

/// How long a silence is kept after its end: a quarter, whose report may still ask why nobody was told.
const KEPT_NANOS: i64 = 90 * 86_400_000_000_000;

/// Forgets silences that were over so long ago; returns whether that went well. A failure that lasts is said once.
pub(crate) fn forget_ended(catalog: &Catalog, now: Timestamp, was_failing: bool) -> bool {
    let before = Timestamp::from_nanos(now.as_nanos().saturating_sub(KEPT_NANOS));
    let forgotten = catalog.forget_silences(before);
    match &forgotten {
        Ok(0) => {}
        Ok(silences) => tracing::info!(silences, "silences of last quarter are forgotten"),
        Err(_) if was_failing => {}
        Err(error) => {
            let error: &dyn std::error::Error = error;
            tracing::warn!(error, "silences could not be forgotten, will try again");
        }
    }
    forgotten.is_ok()
}
