//! `GET` and `POST /api/v1/patterns`: what events say alike.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Uri;
use cordwood_service::{Cancel, PatternsRequest, SearchRequest};
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::parameters::Parameters;
use crate::rest::patterns_answer::PatternsBody;
use crate::rest::query::{CancelOnDrop, posted};
use crate::rest::query_request::{deadline, sources, text};

/// Which events, and how many patterns of them.
#[derive(Debug, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "`patterns_request` reads the parameters by their names, wherever they came from"
)]
pub(crate) struct PatternsParameters {
    /// A filter in the query language, without stages; empty for every event.
    query: Option<String>,
    /// Ids, `src-` ids or names, repeated or with commas between; every source the token may see unless given.
    source_id: Option<Vec<String>>,
    /// The same, by the name Better Stack has for it.
    source_ids: Option<Vec<String>>,
    /// From when, inclusive: RFC 3339, a date, `now-1h`, a UNIX time.
    from: Option<String>,
    /// Until when, inclusive.
    to: Option<String>,
    /// The field whose texts are looked at, `message` unless given.
    field: Option<String>,
    /// Patterns wanted, the commonest first: 50 unless given, at most 1000.
    limit: Option<usize>,
    /// Buckets of the trend at most: 30 unless given, at most 200.
    buckets: Option<usize>,
    /// Only patterns that none of the sources had before this time: RFC 3339, `now-1h`.
    new_since: Option<String>,
    /// How long it may take, 30000 unless given, at most 300000; what is counted by then is answered as incomplete.
    timeout_ms: Option<u64>,
}

/// Count events by what they say alike
#[utoipa::path(
    get, path = "/patterns", tag = "patterns",
    params(PatternsParameters),
    responses((status = 200, body = PatternsBody)),
)]
pub(crate) async fn get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    uri: Uri,
) -> Result<Json<PatternsBody>, Failure> {
    let parameters = Parameters::of(&uri);
    answer(&edge, caller, &parameters, Cancel::default()).await
}

/// Count events by what they say alike
///
/// With the parameters as a JSON object or a form.
#[utoipa::path(
    post, path = "/patterns", tag = "patterns",
    request_body = PatternsParameters,
    responses((status = 200, body = PatternsBody)),
)]
pub(crate) async fn post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    request: Request,
) -> Result<Json<PatternsBody>, Failure> {
    let parameters = posted(request).await?;
    answer(&edge, caller, &parameters, Cancel::default()).await
}

pub(crate) async fn answer(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    parameters: &Parameters,
    cancel: Cancel,
) -> Result<Json<PatternsBody>, Failure> {
    let request = patterns_request(parameters)?;
    let service = edge.ready()?;
    let _gone = CancelOnDrop(cancel.clone());
    let found = edge
        .query
        .run(move || service.patterns(&caller, &request, &cancel));
    Ok(Json(PatternsBody::of(found.await??)))
}

fn patterns_request(parameters: &Parameters) -> Result<PatternsRequest, Failure> {
    parameters.only::<PatternsParameters>()?;
    Ok(PatternsRequest {
        search: SearchRequest {
            query: parameters.first("query").unwrap_or_default().to_owned(),
            sources: sources(parameters)?,
            from: text(parameters, "from"),
            to: text(parameters, "to"),
            deadline: Some(deadline(parameters)?),
            ..SearchRequest::default()
        },
        field: text(parameters, "field"),
        limit: parameters.parsed("limit", "a whole number of patterns")?,
        buckets: parameters.parsed("buckets", "a whole number of buckets")?,
        new_since: text(parameters, "new_since"),
    })
}
