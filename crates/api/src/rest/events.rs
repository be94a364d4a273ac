//! `POST /api/v1/sources/{source}/events`: the same ingest for a caller with an API token, as
//! `cordwood import` uses it; answers what became of the events.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use cordwood_service::{Outcome, Payload};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::body::{self, BODY_BYTES_MAX};
use crate::edge::Edge;
use crate::failure::Failure;
use crate::ingest::payload;
use crate::json_body::unread;
use crate::parameters::Parameters;
use crate::rest::envelope::{Data, data};

/// Reasons listed one by one; beyond, they are counted.
const REJECTIONS_LISTED_MAX: usize = 100;

/// How a body is read.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`described` reads the parameters by their names")]
pub(crate) struct ImportParameters {
    /// `auto`, or `lines`: each line of text is an event, whatever it looks like.
    format: Option<String>,
    /// The field to take the time from, instead of `dt`.
    dt_field: Option<String>,
}

/// What became of the events of a body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    source_id: String,
    accepted: u64,
    rejected: u64,
    /// The first hundred of those rejected.
    rejections: Vec<Rejection>,
    /// Whether the batch key was seen before, and nothing was stored.
    duplicate: bool,
}

/// An event that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rejection {
    /// Its place in the body, from 0.
    index: usize,
    reason: String,
}

/// Send events to a source
///
/// The body is what `POST /` takes: a JSON object or array, NDJSON or MessagePack, compressed or not.
#[utoipa::path(
    post, path = "/sources/{source}/events", tag = "sources",
    params(
        ("source" = String, Path, description = "Its id, `src-` id or name"),
        ImportParameters,
    ),
    request_body(content = Object, description = "Events"),
    responses((status = 200, body = Data<Imported>)),
)]
pub(crate) async fn import(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(source): Path<String>,
    request: Request,
) -> Result<Json<Data<Imported>>, Response> {
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
    parameters.only::<ImportParameters>()?;
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

fn counts(outcome: &Outcome) -> Data<Imported> {
    let listed = outcome.rejected.iter().take(REJECTIONS_LISTED_MAX);
    let listed = listed.map(|rejected| Rejection {
        index: rejected.index,
        reason: rejected.reason.to_string(),
    });
    data(Imported {
        source_id: outcome.source.to_string(),
        accepted: outcome.accepted,
        rejected: outcome.rejected_count,
        rejections: listed.collect(),
        duplicate: outcome.duplicate,
    })
}
