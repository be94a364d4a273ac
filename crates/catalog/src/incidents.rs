//! Incidents: that something was wrong, from when until when, and who took care of it. What is said of them is in their timeline, what showed
//! them in their events.
//!
//! They are read from SQLite, as they are asked for one page at a time. Every change writes its entry in the timeline and its notices in the same
//! transaction, and nothing of these if there was nothing to change: of two who resolve an incident at once, one does.

pub(crate) mod changes;
mod events;
mod list;
mod severity;
mod timeline;

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::database::{id_from, id_to};
use crate::lines::{lines_of, numbers_of};
use crate::{ApiTokenId, Catalog, ClientId, Error, NewNotice, RuleId, SilenceId, outbox};

pub use changes::IncidentChange;
pub use events::{KEPT_EVENT_BYTES_MAX, KEPT_EVENTS_MAX, KeptEvent};
pub use list::{IncidentFilter, IncidentStatus};
pub use severity::Severity;
pub(crate) use timeline::add_to_timeline;
pub use timeline::{Author, Entry, EntryId, EntryKind, TimelineEntry};

/// The number of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u64);

/// A page that has more about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
}

/// An incident to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncident {
    /// Whose it is.
    pub client: ClientId,
    /// The rule that fired; `None` for one that somebody opened.
    pub rule: Option<RuleId>,
    /// The group of the rule that fired.
    pub group: Option<String>,
    /// Which firing of the group it is.
    pub episode: Option<u64>,
    /// What its opener calls it: while one with this key is open, no second one is opened.
    pub key: Option<String>,
    /// A line that says what is wrong.
    pub name: String,
    /// Why it was opened.
    pub cause: String,
    /// How bad it is.
    pub severity: Severity,
    /// Since when it is so.
    pub started_at: Timestamp,
    /// Who opened it: a token, or a rule.
    pub opened_by: String,
    /// The token, if it was one.
    pub opened_with: Option<ApiTokenId>,
    /// Who takes care of it.
    pub assignee: Option<String>,
    /// The silence that holds its notices back.
    pub muted_by: Option<SilenceId>,
    /// Whether the notices that it opened are written with it.
    pub is_told: bool,
    /// Names and values to find it by.
    pub labels: BTreeMap<String, String>,
    /// Pages that have more about it.
    pub links: Vec<Link>,
    /// The channels that are told of it; none for the default ones.
    pub channels: Vec<u64>,
    /// What shows it, as JSON.
    pub evidence: String,
    /// Events that show it.
    pub events: Vec<KeptEvent>,
}

/// That somebody did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// Whose it is.
    pub client: ClientId,
    /// The rule that fired; `None` for one that somebody opened, or whose rule is gone.
    pub rule: Option<RuleId>,
    /// The group of the rule that fired.
    pub group: Option<String>,
    /// Which firing of the group it is.
    pub episode: Option<u64>,
    /// What its opener calls it.
    pub key: Option<String>,
    /// A line that says what is wrong.
    pub name: String,
    /// Why it was opened.
    pub cause: String,
    /// How bad it is.
    pub severity: Severity,
    /// Since when it is so.
    pub started_at: Timestamp,
    /// Who opened it.
    pub opened_by: String,
    /// That somebody takes care of it.
    pub acknowledged: Option<Deed>,
    /// That it is over.
    pub resolved: Option<Deed>,
    /// Who takes care of it.
    pub assignee: Option<String>,
    /// The incident it was merged into.
    pub merged_into: Option<IncidentId>,
    /// The silence that held its notices back when it was opened.
    pub muted_by: Option<SilenceId>,
    /// Whether anybody was told that it opened.
    pub is_told: bool,
    /// Names and values to find it by.
    pub labels: BTreeMap<String, String>,
    /// Pages that have more about it.
    pub links: Vec<Link>,
    /// The channels that are told of it; none for the default ones.
    pub channels: Vec<u64>,
    /// What shows it, as JSON.
    pub evidence: String,
    /// What changed at its start, as JSON; `None` until it is known.
    pub what_changed: Option<String>,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What became of an incident that was to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It was opened.
    New(IncidentId),
    /// The episode has one, or one with its key is open.
    Known(IncidentId),
}

impl Opened {
    /// The incident.
    pub fn id(self) -> IncidentId {
        match self {
            Opened::New(id) | Opened::Known(id) => id,
        }
    }
}

