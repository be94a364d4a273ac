//! `/api/v2/explorations/{exploration}/alerts` and `/api/v2/alerts`: the same alerts as under `/api/v1`, with the names that Better Stack has for
//! them. An exploration is a saved query; an alert that is made for one measures what that shows.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_service::{
    Alert, AlertChanges, Caller, Error, PER_PAGE_DEFAULT, PER_PAGE_MAX, Service, query_of_rule,
};
use serde_json::{Map, Value};
use utoipa::IntoParams;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Data, Page, Record, data, list as whole, page};
use crate::rest::exploration_alert_body::{ExplorationAlertBody, Said};
use crate::rest::exploration_alert_record::{
    ExplorationAlertAttributes, ExplorationAlertRecord, exploration_alert_record,
};
use crate::rest::members::Members;

type Answer = Result<Json<Data<ExplorationAlertRecord>>, Failure>;

/// List the alerts of a saved query as Better Stack does
#[utoipa::path(
    get, path = "/explorations/{exploration}/alerts", tag = "exploration-alerts",
    params(("exploration" = String, Path, description = "The id of a saved query")),
    responses((status = 200, body = Page<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(exploration): Path<String>,
    links: Links,
) -> Result<Json<Page<ExplorationAlertRecord>>, Failure> {
    let service = edge.ready()?;
    let list = move || {
        let saved = service.saved_query(&caller, &exploration)?;
        let mut alerts = service.list_alerts(&caller)?;
        alerts.retain(|alert| alert.saved_query == Some(saved.id));
        let records = alerts.iter().map(|alert| shown(&service, &caller, alert));
        Ok::<_, Error>(records.collect::<Vec<_>>())
    };
    let records = edge.manage.run(list).await??;
    Ok(Json(whole(records.into_iter(), &links)))
}

/// Make an alert on a saved query as with Better Stack
#[utoipa::path(
    post, path = "/explorations/{exploration}/alerts", tag = "exploration-alerts",
    params(("exploration" = String, Path, description = "The id of a saved query")),
    request_body = ExplorationAlertBody,
    responses((status = 201, body = Data<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(exploration): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<ExplorationAlertRecord>>), Failure> {
    let mut members = Members::new(body);
    let said = Said::read(&mut members);
    said.require(&mut members);
    members.finish().map_err(in_their_words)?;
    let service = edge.ready()?;
    let create = move || made(&service, &caller, &exploration, &said);
    let record = edge.manage.run(create).await?.map_err(in_their_words)?;
    Ok((StatusCode::CREATED, Json(data(record))))
}

/// Show an alert on a saved query as Better Stack does
#[utoipa::path(
    get, path = "/explorations/{exploration}/alerts/{alert}", tag = "exploration-alerts",
    params(("exploration" = String, Path, description = "The id of a saved query"), ("alert" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path((exploration, alert)): Path<(String, String)>,
) -> Answer {
    let service = edge.ready()?;
    let show = move || {
        let alert = of_exploration(&service, &caller, &exploration, &alert)?;
        Ok::<_, Error>(shown(&service, &caller, &alert))
    };
    Ok(Json(data(edge.manage.run(show).await??)))
}

/// Change an alert on a saved query as with Better Stack
///
/// What is not named stays; `metadata` takes the place of all that was there.
#[utoipa::path(
    patch, path = "/explorations/{exploration}/alerts/{alert}", tag = "exploration-alerts",
    params(("exploration" = String, Path, description = "The id of a saved query"), ("alert" = String, Path, description = "Its id")),
    request_body = ExplorationAlertBody,
    responses((status = 200, body = Data<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path((exploration, alert)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Answer {
    let said = read(body)?;
    let service = edge.ready()?;
    let update = move || {
        let alert = of_exploration(&service, &caller, &exploration, &alert)?;
        changed(&service, &caller, &alert, &said)
    };
    let record = edge.manage.run(update).await?.map_err(in_their_words)?;
    Ok(Json(data(record)))
}

/// Delete an alert on a saved query as with Better Stack
#[utoipa::path(
    delete, path = "/explorations/{exploration}/alerts/{alert}", tag = "exploration-alerts",
    params(("exploration" = String, Path, description = "The id of a saved query"), ("alert" = String, Path, description = "Its id")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path((exploration, alert)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let service = edge.ready()?;
    let delete = move || {
        let alert = of_exploration(&service, &caller, &exploration, &alert)?;
        service.delete_alert(&caller, &alert.id.to_string())
    };
    edge.manage.run(delete).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// Which alerts to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list_all` reads the parameters by their names")]
pub(crate) struct AllAlertsParameters {
    page: Option<usize>,
    /// 50 unless given, at most 250.
    per_page: Option<usize>,
    /// Taken and not used: there are no teams.
    team_name: Option<String>,
}

/// List all alerts as Better Stack does
///
/// By name, page by page, those that were made otherwise too.
#[utoipa::path(
    get, path = "/alerts", tag = "alerts",
    params(AllAlertsParameters),
    responses((status = 200, body = Page<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn list_all(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<Page<ExplorationAlertRecord>>, Failure> {
    let parameters = Parameters::of(&uri);
    parameters.only::<AllAlertsParameters>()?;
    let number: Option<usize> = parameters.parsed("page", "a whole number")?;
    let per_page: Option<usize> = parameters.parsed("per_page", "a whole number")?;
    let per_page = per_page.unwrap_or(PER_PAGE_DEFAULT).clamp(1, PER_PAGE_MAX);
    let number = number.unwrap_or(1).max(1);
    let service = edge.ready()?;
    let list = move || {
        let alerts = service.list_alerts(&caller)?;
        let last_page = alerts.len().div_ceil(per_page).max(1);
        let on_page = alerts
            .iter()
            .skip((number - 1).saturating_mul(per_page))
            .take(per_page);
        let records = on_page.map(|alert| shown(&service, &caller, alert));
        Ok::<_, Error>((records.collect::<Vec<_>>(), last_page))
    };
    let (records, last_page) = edge.manage.run(list).await??;
    Ok(Json(page(records.into_iter(), &links, number, last_page)))
}

/// Show an alert as Better Stack does
#[utoipa::path(
    get, path = "/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn show_any(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(alert): Path<String>,
) -> Answer {
    let service = edge.ready()?;
    let show = move || {
        let alert = service.alert(&caller, &alert)?;
        Ok::<_, Error>(shown(&service, &caller, &alert))
    };
    Ok(Json(data(edge.manage.run(show).await??)))
}

/// Change an alert as with Better Stack
///
/// What is not named stays; `metadata` takes the place of all that was there.
#[utoipa::path(
    patch, path = "/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "Its id")),
    request_body = ExplorationAlertBody,
    responses((status = 200, body = Data<Record<ExplorationAlertAttributes>>)),
)]
pub(crate) async fn update_any(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(alert): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let said = read(body)?;
    let service = edge.ready()?;
    let update = move || {
        let alert = service.alert(&caller, &alert)?;
        changed(&service, &caller, &alert, &said)
    };
    let record = edge.manage.run(update).await?.map_err(in_their_words)?;
    Ok(Json(data(record)))
}

/// Delete an alert as with Better Stack
#[utoipa::path(
    delete, path = "/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "Its id")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_any(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(alert): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_alert(&caller, &alert))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(body: Map<String, Value>) -> Result<Said, Failure> {
    let mut members = Members::new(body);
    let said = Said::read(&mut members);
    members.finish().map_err(in_their_words)?;
    Ok(said)
}

fn made(
    service: &Service,
    caller: &Caller,
    exploration: &str,
    said: &Said,
) -> Result<ExplorationAlertRecord, Failure> {
    let saved = service.saved_query(caller, exploration)?;
    let (rule, kept) = said.rule(query_of_rule(&saved.query)?)?;
    let sources = match &said.table {
        None => saved.sources.clone(),
        Some(table) => vec![source_of(service, caller, saved.client, table)?],
    };
    let new = AlertChanges {
        name: said.name.clone(),
        rule: Some(rule),
        sources: Some(sources),
        is_paused: said.is_paused,
        saved_query: Some(saved.id),
        kept: Some(kept),
        ..AlertChanges::default()
    };
    let alert = service.create_alert(caller, Some(saved.client), &new)?;
    Ok(shown(service, caller, &alert))
}

fn changed(
    service: &Service,
    caller: &Caller,
    alert: &Alert,
    said: &Said,
) -> Result<ExplorationAlertRecord, Failure> {
    let (rule, kept) = said.change(&alert.rule, &alert.kept)?;
    let table = said.table.as_ref();
    let source = table.map(|table| source_of(service, caller, alert.client, table));
    let changes = AlertChanges {
        name: said.name.clone(),
        rule: Some(rule),
        sources: source.transpose()?.map(|source| vec![source]),
        is_paused: said.is_paused,
        kept: Some(kept),
        ..AlertChanges::default()
    };
    let alert = service.update_alert(caller, &alert.id.to_string(), &changes)?;
    Ok(shown(service, caller, &alert))
}

/// The id of the source that has a table.
fn source_of(
    service: &Service,
    caller: &Caller,
    client: cordwood_service::ClientId,
    table: &str,
) -> Result<String, Failure> {
    let source = service.source_of_table(caller, client, table);
    let source = source.map_err(|_| Failure::invalid_value("source_variable", "does not exist"))?;
    Ok(source.id.to_string())
}

/// An alert of this saved query. One of another is as one that never was.
fn of_exploration(
    service: &Service,
    caller: &Caller,
    exploration: &str,
    alert: &str,
) -> Result<Alert, Error> {
    let saved = service.saved_query(caller, exploration)?;
    let found = service.alert(caller, alert)?;
    match found.saved_query == Some(saved.id) {
        true => Ok(found),
        false => Err(Error::NotFound {
            kind: "alert",
            name: alert.to_owned(),
            near: Vec::new(),
        }),
    }
}

fn shown(service: &Service, caller: &Caller, alert: &Alert) -> ExplorationAlertRecord {
    let table = match alert.sources.as_slice() {
        [source] => service.source(caller, &source.to_string()).ok(),
        _ => None,
    };
    let table = table.as_ref().map(|source| source.table_name.as_str());
    exploration_alert_record(alert, table)
}

/// What is wrong by attribute, under the names that Better Stack has for what a rule is made of.
fn in_their_words(failure: impl Into<Failure>) -> Failure {
    failure.into().by_attribute(|attribute| {
        let theirs = match attribute {
            "window_s" => "query_period",
            "check_every_s" => "check_period",
            "confirmation_s" => "confirmation_period",
            "recovery_s" => "recovery_period",
            "condition.operator" => "operator",
            "condition.value" | "condition.by_percent" | "condition" => "value",
            "condition.sensitivity" => "anomaly_sensitivity",
            "condition.training_days" => "anomaly_training_range_days",
            "only_groups" => "series_names",
            "except_groups" => "series_names_except",
            "cause" => "incident_cause",
            "labels" => "metadata",
            further if further.starts_with("further_conditions") => "additional_conditions",
            attribute => attribute,
        };
        theirs.to_owned()
    })
}
