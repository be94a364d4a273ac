//! What somebody may do who has the link out of a notice, and no token: see what the incident is, and say that they look at it.

use cordwood_catalog::{Author, IncidentChange};
use cordwood_notify::NoticeKind;

use super::{Incident, IncidentId, IncidentStatus, of_catalog};
use crate::{Error, Service};

/// The author of what was done by a link: nobody knows who clicked.
const AUTHOR_NAME: &str = "link in a notice";

impl Service {
    /// The incident of an acknowledge link. A link that is not ours, is too old, or whose incident is gone is not found.
    pub fn incident_by_link(&self, token: &str) -> Result<Incident, Error> {
        let not_found = || Error::NotFound {
            kind: "link",
            name: "it".to_owned(),
            near: Vec::new(),
        };
        let number = self.outward.incident_of(token, self.now());
        let number = number.map(IncidentId).ok_or_else(not_found)?;
        let incident = self.catalog.incident(number).map_err(of_catalog)?;
        incident.ok_or_else(not_found)
    }

    /// Says by a link that somebody takes care of an incident. Of one that is over, or that somebody takes care of, nothing changes.
    pub fn acknowledge_by_link(&self, token: &str) -> Result<Incident, Error> {
        let incident = self.incident_by_link(token)?;
        if incident.status() != IncidentStatus::Started {
            return Ok(incident);
        }
        let now = self.now();
        let notices = self.notices_of(&incident, NoticeKind::Acknowledged, now)?;
        let (change, author) = (IncidentChange::Acknowledge, Author::named(AUTHOR_NAME));
        let changed = self
            .catalog
            .change_incident(incident.id, &change, &author, &notices, now);
        changed.map_err(of_catalog)?;
        self.delivery.wake();
        self.incident_by_link(token)
    }
}
