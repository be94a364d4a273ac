//! `/api/v1/sources`: make, list, show, change, delete; and a new token for one.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_service::SourceFilter;
use serde_json::{Value, json};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{data, page, time};
use crate::rest::members::Members;
use crate::rest::source_record::{new_source, source_changes, source_record};

type Answer = Result<Json<Value>, Failure>;

/// `GET /sources?name=&platform=&page=&per_page=`.
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Answer {
    let parameters = Parameters::of(&uri);
    let expected = "a whole number from 1";
    let filter = SourceFilter {
        name: parameters.first("name").map(str::to_owned),
        platform: parameters.first("platform").map(str::to_owned),
        page: parameters.parsed("page", expected)?,
        per_page: parameters.parsed("per_page", expected)?,
    };
    let service = edge.ready()?;
    let listed = edge
        .manage
        .run(move || service.list_sources(&caller, &filter));
    let listed = listed.await??;
    let records = listed.sources.iter();
    let records = records.map(|source| source_record(source, None, &links));
    Ok(Json(page(
        records.collect(),
        &links,
        listed.page,
        listed.last_page,
    )))
}

/// `POST /sources`: 201, and the only time its token is shown.
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let new = new_source(body)?;
    let service = edge.ready()?;
    let created = edge
        .manage
        .run(move || service.create_source(&caller, &new));
    let created = created.await??;
    let record = source_record(&created.source, Some(&created.token), &links);
    Ok((StatusCode::CREATED, Json(data(record))))
}

/// `GET /sources/{source}`: by id, `src-` id or name.
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    links: Links,
) -> Answer {
    let service = edge.ready()?;
    let source = edge.manage.run(move || service.source(&caller, &source));
    Ok(Json(data(source_record(&source.await??, None, &links))))
}

/// `PATCH /sources/{source}`.
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    links: Links,
    JsonBody(body): JsonBody,
) -> Answer {
    let changes = source_changes(body)?;
    let service = edge.ready()?;
    let update = move || service.update_source(&caller, &source, &changes);
    let source = edge.manage.run(update).await??;
    Ok(Json(data(source_record(&source, None, &links))))
}

/// `DELETE /sources/{source}`: 204.
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
) -> Result<StatusCode, Failure> {
    let service = edge.ready()?;
    let deleted = edge
        .manage
        .run(move || service.delete_source(&caller, &source));
    deleted.await??;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /sources/{source}/rotate-token` with `{"overlap_seconds": 86400}`: the new token is shown
/// this once, the old ones stay good for the overlap.
pub(crate) async fn rotate_token(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    links: Links,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut members = Members::new(body);
    let overlap = members.integer("overlap_seconds").flatten();
    members.finish()?;
    let overlap = overlap.map(Duration::from_secs);
    let service = edge.ready()?;
    let rotate = move || service.rotate_source_token(&caller, &source, overlap);
    let rotated = edge.manage.run(rotate).await??;
    let mut record = source_record(&rotated.source, Some(&rotated.token), &links);
    record["attributes"]["old_tokens_expire_at"] = json!(time(rotated.old_tokens_expire_at));
    Ok(Json(data(record)))
}
