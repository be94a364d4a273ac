//! `/api/v1/deletions`: delete events by query, and see how far that has come.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use cordwood_event::SourceId;
use cordwood_service::{Cancel, Deletion, DeletionPreview, DeletionState, NewDeletion};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{
    Anonymous, Attributes, Data, Page, Record, anonymous, data, page, record,
};
use crate::rest::members::Members;
use crate::rest::query::CancelOnDrop;
use crate::rest::times::{EventTime, RecordTime};

/// A deletion of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletionAttributes {
    /// `hidden`: no search finds the events; `purged`: they are gone from the disk too.
    state: &'static str,
    query: String,
    source_ids: Vec<String>,
    from: Option<EventTime>,
    to: Option<EventTime>,
    requested_at: RecordTime,
    /// Null if they could not all be counted.
    events_hidden: Option<u64>,
    events_purged: u64,
    bytes_purged: u64,
}

/// What a deletion would delete.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeletionPreviewAttributes {
    query: String,
    source_ids: Vec<String>,
    from: Option<EventTime>,
    to: Option<EventTime>,
    events: u64,
    /// Whether all events were looked at.
    complete: bool,
    incomplete_reason: Option<String>,
}

impl Attributes for DeletionAttributes {
    const TYPE: &'static str = "deletion";
}

impl Attributes for DeletionPreviewAttributes {
    const TYPE: &'static str = "deletion_preview";
}

type DeletionRecord = Record<DeletionAttributes>;
type PreviewRecord = Anonymous<DeletionPreviewAttributes>;

/// What to delete.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_deletion` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewDeletionBody {
    query: String,
    /// Ids, `src-` ids or names of sources.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    from: Option<String>,
    to: Option<String>,
    /// Needed for a query that means every event.
    everything: Option<bool>,
    /// Only count them.
    dry_run: Option<bool>,
}

/// Delete events by query
///
/// 202 once no search finds them; with `dry_run` they are only counted, and the answer is 200.
#[utoipa::path(
    post, path = "/deletions", tag = "deletions",
    request_body = NewDeletionBody,
    responses(
        (status = 202, body = Data<Record<DeletionAttributes>>),
        (status = 200, body = Data<Anonymous<DeletionPreviewAttributes>>),
    ),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let (new, is_dry_run) = new_deletion(body)?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    if is_dry_run {
        let count = move || service.preview_deletion(&caller, &new, &cancel);
        let preview = edge.query.run(count).await??;
        return Ok(Json(data(preview_record(&preview))).into_response());
    }
    let delete = move || service.delete_events(&caller, &new, &cancel);
    let deletion = edge.query.run(delete).await??;
    let record = Json(data(deletion_record(&deletion)));
    Ok((StatusCode::ACCEPTED, record).into_response())
}

/// Which page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list` reads the parameters by their names")]
pub(crate) struct DeletionListParameters {
    page: Option<usize>,
    /// 50 unless given, at most 250.
    per_page: Option<usize>,
}

/// List deletions
///
/// Those that stand and the last thousand of those that are done, the newest first.
#[utoipa::path(
    get, path = "/deletions", tag = "deletions",
    params(DeletionListParameters),
    responses((status = 200, body = Page<Record<DeletionAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<Page<DeletionRecord>>, Failure> {
    let parameters = Parameters::of(&uri);
    let expected = "a whole number from 1";
    let wanted = parameters.parsed("page", expected)?;
    let per_page = parameters.parsed("per_page", expected)?;
    let listed = edge
        .managed(move |service| service.list_deletions(&caller, wanted, per_page))
        .await?;
    let records = listed.deletions.iter().map(deletion_record);
    Ok(Json(page(records, &links, listed.page, listed.last_page)))
}

/// Show a deletion
#[utoipa::path(
    get, path = "/deletions/{deletion}", tag = "deletions",
    params(("deletion" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<DeletionAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(deletion): Path<String>,
) -> Result<Json<Data<DeletionRecord>>, Failure> {
    let deletion = edge
        .managed(move |service| service.deletion(&caller, &deletion))
        .await?;
    Ok(Json(data(deletion_record(&deletion))))
}

/// The deletion, and whether it is only to be counted.
fn new_deletion(body: Map<String, Value>) -> Result<(NewDeletion, bool), Failure> {
    let mut members = Members::new(body);
    let mut sources = members.texts("source_id").unwrap_or_default();
    sources.extend(members.texts("source_ids").unwrap_or_default());
    let new = NewDeletion {
        query: members.text("query").unwrap_or_default(),
        sources,
        from: members.text("from"),
        to: members.text("to"),
        everything: members.boolean("everything").unwrap_or_default(),
    };
    let is_dry_run = members.boolean("dry_run").unwrap_or_default();
    members.finish()?;
    Ok((new, is_dry_run))
}

fn deletion_record(deletion: &Deletion) -> DeletionRecord {
    let state = match deletion.state {
        DeletionState::Hidden => "hidden",
        DeletionState::Purged => "purged",
    };
    let attributes = DeletionAttributes {
        state,
        query: deletion.query.clone(),
        source_ids: ids(&deletion.sources),
        from: deletion.from.map(EventTime),
        to: deletion.to.map(EventTime),
        requested_at: RecordTime(deletion.requested_at),
        events_hidden: deletion.events_hidden,
        events_purged: deletion.events_purged,
        bytes_purged: deletion.bytes_purged,
    };
    record(deletion.id, attributes)
}

fn preview_record(preview: &DeletionPreview) -> PreviewRecord {
    anonymous(DeletionPreviewAttributes {
        query: preview.query.clone(),
        source_ids: ids(&preview.sources),
        from: preview.from.map(EventTime),
        to: preview.to.map(EventTime),
        events: preview.events,
        complete: preview.incomplete_reason.is_none(),
        incomplete_reason: preview.incomplete_reason.clone(),
    })
}

fn ids(sources: &[SourceId]) -> Vec<String> {
    sources.iter().map(ToString::to_string).collect()
}
