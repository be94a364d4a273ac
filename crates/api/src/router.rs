//! Every path the server knows, and what is done around every request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Extension, Router};
use tower_http::cors::{Any, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::edge::Edge;
use crate::failure::{self, Failure};
use crate::ingest::{X_BATCH_KEY, X_CORDWOOD_DUPLICATE, X_CORDWOOD_REASON, X_CORDWOOD_REJECTED};
use crate::mcp;
use crate::openapi::{Description, Document};
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::rest::{
    alert_checks, alert_members, alerts, audit, channels, clients, complete, deletions, deliveries,
    event, events, exploration_alerts, exports, facets, histogram, incident_acts,
    incident_comments, incident_reading, incidents, jobs, live_tail, patterns, query,
    rule_templates, saved_queries, silences, sources, sql, tail, tokens, trace, uptime_incidents,
    what_changed,
};
use crate::{acknowledge, ingest, openapi, probes, welcome};

/// The whole server, over `edge`.
pub fn router(edge: Arc<Edge>) -> Router {
    let (router, api) = endpoints().split_for_parts();
    mcp::mount(router, &edge)
        .layer(Extension(Document::of(api)))
        .fallback(no_such_endpoint)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&edge), around))
        .with_state(edge)
}

/// Each with its handler and its place in the OpenAPI document. What both versions have is alike, but for alerts; of what v2 added we
/// have the live tail.
fn endpoints() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(ingest_route())
        .routes(routes!(probes::health))
        .routes(routes!(probes::metrics))
        .routes(routes!(openapi::document))
        .routes(routes!(acknowledge::show, acknowledge::acknowledge))
        .nest("/api/v1", sources_routes().merge(rest()))
        .nest(
            "/api/v2",
            sources_routes()
                .routes(routes!(live_tail::get))
                .merge(exploration_routes())
                .merge(uptime_routes())
                .merge(comment_routes()),
        )
        .nest("/api/v3", uptime_routes())
}

/// The layer answers preflights; without a route for their method they would not come to it.
fn ingest_route() -> UtoipaMethodRouter<Arc<Edge>> {
    routes!(welcome::get, ingest::post)
        .map(|route| route.options(async || StatusCode::NO_CONTENT).layer(cors()))
}

fn rest() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(events::import))
        .routes(routes!(clients::list))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(audit::list))
        .routes(routes!(jobs::last_compaction, jobs::compact))
        .routes(routes!(jobs::last_backup, jobs::back_up))
        .routes(routes!(deletions::list, deletions::create))
        .routes(routes!(deletions::show))
        .routes(routes!(exports::list, exports::create))
        .routes(routes!(exports::show, exports::delete))
        .routes(routes!(exports::file))
        .routes(routes!(exports::evidence_key))
        .routes(routes!(query::get, query::post))
        .routes(routes!(query::explain_get, query::explain_post))
        .routes(routes!(patterns::get, patterns::post))
        .routes(routes!(saved_queries::list, saved_queries::create))
        .routes(routes!(
            saved_queries::show,
            saved_queries::update,
            saved_queries::delete
        ))
        .routes(routes!(histogram::histogram_get, histogram::histogram_post))
        .routes(routes!(facets::facets_get, facets::facets_post))
        .routes(routes!(complete::complete))
        .routes(routes!(event::show))
        .routes(routes!(event::context))
        .routes(routes!(trace::of_event))
        .routes(routes!(trace::of_value))
        .routes(routes!(sql::post))
        .routes(routes!(tail::get))
        .routes(routes!(what_changed::get, what_changed::post))
        .merge(incident_routes())
        .merge(comment_routes())
        .merge(alert_routes())
        .merge(template_routes())
        .routes(routes!(silences::list, silences::create))
        .routes(routes!(silences::show, silences::update, silences::delete))
        .routes(routes!(silences::end))
        .merge(channel_routes())
}

fn alert_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list, alerts::create))
        .routes(routes!(alerts::back_test))
        .routes(routes!(alerts::show, alerts::update, alerts::delete))
        .routes(routes!(alert_checks::checks))
        .routes(routes!(alert_members::members))
        .routes(routes!(alert_members::retire))
}

fn template_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(rule_templates::list, rule_templates::create))
        .routes(routes!(
            rule_templates::show,
            rule_templates::update,
            rule_templates::delete
        ))
        .routes(routes!(rule_templates::clients))
        .routes(routes!(rule_templates::apply))
        .routes(routes!(rule_templates::put_back))
}

fn incident_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(incidents::list, incidents::create))
        .routes(routes!(
            incidents::show,
            incidents::update,
            incidents::delete
        ))
        .routes(routes!(incident_acts::acknowledge))
        .routes(routes!(incident_acts::resolve))
        .routes(routes!(incident_acts::reopen))
        .routes(routes!(incident_acts::escalate))
        .routes(routes!(incident_acts::merge))
        .routes(routes!(incident_reading::timeline))
        .routes(routes!(
            incident_reading::events,
            incident_reading::keep_events
        ))
        .routes(routes!(incident_reading::what_changed))
        .routes(routes!(incident_reading::related))
        .routes(routes!(incident_reading::report))
}

fn comment_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(incident_comments::list, incident_comments::create))
        .routes(routes!(
            incident_comments::show,
            incident_comments::update,
            incident_comments::delete
        ))
}

/// Alerts with the names of Better Stack.
fn exploration_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(
            exploration_alerts::list,
            exploration_alerts::create
        ))
        .routes(routes!(
            exploration_alerts::show,
            exploration_alerts::update,
            exploration_alerts::delete
        ))
        .routes(routes!(exploration_alerts::list_all))
        .routes(routes!(
            exploration_alerts::show_any,
            exploration_alerts::update_any,
            exploration_alerts::delete_any
        ))
}

/// Incidents with the names of Better Stack, which has them under `/api/v3`, and had them under `/api/v2`.
fn uptime_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(uptime_incidents::list, uptime_incidents::create))
        .routes(routes!(uptime_incidents::show, uptime_incidents::delete))
        .routes(routes!(uptime_incidents::acknowledge))
        .routes(routes!(uptime_incidents::resolve))
        .routes(routes!(uptime_incidents::reopen))
        .routes(routes!(uptime_incidents::escalate))
        .routes(routes!(uptime_incidents::timeline))
}

fn channel_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(channels::list, channels::create))
        .routes(routes!(channels::show, channels::update, channels::delete))
        .routes(routes!(channels::test))
        .routes(routes!(deliveries::deliveries))
}

fn sources_routes() -> OpenApiRouter<Arc<Edge>> {
    OpenApiRouter::new()
        .routes(routes!(sources::list, sources::create))
        .routes(routes!(sources::show, sources::update, sources::delete))
        .routes(routes!(sources::rotate_token))
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
async fn around(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let request_id = edge.request_ids.of(request.headers());
    request
        .extensions_mut()
        .insert(RequestId(request_id.clone()));
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
