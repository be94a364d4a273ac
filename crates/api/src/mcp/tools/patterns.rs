//! `logs_patterns`: what events say alike.

use cordwood_service::Access;
use serde_json::{Value, json};

use super::events;
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, boolean, list, number, text, with_scope};
use crate::mcp::tool::{Call, Tool};
use crate::rest::patterns;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_patterns",
    title: "Group messages by pattern",
    description: "What the events that match say alike: `took <num>ms for <uuid>`, with counts, levels, first and last time and one \
                  example. The quickest way to see what is going on in many events; `new_since` gives only what was never said before.",
    access: Access::Read,
    input,
    output: list,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "query": text("Filter, as in betterstack_query_logs, without stages"),
        "new_since": text("Only patterns first seen at this time or later: `now-1h`, ISO 8601"),
        "field": text("The field looked at, `message` unless given"),
        "limit": number("Patterns at most, the commonest (default 20)"),
        "trend": boolean("Whether to count each by time as well"),
    }));
    arguments(properties, &[])
}

/// Patterns unless asked otherwise: as many as fit with an example each.
const PATTERNS_DEFAULT: u64 = 20;
/// Buckets of a trend: its shape, not its detail.
const BUCKETS: u64 = 12;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let has_trend = call.arguments.remove("trend") == Some(Value::Bool(true));
    call.arguments
        .entry("limit")
        .or_insert(PATTERNS_DEFAULT.into());
    call.arguments.insert("buckets".to_owned(), BUCKETS.into());
    let (parameters, caller) = (call.parameters()?, call.authenticated());
    let found = patterns::answer(&call.edge, caller, &parameters, call.cancel.clone()).await?;
    let mut answer = Answer::of_rest(&found.0);
    if let Some(Value::Array(patterns)) = answer.data_mut() {
        for pattern in patterns {
            if let Some(Value::Object(attributes)) = pattern.get_mut("attributes") {
                attributes.remove("query_may_find_more");
                if !has_trend {
                    attributes.remove("trend");
                }
            }
        }
    }
    if !has_trend {
        answer = answer.told("buckets", Value::Null);
    }
    if answer.data() == &json!([]) {
        let query = parameters.first("query").unwrap_or_default();
        let is_about_new = parameters.first("new_since").is_some();
        let answer = events::with_reasons(answer, &call, query).await?;
        let no_news = "If events match, all their patterns are older than `new_since`.";
        return Ok(answer.next_if(is_about_new.then_some(no_news)));
    }
    Ok(answer.next(
        "`attributes.query` of a pattern, given to betterstack_query_logs, finds its events.",
    ))
}
