//! `/api/v1/silences`: what holds back the notices of incidents, for whom and until when.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use cordwood_service::{NewSilence, Silence, SilenceChanges, SilenceState, SilencedClients};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Attributes, Data, Page, Record, data, list as page, record};
use crate::rest::members::Members;
use crate::rest::times::RecordTime;

/// A silence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SilenceAttributes {
    /// `active` now, `coming` later or at another hour, or `ended`.
    state: &'static str,
    /// Until when it mutes, while it does.
    lasts_until: Option<RecordTime>,
    /// Null for one of the provider, for all clients.
    client_id: Option<String>,
    /// All must fit: `{"on": "label", "name": "team", "is": "pay*"}`, `{"on": "group", "field": "host", "is": "web-*"}`,
    /// `{"on": "rule", "is": "disk*"}`, `{"on": "rule_id", "is": 12}`, `{"on": "severity", "is": "info"}`; empty for everything.
    matchers: Vec<Value>,
    starts_at: Option<RecordTime>,
    ends_at: Option<RecordTime>,
    /// `{"days": ["sat"], "from": "22:00", "to": "06:00", "time_zone": "Europe/Berlin"}`, or null.
    weekly: Option<Value>,
    /// What is as bad as this, or worse, is told all the same.
    lets_pass: Option<Value>,
    comment: String,
    /// The name of the API token that made it.
    author: String,
    created_at: RecordTime,
    /// When somebody ended it.
    ended_at: Option<RecordTime>,
}

impl Attributes for SilenceAttributes {
    const TYPE: &'static str = "silence";
}

type SilenceRecord = Record<SilenceAttributes>;
type Answer = Result<Json<Data<SilenceRecord>>, Failure>;

/// Which silences to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list` reads the parameters by their names")]
pub(crate) struct SilenceListParameters {
    /// `active`, `coming` or `ended`.
    state: Option<String>,
}

