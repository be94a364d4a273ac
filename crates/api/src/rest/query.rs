//! `GET` and `POST /api/v1/query`: find events; `/api/v1/query/explain`, with the same parameters: what that would cost.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::response::Response;
use cordwood_service::Cancel;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::{media_type, parse, read};
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::query_answer::{QueryAnswer, query_answer};
use crate::rest::query_plan::{QueryPlanAnswer, query_plan};
use crate::rest::query_request::{QueryParameters, search_request};

/// Find events
#[utoipa::path(
    get, path = "/query", tag = "query",
    params(QueryParameters),
    responses((status = 200, body = QueryAnswer)),
)]
pub(crate) async fn get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    links: Links,
    uri: Uri,
) -> Result<Response, Failure> {
    search(&edge, caller, &links, &Parameters::of(&uri)).await
}

/// Find events
///
/// With the parameters as a JSON object or a form.
#[utoipa::path(
    post, path = "/query", tag = "query",
    request_body = QueryParameters,
    responses((status = 200, body = QueryAnswer)),
)]
pub(crate) async fn post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    links: Links,
    request: Request,
) -> Result<Response, Failure> {
    search(&edge, caller, &links, &posted(request).await?).await
}

/// Say what a query would do and cost, without asking it
#[utoipa::path(
    get, path = "/query/explain", tag = "query",
    params(QueryParameters),
    responses((status = 200, body = QueryPlanAnswer)),
)]
pub(crate) async fn explain_get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    uri: Uri,
) -> Result<Json<QueryPlanAnswer>, Failure> {
    explain(&edge, caller, &Parameters::of(&uri)).await
}

/// Say what a query would do and cost, without asking it
///
/// With the parameters as a JSON object or a form.
#[utoipa::path(
    post, path = "/query/explain", tag = "query",
    request_body = QueryParameters,
    responses((status = 200, body = QueryPlanAnswer)),
)]
pub(crate) async fn explain_post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    request: Request,
) -> Result<Json<QueryPlanAnswer>, Failure> {
    explain(&edge, caller, &posted(request).await?).await
}

/// The parameters in the body of a request, and those of its URL.
pub(crate) async fn posted(request: Request) -> Result<Parameters, Failure> {
    let (parts, mut body) = request.into_parts();
    let body = read(&mut body).await?;
    let mut parameters = match media_type(&parts.headers).as_str() {
        "application/x-www-form-urlencoded" => Parameters::of_form(&body),
        _ => Parameters::of_json(parse(&body)?)?,
    };
    parameters.append(Parameters::of(&parts.uri));
    Ok(parameters)
}

async fn search(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    links: &Links,
    parameters: &Parameters,
) -> Result<Response, Failure> {
    let request = search_request(parameters)?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let answer = edge
        .query
        .run(move || service.search(&caller, &request, &cancel));
    let answer = answer.await??;
    let next = answer.next.as_ref();
    let next = next.map(|cursor| links.with_parameters(parameters, "cursor", cursor));
    Ok(query_answer(answer, next))
}

async fn explain(
    edge: &Edge,
    Authenticated(caller): Authenticated,
    parameters: &Parameters,
) -> Result<Json<QueryPlanAnswer>, Failure> {
    let request = search_request(parameters)?;
    let service = edge.ready()?;
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let explained = edge
        .query
        .run(move || service.explain_query(&caller, &request, &cancel));
    Ok(Json(query_plan(&explained.await??)))
}

/// The server drops a handler whose connection has closed; the search must then not run on.
pub(crate) struct CancelOnDrop(pub(crate) Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
