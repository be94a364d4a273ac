//! `/api/v1/sources`: make, list, show, change, delete; and a new token for one.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_service::SourceFilter;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Data, Page, Record, data, page};
use crate::rest::members::read_members;
use crate::rest::source_record::{
    NewSourceBody, SourceAttributes, SourceChangesBody, new_source, source_changes, source_record,
};
use crate::rest::times::RecordTime;

type Source = Record<SourceAttributes>;
type Answer = Result<Json<Data<Source>>, Failure>;

/// Which sources to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list` reads the parameters by their names")]
pub(crate) struct SourceListParameters {
    /// Part of the name, in any case.
    name: Option<String>,
    /// A platform, or an alias of one.
    platform: Option<String>,
    page: Option<usize>,
    /// 50 unless given, at most 250.
    per_page: Option<usize>,
}

/// List sources
#[utoipa::path(
    get, path = "/sources", tag = "sources",
    params(SourceListParameters),
    responses((status = 200, body = Page<Record<SourceAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<Page<Source>>, Failure> {
    let parameters = Parameters::of(&uri);
    let expected = "a whole number from 1";
    let filter = SourceFilter {
        name: parameters.first("name").map(str::to_owned),
        platform: parameters.first("platform").map(str::to_owned),
        page: parameters.parsed("page", expected)?,
        per_page: parameters.parsed("per_page", expected)?,
    };
    let listed = edge
        .managed(move |service| service.list_sources(&caller, &filter))
        .await?;
    let records = listed.sources.iter();
    let records = records.map(|source| source_record(source, None, &links));
    Ok(Json(page(records, &links, listed.page, listed.last_page)))
}

/// Make a source
///
/// Its token is in the answer, this once.
#[utoipa::path(
    post, path = "/sources", tag = "sources",
    request_body = NewSourceBody,
    responses((status = 201, body = Data<Record<SourceAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<Source>>), Failure> {
    let new = new_source(body)?;
    let created = edge
        .managed(move |service| service.create_source(&caller, &new))
        .await?;
    let record = source_record(&created.source, Some(&created.token), &links);
    Ok((StatusCode::CREATED, Json(data(record))))
}

/// Show a source
#[utoipa::path(
    get, path = "/sources/{source}", tag = "sources",
    params(("source" = String, Path, description = "Its id, `src-` id or name")),
    responses((status = 200, body = Data<Record<SourceAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    links: Links,
) -> Answer {
    let source = edge
        .managed(move |service| service.source(&caller, &source))
        .await?;
    Ok(Json(data(source_record(&source, None, &links))))
}

/// Change a source
#[utoipa::path(
    patch, path = "/sources/{source}", tag = "sources",
    params(("source" = String, Path, description = "Its id, `src-` id or name")),
    request_body = SourceChangesBody,
    responses((status = 200, body = Data<Record<SourceAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    links: Links,
    JsonBody(body): JsonBody,
) -> Answer {
    let changes = source_changes(body)?;
    let source = edge
        .managed(move |service| service.update_source(&caller, &source, &changes))
        .await?;
    Ok(Json(data(source_record(&source, None, &links))))
}

/// Delete a source and its events
#[utoipa::path(
    delete, path = "/sources/{source}", tag = "sources",
    params(("source" = String, Path, description = "Its id, `src-` id or name")),
    responses((status = 204)),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_source(&caller, &source))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How a token is rotated.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`rotate_token` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct RotationBody {
    /// How long the tokens before stay good; a day unless given.
    overlap_seconds: Option<u64>,
}

/// Make a new token for a source
///
/// It is in the answer, this once; the old ones stay good for the overlap.
#[utoipa::path(
    post, path = "/sources/{source}/rotate-token", tag = "sources",
    params(("source" = String, Path, description = "Its id, `src-` id or name")),
    request_body = RotationBody,
    responses((status = 200, body = Data<Record<SourceAttributes>>)),
)]
pub(crate) async fn rotate_token(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    links: Links,
    JsonBody(body): JsonBody,
) -> Answer {
    let overlap = read_members(body, |members| members.integer("overlap_seconds").flatten())?;
    let overlap = overlap.map(Duration::from_secs);
    let rotated = edge
        .managed(move |service| service.rotate_source_token(&caller, &source, overlap))
        .await?;
    let mut record = source_record(&rotated.source, Some(&rotated.token), &links);
    record.attributes.old_tokens_expire_at = Some(RecordTime(rotated.old_tokens_expire_at));
    Ok(Json(data(record)))
}
