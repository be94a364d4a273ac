//! `/api/v1/deletions`: delete events by query, and see how far that has come.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_event::SourceId;
use cordwood_service::{Cancel, Deletion, DeletionPreview, DeletionState, NewDeletion};
use serde_json::{Map, Value, json};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{data, page, record, time};
use crate::rest::members::Members;
use crate::rest::query::CancelOnDrop;

type Answer = Result<Json<Value>, Failure>;

/// `POST /deletions` with `{"query", "source_id", "from", "to"}`: 202 once the events are hidden. With
/// `"dry_run": true` they are only counted: 200. A query that means every event needs `"everything": true`.
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let (new, is_dry_run) = new_deletion(body)?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    if is_dry_run {
        let count = move || service.preview_deletion(&caller, &new, &cancel);
        let preview = edge.query.run(count).await??;
        return Ok((StatusCode::OK, Json(data(preview_record(&preview)))));
    }
    let delete = move || service.delete_events(&caller, &new, &cancel);
    let deletion = edge.query.run(delete).await??;
    Ok((StatusCode::ACCEPTED, Json(data(deletion_record(&deletion)))))
}

/// `GET /deletions?page=&per_page=`: those that stand and the last thousand of those that are done, the newest first.
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Answer {
    let parameters = Parameters::of(&uri);
    let expected = "a whole number from 1";
    let wanted = parameters.parsed("page", expected)?;
    let per_page = parameters.parsed("per_page", expected)?;
    let service = edge.ready()?;
    let listed = move || service.list_deletions(&caller, wanted, per_page);
    let listed = edge.manage.run(listed).await??;
    let records = listed.deletions.iter().map(deletion_record);
    Ok(Json(page(
        records.collect(),
        &links,
        listed.page,
        listed.last_page,
    )))
}

/// `GET /deletions/{deletion}`: by id.
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(deletion): Path<String>,
) -> Answer {
    let service = edge.ready()?;
    let deletion = edge
        .manage
        .run(move || service.deletion(&caller, &deletion));
    Ok(Json(data(deletion_record(&deletion.await??))))
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

fn deletion_record(deletion: &Deletion) -> Value {
    let state = match deletion.state {
        DeletionState::Hidden => "hidden",
        DeletionState::Purged => "purged",
    };
    record(
        "deletion",
        deletion.id,
        json!({
            "state": state,
            "query": deletion.query,
            "source_ids": ids(&deletion.sources),
            "from": deletion.from.map(|from| from.to_string()),
            "to": deletion.to.map(|to| to.to_string()),
            "requested_at": time(deletion.requested_at),
            "events_hidden": deletion.events_hidden,
            "events_purged": deletion.events_purged,
            "bytes_purged": deletion.bytes_purged,
        }),
    )
}

fn preview_record(preview: &DeletionPreview) -> Value {
    json!({"type": "deletion_preview", "attributes": {
        "query": preview.query,
        "source_ids": ids(&preview.sources),
        "from": preview.from.map(|from| from.to_string()),
        "to": preview.to.map(|to| to.to_string()),
        "events": preview.events,
        "complete": preview.incomplete_reason.is_none(),
        "incomplete_reason": preview.incomplete_reason,
    }})
}

fn ids(sources: &[SourceId]) -> Vec<String> {
    sources.iter().map(ToString::to_string).collect()
}
