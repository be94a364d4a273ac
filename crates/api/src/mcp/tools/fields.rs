//! `logs_fields`: which fields there are, and their commonest values.

use cordwood_service::Access;
use serde_json::{Value, json};

use super::events;
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, list, number, text, texts, with_scope};
use crate::mcp::tool::{Call, Tool};
use crate::rest::facets;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_fields",
    title: "List fields and values",
    description: "Which fields the events have, in how many, with their commonest values. Ask it before guessing the name of a field.",
    access: Access::Read,
    input,
    output: list,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "query": text("Only of events that match this filter"),
        "field": texts("Only these fields, at most 20; the commonest unless given"),
        "values": number("Values of each (default 5)"),
    }));
    arguments(properties, &[])
}

/// Values unless asked otherwise.
const VALUES_DEFAULT: u64 = 5;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    call.arguments
        .entry("values")
        .or_insert(VALUES_DEFAULT.into());
    let (parameters, caller) = (call.parameters()?, call.authenticated());
    let found = facets::facets(&call.edge, caller, &parameters, call.cancel.clone()).await?;
    let answer = Answer::of_rest(&found.0);
    if answer.member("matches") == &json!(0) {
        let query = parameters.first("query").unwrap_or_default();
        return events::with_reasons(answer, &call, query).await;
    }
    Ok(answer.next("Values of one field by count: logs_stats with stages `top 20 FIELD`."))
}
