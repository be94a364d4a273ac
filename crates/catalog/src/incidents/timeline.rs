//! The timeline of an incident: what happened to it and what was said of it, in the order in which it was written. Nothing is ever taken out; a
//! comment that is deleted leaves an entry without its text.

use cordwood_event::Timestamp;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{IncidentId, write_notices};
use crate::database::{id_from, id_to};
use crate::{ApiTokenId, Catalog, Error, NewNotice};

/// The number of an entry; a later one has a higher number, whatever its incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u64);

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// It was opened.
    Opened,
    /// A further group of the rule fires.
    Joined,
    /// One of several groups of the rule is as it should be again.
    Left,
    /// A group of the rule was taken out of service on purpose.
    Retired,
    /// Somebody takes care of it.
    Acknowledged,
    /// It is over.
    Resolved,
    /// It is not over after all.
    Reopened,
    /// Its channels were told again.
    Escalated,
    /// It was given to somebody, or to nobody.
    Assigned,
    /// It is better or worse than was said.
    SeverityChanged,
    /// Its name, labels or links are others.
    Changed,
    /// Another was merged into it, or it into another.
    Merged,
    /// Events were added to those kept.
    EventsKept,
    /// Events that were kept are deleted.
    EventsDeleted,
    /// What muted it ended, and its channels were told.
    Told,
    /// Somebody said something.
    Comment,
    /// Somebody took back what they had said.
    CommentDeleted,
}

impl EntryKind {
    const ALL: [EntryKind; 17] = [
        EntryKind::Opened,
        EntryKind::Joined,
        EntryKind::Left,
        EntryKind::Retired,
        EntryKind::Acknowledged,
        EntryKind::Resolved,
        EntryKind::Reopened,
        EntryKind::Escalated,
        EntryKind::Assigned,
        EntryKind::SeverityChanged,
        EntryKind::Changed,
        EntryKind::Merged,
        EntryKind::EventsKept,
        EntryKind::EventsDeleted,
        EntryKind::Told,
        EntryKind::Comment,
        EntryKind::CommentDeleted,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            EntryKind::Opened => "opened",
            EntryKind::Joined => "joined",
            EntryKind::Left => "left",
            EntryKind::Retired => "retired",
            EntryKind::Acknowledged => "acknowledged",
            EntryKind::Resolved => "resolved",
            EntryKind::Reopened => "reopened",
            EntryKind::Escalated => "escalated",
            EntryKind::Assigned => "assigned",
            EntryKind::SeverityChanged => "severity_changed",
            EntryKind::Changed => "changed",
            EntryKind::Merged => "merged",
            EntryKind::EventsKept => "events_kept",
            EntryKind::EventsDeleted => "events_deleted",
            EntryKind::Told => "told",
            EntryKind::Comment => "comment",
            EntryKind::CommentDeleted => "comment_deleted",
        }
    }
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name of a token or a rule.
    pub name: String,
    /// The token, if it is one.
    pub token: Option<ApiTokenId>,
    /// The person for whom a token says to do it.
    pub stands_for: Option<String>,
}

impl Author {
    /// One without a token: a rule, or the server itself.
    pub fn named(name: impl Into<String>) -> Author {
        Author {
            name: name.into(),
            token: None,
            stands_for: None,
        }
    }

    /// Whose deed it is said to be.
    pub fn person(&self) -> &str {
        self.stands_for.as_deref().unwrap_or(&self.name)
    }

    /// For whom it is done, in words; empty if for nobody else.
    pub(super) fn for_whom(&self) -> String {
        match &self.stands_for {
            Some(person) => format!("for {person}"),
            None => String::new(),
        }
    }
}

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// Who did or said it: the name of a token or a rule.
    pub author: String,
    /// The token, if it was one.
    pub token: Option<ApiTokenId>,
    /// What is to be said of it; empty if the kind says it all.
    pub text: String,
}

impl Entry {
    /// An entry of an author.
    pub fn of(author: &Author, kind: EntryKind, text: impl Into<String>) -> Entry {
        Entry {
            kind,
            author: author.name.clone(),
            token: author.token,
            text: text.into(),
        }
    }
}

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Its number.
    pub id: EntryId,
    /// The incident it was written to.
    pub incident: IncidentId,
    /// When it was written.
    pub at: Timestamp,
    /// What was written.
    pub entry: Entry,
    /// When its text was last changed.
    pub edited_at: Option<Timestamp>,
}

