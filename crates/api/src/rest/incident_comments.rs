//! `/api/v1/incidents/{id}/comments`, and the same under `/api/v2` with the names that Better Stack has for it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cordwood_service::TimelineEntry;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{Attributes, Data, Page, Record, data, list as page, record};
use crate::rest::members::read_members;
use crate::rest::times::RecordTime;

/// Something said of an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommentAttributes {
    content: String,
    /// The number of the API token that wrote it.
    user_id: Option<String>,
    /// Its name.
    user_email: String,
    created_at: RecordTime,
    updated_at: RecordTime,
}

impl Attributes for CommentAttributes {
    const TYPE: &'static str = "incident_comment";
}

type Comment = Record<CommentAttributes>;

/// What to say.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct CommentBody {
    /// At most 10 000 characters.
    content: String,
}

/// List what was said of it
#[utoipa::path(
    get, path = "/incidents/{incident}/comments", tag = "incident-comments",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<Record<CommentAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    links: Links,
) -> Result<Json<Page<Comment>>, Failure> {
    let comments = edge
        .managed(move |service| service.incident_comments(&caller, &id))
        .await?;
    Ok(Json(page(comments.iter().map(comment_record), &links)))
}

/// Say something of it
#[utoipa::path(
    post, path = "/incidents/{incident}/comments", tag = "incident-comments",
    params(("incident" = String, Path, description = "Its id")),
    request_body = CommentBody,
    responses((status = 201, body = Data<Record<CommentAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<Comment>>), Failure> {
    let content = read_members(body, |members| members.text("content").unwrap_or_default())?;
    let comment = edge
        .managed(move |service| service.comment_on_incident(&caller, &id, &content))
        .await?;
    Ok((StatusCode::CREATED, Json(data(comment_record(&comment)))))
}

/// Show what was said
#[utoipa::path(
    get, path = "/incidents/{incident}/comments/{comment}", tag = "incident-comments",
    params(
        ("incident" = String, Path, description = "Its id"),
        ("comment" = String, Path, description = "The id of the comment"),
    ),
    responses((status = 200, body = Data<Record<CommentAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path((id, comment)): Path<(String, String)>,
) -> Result<Json<Data<Comment>>, Failure> {
    let comment = edge
        .managed(move |service| service.incident_comment(&caller, &id, &comment))
        .await?;
    Ok(Json(data(comment_record(&comment))))
}

/// Say it otherwise
///
/// With the API token that said it.
#[utoipa::path(
    patch, path = "/incidents/{incident}/comments/{comment}", tag = "incident-comments",
    params(
        ("incident" = String, Path, description = "Its id"),
        ("comment" = String, Path, description = "The id of the comment"),
    ),
    request_body = CommentBody,
    responses((status = 200, body = Data<Record<CommentAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path((id, comment)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Json<Data<Comment>>, Failure> {
    let content = read_members(body, |members| members.text("content").unwrap_or_default())?;
    let comment = edge
        .managed(move |service| service.edit_incident_comment(&caller, &id, &comment, &content))
        .await?;
    Ok(Json(data(comment_record(&comment))))
}

/// Take it back
///
/// With the API token that said it, or with admin access. That there was a comment stays in the timeline.
#[utoipa::path(
    delete, path = "/incidents/{incident}/comments/{comment}", tag = "incident-comments",
    params(
        ("incident" = String, Path, description = "Its id"),
        ("comment" = String, Path, description = "The id of the comment"),
    ),
    responses((status = 204, description = "Taken back")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path((id, comment)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_incident_comment(&caller, &id, &comment))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn comment_record(comment: &TimelineEntry) -> Comment {
    let attributes = CommentAttributes {
        content: comment.entry.text.clone(),
        user_id: comment.entry.token.map(|token| token.0.to_string()),
        user_email: comment.entry.author.clone(),
        created_at: RecordTime(comment.at),
        updated_at: RecordTime(comment.edited_at.unwrap_or(comment.at)),
    };
    record(comment.id.0, attributes)
}