impl Catalog {
    /// Opens an incident and writes the notices of its number. If there is one already, nothing is written.
    pub fn open_incident(
        &self,
        new: &NewIncident,
        notices: impl FnOnce(IncidentId) -> Vec<NewNotice>,
        now: Timestamp,
    ) -> Result<Opened, Error> {
        self.change(
            "opening an incident",
            |transaction| {
                let opened = open(transaction, new, now)?;
                if let Opened::New(id) = opened {
                    write_notices(transaction, id, &notices(id), now)?;
                }
                Ok(opened)
            },
            |_, opened| opened,
        )
    }

    /// The incident with this number.
    pub fn incident(&self, id: IncidentId) -> Result<Option<Incident>, Error> {
        find(&self.connection(), id)
    }

    /// The open incidents of a rule, by id, with those that are a part of an open one: nobody has said that they are over.
    pub fn open_incidents_of(&self, rule: RuleId) -> Result<Vec<Incident>, Error> {
        self.select(
            "WHERE id IN (
                SELECT id FROM incidents WHERE rule_id = ?1 AND resolved_at IS NULL
                UNION ALL
                SELECT part.id FROM incidents AS part JOIN incidents AS whole ON whole.id = part.merged_into
                WHERE part.merged_into IS NOT NULL AND part.rule_id = ?1 AND whole.resolved_at IS NULL
             ) ORDER BY id",
            &[&id_to(rule.0)],
        )
    }

    /// Open incidents of which nobody was told, by id: these are muted.
    pub fn untold_incidents(&self) -> Result<Vec<Incident>, Error> {
        self.select("WHERE is_told = 0 AND resolved_at IS NULL ORDER BY id", &[])
    }

    /// Incidents of which it is not known what changed, the last opened first.
    pub fn unexplained_incidents(&self, limit: u32) -> Result<Vec<Incident>, Error> {
        let clauses = "WHERE what_changed IS NULL ORDER BY id DESC LIMIT ?1";
        self.select(clauses, &[&limit])
    }

    /// Incidents that were merged into one, by id.
    pub fn incidents_merged_into(&self, id: IncidentId) -> Result<Vec<Incident>, Error> {
        self.select("WHERE merged_into = ?1 ORDER BY id", &[&id_to(id.0)])
    }

    pub(crate) fn select(
        &self,
        clauses: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<Incident>, Error> {
        let connection = self.connection();
        select(&connection, clauses, parameters)
    }
}

/// Opens an incident, with its entry and its events, unless the episode has one or one is open with its key.
pub(crate) fn open(
    connection: &Connection,
    new: &NewIncident,
    now: Timestamp,
) -> Result<Opened, Error> {
    match known(connection, new)? {
        Some(known) => Ok(Opened::Known(known)),
        None => insert(connection, new, now).map(Opened::New),
    }
}

fn known(connection: &Connection, new: &NewIncident) -> Result<Option<IncidentId>, Error> {
    let doing = "looking for an incident";
    let of_episode = connection
        .prepare_cached(
            "SELECT id FROM incidents WHERE rule_id = ?1 AND coalesce(rule_group, '') = coalesce(?2, '') AND episode = ?3",
        )
        .and_then(|mut statement| {
            let episode = params![
                new.rule.map(|rule| id_to(rule.0)),
                new.group,
                new.episode.map(id_to)
            ];
            statement.query_row(episode, id_of).optional()
        })
        .map_err(Error::database(doing))?;
    if of_episode.is_some() || new.key.is_none() {
        return Ok(of_episode);
    }
    connection
        .prepare_cached(
            "SELECT id FROM incidents WHERE client_id = ?1 AND key = ?2 AND resolved_at IS NULL ORDER BY id LIMIT 1",
        )
        .and_then(|mut statement| {
            let key = params![id_to(new.client.0), new.key];
            statement.query_row(key, id_of).optional()
        })
        .map_err(Error::database(doing))
}

fn id_of(row: &Row<'_>) -> rusqlite::Result<IncidentId> {
    Ok(IncidentId(id_from(row.get(0)?)))
}

