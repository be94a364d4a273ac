//! `/api/v1/saved-queries`: queries under a name. `GET /api/v1/query?saved_query=` asks one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cordwood_service::{Order, SavedQuery, SavedQueryChanges, Visibility};
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{Attributes, Data, Page, Record, data, list as page, record};
use crate::rest::members::Members;
use crate::rest::times::RecordTime;

/// A saved query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SavedQueryAttributes {
    name: String,
    description: String,
    query: String,
    /// As written: `now-1h`.
    from: Option<String>,
    to: Option<String>,
    order: &'static str,
    /// The columns to show; empty for those of the answer.
    columns: Vec<String>,
    tags: Vec<String>,
    /// As written; empty for every source.
    source_id: Vec<String>,
    /// `private` to the token that made it, or `shared` with all who see its client.
    visibility: &'static str,
    client_id: String,
    /// The token that made it; null if it was made with the client.
    owner_token_id: Option<String>,
    created_at: RecordTime,
    updated_at: RecordTime,
}

impl Attributes for SavedQueryAttributes {
    const TYPE: &'static str = "saved_query";
}

type SavedQueryRecord = Record<SavedQueryAttributes>;
type Answer = Result<Json<Data<SavedQueryRecord>>, Failure>;

/// What to save; of a saved query, what to change.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`changes` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct SavedQueryBody {
    /// Needed for a new one.
    name: Option<String>,
    description: Option<String>,
    /// In the query language.
    query: Option<String>,
    /// A time as in a query, kept as written; an empty one takes it away.
    from: Option<String>,
    to: Option<String>,
    /// `newest_first` unless given, or `oldest_first`.
    order: Option<String>,
    columns: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    source_id: Option<Vec<String>>,
    /// `private` unless given, or `shared`.
    visibility: Option<String>,
}

/// A new saved query.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `SavedQueryBody`")]
pub(crate) struct NewSavedQueryBody {
    name: String,
    description: Option<String>,
    query: Option<String>,
    from: Option<String>,
    to: Option<String>,
    order: Option<String>,
    columns: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    source_id: Option<Vec<String>>,
    visibility: Option<String>,
    /// The client it belongs to; the first the token sees unless given.
    client_id: Option<u64>,
}

/// List saved queries
///
/// Those that are shared by the clients the token sees, and its own, by name.
#[utoipa::path(
    get, path = "/saved-queries", tag = "saved-queries",
    responses((status = 200, body = Page<Record<SavedQueryAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<SavedQueryRecord>>, Failure> {
    let saved = edge
        .managed(move |service| service.list_saved_queries(&caller))
        .await?;
    Ok(Json(page(saved.iter().map(saved_query_record), &links)))
}

/// Save a query
///
/// A private one can be saved by any token, a shared one by those with write access.
#[utoipa::path(
    post, path = "/saved-queries", tag = "saved-queries",
    request_body = NewSavedQueryBody,
    responses((status = 201, body = Data<Record<SavedQueryAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<SavedQueryRecord>>), Failure> {
    let mut members = Members::new(body);
    let client = members.client();
    let new = changes(members)?;
    let saved = edge
        .managed(move |service| service.create_saved_query(&caller, client, &new))
        .await?;
    let record = Json(data(saved_query_record(&saved)));
    Ok((StatusCode::CREATED, record))
}

/// Show a saved query
#[utoipa::path(
    get, path = "/saved-queries/{saved_query}", tag = "saved-queries",
    params(("saved_query" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Data<Record<SavedQueryAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Answer {
    let saved = edge
        .managed(move |service| service.saved_query(&caller, &name))
        .await?;
    Ok(Json(data(saved_query_record(&saved))))
}

/// Change a saved query
#[utoipa::path(
    patch, path = "/saved-queries/{saved_query}", tag = "saved-queries",
    params(("saved_query" = String, Path, description = "Its id or name")),
    request_body = SavedQueryBody,
    responses((status = 200, body = Data<Record<SavedQueryAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let changes = changes(Members::new(body))?;
    let saved = edge
        .managed(move |service| service.update_saved_query(&caller, &name, &changes))
        .await?;
    Ok(Json(data(saved_query_record(&saved))))
}

/// Delete a saved query
#[utoipa::path(
    delete, path = "/saved-queries/{saved_query}", tag = "saved-queries",
    params(("saved_query" = String, Path, description = "Its id or name")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_saved_query(&caller, &name))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn changes(mut members: Members) -> Result<SavedQueryChanges, Failure> {
    let mut time = |name: &str| {
        let text = members.text(name)?;
        Some((!text.trim().is_empty()).then_some(text))
    };
    let (from, to) = (time("from"), time("to"));
    let order = members.text("order");
    let order = order.and_then(|order| match order.as_str() {
        "newest_first" => Some(Order::NewestFirst),
        "oldest_first" => Some(Order::OldestFirst),
        _ => members.refuse("order", "has to be one of newest_first, oldest_first"),
    });
    let visibility = members.text("visibility");
    let visibility = visibility.and_then(|visibility| match visibility.as_str() {
        "private" => Some(Visibility::Private),
        "shared" => Some(Visibility::Shared),
        _ => members.refuse("visibility", "has to be one of private, shared"),
    });
    let changes = SavedQueryChanges {
        name: members.text("name"),
        description: members.text("description"),
        query: members.text("query"),
        from,
        to,
        order,
        columns: members.texts("columns"),
        tags: members.texts("tags"),
        sources: members.texts("source_id"),
        visibility,
    };
    members.finish()?;
    Ok(changes)
}

fn saved_query_record(saved: &SavedQuery) -> SavedQueryRecord {
    let attributes = SavedQueryAttributes {
        name: saved.name.clone(),
        description: saved.description.clone(),
        query: saved.query.clone(),
        from: saved.from.clone(),
        to: saved.to.clone(),
        order: match saved.order {
            Order::NewestFirst => "newest_first",
            Order::OldestFirst => "oldest_first",
        },
        columns: saved.columns.clone(),
        tags: saved.tags.clone(),
        source_id: saved.sources.clone(),
        visibility: match saved.visibility {
            Visibility::Private => "private",
            Visibility::Shared => "shared",
        },
        client_id: saved.client.to_string(),
        owner_token_id: saved.owner.map(|owner| owner.to_string()),
        created_at: RecordTime(saved.created_at),
        updated_at: RecordTime(saved.updated_at),
    };
    record(saved.id, attributes)
}
