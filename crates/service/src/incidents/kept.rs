//! The events that are kept with an incident: what retention takes stays here, what somebody deletes does not.

use std::sync::Arc;

use cordwood_catalog::{self as catalog, IncidentId, KeptEvent};
use cordwood_event::{EventId, Timestamp, json};
use cordwood_ingest::{ContentEncoding, ContentKind, Format, Limits, decode};
use cordwood_notify::{Notice, Sample};
use cordwood_query::{Filter, Matcher, Origin, TimeBounds};

use super::{
    Entry, EntryKind, KEPT_EVENT_BYTES_MAX, KEPT_EVENTS_MAX, author, not_found, of_catalog,
};
use crate::{Access, Caller, Cancel, Error, InvalidValue, Service};

/// What became of events that were to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedEvents {
    /// How many were added.
    pub kept: usize,
    /// Those that were not.
    pub refused: Vec<UnpinnedEvent>,
}

/// An event that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpinnedEvent {
    /// Its id, as given.
    pub id: String,
    /// Why it was not.
    pub reason: String,
}

impl Service {
    /// The events kept with an incident and with those merged into it, by time.
    pub fn incident_events(&self, caller: &Caller, id: &str) -> Result<Vec<KeptEvent>, Error> {
        caller.require(Access::Read)?;
        let incident = self.find_incident(caller, id)?;
        let incidents = self.with_merged(&incident)?;
        self.catalog.kept_events(&incidents).map_err(of_catalog)
    }

    /// Keeps events with an incident, by their ids. What cannot be kept does not hold up the others.
    pub fn pin_incident_events(
        &self,
        caller: &Caller,
        id: &str,
        events: &[String],
        cancel: &Cancel,
    ) -> Result<PinnedEvents, Error> {
        caller.require(Access::Write)?;
        let incident = self.find_incident(caller, id)?;
        if events.is_empty() || events.len() > KEPT_EVENTS_MAX {
            let message = format!("have to be 1 to {KEPT_EVENTS_MAX}");
            let wrong = InvalidValue::new("event_ids", message);
            return Err(Error::InvalidValues(vec![wrong]));
        }
        let known = self.catalog.kept_events(&[incident.id]);
        let known = known.map_err(of_catalog)?;
        let mut room = KEPT_EVENTS_MAX.saturating_sub(known.len());
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for id in events {
            let is_known = |event: &KeptEvent| event.event_id == id.trim();
            if known.iter().chain(&kept).any(is_known) {
                continue;
            }
            match self.event_to_keep(caller, incident.client, id, cancel) {
                Ok(_) if room == 0 => refused.push(UnpinnedEvent {
                    id: id.clone(),
                    reason: format!("an incident keeps {KEPT_EVENTS_MAX} events at most"),
                }),
                Ok(event) => {
                    room -= 1;
                    kept.push(event);
                }
                Err(error @ (Error::Cancelled | Error::Busy { .. } | Error::Internal { .. })) => {
                    return Err(error);
                }
                Err(error) => refused.push(UnpinnedEvent {
                    id: id.clone(),
                    reason: error.to_string(),
                }),
            }
        }
        let text = match kept.len() {
            1 => "1 event".to_owned(),
            several => format!("{several} events"),
        };
        let entry = Entry::of(&author(caller, None), EntryKind::EventsKept, text);
        let kept = self
            .catalog
            .keep_events(incident.id, &kept, &entry, self.now());
        Ok(PinnedEvents {
            kept: kept.map_err(of_catalog)?,
            refused,
        })
    }

    /// An event of the client, as it was sent.
    fn event_to_keep(
        &self,
        caller: &Caller,
        client: crate::ClientId,
        id: &str,
        cancel: &Cancel,
    ) -> Result<KeptEvent, Error> {
        let found = self.event(caller, id, cancel)?;
        let source = self.catalog.source(found.event.source);
        if source.is_none_or(|source| source.client != client) {
            return Err(not_found("event", id));
        }
        let mut text = String::new();
        json::write_event(&mut text, &found.event, &found.source_name);
        if text.len() > KEPT_EVENT_BYTES_MAX {
            let message = format!(
                "is {} bytes large, and {KEPT_EVENT_BYTES_MAX} are kept at most",
                text.len()
            );
            let wrong = InvalidValue::new("event_ids", message);
            return Err(Error::InvalidValues(vec![wrong]));
        }
        Ok(KeptEvent {
            event_id: found.event.id.to_string(),
            dt: found.event.id.timestamp,
            source: found.event.source,
            source_name: found.source_name,
            event: text,
        })
    }

