//! `/api/v1/rule-templates`: alerts that a provider gives to its clients, and in what these have drifted from them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use cordwood_service::{
    CarriedTo, ClientId, ClientOfTemplate, RuleTemplateChanges, TemplateClients,
};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::alert_rule::{self, NewRuleTemplateBody, RuleTemplateBody};
use crate::rest::envelope::{Anonymous, Data, Page, Record, data, list as page};
use crate::rest::members::Members;
use crate::rest::rule_template_record::{
    ChangedTemplate, RuleTemplateAttributes, RuleTemplateRecord, TemplateClientAttributes,
    TemplateClientRecord, rule_template_record, template_client_record,
};

type Answer = Result<Json<Data<RuleTemplateRecord>>, Failure>;
type ClientsAnswer = Result<Json<Page<TemplateClientRecord>>, Failure>;

/// List templates of alerts
///
/// All of them for a token of all clients, else those of which its clients have alerts; by name.
#[utoipa::path(
    get, path = "/rule-templates", tag = "rule-templates",
    responses((status = 200, body = Page<Record<RuleTemplateAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<RuleTemplateRecord>>, Failure> {
    let templates = edge
        .managed(move |service| service.list_rule_templates(&caller))
        .await?;
    let records = templates.iter().map(rule_template_record);
    Ok(Json(page(records, &links)))
}

/// Make a template of alerts
///
/// Needs admin access to all clients. Nobody is given an alert by that: `/apply` does it.
#[utoipa::path(
    post, path = "/rule-templates", tag = "rule-templates",
    request_body = NewRuleTemplateBody,
    responses((status = 201, body = Data<Record<RuleTemplateAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(mut body): JsonBody,
) -> Result<(StatusCode, Json<Data<RuleTemplateRecord>>), Failure> {
    let of_rule = alert_rule::taken(&mut body);
    let mut members = Members::new(body);
    alert_rule::require(&mut members, &of_rule);
    let mut new = changes(members, &of_rule)?;
    new.rule = Some(alert_rule::read(Value::Object(of_rule))?);
    let template = edge
        .managed(move |service| service.create_rule_template(&caller, &new))
        .await?;
    let record = Json(data(rule_template_record(&template)));
    Ok((StatusCode::CREATED, record))
}

/// Show a template of alerts
#[utoipa::path(
    get, path = "/rule-templates/{template}", tag = "rule-templates",
    params(("template" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Data<Record<RuleTemplateAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Answer {
    let template = edge
        .managed(move |service| service.rule_template(&caller, &name))
        .await?;
    Ok(Json(data(rule_template_record(&template))))
}

/// Change a template of alerts
///
/// Needs admin access to all clients. The change is carried to alerts that are as the template had them; those that have drifted are left alone
/// unless `carry_to_drifted` is true. The answer says what became of each.
#[utoipa::path(
    patch, path = "/rule-templates/{template}", tag = "rule-templates",
    params(("template" = String, Path, description = "Its id or name")),
    request_body = RuleTemplateBody,
    responses((status = 200, body = ChangedTemplate)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    JsonBody(mut body): JsonBody,
) -> Result<Json<ChangedTemplate>, Failure> {
    let of_rule = alert_rule::taken(&mut body);
    let mut members = Members::new(body);
    let carried_to = match members.boolean("carry_to_drifted") {
        Some(true) => CarriedTo::All,
        Some(false) | None => CarriedTo::Undrifted,
    };
    let mut changes = changes(members, &of_rule)?;
    let service = edge.ready()?;
    if !of_rule.is_empty() {
        let (service, caller, name) = (Arc::clone(&service), caller.clone(), name.clone());
        let known = edge
            .manage
            .run(move || service.rule_template(&caller, &name));
        changes.rule = Some(alert_rule::merged(&known.await??.rule, of_rule)?);
    }
    let update = move || service.update_rule_template(&caller, &name, &changes, carried_to);
    let (template, clients) = edge.manage.run(update).await??;
    Ok(Json(ChangedTemplate {
        data: rule_template_record(&template),
        clients: clients.iter().map(template_client_record).collect(),
    }))
}

/// Delete a template of alerts
///
/// Needs admin access to all clients. Its alerts stay, as their clients' own.
#[utoipa::path(
    delete, path = "/rule-templates/{template}", tag = "rule-templates",
    params(("template" = String, Path, description = "Its id or name")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_rule_template(&caller, &name))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List how clients stand to a template of alerts
///
/// Each client that the token sees: whether it has an alert of it, in what that has drifted, and why it cannot have one.
#[utoipa::path(
    get, path = "/rule-templates/{template}/clients", tag = "rule-templates",
    params(("template" = String, Path, description = "Its id or name")),
    responses((status = 200, body = Page<Anonymous<TemplateClientAttributes>>)),
)]
pub(crate) async fn clients(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    links: Links,
) -> ClientsAnswer {
    let clients = edge
        .managed(move |service| service.rule_template_clients(&caller, &name))
        .await?;
    Ok(told(&clients, &links))
}

/// For which clients.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "`clients_of` reads the members one by one")]
pub(crate) struct TemplateClientsBody {
    /// Ids of clients.
    client_id: Option<Vec<String>>,
    /// All that the token sees.
    all_clients: Option<bool>,
}

/// Give clients an alert of a template
///
/// Those that can have one and have none; the answer says what was done for each, and why not. Others are not held up by one that cannot.
#[utoipa::path(
    post, path = "/rule-templates/{template}/apply", tag = "rule-templates",
    params(("template" = String, Path, description = "Its id or name")),
    request_body = TemplateClientsBody,
    responses((status = 200, body = Page<Anonymous<TemplateClientAttributes>>)),
)]
pub(crate) async fn apply(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    links: Links,
    JsonBody(body): JsonBody,
) -> ClientsAnswer {
    let clients = clients_of(body)?;
    let done = edge
        .managed(move |service| service.apply_rule_template(&caller, &name, &clients))
        .await?;
    Ok(told(&done, &links))
}

/// Put alerts back to what their template has
///
/// Whatever their clients changed; one that is paused stays paused.
#[utoipa::path(
    post, path = "/rule-templates/{template}/put-back", tag = "rule-templates",
    params(("template" = String, Path, description = "Its id or name")),
    request_body = TemplateClientsBody,
    responses((status = 200, body = Page<Anonymous<TemplateClientAttributes>>)),
)]
pub(crate) async fn put_back(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    links: Links,
    JsonBody(body): JsonBody,
) -> ClientsAnswer {
    let clients = clients_of(body)?;
    let done = edge
        .managed(move |service| service.put_back_rule_template(&caller, &name, &clients))
        .await?;
    Ok(told(&done, &links))
}

