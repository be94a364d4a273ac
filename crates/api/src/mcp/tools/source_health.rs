//! `source_health`: whether what should send logs does.

use cordwood_service::{Access, Source};
use serde_json::{Map, Value, json};

use super::list_sources::page_of;
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, list, text};
use crate::mcp::tool::{Call, Tool};
use crate::rest::times::RecordTime;

pub(crate) const TOOL: Tool = Tool {
    name: "source_health",
    title: "Source health",
    description: "For each source: when its token was last used, events and bytes of this month, what was refused and why, its quota, \
                  whether it is paused, and from when on its events are kept. Ask it when something that should be there is not.",
    access: Access::Read,
    input: |_| {
        let properties = json!({
            "source_id": text("One source: id, src- id or name; all if left out"),
            "page": text("`meta.next_page` of the page before"),
        });
        arguments(properties, &[])
    },
    output: list,
    answer: |call| Box::pin(answer(call)),
};

/// Sources on a page.
const PER_PAGE: usize = 25;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    if let Some(name) = call.take_text("source_id") {
        let source = call
            .manage(move |service, caller| service.source(caller, &name))
            .await?;
        return Ok(Answer::records(json!([health(&source)])));
    }
    page_of(&call, PER_PAGE, health).await
}

fn health(source: &Source) -> Value {
    let last_used = source
        .tokens
        .iter()
        .filter_map(|token| token.last_used_at)
        .max();
    let refused: Map<String, Value> = source
        .usage
        .refused
        .iter()
        .map(|(reason, count)| (reason.clone(), (*count).into()))
        .collect();
    json!({
        "id": format!("src-{}", source.id),
        "name": source.name,
        "problems": problems(source),
        "token_last_used_at": last_used.map(RecordTime),
        "ingesting_paused": source.ingesting_paused,
        "records_count": source.records_count,
        "disk_bytes": source.disk_bytes,
        "retention_days": source.retention_days,
        "this_month": {
            "month": source.usage.month,
            "events": source.usage.events,
            "bytes": source.usage.bytes,
            "quota_bytes": source.quota_bytes_per_month,
            "refused": refused,
        },
    })
}

/// What is wrong with a source, in words.
fn problems(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    if source.ingesting_paused {
        problems.push("It is paused: what is sent to it is refused.".to_owned());
    }
    let has_spent = |quota: u64| source.usage.bytes >= quota;
    if source.quota_bytes_per_month.is_some_and(has_spent) {
        problems
            .push("Its quota of this month is spent: what is sent to it is refused.".to_owned());
    }
    if source
        .tokens
        .iter()
        .all(|token| token.last_used_at.is_none())
    {
        problems.push("Nothing was ever sent with its token.".to_owned());
    }
    for (reason, count) in &source.usage.refused {
        problems.push(format!(
            "{count} requests or events were refused this month: {reason}."
        ));
    }
    problems
}
