//! `/api/v1/compactions` and `/api/v1/backups`: work of minutes, started with `POST`, watched with `GET`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordwood_service::{BackedUp, Compacted, Job};
use serde_json::{Value, json};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::rest::envelope::{data, time};
use crate::rest::members::Members;

type Started = Result<(StatusCode, Json<Value>), Failure>;
type Answer = Result<Json<Value>, Failure>;

/// `POST /compactions`: 202, or 409 while one is running.
pub(crate) async fn compact(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Started {
    let service = edge.ready()?;
    let start = move || service.start_compaction(&caller);
    let job = edge.manage.run(start).await??;
    Ok((StatusCode::ACCEPTED, Json(data(compaction(&job)))))
}

/// `GET /compactions`: the one that runs or the last; null if there was none.
pub(crate) async fn last_compaction(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Answer {
    let service = edge.ready()?;
    let job = edge.manage.run(move || service.compaction(&caller));
    let job = job.await??;
    Ok(Json(data(job.as_ref().map_or(Value::Null, compaction))))
}

/// `POST /backups` with `{"directory": "/path/on/the/server"}`: 202, or 409 while one is running.
pub(crate) async fn back_up(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Started {
    let mut members = Members::new(body);
    let directory = members.text("directory").unwrap_or_default();
    members.finish()?;
    let directory = PathBuf::from(directory);
    let service = edge.ready()?;
    let start = move || service.start_backup(&caller, &directory);
    let job = edge.manage.run(start).await??;
    Ok((StatusCode::ACCEPTED, Json(data(backup(&job)))))
}

/// `GET /backups`: the one that runs or the last; null if there was none.
pub(crate) async fn last_backup(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Answer {
    let service = edge.ready()?;
    let job = edge.manage.run(move || service.backup(&caller)).await??;
    Ok(Json(data(job.as_ref().map_or(Value::Null, backup))))
}

fn compaction(job: &Job<Compacted>) -> Value {
    job_record("compaction", job, |done| {
        json!({
            "merges": done.merges,
            "segments_in": done.segments_in,
            "segments_out": done.segments_out,
            "bytes_in": done.bytes_in,
            "bytes_out": done.bytes_out,
            "events_removed": done.events_removed,
        })
    })
}

fn backup(job: &Job<BackedUp>) -> Value {
    job_record("backup", job, |done| {
        json!({
            "directory": done.directory,
            "segments": done.segments,
            "bytes": done.bytes,
            "events": done.events,
        })
    })
}

fn job_record<T>(kind: &str, job: &Job<T>, result: impl Fn(&T) -> Value) -> Value {
    let (state, error) = match &job.outcome {
        None => ("running", None),
        Some(Ok(_)) => ("done", None),
        Some(Err(reason)) => ("failed", Some(reason)),
    };
    let done = job
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.as_ref().ok());
    json!({"type": kind, "attributes": {
        "state": state,
        "started_at": time(job.started_at),
        "finished_at": job.finished_at.map(time),
        "bytes_done": job.bytes_done,
        "error": error,
        "result": done.map(result),
    }})
}
