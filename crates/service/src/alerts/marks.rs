//! The marks of arrival, for the checks and for those who make alerts.
//!
//! An alert looks at whatever comes once it was made. A round takes the mark of a time a moment later, with what has come until then; an alert that was made in
//! that moment has no check at that time and would never look at it. So whoever makes or changes an alert takes the mark that is due first.

use std::sync::{Arc, Mutex, PoisonError};

use cordwood_catalog::Arrival;
use cordwood_event::Timestamp;

use super::arrivals::{Arrivals, kept_from};
use crate::{Error, Service};

/// The marks. Held no longer than it takes to write one, so that nobody who makes an alert waits for checks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// `None` until somebody needs them, who reads what the catalog kept.
    known: Mutex<Option<Arc<Arrivals>>>,
}

impl Marks {
    /// Notes what had come by now, if a mark is due; all marks there are then.
    pub(super) fn take(&self, service: &Service, now: Timestamp) -> Result<Arc<Arrivals>, Error> {
        let known = self.known.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let arrivals = match &mut *known {
            Some(arrivals) => arrivals,
            unread => unread.insert(Arc::new(recall(service)?)),
        };
        let last_sequence = service.store.snapshot().last_sequence();
        if let Some(mark) = arrivals.next(now, last_sequence) {
            note(service, mark)?;
            // Copied only while a round looks at it, which is when an alert is made in the middle of one.
            Arc::make_mut(arrivals).push(mark);
        }
        Ok(Arc::clone(arrivals))
    }
}

impl Service {
    /// The time of a change of alerts, with what came before it marked.
    pub(super) fn marked_now(&self) -> Result<Timestamp, Error> {
        let now = self.now();
        self.alerts.marks.take(self, now)?;
        Ok(now)
    }
}

/// What the catalog kept, with the mark that is missing of a server that went down.
fn recall(service: &Service) -> Result<Arrivals, Error> {
    let kept = service.catalog.arrivals();
    let kept = kept.map_err(|error| Error::internal("reading what had come when", error))?;
    let last_sequence = service.store.snapshot().last_sequence();
    let mut arrivals = Arrivals::recalled(kept, last_sequence);
    if let Some(closing) = arrivals.closing(service.now(), last_sequence) {
        note(service, closing)?;
        arrivals.push(closing);
    }
    Ok(arrivals)
}

fn note(service: &Service, mark: Arrival) -> Result<(), Error> {
    let noted = service.catalog.note_arrival(mark, kept_from(mark.at));
    noted.map_err(|error| Error::internal("noting what has come", error))
}
