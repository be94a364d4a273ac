//! `/api/v3/incidents`, and `/api/v2/incidents`: the same records as under `/api/v1`, with the names that Better Stack has for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_service::{
    Deed, EscalatedTo, Incident, IncidentEvidence, IncidentStatus, IncidentsRequest, NewIncident,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Attributes, Data, Page, Record, data, list as whole, page, record};
use crate::rest::incident_record::{TimelineAttributes, timeline_record};
use crate::rest::incidents::statuses;
use crate::rest::members::{Members, read_members};
use crate::rest::times::RecordTime;

/// An incident. What a monitor of Better Stack would say of it is null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UptimeIncidentAttributes {
    name: String,
    /// Where what shows it is found: a path of this server.
    url: Option<String>,
    http_method: Option<String>,
    cause: String,
    incident_group_id: Option<String>,
    started_at: RecordTime,
    acknowledged_at: Option<RecordTime>,
    acknowledged_by: Option<String>,
    resolved_at: Option<RecordTime>,
    resolved_by: Option<String>,
    /// `Started`, `Acknowledged` or `Resolved`.
    status: &'static str,
    team_name: Option<String>,
    response_content: Option<String>,
    response_options: Option<String>,
    regions: Vec<String>,
    response_url: Option<String>,
    screenshot_url: Option<String>,
    origin_url: Option<String>,
    escalation_policy_id: Option<String>,
    /// Ids of channels; empty for the default ones.
    channels: Vec<String>,
    /// The labels, each with a list of one value.
    metadata: BTreeMap<String, Vec<String>>,
    severity: &'static str,
}

impl Attributes for UptimeIncidentAttributes {
    const TYPE: &'static str = "incident";
}

type UptimeIncident = Record<UptimeIncidentAttributes>;
type Answer = Result<Json<Data<UptimeIncident>>, Failure>;

/// Which incidents to list; besides, `metadata[NAME]=VALUE`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list` reads the parameters by their names")]
pub(crate) struct UptimeIncidentListParameters {
    /// A date, or a time as in a query.
    from: Option<String>,
    to: Option<String>,
    /// `Started`, `Acknowledged` or `Resolved`; may be repeated.
    status: Option<Vec<String>>,
    #[param(rename = "status[]")]
    statuses: Option<Vec<String>>,
    resolved: Option<bool>,
    acknowledged: Option<bool>,
    page: Option<usize>,
    /// 50 unless given, at most 250.
    per_page: Option<usize>,
    /// Taken and not used: there are no teams.
    team_name: Option<String>,
}

