//! `GET` and `POST /api/v1/query`: find events; `/api/v1/query/explain`, with the same parameters: what that would cost.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::{Extension, Json};
use cordwood_service::{Caller, Cancel, SearchRequest};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::{media_type, parse, read};
use crate::links::Links;
use crate::parameters::Parameters;
use crate::request_id::RequestId;
use crate::rest::query_answer::{QueryAnswer, query_answer};
use crate::rest::query_plan::{QueryPlanAnswer, query_plan};
use crate::rest::query_request::{QueryParameters, search_request};
use crate::rest::query_stream::{self, QueryProgress, query_stream};

/// Find events
///
/// With `Accept: text/event-stream`, events `progress` tell how far a long search has come; the last one is `answer`, or `failure`.
#[utoipa::path(
    get, path = "/query", tag = "query",
    params(QueryParameters),
    responses((status = 200, content((QueryAnswer = "application/json"), (QueryProgress = "text/event-stream")))),
)]
pub(crate) async fn get(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    links: Links,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    let parameters = Parameters::of(request.uri());
    let asked = Asked::new(caller, links, parameters)?;
    asked.answer(edge, request.headers(), request_id).await
}

/// Find events
///
/// With the parameters as a JSON object or a form; `Accept` as with `GET`.
#[utoipa::path(
    post, path = "/query", tag = "query",
    request_body = QueryParameters,
    responses((status = 200, content((QueryAnswer = "application/json"), (QueryProgress = "text/event-stream")))),
)]
pub(crate) async fn post(
    State(edge): State<Arc<Edge>>,
    caller: Authenticated,
    links: Links,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Failure> {
    let headers = request.headers().clone();
    let asked = Asked::new(caller, links, posted(request).await?)?;
    asked.answer(edge, &headers, request_id).await
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

/// The parameters of a body, as a JSON object or a form, and of the URL.
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

/// A search asked for.
struct Asked {
    caller: Caller,
    links: Links,
    parameters: Parameters,
    request: SearchRequest,
}

impl Asked {
    fn new(
        Authenticated(caller): Authenticated,
        links: Links,
        parameters: Parameters,
    ) -> Result<Asked, Failure> {
        let request = search_request(&parameters)?;
        Ok(Asked {
            caller,
            links,
            parameters,
            request,
        })
    }

    async fn answer(
        self,
        edge: Arc<Edge>,
        headers: &HeaderMap,
        RequestId(request_id): RequestId,
    ) -> Result<Response, Failure> {
        let cancel = Cancel::default();
        let searching = self.search(edge, cancel.clone());
        match query_stream::is_wanted(headers) {
            true => Ok(query_stream(searching, cancel, request_id)),
            false => searching.await,
        }
    }

    async fn search(self, edge: Arc<Edge>, cancel: Cancel) -> Result<Response, Failure> {
        let (caller, request) = (self.caller, self.request);
        let service = edge.ready()?;
        let _gone = CancelOnDrop(cancel.clone());
        let answer = edge
            .query
            .run(move || service.search(&caller, &request, &cancel));
        let answer = answer.await??;
        let next = answer.next.as_ref();
        let next = next.map(|cursor| {
            self.links
                .with_parameters(&self.parameters, "cursor", cursor)
        });
        Ok(query_answer(answer, next))
    }
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