fn insert(connection: &Connection, new: &NewIncident, now: Timestamp) -> Result<IncidentId, Error> {
    connection
        .prepare_cached(
            "INSERT INTO incidents (client_id, rule_id, rule_group, episode, key, name, cause, severity, started_at,
                opened_by, assignee, muted_by, is_told, labels, links, channels, evidence, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                id_to(new.client.0),
                new.rule.map(|rule| id_to(rule.0)),
                new.group,
                new.episode.map(id_to),
                new.key,
                new.name,
                new.cause,
                new.severity.name(),
                new.started_at.as_nanos(),
                new.opened_by,
                new.assignee,
                new.muted_by.map(|silence| id_to(silence.0)),
                new.is_told,
                serde_json::json!(new.labels).to_string(),
                serde_json::json!(new.links).to_string(),
                lines_of(new.channels.iter().copied()),
                new.evidence,
                now.as_nanos(),
            ])
        })
        .map_err(Error::database("opening an incident"))?;
    let id = IncidentId(id_from(connection.last_insert_rowid()));
    let entry = Entry {
        kind: EntryKind::Opened,
        author: new.opened_by.clone(),
        token: new.opened_with,
        text: new.cause.clone(),
    };
    add_to_timeline(connection, id, &entry, now)?;
    events::keep(connection, id, &new.events)?;
    Ok(id)
}

/// Writes notices of an incident, each with its number.
pub(crate) fn write_notices(
    connection: &Connection,
    id: IncidentId,
    notices: &[NewNotice],
    now: Timestamp,
) -> Result<(), Error> {
    for notice in notices {
        let notice = NewNotice {
            incident: Some(id),
            ..notice.clone()
        };
        outbox::insert(connection, &notice, now)?;
    }
    Ok(())
}

pub(crate) fn find(connection: &Connection, id: IncidentId) -> Result<Option<Incident>, Error> {
    let mut found = select(connection, "WHERE id = ?1", &[&id_to(id.0)])?;
    Ok(found.pop())
}

pub(crate) fn select(
    connection: &Connection,
    clauses: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Incident>, Error> {
    let doing = "reading incidents";
    let columns = "id, client_id, rule_id, rule_group, episode, key, name, cause, severity, started_at, opened_by,
        acknowledged_at, acknowledged_by, resolved_at, resolved_by, assignee, merged_into, muted_by, is_told, labels, links,
        channels, evidence, what_changed, updated_at";
    let mut statement = connection
        .prepare_cached(&format!("SELECT {columns} FROM incidents {clauses}"))
        .map_err(Error::database(doing))?;
    let rows = statement.query_map(parameters, from_row);
    let rows = rows.map_err(Error::database(doing))?;
    rows.collect::<rusqlite::Result<Vec<Incident>>>()
        .map_err(Error::database(doing))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Incident> {
    let number = |index: usize| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(index)?.map(id_from))
    };
    let deed = |at: usize| -> rusqlite::Result<Option<Deed>> {
        let by: Option<String> = row.get(at + 1)?;
        Ok(row.get::<_, Option<i64>>(at)?.map(|at| Deed {
            at: Timestamp::from_nanos(at),
            by: by.unwrap_or_default(),
        }))
    };
    let severity: String = row.get(8)?;
    let channels: String = row.get(21)?;
    Ok(Incident {
        id: id_of(row)?,
        client: ClientId(id_from(row.get(1)?)),
        rule: number(2)?.map(RuleId),
        group: row.get(3)?,
        episode: number(4)?,
        key: row.get(5)?,
        name: row.get(6)?,
        cause: row.get(7)?,
        // The table takes no other.
        severity: Severity::named(&severity).unwrap_or(Severity::Error),
        started_at: Timestamp::from_nanos(row.get(9)?),
        opened_by: row.get(10)?,
        acknowledged: deed(11)?,
        resolved: deed(13)?,
        assignee: row.get(15)?,
        merged_into: number(16)?.map(IncidentId),
        muted_by: number(17)?.map(SilenceId),
        is_told: row.get(18)?,
        labels: document(row, 19)?,
        links: document(row, 20)?,
        channels: numbers_of(&channels).collect(),
        evidence: row.get(22)?,
        what_changed: row.get(23)?,
        updated_at: Timestamp::from_nanos(row.get(24)?),
    })
}

fn document<T: serde::de::DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    let text: String = row.get(index)?;
    serde_json::from_str(&text).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(index, kind, Box::new(error))
    })
}