    /// Deletes kept events that a deletion means, in notices too, and what changed where it may tell of them.
    pub(crate) fn delete_kept_events(
        &self,
        caller: &Caller,
        sources: &[Arc<catalog::Source>],
        filter: &Filter,
        range: TimeBounds,
    ) -> Result<(), Error> {
        let now = self.now();
        let matcher = Matcher::new(filter, now);
        let mut meant: Vec<(IncidentId, String)> = Vec::new();
        for source in sources {
            let kept = self
                .catalog
                .kept_events_of(source.id, range.first, range.last);
            for (incident, event) in kept.map_err(of_catalog)? {
                if is_meant(&matcher, &event) {
                    meant.push((incident, event.event_id));
                }
            }
        }
        meant.sort();
        let author = caller.token_name();
        let without = |incident: IncidentId, notice: &str| {
            let of_incident = meant.iter().filter(|(of, _)| *of == incident);
            without_samples(notice, of_incident.map(|(_, event)| event.as_str()))
        };
        let deleted = self
            .catalog
            .delete_kept_events(&meant, &without, author, now);
        deleted.map_err(of_catalog)?;
        self.explain_anew(sources, range)
    }
}

/// A notice without the samples of some events; `None` if it has none of them. Samples do not say of which event they are, but of what time.
fn without_samples<'a>(notice: &str, events: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut told: Notice = serde_json::from_str(notice).ok()?;
    let ids = events.map(str::parse::<EventId>);
    // What cannot be read may be of any time.
    let times: Option<Vec<Timestamp>> = ids.map(|id| Some(id.ok()?.timestamp)).collect();
    let is_deleted = |sample: &Sample| times.as_ref().is_none_or(|of| of.contains(&sample.dt));
    if !told.samples.iter().any(is_deleted) {
        return None;
    }
    told.samples.retain(|sample| !is_deleted(sample));
    serde_json::to_string(&told).ok()
}

/// Whether a filter holds for an event that is kept. One that cannot be read any more is taken to be meant.
fn is_meant(matcher: &Matcher, event: &KeptEvent) -> bool {
    let Ok(id) = event.event_id.parse::<EventId>() else {
        return true;
    };
    let Some(sent) = without_our_own(&event.event) else {
        return true;
    };
    let format = Format {
        kind: ContentKind::Json,
        encoding: ContentEncoding::Identity,
        dt_field: None,
    };
    let decoded = decode(&format, sent.as_bytes(), event.dt, &Limits::CONTRACT);
    let Ok(decoded) = decoded else {
        return true;
    };
    let origin = Origin {
        source: event.source,
        source_name: &event.source_name,
        sequence: id.sequence,
    };
    let mut events = decoded.batch.events();
    events
        .next()
        .is_none_or(|event| matcher.matches(event, &origin))
}

/// The event without the members that we put in.
fn without_our_own(event: &str) -> Option<String> {
    let mut sent: serde_json::Map<String, serde_json::Value> = serde_json::from_str(event).ok()?;
    for own in ["_id", "_source"] {
        sent.remove(own);
    }
    serde_json::to_string(&sent).ok()
}

#[cfg(test)]
mod tests {
    use cordwood_event::SourceId;

    use super::*;

    #[test]
    fn a_kept_event_is_asked_as_it_was_when_it_came() {
        let dt = Timestamp::parse_rfc3339("2026-03-27T10:00:00Z").unwrap();
        let event = KeptEvent {
            event_id: EventId {
                timestamp: dt,
                sequence: 7,
            }
            .to_string(),
            dt,
            source: SourceId(1),
            source_name: "shop".to_owned(),
            event: r#"{"dt":"2026-03-27T10:00:00Z","level":"error","message":"no such user","user":{"name":"ann","id":7},"_id":"x","_source":"shop"}"#.to_owned(),
        };
        let cases = [
            ("user.name:ann", true),
            ("user.name:bob", false),
            ("level:error user.id:>6", true),
            ("NOT level:error", false),
            ("\"such user\"", true),
            ("_source:shop", true),
            ("_id:x", false),
            ("dt:>2026-03-28", false),
        ];
        for (query, expected) in cases {
            let Ok(parsed) = cordwood_query::parse(query) else {
                assert!(!expected, "{query}");
                continue;
            };
            let matcher = Matcher::new(&parsed.query.filter, dt);
            assert_eq!(is_meant(&matcher, &event), expected, "{query}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_meant() {
        let parsed = cordwood_query::parse("user:ann").unwrap();
        let matcher = Matcher::new(&parsed.query.filter, Timestamp::MIN);
        let event = KeptEvent {
            event_id: "damaged".to_owned(),
            dt: Timestamp::MIN,
            source: SourceId(1),
            source_name: String::new(),
            event: "{".to_owned(),
        };
        assert!(is_meant(&matcher, &event));
    }
}
