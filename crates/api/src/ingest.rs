//! `POST /`: the ingest contract of Better Stack, which their clients speak unchanged.
//!
//! Statuses and bodies are part of the contract; what it has no place for is said in headers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cordwood_service::{Outcome, Payload, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::{bearer_token, source_token_parameter};
use crate::body::{self, BODY_BYTES_MAX, Unread};
use crate::edge::Edge;
use crate::failure::status_of_refusal;
use crate::offload::Lost;

/// Our own header: a batch sent again with the same key is not stored again.
pub(crate) const X_BATCH_KEY: HeaderName = HeaderName::from_static("x-batch-key");
/// How many events of an accepted body were refused.
pub(crate) const X_CORDWOOD_REJECTED: HeaderName = HeaderName::from_static("x-cordwood-rejected");
/// Why the first of them was, or why the whole body was.
pub(crate) const X_CORDWOOD_REASON: HeaderName = HeaderName::from_static("x-cordwood-reason");
/// `true` when the batch key was seen before.
pub(crate) const X_CORDWOOD_DUPLICATE: HeaderName = HeaderName::from_static("x-cordwood-duplicate");

/// The body of a 402: of all refusals the one the contract has JSON for.
#[derive(Debug, Serialize, ToSchema)]
struct QuotaExceeded {
    error: &'static str,
}

impl QuotaExceeded {
    const BODY: QuotaExceeded = QuotaExceeded {
        error: "Quota exceeded",
    };
}

/// Send events
///
/// Better Stack's ingest contract: the token of a source, as bearer or `?source_token=`, and a JSON object or array, NDJSON
/// or MessagePack, compressed or not. Failures are plain text, as clients of it expect.
#[utoipa::path(
    post, path = "/", tag = "ingest",
    params(
        ("source_token" = Option<String>, Query, description = "Where no header can be set"),
        ("x-batch-key" = Option<String>, Header, description = "A batch sent again with the same key is not stored again"),
    ),
    request_body(content = Object, description = "Events"),
    responses(
        (status = 202, description = "On disk; the body is empty"),
        (status = 402, description = "The source's quota is used up", body = QuotaExceeded),
        (status = 403, description = "The token is wrong, or the source is paused"),
        (status = 406, description = "The body cannot be decoded"),
        (status = 413, description = "The body is larger than 20 MiB, or 100 MiB decompressed"),
        (status = 429, description = "Try again after `Retry-After`"),
    ),
)]
pub(crate) async fn post(State(edge): State<Arc<Edge>>, request: Request) -> Response {
    let (parts, mut body) = request.into_parts();
    let token = bearer_token(&parts.headers).or_else(|| source_token_parameter(&parts.uri));
    let answer = match token {
        Some(token) => ingest(&edge, &token, &parts.headers, &mut body).await,
        None => Err(NotTaken::Refused(Refusal::Unauthorized)),
    };
    match answer {
        Ok(outcome) => {
            edge.counters.count_ingest(&outcome);
            accepted(&outcome)
        }
        Err(not_taken) => {
            body::drain(&parts.headers, body).await;
            not_taken.into_response()
        }
    }
}

