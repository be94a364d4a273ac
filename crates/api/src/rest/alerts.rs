//! `/api/v1/alerts`: rules that the server checks, and what they would have done in the past.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cordwood_service::{AlertChanges, BackTestRequest, Cancel};
use serde_json::{Map, Value};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::alert_record::{AlertAttributes, AlertRecord, alert_record};
use crate::rest::alert_rule::{self, AlertBody, BackTestBody, NewAlertBody};
use crate::rest::back_test_record::{BackTestAttributes, back_test_record};
use crate::rest::envelope::{Anonymous, Data, Page, Record, anonymous, data, list as page};
use crate::rest::members::Members;
use crate::rest::query::CancelOnDrop;

type Answer = Result<Json<Data<AlertRecord>>, Failure>;

/// List alerts
///
/// Those of the clients the token sees, by name, with how each stands.
#[utoipa::path(
    get, path = "/alerts", tag = "alerts",
    responses((status = 200, body = Page<Record<AlertAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<AlertRecord>>, Failure> {
    let alerts = edge
        .managed(move |service| service.list_alerts(&caller))
        .await?;
    Ok(Json(page(alerts.iter().map(alert_record), &links)))
}

/// Make an alert
///
/// It is checked from now on. `POST /api/v1/alerts/back-test` says beforehand how often it would have fired.
#[utoipa::path(
    post, path = "/alerts", tag = "alerts",
    request_body = NewAlertBody,
    responses((status = 201, body = Data<Record<AlertAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(mut body): JsonBody,
) -> Result<(StatusCode, Json<Data<AlertRecord>>), Failure> {
    let of_rule = alert_rule::taken(&mut body);
    let mut members = Members::new(body);
    let client = members.client();
    alert_rule::require(&mut members, &of_rule);
    let mut new = changes(members, &of_rule)?;
    new.rule = Some(alert_rule::read(Value::Object(of_rule))?);
    let alert = edge
        .managed(move |service| service.create_alert(&caller, client, &new))
        .await?;
    Ok((StatusCode::CREATED, Json(data(alert_record(&alert)))))
}

/// Show an alert
#[utoipa::path(
    get, path = "/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Data<Record<AlertAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Answer {
    let alert = edge
        .managed(move |service| service.alert(&caller, &name))
        .await?;
    Ok(Json(data(alert_record(&alert))))
}

/// Change an alert
///
/// What is not named stays. One that asks something else from now on forgets what it knew.
#[utoipa::path(
    patch, path = "/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "Its id or name")),
    request_body = AlertBody,
    responses((status = 200, body = Data<Record<AlertAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    JsonBody(mut body): JsonBody,
) -> Answer {
    let of_rule = alert_rule::taken(&mut body);
    let mut changes = changes(Members::new(body), &of_rule)?;
    let service = edge.ready()?;
    if !of_rule.is_empty() {
        let (service, caller, name) = (Arc::clone(&service), caller.clone(), name.clone());
        let known = edge.manage.run(move || service.alert(&caller, &name));
        changes.rule = Some(alert_rule::merged(&known.await??.rule, of_rule)?);
    }
    let update = move || service.update_alert(&caller, &name, &changes);
    let alert = edge.manage.run(update).await??;
    Ok(Json(data(alert_record(&alert))))
}

/// Delete an alert
///
/// Its incidents stay.
#[utoipa::path(
    delete, path = "/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "Its id or name")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_alert(&caller, &name))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Back-test an alert
///
/// When it would have fired in the last days, by the code that checks it. Nothing is saved and nobody is told.
#[utoipa::path(
    post, path = "/alerts/back-test", tag = "alerts",
    request_body = BackTestBody,
    responses((status = 200, body = Data<Anonymous<BackTestAttributes>>)),
)]
pub(crate) async fn back_test(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(mut body): JsonBody,
) -> Result<Json<Data<Anonymous<BackTestAttributes>>>, Failure> {
    let of_rule = alert_rule::taken(&mut body);
    let mut members = Members::new(body);
    let mut request = BackTestRequest {
        alert: members.text("alert"),
        client: members.client(),
        days: members
            .integer("days")
            .flatten()
            .map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        deadline: members
            .integer("timeout_ms")
            .flatten()
            .map(Duration::from_millis),
        changes: AlertChanges::default(),
    };
    if request.alert.is_none() {
        alert_rule::require(&mut members, &of_rule);
    }
    request.changes = changes(members, &of_rule)?;
    let service = edge.ready()?;
    request.changes.rule = match (&request.alert, of_rule.is_empty()) {
        (Some(_), true) => None,
        (Some(name), false) => {
            let (service, caller, name) = (Arc::clone(&service), caller.clone(), name.clone());
            let known = edge.manage.run(move || service.alert(&caller, &name));
            Some(alert_rule::merged(&known.await??.rule, of_rule)?)
        }
        (None, _) => Some(alert_rule::read(Value::Object(of_rule))?),
    };
    let cancel = Cancel::default();
    let _gone = CancelOnDrop(cancel.clone());
    let answer = edge
        .query
        .run(move || service.back_test(&caller, &request, &cancel));
    let answer = answer.await??;
    Ok(Json(data(anonymous(back_test_record(&answer)))))
}

/// What is said of the alert beside its rule.
fn changes(mut members: Members, of_rule: &Map<String, Value>) -> Result<AlertChanges, Failure> {
    alert_rule::look_at(&mut members, of_rule);
    let changes = AlertChanges {
        name: members.text("name"),
        description: members.text("description"),
        rule: None,
        sources: members.texts("source_id"),
        channels: alert_rule::channels(&mut members),
        is_paused: members.boolean("paused"),
        ..AlertChanges::default()
    };
    members.finish()?;
    Ok(changes)
}
