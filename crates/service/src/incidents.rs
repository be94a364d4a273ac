//! Incidents: that something is wrong, who takes care of it, and what showed it. Rules open them, and so do people and programs.
//!
//! Every change is an entry in the timeline, with its author, and writes its notices in the same transaction. What has been done already is
//! done again without a word, so that a request may be repeated.

mod by_link;
mod changing;
mod comments;
mod evidence;
mod explaining;
mod kept;
mod listing;
mod opening;
mod related;
mod report;
mod telling;

use cordwood_catalog::{self as catalog, ApiTokenId};

use crate::{Access, Caller, Error, InvalidValue, Service};

pub use changing::{EscalatedTo, IncidentChanges};
pub use cordwood_catalog::{
    Author as IncidentAuthor, Deed, Entry, EntryId, EntryKind, Incident, IncidentId,
    IncidentStatus, KEPT_EVENT_BYTES_MAX, KEPT_EVENTS_MAX, KeptEvent, Link, Severity,
    TimelineEntry,
};
pub use evidence::IncidentEvidence;
pub use explaining::IncidentExplanation;
pub(crate) use explaining::{Explaining, Means};
pub use kept::{PinnedEvents, UnpinnedEvent};
pub use listing::{INCIDENTS_PER_PAGE_MAX, IncidentPage, IncidentsRequest};
pub use opening::NewIncident;
pub use related::RelatedIncident;
pub(crate) use telling::{sample, severity_told};

impl Service {
    /// One incident.
    pub fn incident(&self, caller: &Caller, id: &str) -> Result<Incident, Error> {
        caller.require(Access::Read)?;
        self.find_incident(caller, id)
    }

    /// One of another client is not found in the same words as one that never was.
    fn find_incident(&self, caller: &Caller, id: &str) -> Result<Incident, Error> {
        let number = id.trim().parse().ok().map(IncidentId);
        let found = number.map(|number| self.catalog.incident(number));
        let found = found.transpose().map_err(of_catalog)?.flatten();
        found
            .filter(|incident| caller.sees(incident.client))
            .ok_or_else(|| not_found("incident", id))
    }

    /// The incident and those that were merged into it.
    fn with_merged(&self, incident: &Incident) -> Result<Vec<IncidentId>, Error> {
        let merged = self.catalog.incidents_merged_into(incident.id);
        let merged = merged.map_err(of_catalog)?;
        let merged = merged.iter().map(|merged| merged.id);
        Ok(std::iter::once(incident.id).chain(merged).collect())
    }
}

/// The caller as the author of an entry, for a person it names.
fn author(caller: &Caller, person: Option<&str>) -> catalog::Author {
    let person = person.map(str::trim).filter(|person| !person.is_empty());
    catalog::Author {
        name: caller.token_name().to_owned(),
        token: Some(ApiTokenId(caller.token_id())),
        stands_for: person.map(str::to_owned),
    }
}

fn not_found(kind: &'static str, name: &str) -> Error {
    Error::NotFound {
        kind,
        name: name.to_owned(),
        near: Vec::new(),
    }
}

fn of_catalog(error: catalog::Error) -> Error {
    match error {
        catalog::Error::NotFound { kind } => not_found(kind, "it"),
        error => Error::internal("keeping an incident", error),
    }
}

/// Fails with all that is wrong, if anything is.
fn all_right(wrong: Vec<InvalidValue>) -> Result<(), Error> {
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidValues(wrong)),
    }
}
