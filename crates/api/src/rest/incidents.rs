//! `/api/v1/incidents`: that something is wrong, opened, found and changed. What is done to one is in `incident_acts`, what is read
//! with one in `incident_reading`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_service::{
    ClientId, IncidentChanges, IncidentStatus, IncidentsRequest, Link, NewIncident, Severity,
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
use crate::rest::envelope::{Data, Record, data};
use crate::rest::incident_record::{IncidentAttributes, IncidentRecord, incident_record};
use crate::rest::members::Members;

pub(crate) type Answer = Result<Json<Data<IncidentRecord>>, Failure>;

/// Which incidents to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list` reads the parameters by their names")]
pub(crate) struct IncidentListParameters {
    client_id: Option<u64>,
    /// Those that began then or later, as in a query.
    from: Option<String>,
    to: Option<String>,
    /// `started`, `acknowledged`, `resolved`, or `open` for the first two; may be repeated.
    status: Option<Vec<String>>,
    rule_id: Option<u64>,
    /// `info`, `warning`, `error` or `critical`; may be repeated.
    severity: Option<Vec<String>>,
    /// `team=db`, or `team` for any value; may be repeated: all of the names, any of the values of one.
    label: Option<Vec<String>>,
    /// Part of the name or the cause, in any case.
    text: Option<String>,
    /// 50 unless given, at most 250.
    per_page: Option<usize>,
    /// From `pagination.next`.
    cursor: Option<String>,
}

/// A page of incidents.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentList {
    data: Vec<IncidentRecord>,
    pagination: IncidentPagination,
}

/// Where the next incidents are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentPagination {
    /// This request, for the next page; null on the last.
    next: Option<String>,
    /// Its `cursor` alone.
    next_cursor: Option<String>,
    /// How many there are on all pages.
    total: usize,
}

impl IncidentList {
    /// How many there are on all pages.
    pub(crate) fn total(&self) -> usize {
        self.pagination.total
    }

    /// The cursor of the next page.
    pub(crate) fn next_cursor(&self) -> Option<&str> {
        self.pagination.next_cursor.as_deref()
    }
}

/// List incidents
///
/// Those that began last first.
#[utoipa::path(
    get, path = "/incidents", tag = "incidents",
    params(IncidentListParameters),
    responses((status = 200, body = IncidentList)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<IncidentList>, Failure> {
    let request = listed(&Parameters::of(&uri))?;
    let page = edge
        .managed(move |service| service.list_incidents(&caller, &request))
        .await?;
    Ok(Json(IncidentList {
        data: page.incidents.iter().map(incident_record).collect(),
        pagination: IncidentPagination {
            next: page
                .next
                .as_ref()
                .map(|cursor| links.with("cursor", cursor)),
            next_cursor: page.next,
            total: page.total,
        },
    }))
}

fn listed(parameters: &Parameters) -> Result<IncidentsRequest, Failure> {
    parameters.only::<IncidentListParameters>()?;
    let whole = "a whole number";
    let text = |name: &str| parameters.first(name).map(str::to_owned);
    Ok(IncidentsRequest {
        client: parameters.parsed("client_id", whole)?.map(ClientId),
        from: text("from"),
        to: text("to"),
        statuses: statuses(parameters)?,
        is_resolved: None,
        is_acknowledged: None,
        rule: parameters.parsed("rule_id", whole)?,
        severities: severities(parameters)?,
        labels: labels(parameters),
        text: text("text"),
        per_page: parameters.parsed("per_page", whole)?,
        page: None,
        cursor: text("cursor"),
    })
}

/// The values of a parameter that may be repeated, or have commas between them.
pub(crate) fn repeated<'p>(
    parameters: &'p Parameters,
    name: &'static str,
) -> impl Iterator<Item = &'p str> {
    let of_name = parameters.iter().filter(move |(other, _)| *other == name);
    let values = of_name.flat_map(|(_, value)| value.split(','));
    values.map(str::trim).filter(|value| !value.is_empty())
}

pub(crate) fn statuses(parameters: &Parameters) -> Result<Vec<IncidentStatus>, Failure> {
    let mut statuses = Vec::new();
    for name in repeated(parameters, "status") {
        match name.to_ascii_lowercase().as_str() {
            "started" => statuses.push(IncidentStatus::Started),
            "acknowledged" => statuses.push(IncidentStatus::Acknowledged),
            "resolved" => statuses.push(IncidentStatus::Resolved),
            "open" => statuses.extend([IncidentStatus::Started, IncidentStatus::Acknowledged]),
            _ => {
                let sentence = format!(
                    "`status` is `{name}` and has to be started, acknowledged, resolved or open"
                );
                return Err(Failure::parameter("status", sentence));
            }
        }
    }
    Ok(statuses)
}

fn severities(parameters: &Parameters) -> Result<Vec<Severity>, Failure> {
    let severities = repeated(parameters, "severity").map(|name| {
        Severity::named(name).ok_or_else(|| {
            let sentence = format!("`severity` is `{name}` and has to be {SEVERITIES}");
            Failure::parameter("severity", sentence)
        })
    });
    severities.collect()
}

const SEVERITIES: &str = "info, warning, error or critical";

