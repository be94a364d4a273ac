//! `/api/v1/clients`: those the organisation looks after; sources and tokens belong to them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::rest::envelope::{list as envelope_list, record, time};

/// `GET /clients`.
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Value>, Failure> {
    let service = edge.ready()?;
    let clients = edge.manage.run(move || service.list_clients(&caller));
    let clients = clients.await??;
    let records = clients.iter().map(|client| {
        let attributes = json!({"name": client.name, "created_at": time(client.created_at)});
        record("client", client.id, attributes)
    });
    Ok(Json(envelope_list(records.collect(), &links)))
}
