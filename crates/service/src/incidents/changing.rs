//! What is done to an incident.

use std::collections::BTreeMap;

use cordwood_catalog::{Author, IncidentChange};
use cordwood_event::Timestamp;
use cordwood_notify::NoticeKind;

use super::opening::{check_labels, check_links, check_name, check_word, trimmed};
use super::{
    Entry, EntryKind, Incident, IncidentStatus, Link, Severity, all_right, author, of_catalog,
};
use crate::{Access, Caller, Error, InvalidValue, Service};

/// How long after its end an incident can be reopened: what comes back later is another one.
const REOPENED_WITHIN_NANOS: i64 = 24 * 3_600_000_000_000;
/// Incidents that are merged at once at most.
const MERGED_MAX: usize = 100;

/// What of an incident is to be changed; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct IncidentChanges {
    /// A line that says what is wrong.
    pub name: Option<String>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// Who takes care of it; an empty text for nobody.
    pub assignee: Option<String>,
    /// Names and values to find it by.
    pub labels: Option<BTreeMap<String, String>>,
    /// Pages that have more about it.
    pub links: Option<Vec<Link>>,
}

/// To whom an incident is escalated, as the caller says.
#[derive(Clone, Debug, Default)]
pub struct EscalatedTo {
    /// A team, a person, a policy: whatever those who read it understand.
    pub whom: Option<String>,
}

impl Service {
    /// Says that somebody takes care of it.
    pub fn acknowledge_incident(
        &self,
        caller: &Caller,
        id: &str,
        person: Option<&str>,
    ) -> Result<Incident, Error> {
        let incident = self.incident_to_change(caller, id)?;
        if incident.status() == IncidentStatus::Resolved {
            return Err(Error::Conflict {
                message: format!("incident {} is resolved", incident.id.0),
                hint: Some("reopen it first".to_owned()),
            });
        }
        let change = IncidentChange::Acknowledge;
        self.change(
            caller,
            &incident,
            person,
            &change,
            Some(NoticeKind::Acknowledged),
        )
    }

    /// Says that it is over.
    pub fn resolve_incident(
        &self,
        caller: &Caller,
        id: &str,
        person: Option<&str>,
    ) -> Result<Incident, Error> {
        let incident = self.incident_to_change(caller, id)?;
        let change = IncidentChange::Resolve;
        self.change(
            caller,
            &incident,
            person,
            &change,
            Some(NoticeKind::Resolved),
        )
    }

    /// Says that it is not over after all, within a day.
    pub fn reopen_incident(
        &self,
        caller: &Caller,
        id: &str,
        person: Option<&str>,
    ) -> Result<Incident, Error> {
        let incident = self.incident_to_change(caller, id)?;
        let Some(resolved) = &incident.resolved else {
            return Ok(incident);
        };
        let since = self.now().as_nanos().saturating_sub(resolved.at.as_nanos());
        if since > REOPENED_WITHIN_NANOS {
            return Err(Error::Conflict {
                message: format!(
                    "incident {} was resolved more than 24 hours ago",
                    incident.id.0
                ),
                hint: Some("open another one, with a link to it".to_owned()),
            });
        }
        let apart = Incident {
            merged_into: None,
            ..incident.clone()
        };
        let change = IncidentChange::Reopen;
        let reopened = self.change(caller, &apart, person, &change, Some(NoticeKind::Reopened))?;
        match reopened.resolved {
            None => Ok(reopened),
            Some(_) => Err(Error::Conflict {
                message: format!(
                    "another incident with the key of incident {} is open",
                    incident.id.0
                ),
                hint: Some("resolve that one first, or comment on it".to_owned()),
            }),
        }
    }

    /// Tells its channels again.
    pub fn escalate_incident(
        &self,
        caller: &Caller,
        id: &str,
        to: &EscalatedTo,
    ) -> Result<Incident, Error> {
        let incident = self.incident_to_change(caller, id)?;
        let mut wrong = Vec::new();
        check_word("escalation", to.whom.as_deref(), &mut wrong);
        all_right(wrong)?;
        if incident.status() == IncidentStatus::Resolved {
            return Err(Error::Conflict {
                message: format!("incident {} is resolved", incident.id.0),
                hint: Some("reopen it first".to_owned()),
            });
        }
        let whom =
            trimmed(to.whom.as_deref()).map_or_else(String::new, |whom| format!("to {whom}"));
        let entry = Entry::of(&author(caller, None), EntryKind::Escalated, whom);
        let now = self.now();
        let notices = self.notices_of(&incident, NoticeKind::Opened, now)?;
        let added = self
            .catalog
            .add_to_timeline(incident.id, &entry, &notices, now);
        added.map_err(of_catalog)?;
        self.find_incident(caller, id)
    }