/// List incidents as Better Stack does
#[utoipa::path(
    get, path = "/incidents", tag = "uptime-incidents",
    params(UptimeIncidentListParameters),
    responses((status = 200, body = Page<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<Page<UptimeIncident>>, Failure> {
    let request = listed(&Parameters::of(&uri))?;
    let listed = edge
        .managed(move |service| service.list_incidents(&caller, &request))
        .await?;
    let records = listed.incidents.iter().map(uptime_incident);
    Ok(Json(page(records, &links, listed.page, listed.last_page)))
}

fn listed(parameters: &Parameters) -> Result<IncidentsRequest, Failure> {
    let is_metadata = |name: &str| name.starts_with("metadata[");
    let plain = parameters
        .without(is_metadata)
        .renamed("status[]", "status");
    plain.only::<UptimeIncidentListParameters>()?;
    let metadata = parameters.iter().filter(|(name, _)| is_metadata(name));
    let labels = metadata.map(|(name, value)| {
        let name = name.trim_start_matches("metadata[");
        let name = name.split(']').next().unwrap_or_default();
        (name.to_owned(), vec![value.to_owned()])
    });
    let text = |name: &str| plain.first(name).map(str::to_owned);
    Ok(IncidentsRequest {
        from: text("from"),
        to: text("to"),
        statuses: statuses(&plain)?,
        is_resolved: plain.parsed("resolved", "true or false")?,
        is_acknowledged: plain.parsed("acknowledged", "true or false")?,
        labels: labels.collect(),
        page: plain.parsed("page", "a whole number")?,
        per_page: plain.parsed("per_page", "a whole number")?,
        ..IncidentsRequest::default()
    })
}

/// An incident to be opened. Whom to wake is said by channels: `call`, `sms`, `email`, `push`, `team_wait` and `policy_id` are taken and not
/// used.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_incident` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewUptimeIncidentBody {
    /// For whom it is opened.
    requester_email: Option<String>,
    /// A line that says what is wrong; the summary unless given.
    name: Option<String>,
    /// Why it is opened.
    summary: Option<String>,
    /// More of why.
    description: Option<String>,
    /// Texts, or lists of them.
    metadata: Option<BTreeMap<String, Vec<String>>>,
}

/// Open an incident as with Better Stack
#[utoipa::path(
    post, path = "/incidents", tag = "uptime-incidents",
    request_body = NewUptimeIncidentBody,
    responses((status = 201, body = Data<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<UptimeIncident>>), Failure> {
    let new = new_incident(body)?;
    let (incident, _) = edge
        .managed(move |service| service.open_incident(&caller, &new))
        .await?;
    let record = Json(data(uptime_incident(&incident)));
    Ok((StatusCode::CREATED, record))
}

fn new_incident(body: Map<String, Value>) -> Result<NewIncident, Failure> {
    let mut members = Members::new(body);
    members.ignore(&[
        "call",
        "sms",
        "email",
        "push",
        "critical_alert",
        "team_wait",
        "policy_id",
        "team_name",
        "channels",
    ]);
    let summary = members.text("summary").unwrap_or_default();
    let description = members.text("description").unwrap_or_default();
    let name = members.text("name").filter(|name| !name.trim().is_empty());
    let new = NewIncident {
        name: name.unwrap_or_else(|| summary.clone()),
        cause: match (summary.trim(), description.trim()) {
            (summary, "") => summary.to_owned(),
            ("", description) => description.to_owned(),
            (summary, description) => format!("{summary}\n\n{description}"),
        },
        labels: members.texts_by_name("metadata").unwrap_or_default(),
        person: members.text("requester_email"),
        ..NewIncident::default()
    };
    members.finish()?;
    Ok(new)
}

/// Show an incident as Better Stack does
#[utoipa::path(
    get, path = "/incidents/{incident}", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let incident = edge
        .managed(move |service| service.incident(&caller, &id))
        .await?;
    Ok(Json(data(uptime_incident(&incident))))
}

/// Delete an incident as with Better Stack
#[utoipa::path(
    delete, path = "/incidents/{incident}", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_incident(&caller, &id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For whom it is acknowledged.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct AcknowledgementBody {
    acknowledged_by: Option<String>,
}

/// For whom it is resolved.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct ResolutionBody {
    resolved_by: Option<String>,
}

/// Acknowledge an incident as with Better Stack
#[utoipa::path(
    post, path = "/incidents/{incident}/acknowledge", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = AcknowledgementBody,
    responses((status = 200, body = Data<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn acknowledge(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let by = read_members(body, |members| members.text("acknowledged_by"))?;
    let incident = edge
        .managed(move |service| service.acknowledge_incident(&caller, &id, by.as_deref()))
        .await?;
    Ok(Json(data(uptime_incident(&incident))))
}

/// Resolve an incident as with Better Stack
#[utoipa::path(
    post, path = "/incidents/{incident}/resolve", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = ResolutionBody,
    responses((status = 200, body = Data<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn resolve(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let by = read_members(body, |members| members.text("resolved_by"))?;
    let incident = edge
        .managed(move |service| service.resolve_incident(&caller, &id, by.as_deref()))
        .await?;
    Ok(Json(data(uptime_incident(&incident))))
}

/// Reopen an incident as with Better Stack
#[utoipa::path(
    post, path = "/incidents/{incident}/reopen", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn reopen(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let incident = edge
        .managed(move |service| service.reopen_incident(&caller, &id, None))
        .await?;
    Ok(Json(data(uptime_incident(&incident))))
}

/// To whom. Channels are told again, whoever that is; `call`, `sms`, `email`, `push` and `metadata` are taken and not used.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read one by one")]
pub(crate) struct UptimeEscalateBody {
    /// `User`, `Team`, `Schedule`, `Policy` or `Organization`.
    escalation_type: Option<String>,
    user_email: Option<String>,
    user_id: Option<String>,
    team_name: Option<String>,
    team_id: Option<String>,
    schedule_id: Option<String>,
    policy_id: Option<String>,
}

/// Escalate an incident as with Better Stack
#[utoipa::path(
    post, path = "/incidents/{incident}/escalate", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = UptimeEscalateBody,
    responses((status = 200, body = Data<Record<UptimeIncidentAttributes>>)),
)]
pub(crate) async fn escalate(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut members = Members::new(body);
    members.ignore(&["call", "sms", "email", "push", "critical_alert", "metadata"]);
    let kind = members.text("escalation_type");
    let mut words: Vec<String> = kind.into_iter().collect();
    for name in [
        "user_email",
        "user_id",
        "team_name",
        "team_id",
        "schedule_id",
        "policy_id",
    ] {
        words.extend(members.texts(name).into_iter().flatten());
    }
    let to = EscalatedTo {
        whom: (!words.is_empty()).then(|| words.join(" ")),
    };
    members.finish()?;
    let incident = edge
        .managed(move |service| service.escalate_incident(&caller, &id, &to))
        .await?;
    Ok(Json(data(uptime_incident(&incident))))
}

/// List what happened to an incident, as with Better Stack
#[utoipa::path(
    get, path = "/incidents/{incident}/timeline", tag = "uptime-incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Page<Record<TimelineAttributes>>)),
)]
pub(crate) async fn timeline(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    links: Links,
) -> Result<Json<Page<Record<TimelineAttributes>>>, Failure> {
    let entries = edge
        .managed(move |service| service.incident_timeline(&caller, &id))
        .await?;
    Ok(Json(whole(entries.iter().map(timeline_record), &links)))
}

fn uptime_incident(incident: &Incident) -> UptimeIncident {
    let at = |deed: &Option<Deed>| deed.as_ref().map(|deed| RecordTime(deed.at));
    let by = |deed: &Option<Deed>| deed.as_ref().map(|deed| deed.by.clone());
    let labels = incident.labels.iter();
    let attributes = UptimeIncidentAttributes {
        name: incident.name.clone(),
        url: IncidentEvidence::of(incident).link(),
        http_method: None,
        cause: incident.cause.clone(),
        incident_group_id: incident.merged_into.map(|into| into.0.to_string()),
        started_at: RecordTime(incident.started_at),
        acknowledged_at: at(&incident.acknowledged),
        acknowledged_by: by(&incident.acknowledged),
        resolved_at: at(&incident.resolved),
        resolved_by: by(&incident.resolved),
        status: match incident.status() {
            IncidentStatus::Started => "Started",
            IncidentStatus::Acknowledged => "Acknowledged",
            IncidentStatus::Resolved => "Resolved",
        },
        team_name: None,
        response_content: None,
        response_options: None,
        regions: Vec::new(),
        response_url: None,
        screenshot_url: None,
        origin_url: None,
        escalation_policy_id: None,
        channels: incident.channels.iter().map(u64::to_string).collect(),
        metadata: labels
            .map(|(name, value)| (name.clone(), vec![value.clone()]))
            .collect(),
        severity: incident.severity.name(),
    };
    record(incident.id.0, attributes)
}
