//! `POST /api/v1/sources/{source}/events`: the same ingest for a caller with an API token, as
//! `cordwood import` uses it; answers what became of the events.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use cordwood_service::{Outcome, Payload};
use serde_json::{Value, json};

use crate::authentication::Authenticated;
use crate::body::{self, BODY_BYTES_MAX};
use crate::edge::Edge;
use crate::failure::Failure;
use crate::ingest::payload;
use crate::json_body::unread;
use crate::parameters::Parameters;

/// Reasons listed one by one; beyond, they are counted.
const REJECTIONS_LISTED_MAX: usize = 100;

/// `POST /sources/{source}/events?format=lines&dt_field=`.
pub(crate) async fn import(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    request: Request,
) -> Result<Json<Value>, Response> {
    let (parts, mut body) = request.into_parts();
    let outcome = async {
        let payload = described(payload(&parts.headers), &Parameters::of(&parts.uri))?;
        let service = edge.ready()?;
        let place = edge.ingest.place()?;
        let read = body::read(&mut body, BODY_BYTES_MAX).await;
        let payload = Payload {
            body: read.map_err(unread)?,
            ..payload
        };
        let outcome = place.run(move || service.ingest_as(&caller, &source, payload));
        Ok::<Outcome, Failure>(outcome.await??)
    };
    match outcome.await {
        Ok(outcome) => {
            edge.counters.count_ingest(&outcome);
            Ok(Json(counts(&outcome)))
        }
        Err(failure) => {
            body::drain(&parts.headers, body).await;
            Err(failure.into_response())
        }
    }
}

fn described(payload: Payload, parameters: &Parameters) -> Result<Payload, Failure> {
    parameters.only(&["format", "dt_field"])?;
    let lines = match parameters.first("format") {
        None | Some("auto") => false,
        Some("lines") => true,
        Some(other) => {
            let sentence = format!("`format` is `{other}` and has to be `lines` or `auto`");
            return Err(Failure::parameter("format", sentence));
        }
    };
    Ok(Payload {
        lines,
        dt_field: parameters.first("dt_field").map(str::to_owned),
        ..payload
    })
}

fn counts(outcome: &Outcome) -> Value {
    let listed = outcome.rejected.iter().take(REJECTIONS_LISTED_MAX);
    let listed: Vec<Value> = listed
        .map(|rejected| json!({"index": rejected.index, "reason": rejected.reason}))
        .collect();
    json!({"data": {
        "source_id": outcome.source.to_string(),
        "accepted": outcome.accepted,
        "rejected": outcome.rejected_count,
        "rejections": listed,
        "duplicate": outcome.duplicate,
    }})
}
