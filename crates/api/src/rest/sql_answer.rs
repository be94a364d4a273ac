//! The answer to a statement: of JSON `{"data": […], "meta": {…}}`, else the rows alone, and in headers whether they are all.

use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cordwood_service::{SqlAnswer, SqlFormat};
use serde_json::{Value, json};

/// `false` when events may be missing.
const X_CORDWOOD_COMPLETE: HeaderName = HeaderName::from_static("x-cordwood-complete");
/// `true` when there are more rows than these.
const X_CORDWOOD_MORE: HeaderName = HeaderName::from_static("x-cordwood-more");

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
    let meta = meta(&answer).to_string();
    let mut body = b"{\"data\":".to_vec();
    body.append(&mut answer.body);
    body.extend_from_slice(b",\"meta\":");
    body.extend_from_slice(meta.as_bytes());
    body.push(b'}');
    body
}

fn meta(answer: &SqlAnswer) -> Value {
    let account = &answer.account;
    let columns = answer.columns.iter();
    let columns: Value = columns
        .map(|column| json!({"name": column.name, "type": column.type_name}))
        .collect();
    json!({
        "columns": columns,
        "rows": answer.rows,
        "more": answer.more,
        "complete": account.incomplete_reason.is_none(),
        "incomplete_reason": account.incomplete_reason,
        "rows_scanned": account.rows_scanned,
        "bytes_scanned": account.bytes_scanned,
        "blocks_total": account.blocks_total,
        "blocks_pruned": account.blocks_pruned,
        "took_ms": (account.elapsed.as_secs_f64() * 1e6).round() / 1e3,
    })
}
