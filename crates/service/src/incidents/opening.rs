//! Opening an incident by hand or by a program.

use std::collections::BTreeMap;

use cordwood_catalog::{self as catalog, ApiTokenId, Opened};
use cordwood_event::Timestamp;
use cordwood_notify::NoticeKind;

use super::{Incident, IncidentEvidence, IncidentId, Link, Severity, all_right, of_catalog};
use crate::range::range;
use crate::search::chosen_sources;
use crate::{Access, Caller, ClientId, Error, InvalidValue, Service};

/// Characters in a name at most, as in those of tokens.
const NAME_LENGTH_MAX: usize = 200;
/// Characters in a cause, a comment or a runbook at most: a page of text.
pub(super) const TEXT_LENGTH_MAX: usize = 10_000;
/// Labels at most: more, and nobody knows which to look for.
const LABELS_MAX: usize = 64;
/// Characters in the name of a label, its value, or the name of a person at most.
const LABEL_LENGTH_MAX: usize = 200;
/// Links at most.
const LINKS_MAX: usize = 20;
/// Bytes in a URL at most, as browsers take them.
const URL_BYTES_MAX: usize = 2000;
/// Channels at most, each of which is told of every change.
const CHANNELS_MAX: usize = 20;
/// Open incidents of one client at most. Who opens more has a program that runs wild, and nobody reads them.
const OPEN_MAX: u32 = 10_000;

/// An incident to be opened.
#[derive(Clone, Debug, Default)]
pub struct NewIncident {
    /// Whose it is; the only client that the caller sees unless given.
    pub client: Option<ClientId>,
    /// A line that says what is wrong.
    pub name: String,
    /// Why it is opened.
    pub cause: String,
    /// How bad it is; an error unless given.
    pub severity: Option<Severity>,
    /// Since when it is so; now unless given.
    pub started_at: Option<String>,
    /// The query that shows it.
    pub query: Option<String>,
    /// The sources in which it does, by id or name; none for all of the client's.
    pub sources: Vec<String>,
    /// From when.
    pub from: Option<String>,
    /// Until when.
    pub to: Option<String>,
    /// What to do about it.
    pub runbook: Option<String>,
    /// Names and values to find it by.
    pub labels: BTreeMap<String, String>,
    /// Pages that have more about it.
    pub links: Vec<Link>,
    /// Who takes care of it.
    pub assignee: Option<String>,
    /// The channels to tell; none for the default ones.
    pub channels: Vec<u64>,
    /// While one with this key is open, that one is the answer.
    pub key: Option<String>,
    /// The person for whom it is opened.
    pub person: Option<String>,
}

impl Service {
    /// Opens an incident, unless one with its key is open; the second value says whether it is new.
    pub fn open_incident(
        &self,
        caller: &Caller,
        new: &NewIncident,
    ) -> Result<(Incident, bool), Error> {
        caller.require(Access::Write)?;
        let client = self.client_meant(caller, new.client)?;
        let record = self.checked(caller, client, new)?;
        let open = catalog::IncidentFilter {
            clients: Some(vec![client]),
            statuses: vec![
                catalog::IncidentStatus::Started,
                catalog::IncidentStatus::Acknowledged,
            ],
            ..catalog::IncidentFilter::default()
        };
        if self.catalog.count_incidents(&open).map_err(of_catalog)? >= OPEN_MAX {
            let message = format!("are {OPEN_MAX} that are open, the most a client may have");
            let wrong = InvalidValue::new("incidents", message);
            return Err(Error::InvalidValues(vec![wrong]));
        }
        let now = self.now();
        let notices = |id: IncidentId| {
            let key = format!("incident/{}/opened", id.0);
            self.opening_notices(&record, id, NoticeKind::Opened, &key)
        };
        let opened = self.catalog.open_incident(&record, notices, now);
        let opened = opened.map_err(of_catalog)?;
        self.explaining.wake();
        self.delivery.wake();
        let incident = self.find_incident(caller, &opened.id().0.to_string())?;
        Ok((incident, matches!(opened, Opened::New(_))))
    }

