//! What shows an incident: the query, the sources and the range that find its events, and what was measured there.

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use super::Incident;
use crate::nanos;

/// What shows an incident; kept with it as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEvidence {
    /// The query; `None` for one that is about no events.
    pub query: Option<String>,
    /// Ids of sources; none for all of the client's.
    #[serde(default)]
    pub sources: Vec<u64>,
    /// From when.
    #[serde(default, with = "nanos::optional")]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(default, with = "nanos::optional")]
    pub to: Option<Timestamp>,
    /// What was measured, for people.
    pub value: Option<String>,
    /// What it is held against.
    pub threshold: Option<String>,
    /// What to do about it: a URL or a text.
    pub runbook: Option<String>,
}

impl IncidentEvidence {
    /// What an incident is kept with.
    pub fn of(incident: &Incident) -> IncidentEvidence {
        // Only we write it; of what cannot be read, nothing is known.
        serde_json::from_str(&incident.evidence).unwrap_or_default()
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a record of texts and numbers is JSON")
    }

    /// Where its events are found: a path of the API of this server.
    pub fn link(&self) -> Option<String> {
        let query = self.query.as_ref()?;
        let mut link = format!("/api/v1/query?query={}", escaped(query));
        for source in &self.sources {
            link.push_str(&format!("&source_id={source}"));
        }
        for (name, time) in [("from", self.from), ("to", self.to)] {
            if let Some(time) = time {
                link.push_str(&format!("&{name}={}", escaped(&time.to_string())));
            }
        }
        Some(link)
    }
}

/// Percent-encoding of everything but the unreserved characters of RFC 3986 section 2.3.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
