//! The answer to a query as server-sent events: how far the search has come, as long as it runs, and then the answer.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_service::{Cancel, Progress};
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::{self, Failure};
use crate::rest::times::Millis;

const EVENT_STREAM: &str = "text/event-stream";

/// How often progress is told: seen as motion, and keeps the connection in use.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// How far a search has come: the data of the events `progress`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryProgress {
    /// Blocks, and batches of events not sealed yet, that pruning has left.
    parts_planned: u64,
    /// Of these, done; the search may be done before all are.
    parts_done: u64,
    /// Events looked at.
    rows_scanned: u64,
    took_ms: Millis,
}

/// Whether the answer is wanted as events.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let mut accepted = accepted.unwrap_or_default().split(',');
    accepted.any(|part| part.split(';').next().unwrap_or_default().trim() == EVENT_STREAM)
}

type Answering = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

/// `progress` events while `answering`, then one event with its body: `answer`, or `failure`.
pub(crate) fn query_stream(
    answering: impl Future<Output = Result<Response, Failure>> + Send + 'static,
    cancel: Cancel,
    request_id: HeaderValue,
) -> Response {
    let told = Told::Progress(Searching {
        answering: Box::pin(answering),
        cancel,
        request_id,
        started: Instant::now(),
    });
    let pieces = futures_util::stream::unfold(told, Told::next);
    let headers = [(CONTENT_TYPE, EVENT_STREAM), (CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(pieces)).into_response()
}

/// What is told next.
enum Told {
    Progress(Searching),
    Body(BodyDataStream),
    Nothing,
}

struct Searching {
    answering: Answering,
    cancel: Cancel,
    request_id: HeaderValue,
    started: Instant,
}

impl Told {
    async fn next(self) -> Option<(Result<Bytes, axum::Error>, Told)> {
        match self {
            Told::Progress(searching) => Some(searching.next().await),
            // The answer is JSON without line breaks: its pieces are one line of data.
            Told::Body(mut body) => Some(match body.next().await {
                Some(piece) => (piece, Told::Body(body)),
                None => (Ok(Bytes::from_static(b"\n\n")), Told::Nothing),
            }),
            Told::Nothing => None,
        }
    }
}

impl Searching {
    async fn next(mut self) -> (Result<Bytes, axum::Error>, Told) {
        let answer = tokio::time::timeout(PROGRESS_INTERVAL, &mut self.answering);
        let (name, answer) = match answer.await {
            Err(_) => return (Ok(self.progress()), Told::Progress(self)),
            Ok(Ok(answer)) => ("answer", answer),
            Ok(Err(failure)) => {
                let answer = failure::finish(failure.into_response(), &self.request_id);
                ("failure", answer)
            }
        };
        let opening = format!("event: {name}\ndata: ");
        let body = answer.into_body().into_data_stream();
        (Ok(opening.into()), Told::Body(body))
    }

    fn progress(&self) -> Bytes {
        let Progress {
            parts_planned,
            parts_done,
            rows_scanned,
        } = self.cancel.progress();
        let progress = QueryProgress {
            parts_planned,
            parts_done,
            rows_scanned,
            took_ms: Millis(self.started.elapsed()),
        };
        let progress = serde_json::to_string(&progress).expect("numbers are JSON");
        format!("event: progress\ndata: {progress}\n\n").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_sent_to_those_who_ask_for_them() {
        let cases = [
            ("text/event-stream", true),
            ("application/json, text/event-stream;q=0.5", true),
            ("application/json", false),
            ("*/*", false),
        ];
        for (accept, expected) in cases {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(is_wanted(&headers), expected, "{accept}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }
}
