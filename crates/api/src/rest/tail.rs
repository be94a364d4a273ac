//! `GET /api/v1/tail`: events that match a query, as they arrive, as server-sent events.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use cordwood_service::{Cancel, Since, TailRequest, Wake};
use tokio::sync::Notify;
use utoipa::IntoParams;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::CancelOnDrop;
use crate::rest::query_request::sources;
use crate::rest::tail_events::TailEvent;
use crate::rest::tail_stream::stream;

/// Where the reader left, as browsers send it when they come back (WHATWG HTML, section 9.2).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks nginx, which stands before many servers, not to hold events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What to tail, and where to begin.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`tail_request` reads the parameters by their names"
)]
pub(crate) struct TailParameters {
    /// In the query language: a filter, and stages that look at one event alone; empty for every event.
    query: Option<String>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given, those made
    /// later too.
    source_id: Option<Vec<String>>,
    /// The same, by the name Better Stack has for it.
    source_ids: Option<Vec<String>>,
    /// So many of the newest events that match come first; at most 1000.
    last: Option<usize>,
    /// The last `id` that was read, to go on from there; the header `Last-Event-ID` says it better.
    last_event_id: Option<u64>,
}

/// Follow events as they arrive
///
/// A stream of server-sent events. `hello` comes first and says what the tail is; `log` is an event as a query gives it;
/// `dropped` says that rows are left out here, and how many; `end` comes last, with the reason. An `id` is where to go on
/// after a break.
#[utoipa::path(
    get, path = "/tail", tag = "tail",
    params(
        TailParameters,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last `id` that was read, to go on from there"),
    ),
    responses((
        status = 200, description = "The `data` of each event", content_type = "text/event-stream",
        body = TailEvent,
    )),
)]
pub(crate) async fn get(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let request = tail_request(&headers, &Parameters::of(&uri))?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let news = Arc::new(Notify::new());
    let told = Arc::clone(&news);
    let since = request.since;
    let opening = edge.query.run(move || {
        let wake = Wake::new(move || told.notify_one());
        service.tail(&caller, &request, wake, &cancel)
    });
    let tail = opening.await??;
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        (X_ACCEL_BUFFERING, "no"),
    ];
    Ok((headers, Body::from_stream(stream(tail, since, news))).into_response())
}

fn tail_request(headers: &HeaderMap, parameters: &Parameters) -> Result<TailRequest, Failure> {
    parameters.only::<TailParameters>()?;
    Ok(TailRequest {
        query: parameters.first("query").unwrap_or_default().to_owned(),
        sources: sources(parameters)?,
        since: since(headers, parameters)?,
    })
}

/// The header is newer than the URL, which a browser asks for again unchanged.
fn since(headers: &HeaderMap, parameters: &Parameters) -> Result<Since, Failure> {
    let sent = headers.get(LAST_EVENT_ID);
    let sent = sent.map(|value| value.to_str().unwrap_or("?").to_owned());
    let named = || parameters.first("last_event_id").map(str::to_owned);
    match sent.or_else(named).filter(|id| !id.is_empty()) {
        Some(id) => match id.parse() {
            Ok(sequence) => Ok(Since::After(sequence)),
            Err(_) => {
                let sentence = format!("`{id}` is no `id` of an event of a tail");
                Err(Failure::parameter("last_event_id", sentence))
            }
        },
        None => {
            let last = parameters.parsed("last", "a whole number of events")?;
            Ok(last.map_or(Since::Now, Since::Last))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn where_a_tail_begins() {
        let cases = [
            ("", None, Some(Since::Now)),
            ("last=5", None, Some(Since::Last(5))),
            ("last_event_id=7", None, Some(Since::After(7))),
            ("last=5&last_event_id=7", Some("9"), Some(Since::After(9))),
            ("last=5", Some(""), Some(Since::Last(5))),
            ("last=-1", None, None),
            ("last_event_id=x", None, None),
            ("", Some("x"), None),
            ("since=now", None, None),
        ];
        for (query_string, header, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(LAST_EVENT_ID, HeaderValue::from_static(header));
            }
            let parameters = Parameters::of_form(query_string.as_bytes());
            let request = tail_request(&headers, &parameters);
            let found = request.ok().map(|request| request.since);
            assert_eq!(found, expected, "{query_string} {header:?}");
        }
    }
}
