//! `betterstack_create_source`: a new sender of logs.

use cordwood_service::{Access, ClientId, NewSource, PLATFORMS};
use serde_json::{Value, json};

use super::list_sources::{platform_for_agents, source_schema, source_value};
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, number, text};
use crate::mcp::tool::{Call, Tool};

pub(crate) const TOOL: Tool = Tool {
    name: "betterstack_create_source",
    title: "Create a log source",
    description: "Create a source. The answer has its token, this once: whoever sends logs needs it.",
    access: Access::Admin,
    input,
    output: source_schema,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = json!({
        "name": text("Source name"),
        "platform": text("Platform type: node, python, ruby, go, docker, kubernetes, syslog, http, …; http unless given"),
        "client_id": number("The client it belongs to; the first the token sees unless given"),
    });
    arguments(properties, &["name"])
}

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let parameters = call.parameters()?;
    let new = NewSource {
        name: call.require_text("name")?,
        platform: call.take_text("platform"),
        client: parameters
            .parsed("client_id", "the id of a client")?
            .map(ClientId),
        ..NewSource::default()
    };
    let created = call
        .manage(move |service, caller| service.create_source(caller, &new))
        .await
        .map_err(with_platforms)?;
    let token = created.token.reveal();
    let source = source_value(&created.source, token);
    let (id, base) = (created.source.id, call.links.base());
    Ok(Answer::records(source)
        .told("ingesting_url", base.clone())
        .next(format!(
            "Send events: POST {base}/ with `Authorization: Bearer <token>` and a JSON body `{{\"message\": \"…\", \"level\": \"info\"}}`. \
             The token is not shown again."
        ))
        .next(format!(
            "Verify with betterstack_query_logs: query `*`, source_id `src-{id}`, from `now-15m`."
        )))
}

/// Which platforms there are, for who named one that is none.
fn with_platforms(failure: Failure) -> Failure {
    match failure.is_about_value("platform") {
        true => {
            let names = PLATFORMS.iter().map(|name| platform_for_agents(name));
            failure.with("platforms", names.collect::<Vec<_>>())
        }
        false => failure,
    }
}
