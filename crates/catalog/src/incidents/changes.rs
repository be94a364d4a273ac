//! What is done to an incident once it is open. What has been done already changes nothing, writes no entry and tells nobody.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use rusqlite::{Connection, ToSql, params};

use super::{
    Author, Entry, EntryKind, IncidentId, Link, Severity, add_to_timeline, find, write_notices,
};
use crate::database::id_to;
use crate::{Catalog, Error, NewNotice};

/// Something done to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentChange {
    /// Somebody takes care of it; of an open one that nobody did.
    Acknowledge,
    /// It is over; of an open one.
    Resolve,
    /// It is not over after all, and nobody takes care of it; of a resolved one, unless another with its key is open.
    Reopen,
    /// Somebody else takes care of it, or nobody.
    Assign(Option<String>),
    /// It is better or worse than was said.
    Severity(Severity),
    /// It is called otherwise.
    Rename(String),
    /// It has these labels.
    Label(BTreeMap<String, String>),
    /// It has these links.
    Link(Vec<Link>),
    /// It is not muted any more, and its channels are told; of one of which nobody was.
    Tell,
}

impl Catalog {
    /// Changes an incident, and writes the entry and the notices if there was anything to change. Returns whether there was.
    pub fn change_incident(
        &self,
        id: IncidentId,
        change: &IncidentChange,
        author: &Author,
        notices: &[NewNotice],
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.change(
            "changing an incident",
            |transaction| {
                let is_changed = self::change(transaction, id, change, author, now)?;
                if is_changed {
                    write_notices(transaction, id, notices, now)?;
                }
                Ok(is_changed)
            },
            |_, is_changed| is_changed,
        )
    }

    /// Merges an incident into another, into which it is resolved. Returns whether it was not merged before.
    pub fn merge_incident(
        &self,
        id: IncidentId,
        into: IncidentId,
        author: &Author,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.change(
            "merging incidents",
            |transaction| merge(transaction, id, into, author, now),
            |_, is_merged| is_merged,
        )
    }

    /// Says what changed at the start of an incident, as JSON.
    pub fn explain_incident(&self, id: IncidentId, what_changed: &str) -> Result<(), Error> {
        self.keep_explanation(id, Some(what_changed))
    }

    /// Forgets what changed at the start of an incident, so that it is found out again.
    pub fn forget_explanation(&self, id: IncidentId) -> Result<(), Error> {
        self.keep_explanation(id, None)
    }

    fn keep_explanation(&self, id: IncidentId, what_changed: Option<&str>) -> Result<(), Error> {
        self.change(
            "keeping what changed",
            |transaction| {
                transaction
                    .execute(
                        "UPDATE incidents SET what_changed = ?2 WHERE id = ?1",
                        params![id_to(id.0), what_changed],
                    )
                    .map(drop)
                    .map_err(Error::database("keeping what changed"))
            },
            |_, ()| (),
        )
    }

    /// Deletes an incident, with its timeline and its events.
    pub fn delete_incident(&self, id: IncidentId) -> Result<(), Error> {
        self.change(
            "deleting an incident",
            |transaction| {
                let deleted =
                    transaction.execute("DELETE FROM incidents WHERE id = ?1", [id_to(id.0)]);
                match deleted.map_err(Error::database("deleting an incident"))? {
                    0 => Err(Error::NotFound { kind: "incident" }),
                    _ => Ok(()),
                }
            },
            |_, ()| (),
        )
    }
}

/// Changes an incident; returns whether there was anything to change.
pub(crate) fn change(
    connection: &Connection,
    id: IncidentId,
    change: &IncidentChange,
    author: &Author,
    now: Timestamp,
) -> Result<bool, Error> {
    let before = find(connection, id)?.ok_or(Error::NotFound { kind: "incident" })?;
    if !write(connection, id, change, author.person(), now)? {
        return Ok(false);
    }
    let (kind, text) = match change {
        IncidentChange::Acknowledge => (EntryKind::Acknowledged, author.for_whom()),
        IncidentChange::Resolve => (EntryKind::Resolved, author.for_whom()),
        IncidentChange::Reopen => (EntryKind::Reopened, author.for_whom()),
        IncidentChange::Assign(Some(assignee)) => (EntryKind::Assigned, assignee.clone()),
        IncidentChange::Assign(None) => (EntryKind::Assigned, "nobody".to_owned()),
        IncidentChange::Severity(severity) => {
            let (from, to) = (before.severity.name(), severity.name());
            (EntryKind::SeverityChanged, format!("{from} → {to}"))
        }
        IncidentChange::Rename(name) => (
            EntryKind::Changed,
            format!("name: {} → {name}", before.name),
        ),
        IncidentChange::Label(_) => (EntryKind::Changed, "labels".to_owned()),
        IncidentChange::Link(_) => (EntryKind::Changed, "links".to_owned()),
        IncidentChange::Tell => (EntryKind::Told, "it is not muted any more".to_owned()),
    };
    let entry = Entry::of(author, kind, text);
    add_to_timeline(connection, id, &entry, now)?;
    Ok(true)
}

