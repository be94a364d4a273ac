//! `betterstack_list_sources`: which systems send logs.

use cordwood_service::{Access, Source, SourceFilter};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, text};
use crate::mcp::tool::{Call, Tool};

/// Sources on a page: they fit in an answer.
const PER_PAGE: usize = 50;

pub(crate) const TOOL: Tool = Tool {
    name: "betterstack_list_sources",
    title: "List log sources",
    description: "List the sources: what sends logs, by id and name, with how many records each has. Their `id` or `name` is the \
                  `source_id` of other tools.",
    access: Access::Read,
    input: |_| {
        arguments(
            json!({ "page": text("Pagination cursor: `meta.next_page` of the page before") }),
            &[],
        )
    },
    output,
    answer: |call| Box::pin(answer(call)),
};

fn output() -> Value {
    json!({ "type": "array", "items": source_schema() })
}

/// The schema of a source.
pub(super) fn source_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "type": { "const": "source" },
            "attributes": {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "platform": { "type": "string" },
                    "token": { "type": "string" },
                    "ingesting_paused": { "type": "boolean" },
                    "records_count": { "type": "integer" },
                },
                "required": ["name", "platform", "token", "ingesting_paused", "records_count"],
            },
        },
        "required": ["id", "type", "attributes"],
    })
}

async fn answer(call: Call) -> Result<Answer, Failure> {
    page_of(&call, PER_PAGE, |source| {
        source_value(source, &masked(source))
    })
    .await
}

/// The page of sources that the argument `page` asks for, each as `told` tells of it.
pub(super) async fn page_of(
    call: &Call,
    per_page: usize,
    told: impl Fn(&Source) -> Value,
) -> Result<Answer, Failure> {
    let parameters = call.parameters()?;
    let filter = SourceFilter {
        page: parameters.parsed("page", "`meta.next_page` of the page before")?,
        per_page: Some(per_page),
        ..SourceFilter::default()
    };
    let listed = call
        .manage(move |service, caller| service.list_sources(caller, &filter))
        .await?;
    let sources: Vec<Value> = listed.sources.iter().map(told).collect();
    let answer = Answer::records(sources.into()).told("total", listed.total);
    Ok(match listed.page < listed.last_page {
        true => answer
            .told("next_page", (listed.page + 1).to_string())
            .next("There are more: the same call with `page` = `meta.next_page`."),
        false => answer,
    })
}

/// A source with `token` in its place.
pub(super) fn source_value(source: &Source, token: &str) -> Value {
    json!({
        "id": format!("src-{}", source.id),
        "type": "source",
        "attributes": {
            "name": source.name,
            "platform": platform_for_agents(source.platform.name()),
            "token": token,
            "ingesting_paused": source.ingesting_paused,
            "records_count": source.records_count,
        },
    })
}

/// The name of a platform as agents give it; Better Stack's API, and ours, has others for some.
pub(super) fn platform_for_agents(name: &str) -> &str {
    match name {
        "javascript" => "node",
        "rsyslog" => "syslog",
        name => name,
    }
}

/// What is left of the token of a source: its end, to tell tokens apart.
fn masked(source: &Source) -> String {
    let ending = source.tokens.first().map_or("xxxx", |token| &*token.ending);
    format!("xxxx...{ending}")
}
