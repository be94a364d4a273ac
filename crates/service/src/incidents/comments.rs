//! What is said of an incident, and all that happened to it.

use cordwood_catalog::{Entry, EntryId, EntryKind, TimelineEntry};

use super::opening::check_text;
use super::{Incident, all_right, author, not_found, of_catalog};
use crate::{Access, Caller, Error, InvalidValue, Service};

/// Entries of one timeline at most: more are written by a program, for nobody.
const ENTRIES_MAX: u32 = 10_000;

impl Service {
    /// All that happened to an incident and to those merged into it, in the order in which it was written.
    pub fn incident_timeline(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Vec<TimelineEntry>, Error> {
        caller.require(Access::Read)?;
        let incident = self.find_incident(caller, id)?;
        self.timeline_of(&incident)
    }

    pub(super) fn timeline_of(&self, incident: &Incident) -> Result<Vec<TimelineEntry>, Error> {
        let incidents = self.with_merged(incident)?;
        self.catalog.timeline(&incidents).map_err(of_catalog)
    }

    /// What was said of an incident, but for what was taken back.
    pub fn incident_comments(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Vec<TimelineEntry>, Error> {
        let mut entries = self.incident_timeline(caller, id)?;
        entries.retain(|entry| entry.entry.kind == EntryKind::Comment);
        Ok(entries)
    }

    /// One of its comments.
    pub fn incident_comment(
        &self,
        caller: &Caller,
        id: &str,
        comment: &str,
    ) -> Result<TimelineEntry, Error> {
        let number = comment.trim().parse().ok().map(EntryId);
        let mut comments = self.incident_comments(caller, id)?.into_iter();
        comments
            .find(|entry| Some(entry.id) == number)
            .ok_or_else(|| not_found("comment", comment))
    }

    /// Says something of an incident.
    pub fn comment_on_incident(
        &self,
        caller: &Caller,
        id: &str,
        text: &str,
    ) -> Result<TimelineEntry, Error> {
        caller.require(Access::Write)?;
        let incident = self.find_incident(caller, id)?;
        let text = checked(text)?;
        let length = self.catalog.timeline_length(incident.id);
        if length.map_err(of_catalog)? >= ENTRIES_MAX {
            let message = format!("are {ENTRIES_MAX}, the most an incident may have");
            return Err(Error::InvalidValues(vec![InvalidValue::new(
                "entries", message,
            )]));
        }
        let entry = Entry::of(&author(caller, None), EntryKind::Comment, text);
        let now = self.now();
        let comment = self.catalog.add_to_timeline(incident.id, &entry, &[], now);
        let comment = comment.map_err(of_catalog)?;
        self.incident_comment(caller, id, &comment.0.to_string())
    }

    /// Says it otherwise; only who said it can.
    pub fn edit_incident_comment(
        &self,
        caller: &Caller,
        id: &str,
        comment: &str,
        text: &str,
    ) -> Result<TimelineEntry, Error> {
        let known = self.own_comment(caller, id, comment)?;
        let text = checked(text)?;
        let edited = self.catalog.edit_comment(known.id, text, self.now());
        edited.map_err(of_catalog)?;
        self.incident_comment(caller, id, comment)
    }

    /// Takes it back; who said it can, and an admin. That there was a comment stays in the timeline.
    pub fn delete_incident_comment(
        &self,
        caller: &Caller,
        id: &str,
        comment: &str,
    ) -> Result<(), Error> {
        let known = match caller.access() {
            Access::Admin => self.incident_comment(caller, id, comment)?,
            Access::Read | Access::Write => self.own_comment(caller, id, comment)?,
        };
        self.catalog
            .delete_comment(known.id, self.now())
            .map_err(of_catalog)
    }

    fn own_comment(
        &self,
        caller: &Caller,
        id: &str,
        comment: &str,
    ) -> Result<TimelineEntry, Error> {
        caller.require(Access::Write)?;
        let known = self.incident_comment(caller, id, comment)?;
        let author = known.entry.token.map(|token| token.0);
        match author == Some(caller.token_id()) {
            true => Ok(known),
            false => Err(Error::Conflict {
                message: format!(
                    "comment {} is of the API token `{}`",
                    known.id.0, known.entry.author
                ),
                hint: Some("a comment is changed with the token that wrote it".to_owned()),
            }),
        }
    }
}

fn checked(text: &str) -> Result<&str, Error> {
    let mut wrong = Vec::new();
    let text = text.trim();
    if text.is_empty() {
        wrong.push(InvalidValue::new("content", "can't be blank"));
    }
    check_text("content", text, &mut wrong);
    all_right(wrong)?;
    Ok(text)
}
