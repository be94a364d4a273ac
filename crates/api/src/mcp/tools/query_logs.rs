//! `betterstack_query_logs`: find events.

use cordwood_service::{Access, BATCH_SIZE_DEFAULT, BATCH_SIZE_MAX};
use serde_json::{Value, json};

use super::events;
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, text, with_scope};
use crate::mcp::tool::{Call, Tool};
use crate::rest::query_request::read_search;

pub(crate) const TOOL: Tool = Tool {
    name: "betterstack_query_logs",
    title: "Query logs",
    description: "Find log events. Query: `level:error`, `service:api AND \"connection refused\"`, `host:prod-*`, `status:>=500`, \
                  `NOT path:/health`, `*` for all. Equal events come once, with `_repeated.count`. For counts use logs_stats; for an \
                  overview of what is said, logs_patterns.",
    access: Access::Read,
    input,
    output,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "query": text("Search query"),
        "batch_size": { "type": "integer", "minimum": 1, "maximum": BATCH_SIZE_MAX, "default": BATCH_SIZE_DEFAULT,
            "description": "Number of events at most" },
        "order": { "type": "string", "enum": ["newest_first", "oldest_first"], "default": "newest_first", "description": "Sort order" },
        "cursor": text("`meta.next_cursor` of the answer before, everything else unchanged"),
    }));
    arguments(properties, &["query"])
}

fn output() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "dt": { "type": "string", "description": "ISO 8601" },
                "level": { "type": ["string", "null"] },
                "message": {},
            },
            "required": ["dt"],
        },
    })
}

async fn answer(call: Call) -> Result<Answer, Failure> {
    let request = read_search(&call.parameters()?)?;
    let found = call.search(request).await?;
    Ok(events::found(found, call.budget))
}
