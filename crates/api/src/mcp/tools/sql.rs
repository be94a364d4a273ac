//! `logs_sql`: a statement of SQL over events.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use cordwood_service::Access;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, list, number, text, with_scope};
use crate::mcp::tool::{Call, Tool, body_of};
use crate::rest::sql;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_sql",
    title: "Run SQL",
    description: "Run one SELECT over the tables of sources. For joins and windows; counting is quicker with logs_stats.",
    access: Access::Read,
    input,
    output: list,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "query": text("The statement; a table is named by the `table_name` of a source"),
        "limit": number("Rows at most (default 100)"),
    }));
    arguments(properties, &["query"])
}

/// Rows unless asked otherwise.
const ROWS_DEFAULT: u64 = 100;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    call.arguments.entry("limit").or_insert(ROWS_DEFAULT.into());
    let body = Value::Object(call.arguments.clone()).to_string();
    let request = Request::post("/")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(|error| Failure::parameter("query", error.to_string()))?;
    let (edge, caller) = (State(call.edge.clone()), call.authenticated());
    let answered = sql::post(edge, caller, request).await?;
    Ok(Answer::of_rest(&body_of(answered).await?))
}