    /// The record to be kept, or all that is wrong with it.
    fn checked(
        &self,
        caller: &Caller,
        client: ClientId,
        new: &NewIncident,
    ) -> Result<catalog::NewIncident, Error> {
        let (now, mut wrong) = (self.now(), Vec::new());
        let evidence = self.evidence(caller, client, new, &mut wrong);
        let started_at = match &new.started_at {
            None => now,
            Some(text) => started_at(text, now, &mut wrong),
        };
        check_name(&new.name, &mut wrong);
        check_text("cause", &new.cause, &mut wrong);
        check_word("key", new.key.as_deref(), &mut wrong);
        check_word("assignee", new.assignee.as_deref(), &mut wrong);
        check_word("requester", new.person.as_deref(), &mut wrong);
        check_labels(&new.labels, &mut wrong);
        check_links(&new.links, &mut wrong);
        self.check_channels(client, &new.channels, &mut wrong);
        all_right(wrong)?;
        let author = super::author(caller, new.person.as_deref());
        let mut record = catalog::NewIncident {
            client,
            rule: None,
            group: None,
            episode: None,
            key: trimmed(new.key.as_deref()),
            name: new.name.trim().to_owned(),
            cause: new.cause.trim().to_owned(),
            severity: new.severity.unwrap_or(Severity::Error),
            started_at,
            opened_by: author.person().to_owned(),
            opened_with: Some(ApiTokenId(caller.token_id())),
            assignee: trimmed(new.assignee.as_deref()),
            muted_by: None,
            is_told: true,
            labels: new.labels.clone(),
            links: new.links.clone(),
            channels: new.channels.clone(),
            evidence: evidence.to_json(),
            events: Vec::new(),
        };
        record.muted_by = self.muted_when_opened(&record, now)?;
        record.is_told = record.muted_by.is_none();
        Ok(record)
    }

    fn evidence(
        &self,
        caller: &Caller,
        client: ClientId,
        new: &NewIncident,
        wrong: &mut Vec<InvalidValue>,
    ) -> IncidentEvidence {
        let mut sources = self.visible_sources(caller);
        sources.retain(|source| source.client == client);
        let chosen = chosen_sources(&sources, &new.sources).unwrap_or_else(|error| {
            wrong.push(InvalidValue::new("source_id", error.to_string()));
            Vec::new()
        });
        let asked = range(new.from.as_deref(), new.to.as_deref(), self.now());
        let range = asked.unwrap_or_else(|error| {
            wrong.push(InvalidValue::new("from", error.to_string()));
            cordwood_query::TimeBounds::ALL
        });
        let query = trimmed(new.query.as_deref());
        if let Some(Err(diagnostics)) = query.as_deref().map(cordwood_query::parse) {
            let messages = diagnostics.0.into_iter();
            wrong.extend(messages.map(|problem| InvalidValue::new("query", problem.message)));
        }
        let runbook = new.runbook.as_deref();
        check_text("runbook", runbook.unwrap_or_default(), wrong);
        IncidentEvidence {
            query,
            sources: match new.sources.is_empty() {
                true => Vec::new(),
                false => chosen.iter().map(|source| source.id.0).collect(),
            },
            from: (range.first != Timestamp::MIN).then_some(range.first),
            to: (range.last != Timestamp::MAX).then_some(range.last),
            value: None,
            threshold: None,
            runbook: trimmed(runbook),
        }
    }