impl Catalog {
    /// The timelines of incidents as one, in the order in which it was written.
    pub fn timeline(&self, incidents: &[IncidentId]) -> Result<Vec<TimelineEntry>, Error> {
        let doing = "reading a timeline";
        let connection = self.connection();
        let places = vec!["?"; incidents.len()].join(", ");
        let mut statement = connection
            .prepare(&format!(
                "SELECT id, incident_id, at, kind, author, token_id, text, edited_at FROM incident_timeline
                 WHERE incident_id IN ({places}) ORDER BY id"
            ))
            .map_err(Error::database(doing))?;
        let ids = params_from_iter(incidents.iter().map(|incident| id_to(incident.0)));
        let rows = statement.query_map(ids, from_row);
        let rows = rows.map_err(Error::database(doing))?;
        rows.map(|row| row.map_err(Error::database(doing))?)
            .collect()
    }

    /// How many entries the timeline of an incident has.
    pub fn timeline_length(&self, incident: IncidentId) -> Result<u32, Error> {
        self.connection()
            .query_row(
                "SELECT count(*) FROM incident_timeline WHERE incident_id = ?1",
                [id_to(incident.0)],
                |row| row.get(0),
            )
            .map_err(Error::database("counting the entries of a timeline"))
    }

    /// Writes an entry that changes nothing of the incident itself, and its notices.
    pub fn add_to_timeline(
        &self,
        incident: IncidentId,
        entry: &Entry,
        notices: &[NewNotice],
        now: Timestamp,
    ) -> Result<EntryId, Error> {
        self.change(
            "adding to a timeline",
            |transaction| {
                let id = add_to_timeline(transaction, incident, entry, now)?;
                write_notices(transaction, incident, notices, now)?;
                Ok(id)
            },
            |_, id| id,
        )
    }

    /// Puts another text in the place of that of a comment.
    pub fn edit_comment(&self, comment: EntryId, text: &str, now: Timestamp) -> Result<(), Error> {
        self.change_comment(comment, (EntryKind::Comment, text), now)
    }

    /// Takes the text of a comment away; that there was one stays in the timeline.
    pub fn delete_comment(&self, comment: EntryId, now: Timestamp) -> Result<(), Error> {
        self.change_comment(comment, (EntryKind::CommentDeleted, ""), now)
    }

    fn change_comment(
        &self,
        comment: EntryId,
        (kind, text): (EntryKind, &str),
        now: Timestamp,
    ) -> Result<(), Error> {
        self.change(
            "changing a comment",
            |transaction| {
                let changed = transaction.execute(
                    "UPDATE incident_timeline SET kind = ?2, text = ?3, edited_at = ?4
                     WHERE id = ?1 AND kind = 'comment'",
                    params![id_to(comment.0), kind.name(), text, now.as_nanos()],
                );
                match changed.map_err(Error::database("changing a comment"))? {
                    0 => Err(Error::NotFound { kind: "comment" }),
                    _ => Ok(()),
                }
            },
            |_, ()| (),
        )
    }
}

/// Writes an entry.
pub(crate) fn add_to_timeline(
    connection: &Connection,
    incident: IncidentId,
    entry: &Entry,
    now: Timestamp,
) -> Result<EntryId, Error> {
    let doing = "adding to a timeline";
    let touched = connection
        .prepare_cached("UPDATE incidents SET updated_at = ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![id_to(incident.0), now.as_nanos()]))
        .map_err(Error::database(doing))?;
    if touched == 0 {
        return Err(Error::NotFound { kind: "incident" });
    }
    connection
        .prepare_cached(
            "INSERT INTO incident_timeline (incident_id, at, kind, author, token_id, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                id_to(incident.0),
                now.as_nanos(),
                entry.kind.name(),
                entry.author,
                entry.token.map(|token| id_to(token.0)),
                entry.text,
            ])
        })
        .map_err(Error::database(doing))?;
    Ok(EntryId(id_from(connection.last_insert_rowid())))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<TimelineEntry, Error>> {
    let name: String = row.get(3)?;
    let mut kinds = EntryKind::ALL.into_iter();
    let Some(kind) = kinds.find(|kind| kind.name() == name) else {
        return Ok(Err(Error::Corrupt {
            expected: "a kind of entry",
            value: name,
        }));
    };
    let token: Option<i64> = row.get(5)?;
    let edited_at: Option<i64> = row.get(7)?;
    Ok(Ok(TimelineEntry {
        id: EntryId(id_from(row.get(0)?)),
        incident: IncidentId(id_from(row.get(1)?)),
        at: Timestamp::from_nanos(row.get(2)?),
        entry: Entry {
            kind,
            author: row.get(4)?,
            token: token.map(|token| ApiTokenId(id_from(token))),
            text: row.get(6)?,
        },
        edited_at: edited_at.map(Timestamp::from_nanos),
    }))
}
