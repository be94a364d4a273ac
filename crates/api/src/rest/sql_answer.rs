//! The answer to a statement: of JSON `{"data": […], "meta": {…}}`, else the rows alone, and in headers whether they are all.

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cordwood_service::{SqlAnswer, SqlFormat};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::rest::times::Millis;

/// `false` when events may be missing.
const X_CORDWOOD_COMPLETE: HeaderName = HeaderName::from_static("x-cordwood-complete");
/// `true` when there are more rows than these.
const X_CORDWOOD_MORE: HeaderName = HeaderName::from_static("x-cordwood-more");

/// The answer to a statement, as JSON.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the rows come written from below")]
pub(crate) struct SqlAnswerBody {
    data: Vec<Map<String, Value>>,
    meta: SqlMeta,
}

/// The account of an answer to a statement.
#[derive(Debug, Serialize, ToSchema)]
struct SqlMeta {
    columns: Vec<SqlColumnRecord>,
    rows: usize,
    /// Whether there are more rows than these.
    more: bool,
    complete: bool,
    incomplete_reason: Option<String>,
    rows_scanned: u64,
    bytes_scanned: u64,
    blocks_total: u64,
    blocks_pruned: u64,
    took_ms: Millis,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
struct SqlColumnRecord {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
}

pub(crate) fn sql_answer(answer: SqlAnswer) -> Response {
    let format = answer.format;
    let complete = answer.account.incomplete_reason.is_none().to_string();
    let headers = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (X_CORDWOOD_COMPLETE, complete),
        (X_CORDWOOD_MORE, answer.more.to_string()),
    ];
    let body = match format {
        SqlFormat::Json => enveloped(answer),
        SqlFormat::NdJson | SqlFormat::Csv | SqlFormat::Arrow | SqlFormat::Parquet => answer.body,
    };
    (headers, body).into_response()
}

fn enveloped(mut answer: SqlAnswer) -> Vec<u8> {
    let meta = serde_json::to_vec(&meta(&answer)).expect("what has texts for keys is JSON");
    let mut body = b"{\"data\":".to_vec();
    body.append(&mut answer.body);
    body.extend_from_slice(b",\"meta\":");
    body.extend_from_slice(&meta);
    body.push(b'}');
    body
}

fn meta(answer: &SqlAnswer) -> SqlMeta {
    let account = &answer.account;
    let columns = answer.columns.iter().map(|column| SqlColumnRecord {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
    });
    SqlMeta {
        columns: columns.collect(),
        rows: answer.rows,
        more: answer.more,
        complete: account.incomplete_reason.is_none(),
        incomplete_reason: account.incomplete_reason.clone(),
        rows_scanned: account.rows_scanned,
        bytes_scanned: account.bytes_scanned,
        blocks_total: account.blocks_total,
        blocks_pruned: account.blocks_pruned,
        took_ms: Millis(account.elapsed),
    }
}
