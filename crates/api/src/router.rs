//! Every path the server knows, and what is done around every request.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post};
use tower_http::cors::{Any, CorsLayer};

use crate::edge::Edge;
use crate::failure::{self, Failure};
use crate::ingest::{X_BATCH_KEY, X_CORDWOOD_DUPLICATE, X_CORDWOOD_REASON, X_CORDWOOD_REJECTED};
use crate::request_id::X_REQUEST_ID;
use crate::rest::{clients, deletions, events, jobs, query, sources, sql, tail, tokens};
use crate::{ingest, probes, welcome};

/// The whole server, over `edge`.
pub fn router(edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/", ingest_route().layer(cors()))
        .route("/health", get(probes::health))
        .route("/metrics", get(probes::metrics))
        .merge(sources_routes("/api/v1"))
        .merge(sources_routes("/api/v2"))
        .merge(rest())
        .fallback(no_such_endpoint)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&edge), around))
        .with_state(edge)
}

/// The layer answers preflights; without a route for their method they would not come to it.
fn ingest_route() -> MethodRouter<Arc<Edge>> {
    get(welcome::get)
        .post(ingest::post)
        .options(async || StatusCode::NO_CONTENT)
}

fn rest() -> Router<Arc<Edge>> {
    Router::new()
        .route("/api/v1/sources/{source}/events", post(events::import))
        .route("/api/v1/clients", get(clients::list))
        .route("/api/v1/tokens", get(tokens::list).post(tokens::create))
        .route("/api/v1/tokens/{token}", delete(tokens::revoke))
        .route(
            "/api/v1/compactions",
            get(jobs::last_compaction).post(jobs::compact),
        )
        .route(
            "/api/v1/backups",
            get(jobs::last_backup).post(jobs::back_up),
        )
        .route(
            "/api/v1/deletions",
            get(deletions::list).post(deletions::create),
        )
        .route("/api/v1/deletions/{deletion}", get(deletions::show))
        .route("/api/v1/query", get(query::get).post(query::post))
        .route(
            "/api/v1/query/explain",
            get(query::explain_get).post(query::explain_post),
        )
        .route("/api/v1/sql", post(sql::post))
        .route("/api/v1/tail", get(tail::get))
}

/// The same under v1 and v2: of what v2 added we have nothing yet, and what both have is alike.
/// Written out rather than nested, because handlers make links of the path they were asked under.
fn sources_routes(version: &str) -> Router<Arc<Edge>> {
    let sources = format!("{version}/sources");
    let one = get(sources::show)
        .patch(sources::update)
        .delete(sources::delete);
    Router::new()
        .route(&sources, get(sources::list).post(sources::create))
        .route(&format!("{sources}/{{source}}"), one)
        .route(
            &format!("{sources}/{{source}}/rotate-token"),
            post(sources::rotate_token),
        )
}

/// Browsers send events from any page: the token is in the request, there are no cookies to guard.
fn cors() -> CorsLayer {
    /// A day; browsers cap it lower by themselves.
    const PREFLIGHT_MAX_AGE: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, CONTENT_ENCODING, X_BATCH_KEY])
        .expose_headers([
            RETRY_AFTER,
            X_REQUEST_ID,
            X_CORDWOOD_REJECTED,
            X_CORDWOOD_REASON,
            X_CORDWOOD_DUPLICATE,
        ])
        .allow_private_network(true)
        .max_age(PREFLIGHT_MAX_AGE)
}

/// Gives every answer its request id, writes the body of failures, and counts.
async fn around(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let request_id = edge.request_ids.of(request.headers());
    let response = next.run(request).await;
    let mut response = failure::finish(response, &request_id);
    response.headers_mut().insert(X_REQUEST_ID, request_id);
    edge.counters.count_answer(response.status());
    response
}

/// Asked before any token is looked at, as Better Stack does.
async fn no_such_endpoint(method: Method, uri: Uri) -> Failure {
    let sentence = format!("Endpoint {method} {} does not exist.", uri.path());
    Failure::new(StatusCode::NOT_FOUND, "no_such_endpoint", sentence)
}

async fn no_such_method(method: Method, uri: Uri) -> Failure {
    let sentence = format!("{} cannot be asked with {method}.", uri.path());
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        sentence,
    )
}