/// List silences
///
/// Those of the clients the token sees and those of the provider, the newest first.
#[utoipa::path(
    get, path = "/silences", tag = "silences",
    params(SilenceListParameters),
    responses((status = 200, body = Page<Record<SilenceAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<Page<SilenceRecord>>, Failure> {
    let parameters = Parameters::of(&uri);
    parameters.only::<SilenceListParameters>()?;
    let state = parameters.first("state").map(state_named).transpose()?;
    let silences = edge
        .managed(move |service| service.list_silences(&caller, state))
        .await?;
    Ok(Json(page(silences.iter().map(silence_record), &links)))
}

fn state_named(name: &str) -> Result<SilenceState, Failure> {
    let mut states = SilenceState::ALL.into_iter();
    states.find(|state| state.name() == name).ok_or_else(|| {
        let sentence = format!("`state` is `{name}` and has to be active, coming or ended");
        Failure::parameter("state", sentence)
    })
}

/// What a silence is of.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read by serde")]
pub(crate) struct MatcherBody {
    /// `label`, `group`, `rule`, `rule_id` or `severity`.
    on: String,
    /// The name of a label.
    name: Option<String>,
    /// The field of a group.
    field: Option<String>,
    /// The value; `*` stands for any characters and `?` for one.
    is: Value,
}

/// Hours that come back every week.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the members are read by serde")]
pub(crate) struct WeeklyBody {
    /// `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`: the days on which it begins.
    days: Vec<String>,
    /// `22:00`
    from: String,
    /// `06:00`, on the next day unless that is later.
    to: String,
    /// `Europe/Berlin`
    time_zone: String,
}

/// A silence to be made.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_silence` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewSilenceBody {
    /// All must fit; without any, everything is muted.
    matchers: Option<Vec<MatcherBody>>,
    /// Now unless given.
    starts_at: Option<String>,
    /// A time as in a query: `now+2h`. Needed unless it is weekly.
    ends_at: Option<String>,
    weekly: Option<WeeklyBody>,
    /// `critical` makes quiet hours: what is as bad as this, or worse, is told all the same.
    lets_pass: Option<String>,
    comment: Option<String>,
    client_id: Option<u64>,
    /// For all clients of the provider; with admin access to all of them.
    all_clients: Option<bool>,
}

/// Make a silence
#[utoipa::path(
    post, path = "/silences", tag = "silences",
    request_body = NewSilenceBody,
    responses((status = 201, body = Data<Record<SilenceAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<SilenceRecord>>), Failure> {
    let new = new_silence(body)?;
    let silence = edge
        .managed(move |service| service.create_silence(&caller, &new))
        .await?;
    Ok((StatusCode::CREATED, Json(data(silence_record(&silence)))))
}

fn new_silence(body: Map<String, Value>) -> Result<NewSilence, Failure> {
    let mut members = Members::new(body);
    let client = members.client();
    let is_for_all = members.boolean("all_clients").unwrap_or_default();
    if is_for_all && client.is_some() {
        members.refuse::<()>("client_id", "can't be given with all_clients");
    }
    let new = NewSilence {
        clients: match is_for_all {
            true => SilencedClients::All,
            false => SilencedClients::One(client),
        },
        matchers: members.read("matchers").unwrap_or_default(),
        starts_at: members.text("starts_at"),
        ends_at: members.text("ends_at"),
        weekly: members.read("weekly"),
        lets_pass: members.read("lets_pass"),
        comment: members.text("comment").unwrap_or_default(),
    };
    members.finish()?;
    Ok(new)
}

/// Show a silence
#[utoipa::path(
    get, path = "/silences/{silence}", tag = "silences",
    params(("silence" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<SilenceAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let silence = edge
        .managed(move |service| service.silence(&caller, &id))
        .await?;
    Ok(Json(data(silence_record(&silence))))
}

/// What of a silence to change.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "as in `NewSilenceBody`")]
pub(crate) struct SilenceChangesBody {
    ends_at: Option<String>,
    comment: Option<String>,
}

/// Change when a silence ends, or what it is for
#[utoipa::path(
    patch, path = "/silences/{silence}", tag = "silences",
    params(("silence" = String, Path, description = "Its id")),
    request_body = SilenceChangesBody,
    responses((status = 200, body = Data<Record<SilenceAttributes>>)),
)]
pub(crate) async fn update(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Answer {
    let mut members = Members::new(body);
    let changes = SilenceChanges {
        ends_at: members.text("ends_at"),
        comment: members.text("comment"),
    };
    members.finish()?;
    let silence = edge
        .managed(move |service| service.update_silence(&caller, &id, &changes))
        .await?;
    Ok(Json(data(silence_record(&silence))))
}

/// End a silence now
///
/// What it muted and is still open is told.
#[utoipa::path(
    post, path = "/silences/{silence}/end", tag = "silences",
    params(("silence" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<SilenceAttributes>>)),
)]
pub(crate) async fn end(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let silence = edge
        .managed(move |service| service.end_silence(&caller, &id))
        .await?;
    Ok(Json(data(silence_record(&silence))))
}

/// End a silence now, as `/end` does
///
/// Its record is kept for 90 days after its end.
#[utoipa::path(
    delete, path = "/silences/{silence}", tag = "silences",
    params(("silence" = String, Path, description = "Its id")),
    responses((status = 204, description = "Ended")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.end_silence(&caller, &id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn silence_record(silence: &Silence) -> SilenceRecord {
    let said = &silence.silence;
    let attributes = SilenceAttributes {
        state: silence.state.name(),
        lasts_until: silence.lasts_until.map(RecordTime),
        client_id: silence.client.map(|client| client.to_string()),
        matchers: said.matchers.iter().map(|matcher| json!(matcher)).collect(),
        starts_at: said.starts_at.map(RecordTime),
        ends_at: said.ends_at.map(RecordTime),
        weekly: said.weekly.as_ref().map(|weekly| json!(weekly)),
        lets_pass: said.lets_pass.map(|severity| json!(severity)),
        comment: silence.comment.clone(),
        author: silence.author.clone(),
        created_at: RecordTime(silence.created_at),
        ended_at: silence.ended_at.map(RecordTime),
    };
    record(silence.id, attributes)
}
