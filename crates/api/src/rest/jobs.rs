//! `/api/v1/compactions` and `/api/v1/backups`: work of minutes, started with `POST`, watched with `GET`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cordwood_service::{BackedUp, Compacted, Job};
use serde::Serialize;
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::rest::envelope::{Anonymous, Attributes, Data, anonymous, data};
use crate::rest::members::read_members;
use crate::rest::times::RecordTime;

type Compaction = Anonymous<CompactionAttributes>;
type Backup = Anonymous<BackupAttributes>;
type Started<T> = Result<(StatusCode, Json<Data<T>>), Failure>;
type Answer<T> = Result<Json<Data<Option<T>>>, Failure>;

/// How far work has come that takes its time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobProgress {
    /// `running`, `done` or `failed`.
    state: &'static str,
    started_at: RecordTime,
    finished_at: Option<RecordTime>,
    bytes_done: u64,
    /// Why it failed.
    error: Option<String>,
}

/// A compaction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompactionAttributes {
    #[serde(flatten)]
    progress: JobProgress,
    /// What it did, once it is done.
    result: Option<CompactionResult>,
}

/// A backup.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackupAttributes {
    #[serde(flatten)]
    progress: JobProgress,
    /// What it holds, once it is done.
    result: Option<BackupResult>,
}

/// What a compaction did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompactionResult {
    merges: u64,
    segments_in: u64,
    segments_out: u64,
    bytes_in: u64,
    bytes_out: u64,
    events_removed: u64,
}

/// What a backup holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BackupResult {
    /// On the server's machine.
    directory: String,
    segments: u64,
    bytes: u64,
    events: u64,
}

impl Attributes for CompactionAttributes {
    const TYPE: &'static str = "compaction";
}

impl Attributes for BackupAttributes {
    const TYPE: &'static str = "backup";
}

/// Start a compaction
///
/// 409 while one is running.
#[utoipa::path(
    post, path = "/compactions", tag = "maintenance",
    responses((status = 202, body = Data<Anonymous<CompactionAttributes>>)),
)]
pub(crate) async fn compact(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Started<Compaction> {
    let job = edge
        .managed(move |service| service.start_compaction(&caller))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(data(compaction(&job)))))
}

/// Show the compaction that runs, or the last
#[utoipa::path(
    get, path = "/compactions", tag = "maintenance",
    responses((status = 200, body = Data<Option<Anonymous<CompactionAttributes>>>)),
)]
pub(crate) async fn last_compaction(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Answer<Compaction> {
    let job = edge
        .managed(move |service| service.compaction(&caller))
        .await?;
    Ok(Json(data(job.as_ref().map(compaction))))
}

/// Where a backup goes.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`back_up` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewBackupBody {
    /// On the server's machine: empty, or not there yet.
    directory: String,
}

/// Start a backup
///
/// 409 while one is running.
#[utoipa::path(
    post, path = "/backups", tag = "maintenance",
    request_body = NewBackupBody,
    responses((status = 202, body = Data<Anonymous<BackupAttributes>>)),
)]
pub(crate) async fn back_up(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    JsonBody(body): JsonBody,
) -> Started<Backup> {
    let directory = read_members(body, |members| {
        members.text("directory").unwrap_or_default()
    })?;
    let directory = PathBuf::from(directory);
    let job = edge
        .managed(move |service| service.start_backup(&caller, &directory))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(data(backup(&job)))))
}

/// Show the backup that runs, or the last
#[utoipa::path(
    get, path = "/backups", tag = "maintenance",
    responses((status = 200, body = Data<Option<Anonymous<BackupAttributes>>>)),
)]
pub(crate) async fn last_backup(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Answer<Backup> {
    let job = edge.managed(move |service| service.backup(&caller)).await?;
    Ok(Json(data(job.as_ref().map(backup))))
}

fn compaction(job: &Job<Compacted>) -> Compaction {
    let result = job.done().map(|done| CompactionResult {
        merges: done.merges,
        segments_in: done.segments_in,
        segments_out: done.segments_out,
        bytes_in: done.bytes_in,
        bytes_out: done.bytes_out,
        events_removed: done.events_removed,
    });
    let progress = progress(job);
    anonymous(CompactionAttributes { progress, result })
}

fn backup(job: &Job<BackedUp>) -> Backup {
    let result = job.done().map(|done| BackupResult {
        directory: done.directory.display().to_string(),
        segments: done.segments,
        bytes: done.bytes,
        events: done.events,
    });
    let progress = progress(job);
    anonymous(BackupAttributes { progress, result })
}

fn progress<T>(job: &Job<T>) -> JobProgress {
    let (state, error) = match &job.outcome {
        None => ("running", None),
        Some(Ok(_)) => ("done", None),
        Some(Err(reason)) => ("failed", Some(reason.clone())),
    };
    JobProgress {
        state,
        started_at: RecordTime(job.started_at),
        finished_at: job.finished_at.map(RecordTime),
        bytes_done: job.bytes_done,
        error,
    }
}