    /// Changes what is said of it. Its channels are told if it is worse than was said.
    pub fn update_incident(
        &self,
        caller: &Caller,
        id: &str,
        changes: &IncidentChanges,
    ) -> Result<Incident, Error> {
        let incident = self.incident_to_change(caller, id)?;
        let mut wrong = Vec::new();
        let mut changed = Vec::new();
        if let Some(name) = &changes.name {
            check_name(name, &mut wrong);
            changed.push(IncidentChange::Rename(name.trim().to_owned()));
        }
        if let Some(assignee) = &changes.assignee {
            check_word("assignee", Some(assignee), &mut wrong);
            changed.push(IncidentChange::Assign(trimmed(Some(assignee))));
        }
        if let Some(labels) = &changes.labels {
            check_labels(labels, &mut wrong);
            changed.push(IncidentChange::Label(labels.clone()));
        }
        if let Some(links) = &changes.links {
            check_links(links, &mut wrong);
            changed.push(IncidentChange::Link(links.clone()));
        }
        changed.extend(changes.severity.map(IncidentChange::Severity));
        all_right(wrong)?;
        let mut incident = incident;
        for change in &changed {
            let is_worse = matches!(change, IncidentChange::Severity(severity) if *severity > incident.severity);
            let is_open = incident.status() != IncidentStatus::Resolved;
            let told = (is_worse && is_open).then_some(NoticeKind::Opened);
            if let IncidentChange::Severity(severity) = change {
                incident.severity = *severity;
            }
            incident = self.change(caller, &incident, None, change, told)?;
        }
        Ok(incident)
    }

    /// Merges incidents into one: they are resolved and point to it, and what was said of them is read with it.
    pub fn merge_incidents(
        &self,
        caller: &Caller,
        into: &str,
        ids: &[String],
    ) -> Result<Incident, Error> {
        let target = self.incident_to_change(caller, into)?;
        if let Some(above) = target.merged_into {
            return Err(Error::Conflict {
                message: format!("incident {} is a part of another", target.id.0),
                hint: Some(format!("merge into incident {}", above.0)),
            });
        }
        let refuse = |message: String| {
            Error::InvalidValues(vec![InvalidValue::new("incident_ids", message)])
        };
        if ids.is_empty() || ids.len() > MERGED_MAX {
            return Err(refuse(format!("have to be 1 to {MERGED_MAX}")));
        }
        let merged: Vec<Incident> = ids
            .iter()
            .map(|id| self.find_incident(caller, id))
            .collect::<Result<_, _>>()?;
        let mut others = merged.iter();
        if let Some(other) = others.find(|one| one.client != target.client) {
            let message = format!("have {}, which is another client's", other.id.0);
            return Err(refuse(message));
        }
        if merged.iter().any(|one| one.id == target.id) {
            return Err(refuse("have the incident they are merged into".to_owned()));
        }
        let author = author(caller, None);
        for one in &merged {
            let is_merged = self
                .catalog
                .merge_incident(one.id, target.id, &author, self.now());
            is_merged.map_err(of_catalog)?;
        }
        self.find_incident(caller, into)
    }

    /// Deletes it, with its timeline and its events.
    pub fn delete_incident(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        caller.require(Access::Admin)?;
        let incident = self.find_incident(caller, id)?;
        self.catalog
            .delete_incident(incident.id)
            .map_err(of_catalog)?;
        tracing::info!(
            incident = incident.id.0,
            token = caller.token_name(),
            "an incident is deleted"
        );
        Ok(())
    }

    /// Tells of incidents that were muted when they opened, are open, and are muted no more.
    pub(crate) fn tell_unmuted(&self) -> Result<(), Error> {
        let now = self.now();
        let untold = self.catalog.untold_incidents().map_err(of_catalog)?;
        for incident in untold {
            if self.is_muted(&incident, now)? {
                continue;
            }
            let told = Incident {
                is_told: true,
                ..incident
            };
            let notices = self.notices_of(&told, NoticeKind::Opened, now)?;
            let author = Author::named("silence");
            let tell = IncidentChange::Tell;
            let changed = self
                .catalog
                .change_incident(told.id, &tell, &author, &notices, now);
            changed.map_err(of_catalog)?;
        }
        Ok(())
    }

    fn incident_to_change(&self, caller: &Caller, id: &str) -> Result<Incident, Error> {
        caller.require(Access::Write)?;
        self.find_incident(caller, id)
    }

    fn change(
        &self,
        caller: &Caller,
        incident: &Incident,
        person: Option<&str>,
        change: &IncidentChange,
        told: Option<NoticeKind>,
    ) -> Result<Incident, Error> {
        let mut wrong = Vec::new();
        check_word("by", person, &mut wrong);
        all_right(wrong)?;
        let now: Timestamp = self.now();
        let notices = match told {
            Some(kind) => self.notices_of(incident, kind, now)?,
            None => Vec::new(),
        };
        let author = author(caller, person);
        let changed = self
            .catalog
            .change_incident(incident.id, change, &author, &notices, now);
        changed.map_err(of_catalog)?;
        self.find_incident(caller, &incident.id.0.to_string())
    }
}
