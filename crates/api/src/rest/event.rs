//! `/api/v1/events/{id}`: one event by its `_id`, and `/context`: the events around it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cordwood_event::json;
use cordwood_service::{Caller, Cancel, ContextRequest, EventContext, FoundEvent, Same};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::CancelOnDrop;
use crate::rest::query_answer::{in_pieces, tail_of};
use crate::rest::query_meta::QueryMeta;
use crate::rest::query_request::{deadline, text};

/// One event.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the event is written as it was sent")]
pub(crate) struct EventAnswer {
    /// As it was sent, with `dt`, `level`, `message`, `_id` and `_source`.
    data: serde_json::Map<String, Value>,
    meta: QueryMeta,
}

/// What stands around an event.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`context_request` reads the parameters by their names"
)]
pub(crate) struct ContextParameters {
    /// How many events before it, 10 unless given; with `within`, 1000, the most.
    before: Option<usize>,
    /// How many after it, likewise.
    after: Option<usize>,
    /// How far from it in time at most, such as `5m`.
    within: Option<String>,
    /// What the events have in common with it: `source` unless given, `host`, `service`, or the name of a field.
    same: Option<String>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

/// An event and those around it, in order of time; of one instant, in order of arrival.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "answers are written in pieces")]
pub(crate) struct ContextAnswer {
    /// As they were sent, with `dt`, `level`, `message`, `_id` and `_source`.
    data: Vec<serde_json::Map<String, Value>>,
    #[schema(inline)]
    #[serde(flatten)]
    end: ContextEnd,
}

/// What follows the last event.
#[derive(Debug, Serialize, ToSchema)]
struct ContextEnd {
    context: ContextRecord,
    meta: QueryMeta,
}

/// Where the event stands among those around it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContextRecord {
    /// Its id.
    id: String,
    /// Its place in `data`, from 0.
    index: usize,
    /// Whether there are more events before these.
    more_before: bool,
    /// Whether there are more after these.
    more_after: bool,
    same: SameRecord,
}

/// What all these events have in common.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SameRecord {
    /// `_source`, or a field of the event.
    field: String,
    /// Its value; of `_source` the id.
    value: String,
}

/// Show an event by its `_id`
#[utoipa::path(
    get, path = "/events/{id}", tag = "events",
    params(("id" = String, Path, description = "The `_id` of an event found")),
    responses((status = 200, body = EventAnswer)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let found = edge.query.run(move || service.event(&caller, &id, &cancel));
    Ok(event_answer(found.await??))
}

/// Show the events around an event, whatever they match
#[utoipa::path(
    get, path = "/events/{id}/context", tag = "events",
    params(("id" = String, Path, description = "The `_id` of an event found"), ContextParameters),
    responses((status = 200, body = ContextAnswer)),
)]
pub(crate) async fn context(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Failure> {
    around(&edge, caller, id, &Parameters::of(&uri), Cancel::default()).await
}

/// The events around the event `id`.
pub(crate) async fn around(
    edge: &Edge,
    caller: Caller,
    id: String,
    parameters: &Parameters,
    cancel: Cancel,
) -> Result<Response, Failure> {
    let request = context_request(id, parameters)?;
    let service = edge.ready()?;
    let _gone = CancelOnDrop(cancel.clone());
    let found = edge
        .query
        .run(move || service.event_context(&caller, &request, &cancel));
    Ok(context_answer(found.await??))
}

fn context_request(id: String, parameters: &Parameters) -> Result<ContextRequest, Failure> {
    parameters.only::<ContextParameters>()?;
    Ok(ContextRequest {
        id,
        before: parameters.parsed("before", "a whole number of events")?,
        after: parameters.parsed("after", "a whole number of events")?,
        within: text(parameters, "within"),
        same: text(parameters, "same"),
        deadline: Some(deadline(parameters)?),
    })
}

fn event_answer(found: FoundEvent) -> Response {
    let mut body = String::from("{\"data\":");
    json::write_event(&mut body, &found.event, &found.source_name);
    let meta = serde_json::to_string(&QueryMeta::of_account(&found.account));
    body.push_str(",\"meta\":");
    body.push_str(&meta.expect("what has texts for keys is JSON"));
    body.push('}');
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

fn context_answer(found: EventContext) -> Response {
    let (field, value) = match &found.same {
        Same::Source(id) => ("_source".to_owned(), id.to_string()),
        Same::Field { name, value } => (name.clone(), value.clone()),
    };
    let tail = tail_of(&ContextEnd {
        context: ContextRecord {
            id: found.event.id.to_string(),
            index: found.before.len(),
            more_before: found.has_more_before,
            more_after: found.has_more_after,
            same: SameRecord { field, value },
        },
        meta: QueryMeta::of_account(&found.account),
    });
    let events = found.before.into_iter().chain([found.event]);
    let mut events = events.chain(found.after);
    let names = found.source_names;
    let write_next = move |out: &mut String, separator: &str| {
        let Some(event) = events.next() else {
            return false;
        };
        out.push_str(separator);
        let name = names.get(&event.source).map_or("", String::as_str);
        json::write_event(out, &event, name);
        true
    };
    in_pieces(write_next, tail, found.held)
}
