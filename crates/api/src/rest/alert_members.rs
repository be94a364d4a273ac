//! `/api/v1/alerts/{alert}/members`: who is expected to send, of an alert on absence, and who is no longer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use cordwood_service::AlertMember;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{Anonymous, Attributes, Data, Page, anonymous, data, list as page};
use crate::rest::members::Members;
use crate::rest::times::RecordTime;

/// A member of a roster.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberAttributes {
    /// The fields it is known by; null where its events do not have the field.
    group: BTreeMap<String, Option<String>>,
    first_seen: RecordTime,
    /// Or up to an hour before.
    last_seen: RecordTime,
    /// While its incident is open.
    silent_since: Option<RecordTime>,
    /// The incident that its retirement resolved.
    resolved_incident_id: Option<String>,
}

impl Attributes for MemberAttributes {
    const TYPE: &'static str = "alert_member";
}

/// List the members of an alert's roster
///
/// Those that sent something in the last days, and are missed when they do not.
#[utoipa::path(
    get, path = "/alerts/{alert}/members", tag = "alerts",
    params(("alert" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Page<Anonymous<MemberAttributes>>)),
)]
pub(crate) async fn members(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    links: Links,
) -> Result<Json<Page<Anonymous<MemberAttributes>>>, Failure> {
    let members = edge
        .managed(move |service| service.alert_members(&caller, &name))
        .await?;
    let records = members.iter().map(|member| member_record(member, None));
    Ok(Json(page(records, &links)))
}

/// Who is expected no longer.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "`retire` reads the members one by one")]
pub(crate) struct RetireBody {
    /// Each field that the alert groups by, with its value: `{"host": "web-3"}`.
    group: BTreeMap<String, Option<String>>,
    /// Why; it stands in the timeline of the incident.
    reason: Option<String>,
}

/// Retire a member of an alert's roster
///
/// It is not missed until it is heard from again, and its incident is resolved.
#[utoipa::path(
    post, path = "/alerts/{alert}/retire", tag = "alerts",
    params(("alert" = String, Path, description = "Its id or name")),
    request_body = RetireBody,
    responses((status = 200, body = Data<Anonymous<MemberAttributes>>)),
)]
pub(crate) async fn retire(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<Data<Anonymous<MemberAttributes>>>, Failure> {
    let mut members = Members::new(body);
    let group = members.read("group").unwrap_or_default();
    let reason = members.text("reason").unwrap_or_default();
    members.finish()?;
    let retired = edge
        .managed(move |service| service.retire_member(&caller, &name, &group, &reason))
        .await?;
    let record = member_record(&retired.member, retired.resolved);
    Ok(Json(data(record)))
}

fn member_record(member: &AlertMember, resolved: Option<u64>) -> Anonymous<MemberAttributes> {
    anonymous(MemberAttributes {
        group: member.group.iter().cloned().collect(),
        first_seen: RecordTime(member.first_seen),
        last_seen: RecordTime(member.last_seen),
        silent_since: member.silent_since.map(RecordTime),
        resolved_incident_id: resolved.map(|incident| incident.to_string()),
    })
}
