//! `/api/v1/audit`: which tools agents called, with which API token, and what came of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use cordwood_service::{AuditEntry, ToolOutcome};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::authentication::Authenticated;
use crate::edge::Edge;
use crate::failure::Failure;
use crate::links::Links;
use crate::parameters::Parameters;
use crate::rest::envelope::{Attributes, LogPage, Record, log_page, record};
use crate::rest::times::{Millis, RecordTime};

/// A call of a tool.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditAttributes {
    /// When it was over.
    at: RecordTime,
    token_id: String,
    /// The name of the token then.
    token_name: String,
    tool: String,
    /// Its arguments as JSON, of long ones the beginning.
    arguments: String,
    /// `answered`, or the code of the failure.
    outcome: String,
    /// The size of the answer.
    answer_bytes: u64,
    took_ms: Millis,
}

impl Attributes for AuditAttributes {
    const TYPE: &'static str = "tool_call";
}

/// Which entries to list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`list` reads the parameters by their names")]
pub(crate) struct AuditParameters {
    /// Only those with a smaller id.
    before: Option<u64>,
    /// 1 to 500; 50 unless given.
    limit: Option<u32>,
}

/// List the calls of agents
///
/// The newest first, of the API tokens that the token may list; the last 100 000 of all are kept.
#[utoipa::path(
    get, path = "/audit", tag = "audit",
    params(AuditParameters),
    responses((status = 200, body = LogPage<Record<AuditAttributes>>)),
)]
pub(crate) async fn list(
    State(edge): State<Arc<Edge>>,
    Authenticated(caller): Authenticated,
    uri: Uri,
    links: Links,
) -> Result<Json<LogPage<Record<AuditAttributes>>>, Failure> {
    let parameters = Parameters::of(&uri);
    parameters.only::<AuditParameters>()?;
    let before = parameters.parsed::<u64>("before", "the id of an entry")?;
    let limit = parameters.parsed::<u32>("limit", "a number of 1 to 500")?;
    let page = edge
        .managed(move |service| service.audit(&caller, before, limit))
        .await?;
    Ok(Json(log_page(
        page.entries.iter().map(audit_record),
        &links,
        page.next,
    )))
}

fn audit_record(entry: &AuditEntry) -> Record<AuditAttributes> {
    let call = &entry.call;
    let attributes = AuditAttributes {
        at: RecordTime(entry.at),
        token_id: entry.token_id.to_string(),
        token_name: entry.token_name.clone(),
        tool: call.tool.clone(),
        arguments: call.arguments.clone(),
        outcome: match &call.outcome {
            ToolOutcome::Answered => "answered".to_owned(),
            ToolOutcome::Refused(code) => code.clone(),
        },
        answer_bytes: call.answer_bytes,
        took_ms: Millis(call.elapsed),
    };
    record(entry.id, attributes)
}
