//! Events that are kept with an incident, as they were sent: what showed it can be read when retention has taken it.

use cordwood_event::{SourceId, Timestamp};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{Entry, EntryKind, IncidentId, add_to_timeline};
use crate::database::{id_from, id_to};
use crate::{Catalog, Error, outbox};

/// Events that one incident keeps at most: who needs more looks at the window itself, or exports it.
pub const KEPT_EVENTS_MAX: usize = 100;
/// Bytes of one event that is kept at most: an incident takes 25 MiB in the worst case.
pub const KEPT_EVENT_BYTES_MAX: usize = 256 * 1024;

/// An event that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEvent {
    /// Its `_id`.
    pub event_id: String,
    /// Its time.
    pub dt: Timestamp,
    /// Its source.
    pub source: SourceId,
    /// The name that the source had.
    pub source_name: String,
    /// The event as it was sent.
    pub event: String,
}

impl Catalog {
    /// The events kept with incidents, by time.
    pub fn kept_events(&self, incidents: &[IncidentId]) -> Result<Vec<KeptEvent>, Error> {
        let places = vec!["?"; incidents.len()].join(", ");
        let clauses = format!("incident_id IN ({places}) ORDER BY dt, event_id");
        let ids = params_from_iter(incidents.iter().map(|incident| id_to(incident.0)));
        let kept = select(&self.connection(), &clauses, ids);
        let kept = kept.map_err(Error::database("reading events that are kept"))?;
        Ok(kept.into_iter().map(|(_, event)| event).collect())
    }

    /// Keeps more events with an incident, and says so in its timeline. Returns how many were added: those that it has are
    /// not, nor those beyond the limits.
    pub fn keep_events(
        &self,
        incident: IncidentId,
        events: &[KeptEvent],
        entry: &Entry,
        now: Timestamp,
    ) -> Result<usize, Error> {
        self.change(
            "keeping events",
            |transaction| {
                let kept = keep(transaction, incident, events)?;
                if kept > 0 {
                    add_to_timeline(transaction, incident, entry, now)?;
                }
                Ok(kept)
            },
            |_, kept| kept,
        )
    }

    /// The events kept of a source, of a span of time, inclusive, with the incident that keeps each.
    pub fn kept_events_of(
        &self,
        source: SourceId,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<Vec<(IncidentId, KeptEvent)>, Error> {
        let clauses = "source_id = ?1 AND dt BETWEEN ?2 AND ?3 ORDER BY incident_id, event_id";
        let span = params![id_to(source.0), first.as_nanos(), last.as_nanos()];
        select(&self.connection(), clauses, span)
            .map_err(Error::database("reading events that are kept"))
    }

    /// Deletes events that are kept, by their ids, and says so in the timelines. `without` makes of a notice of an incident one that does not tell of its
    /// deleted events any more; `None` if it did not. What receivers have answered, which may repeat what they were sent, goes with them.
    pub fn delete_kept_events(
        &self,
        events: &[(IncidentId, String)],
        without: &dyn Fn(IncidentId, &str) -> Option<String>,
        author: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.change(
            "deleting events that are kept",
            |transaction| {
                let of_one = events.chunk_by(|(one, _), (next, _)| one == next);
                for events in of_one {
                    delete(transaction, events, author, now)?;
                    if let Some((incident, _)) = events.first() {
                        let without = |notice: &str| without(*incident, notice);
                        outbox::rewrite(transaction, *incident, &without)?;
                    }
                }
                Ok(())
            },
            |_, ()| (),
        )
    }
}

/// Keeps events, as many as there is room for and none that is too large; returns how many it did not have.
pub(crate) fn keep(
    connection: &Connection,
    incident: IncidentId,
    events: &[KeptEvent],
) -> Result<usize, Error> {
    let doing = "keeping events";
    let has: u32 = connection
        .prepare_cached("SELECT count(*) FROM incident_events WHERE incident_id = ?1")
        .and_then(|mut statement| statement.query_row([id_to(incident.0)], |row| row.get(0)))
        .map_err(Error::database(doing))?;
    let mut has = usize::try_from(has).unwrap_or(usize::MAX);
    let mut kept = 0;
    for event in events {
        if has >= KEPT_EVENTS_MAX || event.event.len() > KEPT_EVENT_BYTES_MAX {
            continue;
        }
        let added = connection
            .prepare_cached(
                "INSERT INTO incident_events (incident_id, event_id, dt, source_id, source_name, event)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    id_to(incident.0),
                    event.event_id,
                    event.dt.as_nanos(),
                    id_to(event.source.0),
                    event.source_name,
                    event.event,
                ])
            })
            .map_err(Error::database(doing))?;
        has += added;
        kept += added;
    }
    Ok(kept)
}

/// Deletes events of one incident.
fn delete(
    connection: &Connection,
    events: &[(IncidentId, String)],
    author: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let Some((incident, _)) = events.first() else {
        return Ok(());
    };
    let mut deleted = 0;
    for (_, event) in events {
        deleted += connection
            .prepare_cached("DELETE FROM incident_events WHERE incident_id = ?1 AND event_id = ?2")
            .and_then(|mut statement| statement.execute(params![id_to(incident.0), event]))
            .map_err(Error::database("deleting events that are kept"))?;
    }
    if deleted == 0 {
        return Ok(());
    }
    let entry = Entry {
        kind: EntryKind::EventsDeleted,
        author: author.to_owned(),
        token: None,
        text: match deleted {
            1 => "1 event that was kept is deleted".to_owned(),
            several => format!("{several} events that were kept are deleted"),
        },
    };
    add_to_timeline(connection, *incident, &entry, now).map(drop)
}

fn select(
    connection: &Connection,
    clauses: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<(IncidentId, KeptEvent)>> {
    let mut statement = connection.prepare(&format!(
        "SELECT incident_id, event_id, dt, source_id, source_name, event FROM incident_events WHERE {clauses}"
    ))?;
    let rows = statement.query_map(parameters, from_row)?;
    rows.collect()
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(IncidentId, KeptEvent)> {
    let event = KeptEvent {
        event_id: row.get(1)?,
        dt: Timestamp::from_nanos(row.get(2)?),
        source: SourceId(id_from(row.get(3)?)),
        source_name: row.get(4)?,
        event: row.get(5)?,
    };
    Ok((IncidentId(id_from(row.get(0)?)), event))
}
