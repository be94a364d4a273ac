//! Silences.

use cordwood_catalog::{self as catalog, SilenceId};
use cordwood_event::Timestamp;

use crate::{Error, Incident, Service};

impl Service {
    pub(crate) fn muted_when_opened(
        &self,
        _new: &catalog::NewIncident,
        _now: Timestamp,
    ) -> Result<Option<SilenceId>, Error> {
        Ok(None)
    }

    pub(crate) fn still_muted(&self, _incident: &Incident, _now: Timestamp) -> Result<bool, Error> {
        Ok(false)
    }
}