fn told(clients: &[ClientOfTemplate], links: &Links) -> Json<Page<TemplateClientRecord>> {
    Json(page(clients.iter().map(template_client_record), links))
}

/// The clients that a body names. To mean all of them has to be said.
fn clients_of(body: Map<String, Value>) -> Result<TemplateClients, Failure> {
    let mut members = Members::new(body);
    let named = members.texts("client_id").and_then(|ids| {
        let ids = ids.iter().map(|id| id.trim().parse().ok().map(ClientId));
        match ids.collect::<Option<Vec<ClientId>>>() {
            Some(ids) => Some(ids),
            None => members.refuse("client_id", "has to be a list of ids of clients"),
        }
    });
    let is_for_all = members.boolean("all_clients").unwrap_or_default();
    if is_for_all && named.is_some() {
        members.refuse::<()>("client_id", "can't be given with all_clients");
    }
    members.finish()?;
    Ok(match is_for_all {
        true => TemplateClients::All,
        false => TemplateClients::Named(named.unwrap_or_default()),
    })
}

/// What is said of a template beside its rule.
fn changes(
    mut members: Members,
    of_rule: &Map<String, Value>,
) -> Result<RuleTemplateChanges, Failure> {
    alert_rule::look_at(&mut members, of_rule);
    let changes = RuleTemplateChanges {
        name: members.text("name"),
        description: members.text("description"),
        rule: None,
        sources: members.texts("source_names"),
        channels: alert_rule::channels(&mut members),
        is_for_new_clients: members.boolean("for_new_clients"),
    };
    members.finish()?;
    Ok(changes)
}
