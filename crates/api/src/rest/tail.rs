//! `GET /api/v1/tail`: events that match a query, as they arrive, as server-sent events.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use cordwood_service::{Cancel, Since, TailRequest, Wake};
use tokio::sync::Notify;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::query::CancelOnDrop;
use crate::rest::query_request::sources;
use crate::rest::tail_stream::stream;

/// Where the reader left, as browsers send it when they come back (WHATWG HTML, section 9.2).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks nginx, which stands before many servers, not to hold events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

const KNOWN: [&str; 5] = ["query", "source_id", "source_ids", "last", "last_event_id"];

/// `GET /tail?query=…`.
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
    parameters.only(&KNOWN)?;
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
