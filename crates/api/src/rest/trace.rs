//! `/api/v1/trace`: an id through all sources; `/api/v1/events/{id}/trace`: the ids that an event carries.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use cordwood_event::json;
use cordwood_service::{
    Cancel, Gap, Identifier, Trace, TraceRequest, TraceSubject, TracedEvent, TracedService,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::CancelOnDrop;
use crate::rest::query_answer::{in_pieces, tail_of};
use crate::rest::query_meta::{CountRecord, QueryMeta};
use crate::rest::query_request::{deadline, sources, text};
use crate::rest::times::{EventTime, Millis};

/// What is traced, and where.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`trace_request` reads the parameters by their names"
)]
pub(crate) struct TraceParameters {
    /// An id that events carry in any field, at most 256 bytes.
    value: String,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    /// From when, inclusive.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// Events at most, the earliest: 1000 unless given, the most.
    limit: Option<usize>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

/// Where an event's ids are followed.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`trace_request` reads the parameters by their names"
)]
pub(crate) struct EventTraceParameters {
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    /// From when, inclusive.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// Events at most, the earliest: 1000 unless given, the most.
    limit: Option<usize>,
    /// How long it may take.
    timeout_ms: Option<u64>,
}

/// The events that carry an id, in order of time.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "answers are written in pieces")]
pub(crate) struct TraceAnswer {
    data: Vec<TracedEventRecord>,
    #[schema(inline)]
    #[serde(flatten)]
    end: TraceEnd,
}

/// An event of a trace.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "events are written as they were sent")]
pub(crate) struct TracedEventRecord {
    /// As it was sent, with `dt`, `level`, `message`, `_id` and `_source`.
    event: serde_json::Map<String, Value>,
    /// The fields in which the id stands.
    matched: Vec<String>,
    /// The service it is of: what it says itself, else the name of its source.
    service: String,
}

/// What follows the last event.
#[derive(Debug, Serialize, ToSchema)]
struct TraceEnd {
    trace: TraceRecord,
    meta: QueryMeta,
}

/// What the events of a trace say together.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceRecord {
    /// The ids that were followed.
    identifiers: Vec<IdentifierRecord>,
    /// Other ids of the event asked about.
    others: Vec<IdentifierRecord>,
    /// How many events there are with those beyond the limit.
    total: CountRecord,
    /// From the first of the events given to the last.
    duration_ms: Millis,
    /// What each service did, the earliest first.
    services: Vec<ServiceRecord>,
    /// The longest pauses between one event and the next.
    gaps: Vec<GapRecord>,
}

/// An id.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentifierRecord {
    /// Null for a value that was given.
    field: Option<String>,
    value: String,
}

/// What one service did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceRecord {
    service: String,
    first: EventTime,
    last: EventTime,
    duration_ms: Millis,
    events: u64,
    /// Events of level error or fatal.
    errors: u64,
}

/// A pause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GapRecord {
    /// The `_id` of the last event before it.
    after: String,
    /// The `_id` of the first event after it.
    before: String,
    duration_ms: Millis,
}

/// Follow an id through all sources
#[utoipa::path(
    get, path = "/trace", tag = "trace",
    params(TraceParameters),
    responses((status = 200, body = TraceAnswer)),
)]
pub(crate) async fn of_value(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri);
    parameters.only::<TraceParameters>()?;
    let value = parameters.first("value").unwrap_or_default().to_owned();
    let request = trace_request(TraceSubject::Value(value), &parameters)?;
    trace(&edge, caller, request, Cancel::default()).await
}

/// Follow the ids that an event carries
#[utoipa::path(
    get, path = "/events/{id}/trace", tag = "events",
    params(("id" = String, Path, description = "The `_id` of an event found"), EventTraceParameters),
    responses((status = 200, body = TraceAnswer)),
)]
pub(crate) async fn of_event(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(&uri);
    parameters.only::<EventTraceParameters>()?;
    let request = trace_request(TraceSubject::Event(id), &parameters)?;
    trace(&edge, caller, request, Cancel::default()).await
}

pub(crate) async fn trace(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    request: TraceRequest,
    cancel: Cancel,
) -> Result<Response, Failure> {
    let service = edge.ready()?;
    let _gone = CancelOnDrop(cancel.clone());
    let found = edge
        .query
        .run(move || service.trace(&caller, &request, &cancel));
    Ok(trace_answer(found.await??))
}

pub(crate) fn trace_request(
    subject: TraceSubject,
    parameters: &Parameters,
) -> Result<TraceRequest, Failure> {
    Ok(TraceRequest {
        subject,
        sources: sources(parameters)?,
        from: text(parameters, "from"),
        to: text(parameters, "to"),
        limit: parameters.parsed("limit", "a whole number of events")?,
        deadline: Some(deadline(parameters)?),
    })
}

fn trace_answer(trace: Trace) -> Response {
    let tail = tail_of(&TraceEnd {
        trace: TraceRecord {
            identifiers: trace.identifiers.iter().map(identifier_record).collect(),
            others: trace.others.iter().map(identifier_record).collect(),
            total: CountRecord(trace.total),
            duration_ms: Millis(trace.duration),
            services: trace.services.iter().map(service_record).collect(),
            gaps: trace.gaps.iter().map(gap_record).collect(),
        },
        meta: QueryMeta::of_account(&trace.account),
    });
    let mut events = trace.events.into_iter();
    let names = trace.source_names;
    let write_next = move |out: &mut String, separator: &str| {
        let Some(traced) = events.next() else {
            return false;
        };
        out.push_str(separator);
        let name = names.get(&traced.event.source);
        write_traced(out, &traced, name.map_or("", String::as_str));
        true
    };
    in_pieces(write_next, tail, trace.held)
}

fn write_traced(out: &mut String, traced: &TracedEvent, source_name: &str) {
    out.push_str("{\"event\":");
    json::write_event(out, &traced.event, source_name);
    out.push_str(",\"matched\":[");
    for (index, field) in traced.matched.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::write_string(out, field);
    }
    out.push_str("],\"service\":");
    json::write_string(out, &traced.service);
    out.push('}');
}

fn identifier_record(identifier: &Identifier) -> IdentifierRecord {
    IdentifierRecord {
        field: identifier.field.clone(),
        value: identifier.value.clone(),
    }
}

fn service_record(service: &TracedService) -> ServiceRecord {
    ServiceRecord {
        service: service.name.clone(),
        first: EventTime(service.first),
        last: EventTime(service.last),
        duration_ms: Millis(service.duration()),
        events: service.events,
        errors: service.errors,
    }
}

fn gap_record(gap: &Gap) -> GapRecord {
    GapRecord {
        after: gap.after.to_string(),
        before: gap.before.to_string(),
        duration_ms: Millis(gap.duration),
    }
}