async fn ingest(
    edge: &Edge,
    token: &str,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Outcome, NotTaken> {
    let service = edge.ready().map_err(|_| NotTaken::Starting)?;
    let place = edge.ingest.place()?;
    let announced = body::content_length(headers).unwrap_or(BODY_BYTES_MAX as u64);
    let admission = service.admit(token, announced.min(BODY_BYTES_MAX as u64))?;
    let body = body::read(body, BODY_BYTES_MAX)
        .await
        .inspect_err(|unread| {
            if matches!(unread, Unread::TooLarge) {
                service.refuse(&admission, &too_large());
            }
        })?;
    let payload = Payload {
        body,
        ..payload(headers)
    };
    Ok(place
        .run(move || service.ingest(admission, payload))
        .await??)
}

/// What the headers say of a body.
pub(crate) fn payload(headers: &HeaderMap) -> Payload {
    let text = |name: &HeaderName| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Payload {
        content_type: text(&CONTENT_TYPE),
        content_encoding: text(&CONTENT_ENCODING),
        batch_key: text(&X_BATCH_KEY),
        ..Payload::default()
    }
}

/// 202 with an empty body: some clients take nothing else for success.
fn accepted(outcome: &Outcome) -> Response {
    let mut response = StatusCode::ACCEPTED.into_response();
    let headers = response.headers_mut();
    if let Some(first) = outcome.rejected.first() {
        headers.insert(X_CORDWOOD_REJECTED, outcome.rejected_count.into());
        let reason = format!("event {}: {}", first.index, first.reason);
        headers.insert(X_CORDWOOD_REASON, header_text(&reason));
    }
    if outcome.duplicate {
        headers.insert(X_CORDWOOD_DUPLICATE, HeaderValue::from_static("true"));
    }
    response
}

/// Text as a header value: one line of ASCII, not too long.
fn header_text(text: &str) -> HeaderValue {
    const HEADER_BYTES_MAX: usize = 500;
    let visible = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else {
            '?'
        }
    };
    let line: String = text.chars().map(visible).take(HEADER_BYTES_MAX).collect();
    HeaderValue::from_str(&line).expect("visible ASCII is a valid header value")
}

/// A body that was not stored.
enum NotTaken {
    Refused(Refusal),
    Starting,
    Lane(Lost),
    Body(Unread),
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> NotTaken {
        NotTaken::Refused(refusal)
    }
}

impl From<Lost> for NotTaken {
    fn from(lost: Lost) -> NotTaken {
        NotTaken::Lane(lost)
    }
}

impl From<Unread> for NotTaken {
    fn from(unread: Unread) -> NotTaken {
        NotTaken::Body(unread)
    }
}

impl IntoResponse for NotTaken {
    fn into_response(self) -> Response {
        let busy = |seconds: u64, text: &'static str| {
            let retry_after = [(RETRY_AFTER, HeaderValue::from(seconds))];
            (retry_after, text).into_response()
        };
        match self {
            NotTaken::Refused(refusal) => refused(&refusal),
            NotTaken::Starting => with_status(
                StatusCode::SERVICE_UNAVAILABLE,
                busy(1, "the server is starting, try again in a moment"),
            ),
            NotTaken::Lane(Lost::Full) => with_status(
                StatusCode::TOO_MANY_REQUESTS,
                busy(1, "the server is busy, try again in a moment"),
            ),
            // The events may or may not be stored: the sender has to try again, with its batch key.
            NotTaken::Lane(Lost::Panicked) => with_status(
                StatusCode::SERVICE_UNAVAILABLE,
                busy(10, "something went wrong in the server"),
            ),
            NotTaken::Body(Unread::TooLarge) => refused(&too_large()),
            NotTaken::Body(Unread::Broken) => {
                (StatusCode::BAD_REQUEST, "the body did not come whole").into_response()
            }
            NotTaken::Body(Unread::Stalled) => {
                (StatusCode::REQUEST_TIMEOUT, "the body stopped coming").into_response()
            }
        }
    }
}

fn too_large() -> Refusal {
    let detail = "the body is larger than 20 MiB".into();
    Refusal::TooLarge { detail }
}

/// The answer the contract has for a refusal.
fn refused(refusal: &Refusal) -> Response {
    let mut response = match refusal {
        Refusal::QuotaExceeded => axum::Json(QuotaExceeded::BODY).into_response(),
        _ => refusal.to_string().into_response(),
    };
    let headers = response.headers_mut();
    if let Some(wait) = refusal.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    if let Some(detail) = refusal.detail() {
        headers.insert(X_CORDWOOD_REASON, header_text(detail));
    }
    with_status(status_of_refusal(refusal), response)
}

fn with_status(status: StatusCode, mut response: Response) -> Response {
    *response.status_mut() = status;
    response
}
