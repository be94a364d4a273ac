//! `GET /health` and `GET /metrics`: for machines that watch this one. They need no token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::Edge;
use crate::failure::Failure;
use crate::metrics;

/// How the server does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthBody {
    /// `ok`, `starting`, `read_only` or `failed`.
    status: &'static str,
    /// What is wrong, in sentences.
    problems: Vec<String>,
    version: &'static str,
}

/// Say whether events are taken and found
#[utoipa::path(
    get, path = "/health", tag = "server",
    responses((status = 200, body = HealthBody), (status = 503, body = HealthBody)),
)]
pub(crate) async fn health(State(edge): State<Arc<Edge>>) -> Response {
    let Some(service) = edge.service() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            body("starting", Vec::new()),
        )
            .into_response();
    };
    let health = service.health();
    let (status, state) = match (health.can_read, health.can_write) {
        (true, true) => (StatusCode::OK, "ok"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "read_only"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    (status, body(state, health.problems)).into_response()
}

fn body(status: &'static str, problems: Vec<String>) -> Json<HealthBody> {
    let version = env!("CARGO_PKG_VERSION");
    Json(HealthBody {
        status,
        problems,
        version,
    })
}

/// All counters, in the text format of Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "server",
    responses((status = 200, content_type = "text/plain", body = String)),
)]
pub(crate) async fn metrics(State(edge): State<Arc<Edge>>) -> Result<Response, Failure> {
    let mut text = metrics::text(&edge);
    if let Some(service) = edge.service().cloned() {
        text.push_str(&edge.manage.run(move || service.metrics_text()).await?);
    }
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, text).into_response())
}
