//! Bodies of REST requests: a JSON object, whatever of the JSON types it is labelled with.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::body::{self, Unread};
use crate::failure::Failure;

/// A record or a query has no need of more.
const JSON_BYTES_MAX: usize = 1 << 20;

/// The members of the object in the body; an empty body is an empty object.
pub(crate) struct JsonBody(pub(crate) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<JsonBody, Failure> {
        let (parts, mut body) = request.into_parts();
        match media_type(&parts.headers).as_str() {
            "" | "application/json" | "application/vnd.api+json" | "text/json" => {
                let bytes = read(&mut body).await?;
                parse(&bytes).map(JsonBody)
            }
            other => Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!("A body of type `{other}` is not read here."),
            )
            .hint("Send JSON with `Content-Type: application/json`.")),
        }
    }
}

/// The `Content-Type` without its parameters, in lower case; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = value.unwrap_or_default().split(';').next();
    media_type.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads the body of a REST request.
pub(crate) async fn read(body: &mut axum::body::Body) -> Result<Vec<u8>, Failure> {
    body::read(body, JSON_BYTES_MAX).await.map_err(unread)
}

/// The answer to a body that did not come whole.
pub(crate) fn unread(unread: Unread) -> Failure {
    match unread {
        Unread::TooLarge => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body is larger than this endpoint takes.",
        ),
        Unread::Broken => Failure::new(
            StatusCode::BAD_REQUEST,
            "broken_body",
            "The body did not come whole.",
        ),
        Unread::Stalled => Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "stalled_body",
            "The body stopped coming.",
        ),
    }
}

/// Parses a JSON object.
pub(crate) fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Failure> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let invalid = |sentence: String| {
        Failure::new(StatusCode::BAD_REQUEST, "invalid_json", sentence)
            .hint("The body has to be one JSON object.")
    };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(invalid("The body is JSON but no object.".into())),
        Err(error) => Err(invalid(format!("The body is not JSON: {error}."))),
    }
}
