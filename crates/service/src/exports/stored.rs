//! An export as it is kept beside its file, in JSON: what a restart finds.

use cordwood_event::{SourceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::export::{Export, ExportState, Requester};
use crate::{ClientId, Order};

/// The version of the text.
const VERSION: u32 = 1;

/// Times are nanoseconds since 1970.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    id: String,
    query: String,
    sources: Vec<u64>,
    clients: Vec<u64>,
    from: Option<i64>,
    to: Option<i64>,
    is_newest_first: bool,
    format: String,
    compression: String,
    fields: Vec<String>,
    formulas: String,
    evidence: bool,
    token_id: u64,
    token_name: String,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    expires_at: Option<i64>,
    state: String,
    events: u64,
    bytes: u64,
    incomplete_reason: Option<String>,
    error: Option<String>,
}

/// The text of an export.
pub(super) fn encode(export: &Export) -> Vec<u8> {
    let nanos = |time: Option<Timestamp>| time.map(Timestamp::as_nanos);
    let stored = Stored {
        version: VERSION,
        id: export.id.clone(),
        query: export.query.clone(),
        sources: export.sources.iter().map(|source| source.0).collect(),
        clients: export.clients.iter().map(|client| client.0).collect(),
        from: nanos(export.from),
        to: nanos(export.to),
        is_newest_first: export.order == Order::NewestFirst,
        format: export.format.name().to_owned(),
        compression: export.compression.name().to_owned(),
        fields: export.fields.clone(),
        formulas: export.formulas.name().to_owned(),
        evidence: export.evidence,
        token_id: export.requester.token_id,
        token_name: export.requester.token_name.clone(),
        created_at: export.created_at.as_nanos(),
        started_at: nanos(export.started_at),
        finished_at: nanos(export.finished_at),
        expires_at: nanos(export.expires_at),
        state: export.state.name().to_owned(),
        events: export.events,
        bytes: export.bytes,
        incomplete_reason: export.incomplete_reason.clone(),
        error: export.error.clone(),
    };
    serde_json::to_vec(&stored).expect("a record of texts and numbers is JSON")
}

/// The export a text holds; `None` if it is none of ours.
pub(super) fn decode(text: &[u8]) -> Option<Export> {
    let stored: Stored = serde_json::from_slice(text).ok()?;
    if stored.version != VERSION {
        return None;
    }
    let time = |nanos: Option<i64>| nanos.map(Timestamp::from_nanos);
    let mut states = ExportState::ALL.into_iter();
    let state = states.find(|state| state.name() == stored.state)?;
    Some(Export {
        id: stored.id,
        query: stored.query,
        sources: stored.sources.into_iter().map(SourceId).collect(),
        clients: stored.clients.into_iter().map(ClientId).collect(),
        from: time(stored.from),
        to: time(stored.to),
        order: match stored.is_newest_first {
            true => Order::NewestFirst,
            false => Order::OldestFirst,
        },
        format: stored.format.parse().ok()?,
        compression: stored.compression.parse().ok()?,
        fields: stored.fields,
        formulas: stored.formulas.parse().ok()?,
        evidence: stored.evidence,
        requester: Requester {
            token_id: stored.token_id,
            token_name: stored.token_name,
        },
        created_at: Timestamp::from_nanos(stored.created_at),
        started_at: time(stored.started_at),
        finished_at: time(stored.finished_at),
        expires_at: time(stored.expires_at),
        state,
        events: stored.events,
        bytes: stored.bytes,
        events_estimated: (state == ExportState::Done).then_some(stored.events),
        progress: 1.0,
        incomplete_reason: stored.incomplete_reason,
        error: stored.error,
    })
}
