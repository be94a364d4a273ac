//! What is done to an incident: `/api/v1/incidents/{id}/acknowledge`, `resolve`, `reopen`, `escalate` and `merge`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use cordwood_service::EscalatedTo;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::json_body::JsonBody;
use crate::rest::envelope::{Data, Record, data};
use crate::rest::incident_record::{IncidentAttributes, incident_record};
use crate::rest::incidents::Answer;
use crate::rest::members::{Members, read_members};

/// For whom something is done.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct ActBody {
    /// The person for whom it is done; the name of the API token unless given.
    by: Option<String>,
}

/// Say that somebody takes care of it
#[utoipa::path(
    post, path = "/incidents/{incident}/acknowledge", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = ActBody,
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn acknowledge(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let by = read_members(body, |members| members.text("by"))?;
    let incident = edge
        .managed(move |service| service.acknowledge_incident(&caller, &id, by.as_deref()))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}

/// Say that it is over
#[utoipa::path(
    post, path = "/incidents/{incident}/resolve", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = ActBody,
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn resolve(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let by = read_members(body, |members| members.text("by"))?;
    let incident = edge
        .managed(move |service| service.resolve_incident(&caller, &id, by.as_deref()))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}

/// Say that it is not over after all
///
/// Within 24 hours of its end.
#[utoipa::path(
    post, path = "/incidents/{incident}/reopen", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = ActBody,
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn reopen(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let by = read_members(body, |members| members.text("by"))?;
    let incident = edge
        .managed(move |service| service.reopen_incident(&caller, &id, by.as_deref()))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}

/// To whom.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct EscalateBody {
    /// A team, a person: whatever those who read the timeline understand.
    to: Option<String>,
}

/// Tell its channels again
#[utoipa::path(
    post, path = "/incidents/{incident}/escalate", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = EscalateBody,
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn escalate(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut members = Members::new(body);
    let to = EscalatedTo {
        whom: members.text("to"),
    };
    members.finish()?;
    let incident = edge
        .managed(move |service| service.escalate_incident(&caller, &id, &to))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}

/// What to merge.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct MergeBody {
    /// Ids of the incidents that become a part of this one, at most 100.
    incident_ids: Vec<String>,
}

/// Merge others into it
///
/// They are resolved and point to it; their timelines and events are read with its own.
#[utoipa::path(
    post, path = "/incidents/{incident}/merge", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = MergeBody,
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn merge(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let ids = read_members(body, |members| {
        members.texts("incident_ids").unwrap_or_default()
    })?;
    let incident = edge
        .managed(move |service| service.merge_incidents(&caller, &id, &ids))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}