/// The labels wanted: several values of one name are any of these.
fn labels(parameters: &Parameters) -> Vec<(String, Vec<String>)> {
    let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
    let labels = parameters.iter().filter(|(name, _)| *name == "label");
    for (_, label) in labels {
        let (name, value) = match label.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (label, None),
        };
        match wanted.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.extend(value),
            None => wanted.push((name.to_owned(), value.into_iter().collect())),
        }
    }
    wanted
}

/// An incident to be opened.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_incident` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewIncidentBody {
    /// A line that says what is wrong.
    name: String,
    /// Why it is opened.
    cause: Option<String>,
    /// `error` unless given, or `info`, `warning`, `critical`.
    severity: Option<String>,
    /// Since when it is so; now unless given.
    started_at: Option<String>,
    /// The query that shows it, with the sources and the range.
    query: Option<String>,
    source_id: Option<Vec<String>>,
    from: Option<String>,
    to: Option<String>,
    /// What to do about it: a URL or a text.
    runbook: Option<String>,
    /// Texts to find it by.
    labels: Option<BTreeMap<String, String>>,
    links: Option<Vec<LinkBody>>,
    assignee: Option<String>,
    /// Ids of channels to tell; the default ones unless given.
    channels: Option<Vec<String>>,
    /// While one with this key is open, that one is the answer, with 200.
    key: Option<String>,
    /// The person for whom it is opened.
    requester: Option<String>,
    client_id: Option<u64>,
}

/// A page that has more about it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `NewIncidentBody`")]
pub(crate) struct LinkBody {
    title: Option<String>,
    /// Of http or https.
    url: String,
}

/// Open an incident
#[utoipa::path(
    post, path = "/incidents", tag = "incidents",
    request_body = NewIncidentBody,
    responses(
        (status = 201, body = Data<Record<IncidentAttributes>>),
        (status = 200, description = "One with its key is open", body = Data<Record<IncidentAttributes>>),
    ),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<IncidentRecord>>), Failure> {
    let new = new_incident(body)?;
    let (incident, is_new) = edge
        .managed(move |service| service.open_incident(&caller, &new))
        .await?;
    let status = match is_new {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, Json(data(incident_record(&incident)))))
}

fn new_incident(body: Map<String, Value>) -> Result<NewIncident, Failure> {
    let mut members = Members::new(body);
    let new = NewIncident {
        client: members.client(),
        name: members.text("name").unwrap_or_default(),
        cause: members.text("cause").unwrap_or_default(),
        severity: severity(&mut members),
        started_at: members.text("started_at"),
        query: members.text("query"),
        sources: members.texts("source_id").unwrap_or_default(),
        from: members.text("from"),
        to: members.text("to"),
        runbook: members.text("runbook"),
        labels: members.texts_by_name("labels").unwrap_or_default(),
        links: incident_links(&mut members).unwrap_or_default(),
        assignee: members.text("assignee"),
        channels: channels(&mut members).unwrap_or_default(),
        key: members.text("key"),
        person: members.text("requester"),
    };
    members.finish()?;
    Ok(new)
}

fn severity(members: &mut Members) -> Option<Severity> {
    let name = members.text("severity")?;
    match Severity::named(&name) {
        Some(severity) => Some(severity),
        None => members.refuse("severity", &format!("has to be {SEVERITIES}")),
    }
}

fn channels(members: &mut Members) -> Option<Vec<u64>> {
    let ids = members.texts("channels")?;
    match ids.iter().map(|id| id.parse().ok()).collect() {
        Some(ids) => Some(ids),
        None => members.refuse("channels", "has to be a list of ids"),
    }
}

fn incident_links(members: &mut Members) -> Option<Vec<Link>> {
    let link = |object: &Map<String, Value>| {
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Link {
            title: text("title").unwrap_or_default(),
            url: text("url")?,
        })
    };
    members.objects(
        "links",
        link,
        "has to be a list of objects with title and url",
    )
}

/// Show an incident
#[utoipa::path(
    get, path = "/incidents/{incident}", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let incident = edge
        .managed(move |service| service.incident(&caller, &id))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}

/// What of an incident to change.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `NewIncidentBody`")]
pub(crate) struct IncidentChangesBody {
    name: Option<String>,
    /// Its channels are told if it is worse than was said.
    severity: Option<String>,
    /// An empty one takes it from everybody.
    assignee: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    links: Option<Vec<LinkBody>>,
}

/// Change an incident
#[utoipa::path(
    patch, path = "/incidents/{incident}", tag = "incidents",
    params(("incident" = String, Path, description = "Its id")),
    request_body = IncidentChangesBody,
    responses((status = 200, body = Data<Record<IncidentAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut members = Members::new(body);
    let changes = IncidentChanges {
        name: members.text("name"),
        severity: severity(&mut members),
        assignee: members.text("assignee"),
        labels: members.texts_by_name("labels"),
        links: incident_links(&mut members),
    };
    members.finish()?;
    let incident = edge
        .managed(move |service| service.update_incident(&caller, &id, &changes))
        .await?;
    Ok(Json(data(incident_record(&incident))))
}

/// Delete an incident
///
/// With its timeline and its events. For admins.
#[utoipa::path(
    delete, path = "/incidents/{incident}", tag = "incidents",
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
