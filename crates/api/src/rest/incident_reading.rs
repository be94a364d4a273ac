//! What is read with an incident: its timeline, the events kept with it, what changed when it began, others that may have to do with
//! it, and the report.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cordwood_service::{Cancel, IncidentExplanation};
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{Page, Record, list as page};
use crate::rest::incident_record::{
    KeptEventAttributes, RelatedAttributes, TimelineAttributes, kept_event_record, related_record,
    timeline_record,
};
use crate::rest::members::read_members;
use crate::rest::query::CancelOnDrop;
use crate::rest::what_changed_answer::WhatChangedAnswer;

/// List what happened to it
///
/// In the order in which it was written, with what happened to those merged into it.
#[utoipa::path(
    get, path = "/incidents/{incident}/timeline", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<Record<TimelineAttributes>>)),
)]
pub(crate) async fn timeline(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    links: Links,
) -> Result<Json<Page<Record<TimelineAttributes>>>, Failure> {
    let entries = edge
        .managed(move |service| service.incident_timeline(&caller, &id))
        .await?;
    Ok(Json(page(entries.iter().map(timeline_record), &links)))
}

/// List the events kept with it
///
/// As they were sent, whatever retention has taken since.
#[utoipa::path(
    get, path = "/incidents/{incident}/events", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<Record<KeptEventAttributes>>)),
)]
pub(crate) async fn events(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    links: Links,
) -> Result<Json<Page<Record<KeptEventAttributes>>>, Failure> {
    let events = edge
        .managed(move |service| service.incident_events(&caller, &id))
        .await?;
    Ok(Json(page(events.iter().map(kept_event_record), &links)))
}

/// Which events to keep.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct KeepEventsBody {
    /// Ids of events of its client, at most 100 with an incident, of at most 256 KiB each.
    event_ids: Vec<String>,
}

/// What became of events that were to be kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptAnswer {
    /// How many were added.
    kept: usize,
    /// Those that were not.
    refused: Vec<RefusedEvent>,
}

/// An event that was not kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefusedEvent {
    id: String,
    reason: String,
}

/// Keep events with it
#[utoipa::path(
    post, path = "/incidents/{incident}/events", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = KeepEventsBody,
    responses((status = 200, body = KeptAnswer)),
)]
pub(crate) async fn keep_events(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<KeptAnswer>, Failure> {
    let ids = read_members(body, |members| {
        members.texts("event_ids").unwrap_or_default()
    })?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let keep = move || service.pin_incident_events(&caller, &id, &ids, &cancel);
    let pinned = edge.query.run(keep).await??;
    let refused = pinned.refused.into_iter().map(|event| RefusedEvent {
        id: event.id,
        reason: event.reason,
    });
    Ok(Json(KeptAnswer {
        kept: pinned.kept,
        refused: refused.collect(),
    }))
}

/// Say what changed when it began
///
/// As `/api/v1/what-changed` does; found out some seconds after it was opened, and 409 until then.
#[utoipa::path(
    get, path = "/incidents/{incident}/what-changed", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = WhatChangedAnswer)),
)]
pub(crate) async fn what_changed(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<WhatChangedAnswer>, Failure> {
    let service = edge.ready()?;
    let explanation = move || service.incident_explanation(&caller, &id);
    match edge.manage.run(explanation).await?? {
        IncidentExplanation::Known(answer) => Ok(Json(WhatChangedAnswer::of(&answer))),
        IncidentExplanation::NotYet => {
            let sentence = "What changed when it began is being found out.";
            Err(
                Failure::new(StatusCode::CONFLICT, "what_changed_not_yet_known", sentence)
                    .hint("Ask again in some seconds."),
            )
        }
        IncidentExplanation::Failed(reason) => {
            let sentence = "What changed when it began could not be found out.";
            Err(
                Failure::new(StatusCode::CONFLICT, "what_changed_not_known", sentence)
                    .with("detail", reason)
                    .hint("Ask /api/v1/what-changed for the hours around it."),
            )
        }
    }
}

/// List others that may have to do with it
///
/// Of the same client, within 30 days: those that share a cause of what changed, a group, a rule, a label, or began within half an
/// hour; the strongest reasons first, at most ten.
#[utoipa::path(
    get, path = "/incidents/{incident}/related", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<Record<RelatedAttributes>>)),
)]
pub(crate) async fn related(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    links: Links,
) -> Result<Json<Page<Record<RelatedAttributes>>>, Failure> {
    let related = edge
        .managed(move |service| service.related_incidents(&caller, &id))
        .await?;
    Ok(Json(page(related.iter().map(related_record), &links)))
}

/// Write the report of it
///
/// In Markdown: summary, impact, timeline, what changed, events, comments, related incidents, and the questions left to answer.
#[utoipa::path(
    get, path = "/incidents/{incident}/report", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, description = "The report", content_type = "text/markdown", body = String)),
)]
pub(crate) async fn report(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let report = edge
        .managed(move |service| service.incident_report(&caller, &id))
        .await?;
    let content_type = [(CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((content_type, report).into_response())
}
