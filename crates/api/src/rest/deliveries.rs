//! `/api/v1/channels/{channel}/deliveries`: what became of each notice, with what was answered to each attempt.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use cordwood_service::{DeliveryState, LoggedDelivery, LoggedNotice};
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Attributes, LogPage, Record, log_page, record};
use crate::rest::times::RecordTime;

/// A notice to a channel, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryAttributes {
    /// `opened`, `acknowledged`, `resolved`, `reopened`, `failing`, `working`, `digest` or `test`.
    kind: Option<&'static str>,
    title: Option<String>,
    severity: Option<&'static str>,
    incident_id: Option<String>,
    rule_id: Option<String>,
    /// `waiting`, `delivered`, `failed` or `digested`.
    state: &'static str,
    /// What receivers see with every attempt.
    idempotency_key: String,
    created_at: RecordTime,
    /// When it is tried next.
    due_at: Option<RecordTime>,
    settled_at: Option<RecordTime>,
    /// The digest that told of it.
    digest_id: Option<String>,
    /// The oldest first.
    attempts: Vec<AttemptAttributes>,
}

/// An attempt to deliver it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttemptAttributes {
    at: RecordTime,
    took_ms: u64,
    /// Of HTTP or SMTP; null if nobody answered.
    status: Option<u16>,
    /// The beginning of what was answered, or why nobody did.
    response: String,
    delivered: bool,
}

impl Attributes for DeliveryAttributes {
    const TYPE: &'static str = "delivery";
}

/// List what became of the notices of a channel
///
/// The newest first; kept for 30 days. That of a channel of the provider needs an admin of all clients.
#[utoipa::path(
    get, path = "/channels/{channel}/deliveries", tag = "channels",
    params(
        ("channel" = String, Path, description = "Its id or name"),
        ("before" = Option<u64>, Query, description = "Only those with a smaller id"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 50 unless given"),
    ),
    responses((status = 200, body = LogPage<Record<DeliveryAttributes>>)),
)]
pub(crate) async fn deliveries(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(name): Path<String>,
    uri: Uri,
    links: Links,
) -> Result<Json<LogPage<Record<DeliveryAttributes>>>, Failure> {
    let parameters = Parameters::of(&uri);
    let before = parameters.parsed::<u64>("before", "the id of a delivery")?;
    let limit = parameters.parsed::<u32>("limit", "a number of 1 to 500")?;
    let page = edge
        .managed(move |service| service.deliveries(&caller, &name, before, limit))
        .await?;
    let records = page.notices.into_iter().map(delivery_record);
    Ok(Json(log_page(records, &links, page.next)))
}

fn delivery_record(logged: LoggedNotice) -> Record<DeliveryAttributes> {
    let notice = logged.notice.as_ref();
    let attributes = DeliveryAttributes {
        kind: notice.map(|notice| notice.kind.name()),
        title: notice.map(|notice| notice.title.clone()),
        severity: notice.map(|notice| notice.severity.name()),
        incident_id: logged.incident.map(|incident| incident.to_string()),
        rule_id: logged.rule.map(|rule| rule.to_string()),
        state: match logged.state {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
            DeliveryState::Digested => "digested",
        },
        idempotency_key: logged.idempotency_key,
        created_at: RecordTime(logged.created_at),
        due_at: logged.due_at.map(RecordTime),
        settled_at: logged.settled_at.map(RecordTime),
        digest_id: logged.digest.map(|digest| digest.to_string()),
        attempts: logged.deliveries.into_iter().map(attempt).collect(),
    };
    record(logged.id, attributes)
}

fn attempt(delivery: LoggedDelivery) -> AttemptAttributes {
    AttemptAttributes {
        at: RecordTime(delivery.at),
        took_ms: delivery.took_ms,
        status: delivery.status,
        response: delivery.response,
        delivered: delivery.is_delivered,
    }
}
