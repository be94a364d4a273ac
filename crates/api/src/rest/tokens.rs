//! `/api/v1/tokens`: API tokens, made, listed and revoked.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cordwood_service::Error;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{Data, Page, Record, data, list as envelope_list};
use crate::rest::token_record::{NewTokenBody, TokenAttributes, new_token, token_record};

/// List API tokens
///
/// All of them; nobody has so many as to need pages.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens",
    responses((status = 200, body = Page<Record<TokenAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<Record<TokenAttributes>>>, Failure> {
    let tokens = edge
        .managed(move |service| service.list_api_tokens(&caller))
        .await?;
    let records = tokens.iter().map(|token| token_record(token, None));
    Ok(Json(envelope_list(records, &links)))
}

/// Make an API token
///
/// Its text is in the answer, this once.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens",
    request_body = NewTokenBody,
    responses((status = 201, body = Data<Record<TokenAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<Record<TokenAttributes>>>), Failure> {
    let new = new_token(body, caller.scope())?;
    let created = edge
        .managed(move |service| service.create_api_token(&caller, &new))
        .await?;
    let record = token_record(&created.api_token, Some(&created.token));
    Ok((StatusCode::CREATED, Json(data(record))))
}

/// Revoke an API token
///
/// It is refused from now on.
#[utoipa::path(
    delete, path = "/tokens/{token}", tag = "tokens",
    params(("token" = String, Path, description = "Its id")),
    responses((status = 204)),
)]
pub(crate) async fn revoke(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(token): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = token.parse().map_err(|_| Error::NotFound {
        kind: "API token",
        name: token,
        near: Vec::new(),
    })?;
    edge.managed(move |service| service.revoke_api_token(&caller, id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
