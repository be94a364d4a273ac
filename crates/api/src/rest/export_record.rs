//! An export as a record.

use cordwood_service::{Export, ExportState, Order};
use serde::Serialize;
use utoipa::ToSchema;

use crate::links::Links;
use crate::rest::envelope::{Attributes, Record, record};
use crate::rest::times::{EventTime, RecordTime};

/// An export.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExportAttributes {
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    state: &'static str,
    /// The query as understood.
    query: String,
    source_ids: Vec<String>,
    from: Option<EventTime>,
    to: Option<EventTime>,
    order: &'static str,
    format: &'static str,
    compression: &'static str,
    /// Empty for all.
    fields: Vec<String>,
    csv_formulas: &'static str,
    evidence: bool,
    /// The API token that asked for it.
    requested_by: RequesterRecord,
    created_at: RecordTime,
    started_at: Option<RecordTime>,
    finished_at: Option<RecordTime>,
    /// When it will be removed.
    expires_at: Option<RecordTime>,
    /// Events, or rows of a table, written so far.
    events: u64,
    /// Bytes of the file so far.
    bytes: u64,
    /// About how many events there will be; null until that is known.
    events_estimated: Option<u64>,
    /// How much of what is to be read has been: 0 to 1.
    progress: f64,
    /// Whether every match is in the file; null until it is done.
    complete: Option<bool>,
    /// Why not.
    incomplete_reason: Option<String>,
    /// Why it failed.
    error: Option<String>,
    file_name: String,
    /// Where the file is, once it is done.
    file_url: Option<String>,
}

/// Who asked for an export.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequesterRecord {
    token_id: String,
    token_name: String,
}

impl Attributes for ExportAttributes {
    const TYPE: &'static str = "export";
}

pub(crate) type ExportRecord = Record<ExportAttributes>;

/// The record of an export.
pub(crate) fn export_record(export: &Export, links: &Links) -> ExportRecord {
    let is_done = export.state == ExportState::Done;
    let url = || format!("{}/api/v1/exports/{}/file", links.base(), export.id);
    let attributes = ExportAttributes {
        state: export.state.name(),
        query: export.query.clone(),
        source_ids: export.sources.iter().map(ToString::to_string).collect(),
        from: export.from.map(EventTime),
        to: export.to.map(EventTime),
        order: match export.order {
            Order::OldestFirst => "oldest_first",
            Order::NewestFirst => "newest_first",
        },
        format: export.format.name(),
        compression: export.compression.name(),
        fields: export.fields.clone(),
        csv_formulas: export.formulas.name(),
        evidence: export.evidence,
        requested_by: RequesterRecord {
            token_id: export.requester.token_id.to_string(),
            token_name: export.requester.token_name.clone(),
        },
        created_at: RecordTime(export.created_at),
        started_at: export.started_at.map(RecordTime),
        finished_at: export.finished_at.map(RecordTime),
        expires_at: export.expires_at.map(RecordTime),
        events: export.events,
        bytes: export.bytes,
        events_estimated: export.events_estimated,
        progress: export.progress,
        complete: is_done.then_some(export.incomplete_reason.is_none()),
        incomplete_reason: export.incomplete_reason.clone(),
        error: export.error.clone(),
        file_name: export.file_name(),
        file_url: is_done.then(url),
    };
    record(&export.id, attributes)
}
