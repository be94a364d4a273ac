//! `GET /health` and `GET /metrics`: for machines that watch this one. They need no token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::edge::Edge;
use crate::failure::Failure;
use crate::metrics;

/// 200 once events are taken and found; else 503 with the state: `starting`, `read_only`, `failed`.
pub(crate) async fn health(State(edge): State<Arc<Edge>>) -> Response {
    let Some(service) = edge.service() else {
        let body = json!({"status": "starting", "problems": []});
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    };
    let health = service.health();
    let (status, state) = match (health.can_read, health.can_write) {
        (true, true) => (StatusCode::OK, "ok"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "read_only"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    let body = json!({
        "status": state,
        "problems": health.problems,
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

/// All counters, in the text format of Prometheus.
pub(crate) async fn metrics(State(edge): State<Arc<Edge>>) -> Result<Response, Failure> {
    let mut text = metrics::text(&edge);
    if let Some(service) = edge.service().cloned() {
        text.push_str(&edge.manage.run(move || service.metrics_text()).await?);
    }
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, text).into_response())
}