/// Writes what is changed, where it differs.
fn write(
    connection: &Connection,
    id: IncidentId,
    change: &IncidentChange,
    by: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let (id, now) = (id_to(id.0), now.as_nanos());
    let with = |statement: &str, parameters: &[&dyn ToSql]| -> rusqlite::Result<bool> {
        let mut statement = connection.prepare_cached(statement)?;
        Ok(statement.execute(parameters)? > 0)
    };
    let written = match change {
        IncidentChange::Acknowledge => with(
            "UPDATE incidents SET acknowledged_at = ?2, acknowledged_by = ?3
             WHERE id = ?1 AND acknowledged_at IS NULL AND resolved_at IS NULL",
            &[&id, &now, &by],
        ),
        IncidentChange::Resolve => with(
            "UPDATE incidents SET resolved_at = ?2, resolved_by = ?3 WHERE id = ?1 AND resolved_at IS NULL",
            &[&id, &now, &by],
        ),
        IncidentChange::Reopen => with(
            "UPDATE incidents SET resolved_at = NULL, resolved_by = NULL, acknowledged_at = NULL,
                acknowledged_by = NULL, merged_into = NULL
             WHERE id = ?1 AND resolved_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM incidents AS other WHERE other.client_id = incidents.client_id
                AND other.key = incidents.key AND other.resolved_at IS NULL)",
            &[&id],
        ),
        IncidentChange::Assign(assignee) => with(
            "UPDATE incidents SET assignee = ?2 WHERE id = ?1 AND assignee IS NOT ?2",
            &[&id, assignee],
        ),
        IncidentChange::Severity(severity) => with(
            "UPDATE incidents SET severity = ?2 WHERE id = ?1 AND severity <> ?2",
            &[&id, &severity.name()],
        ),
        IncidentChange::Rename(name) => with(
            "UPDATE incidents SET name = ?2 WHERE id = ?1 AND name <> ?2",
            &[&id, name],
        ),
        IncidentChange::Label(labels) => with(
            "UPDATE incidents SET labels = ?2 WHERE id = ?1 AND labels <> ?2",
            &[&id, &serde_json::json!(labels).to_string()],
        ),
        IncidentChange::Link(links) => with(
            "UPDATE incidents SET links = ?2 WHERE id = ?1 AND links <> ?2",
            &[&id, &serde_json::json!(links).to_string()],
        ),
        IncidentChange::Tell => with(
            "UPDATE incidents SET is_told = 1 WHERE id = ?1 AND is_told = 0",
            &[&id],
        ),
    };
    written.map_err(Error::database("changing an incident"))
}

/// Merges an incident into another.
fn merge(
    connection: &Connection,
    id: IncidentId,
    into: IncidentId,
    author: &Author,
    now: Timestamp,
) -> Result<bool, Error> {
    let merged = connection
        .execute(
            "UPDATE incidents SET merged_into = ?2, resolved_at = coalesce(resolved_at, ?3),
                resolved_by = coalesce(resolved_by, ?4)
             WHERE id = ?1 AND merged_into IS NOT ?2 AND id <> ?2
             AND NOT EXISTS (SELECT 1 FROM incidents AS other WHERE other.id = ?2 AND other.merged_into = ?1)",
            params![id_to(id.0), id_to(into.0), now.as_nanos(), author.person()],
        )
        .map_err(Error::database("merging incidents"))?;
    if merged == 0 {
        return Ok(false);
    }
    // What was merged into it before goes with it, so that nobody has to follow pointers.
    connection
        .execute(
            "UPDATE incidents SET merged_into = ?2 WHERE merged_into = ?1",
            params![id_to(id.0), id_to(into.0)],
        )
        .map_err(Error::database("merging incidents"))?;
    for (incident, text) in [
        (id, format!("into incident {}", into.0)),
        (into, format!("incident {} is a part of this one", id.0)),
    ] {
        let entry = Entry::of(author, EntryKind::Merged, text);
        add_to_timeline(connection, incident, &entry, now)?;
    }
    Ok(true)
}
