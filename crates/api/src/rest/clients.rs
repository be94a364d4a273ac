//! `/api/v1/clients`: those the organisation looks after; sources and tokens belong to them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::rest::envelope::{Attributes, Page, Record, list as envelope_list, record};
use crate::rest::times::RecordTime;

/// A client of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Client {
    name: String,
    created_at: RecordTime,
}

impl Attributes for Client {
    const TYPE: &'static str = "client";
}

/// List the clients the token may see
#[utoipa::path(
    get, path = "/clients", tag = "clients",
    responses((status = 200, body = Page<Record<Client>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<Record<Client>>>, Failure> {
    let clients = edge
        .managed(move |service| service.list_clients(&caller))
        .await?;
    let records = clients.into_iter().map(|client| {
        let attributes = Client {
            name: client.name,
            created_at: RecordTime(client.created_at),
        };
        record(client.id, attributes)
    });
    Ok(Json(envelope_list(records, &links)))
}