    fn check_channels(&self, client: ClientId, named: &[u64], wrong: &mut Vec<InvalidValue>) {
        if named.len() > CHANNELS_MAX {
            let message = format!("are too many (maximum is {CHANNELS_MAX})");
            wrong.push(InvalidValue::new("channels", message));
        }
        let known = self.catalog.channels();
        let is_usable = |id: &u64| {
            let mut usable = known.iter();
            usable.any(|channel| {
                channel.id.0 == *id && channel.client.is_none_or(|own| own == client)
            })
        };
        for id in named.iter().filter(|id| !is_usable(id)) {
            wrong.push(InvalidValue::new(
                "channels",
                format!("{id} does not exist"),
            ));
        }
    }
}

fn started_at(text: &str, now: Timestamp, wrong: &mut Vec<InvalidValue>) -> Timestamp {
    match range(Some(text), None, now) {
        Ok(range) if range.first <= now => range.first,
        Ok(_) => {
            wrong.push(InvalidValue::new("started_at", "is in the future"));
            now
        }
        Err(_) => {
            let message = "has to be a time such as now-10m or 2026-03-27T10:00:00Z";
            wrong.push(InvalidValue::new("started_at", message));
            now
        }
    }
}

/// A text without the space around it; `None` if nothing is left.
pub(super) fn trimmed(text: Option<&str>) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

pub(super) fn check_name(name: &str, wrong: &mut Vec<InvalidValue>) {
    let name = name.trim();
    match name.chars().count() {
        0 => wrong.push(InvalidValue::new("name", "can't be blank")),
        1..=NAME_LENGTH_MAX if name.chars().any(char::is_control) => {
            wrong.push(InvalidValue::new("name", "has to be one line"));
        }
        1..=NAME_LENGTH_MAX => {}
        _ => {
            let message = format!("is too long (maximum is {NAME_LENGTH_MAX} characters)");
            wrong.push(InvalidValue::new("name", message));
        }
    }
}

pub(super) fn check_text(field: &'static str, text: &str, wrong: &mut Vec<InvalidValue>) {
    if text.chars().count() > TEXT_LENGTH_MAX {
        let message = format!("is too long (maximum is {TEXT_LENGTH_MAX} characters)");
        wrong.push(InvalidValue::new(field, message));
    }
}

/// A name of a person, a key or the like.
pub(super) fn check_word(field: &'static str, word: Option<&str>, wrong: &mut Vec<InvalidValue>) {
    let word = word.unwrap_or_default().trim();
    if word.chars().count() > LABEL_LENGTH_MAX {
        let message = format!("is too long (maximum is {LABEL_LENGTH_MAX} characters)");
        wrong.push(InvalidValue::new(field, message));
    }
    if word.chars().any(char::is_control) {
        wrong.push(InvalidValue::new(field, "has to be one line"));
    }
}

pub(super) fn check_labels(labels: &BTreeMap<String, String>, wrong: &mut Vec<InvalidValue>) {
    if labels.len() > LABELS_MAX {
        let message = format!("are too many (maximum is {LABELS_MAX})");
        wrong.push(InvalidValue::new("labels", message));
    }
    for (name, value) in labels {
        if name.trim().is_empty() {
            wrong.push(InvalidValue::new("labels", "have a name that is blank"));
        }
        check_word("labels", Some(name), wrong);
        check_word("labels", Some(value), wrong);
    }
}

pub(super) fn check_links(links: &[Link], wrong: &mut Vec<InvalidValue>) {
    if links.len() > LINKS_MAX {
        let message = format!("are too many (maximum is {LINKS_MAX})");
        wrong.push(InvalidValue::new("links", message));
    }
    for link in links {
        check_word("links", Some(&link.title), wrong);
        let is_web = link.url.starts_with("https://") || link.url.starts_with("http://");
        let has_gaps = link
            .url
            .chars()
            .any(|c| c.is_whitespace() || c.is_control());
        if !is_web || has_gaps || link.url.len() > URL_BYTES_MAX {
            let message = format!(
                "have a url that is not one of http or https in {URL_BYTES_MAX} bytes: {:?}",
                link.url.chars().take(100).collect::<String>()
            );
            wrong.push(InvalidValue::new("links", message));
        }
    }
}
