//! `/api/v1/exports`: all that matches as a file, written in the background, and downloaded from `exports/{id}/file`.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cordwood_service::{Compression, ExportFormat, Formulas, NewExport, Order};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::links::Links;
use crate::rest::envelope::{
    Anonymous, Attributes, Data, Page, Record, anonymous, data, list as page,
};
use crate::rest::export_file::file_answer;
use crate::rest::export_record::{ExportAttributes, ExportRecord, export_record};
use crate::rest::members::Members;

/// What to export.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "`new_export` reads the members one by one, to tell of all mistakes at once"
)]
pub(crate) struct NewExportBody {
    /// Empty for every event. With stages that make a table, the table is exported.
    query: Option<String>,
    /// Ids, `src-` ids or names of sources; every one the token sees unless given.
    source_id: Option<Vec<String>>,
    source_ids: Option<Vec<String>>,
    from: Option<String>,
    to: Option<String>,
    /// `oldest_first` unless given, or `newest_first`.
    order: Option<String>,
    /// `ndjson` unless given, `csv` or `parquet`.
    format: Option<String>,
    /// `none` unless given, `gzip` or `zstd`.
    compression: Option<String>,
    /// Which fields, in order; all unless given.
    fields: Option<Vec<String>>,
    /// What becomes of a text in CSV that a spreadsheet would run: `guard` unless given, which puts an apostrophe before it,
    /// or `keep`.
    csv_formulas: Option<String>,
    /// Whether records are chained and signed; only with `ndjson`.
    evidence: Option<bool>,
}

/// Start an export
#[utoipa::path(
    post, path = "/exports", tag = "exports",
    request_body = NewExportBody,
    responses((status = 202, body = Data<Record<ExportAttributes>>)),
)]
pub(crate) async fn create(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Data<ExportRecord>>), Failure> {
    let new = new_export(body)?;
    let export = edge
        .managed(move |service| service.start_export(&caller, &new))
        .await?;
    let record = Json(data(export_record(&export, &links)));
    Ok((StatusCode::ACCEPTED, record))
}

/// List exports
///
/// The newest first. Files are kept for three days.
#[utoipa::path(
    get, path = "/exports", tag = "exports",
    responses((status = 200, body = Page<Record<ExportAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
) -> Result<Json<Page<ExportRecord>>, Failure> {
    let exports = edge
        .managed(move |service| service.list_exports(&caller))
        .await?;
    let records = exports.iter().map(|export| export_record(export, &links));
    Ok(Json(page(records, &links)))
}

/// Show an export, and how far it is
#[utoipa::path(
    get, path = "/exports/{export}", tag = "exports",
    params(("export" = String, Path, description = "Its id")),
    responses((status = 200, body = Data<Record<ExportAttributes>>)),
)]
pub(crate) async fn show(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    links: Links,
    Path(export): Path<String>,
) -> Result<Json<Data<ExportRecord>>, Failure> {
    let export = edge
        .managed(move |service| service.export(&caller, &export))
        .await?;
    Ok(Json(data(export_record(&export, &links))))
}

/// Cancel an export, or remove one that is over
///
/// One that waits or runs is cancelled and stays listed; one that is over goes with its file.
#[utoipa::path(
    delete, path = "/exports/{export}", tag = "exports",
    params(("export" = String, Path, description = "Its id")),
    responses((status = 204, description = "Cancelled or removed")),
)]
pub(crate) async fn delete(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(export): Path<String>,
) -> Result<StatusCode, Failure> {
    edge.managed(move |service| service.delete_export(&caller, &export))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Download the file of an export
///
/// Takes `Range` and `If-Range`, so that a download that was cut off goes on where it ended. 409 while there is no file.
#[utoipa::path(
    get, path = "/exports/{export}/file", tag = "exports",
    params(
        ("export" = String, Path, description = "Its id"),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "A part of it", content_type = "application/octet-stream", body = Vec<u8>),
    ),
)]
pub(crate) async fn file(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    Path(export): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let file = edge
        .managed(move |service| service.export_file(&caller, &export))
        .await?;
    file_answer(Arc::clone(&edge), file, &headers)
}

/// The key that evidence is verified with.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceKeyAttributes {
    /// `Ed25519`.
    algorithm: &'static str,
    /// 64 hexadecimal digits.
    public_key: String,
}

impl Attributes for EvidenceKeyAttributes {
    const TYPE: &'static str = "evidence_key";
}

/// Show the public key of evidence
///
/// Keep it somewhere else: files of evidence are verified with it.
#[utoipa::path(
    get, path = "/evidence-key", tag = "exports",
    responses((status = 200, body = Data<Anonymous<EvidenceKeyAttributes>>)),
)]
pub(crate) async fn evidence_key(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
) -> Result<Json<Data<Anonymous<EvidenceKeyAttributes>>>, Failure> {
    let key = edge
        .managed(move |service| service.evidence_key(&caller))
        .await?;
    Ok(Json(data(anonymous(EvidenceKeyAttributes {
        algorithm: "Ed25519",
        public_key: key.to_string(),
    }))))
}

fn new_export(body: Map<String, Value>) -> Result<NewExport, Failure> {
    let mut members = Members::new(body);
    let mut sources = members.texts("source_id").unwrap_or_default();
    sources.extend(members.texts("source_ids").unwrap_or_default());
    let default = NewExport::default();
    let new = NewExport {
        query: members.text("query").unwrap_or_default(),
        sources,
        from: members.text("from"),
        to: members.text("to"),
        order: order(&mut members).unwrap_or(default.order),
        format: one_of(
            &mut members,
            "format",
            &ExportFormat::ALL.map(ExportFormat::name),
        )
        .unwrap_or_default(),
        compression: one_of(
            &mut members,
            "compression",
            &Compression::ALL.map(Compression::name),
        )
        .unwrap_or_default(),
        fields: members.texts("fields").unwrap_or_default(),
        formulas: one_of(
            &mut members,
            "csv_formulas",
            &Formulas::ALL.map(Formulas::name),
        )
        .unwrap_or_default(),
        evidence: members.boolean("evidence").unwrap_or_default(),
    };
    members.finish()?;
    Ok(new)
}

/// A member that has to be one of some names.
fn one_of<T: FromStr>(members: &mut Members, name: &str, names: &[&str]) -> Option<T> {
    let text = members.text(name)?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(_) => members.refuse(name, &format!("has to be one of {}", names.join(", "))),
    }
}

fn order(members: &mut Members) -> Option<Order> {
    match members.text("order")?.as_str() {
        "oldest_first" => Some(Order::OldestFirst),
        "newest_first" => Some(Order::NewestFirst),
        _ => members.refuse("order", "has to be one of oldest_first, newest_first"),
    }
}
