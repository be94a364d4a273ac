//! `logs_context`: one event whole, or what stands around it.

use cordwood_service::{Access, Cancel};
use serde_json::{Value, json};

use super::events;
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::budget::{Budget, cut_text, length};
use crate::mcp::schema::{arguments, boolean, list, number, text};
use crate::mcp::tool::{Call, Tool, body_of};
use crate::rest::event;
use crate::rest::query_meta::QueryMeta;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_context",
    title: "Show what surrounds an event",
    description: "The events before and after one event, whatever they match; or, with `whole`, that event alone with its texts uncut.",
    access: Access::Read,
    input,
    output: list,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = json!({
        "id": text("The `_id` of an event found"),
        "before": number("Events before it (default 10)"),
        "after": number("Events after it (default 10)"),
        "within": text("How far from it in time at most: `5m`"),
        "same": text("What they have in common with it: `source` unless given, `host`, `service`, or a field"),
        "whole": boolean("That event alone, its texts as long as fit"),
    });
    arguments(properties, &["id"])
}

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let id = call.require_text("id")?;
    if call.arguments.remove("whole") == Some(Value::Bool(true)) {
        return whole(&call, id).await;
    }
    let (parameters, cancel) = (call.parameters()?, call.cancel.clone());
    let around = event::around(&call.edge, call.caller.clone(), id, &parameters, cancel).await?;
    let mut answer = Answer::of_rest(&body_of(around).await?);
    centre(&mut answer, call.budget);
    Ok(answer.next("logs_trace with `event_id` follows the ids that an event carries."))
}

/// Leaves out events from both ends until the rest fits, so that the one asked about stays, with as many before as after it.
fn centre(answer: &mut Answer, budget: Budget) {
    let Some(Value::Array(events)) = answer.data_mut() else {
        return;
    };
    let mut events = std::mem::take(events);
    events
        .iter_mut()
        .for_each(|event| cut_text(event, budget.text_chars()));
    let context = answer
        .member_mut("context")
        .map(|context| context["index"].as_u64());
    let index = context
        .flatten()
        .and_then(|index| usize::try_from(index).ok());
    let index = index.unwrap_or_default().min(events.len());
    let sizes: Vec<usize> = events.iter().map(|event| length(event) + 1).collect();
    let (mut start, mut end) = (0, events.len());
    let mut bytes: usize = sizes.iter().sum::<usize>() + ACCOUNT_BYTES;
    while bytes > budget.bytes() && end - start > 1 {
        let dropped = match index - start > end - 1 - index {
            true => {
                start += 1;
                start - 1
            }
            false => {
                end -= 1;
                end
            }
        };
        bytes -= sizes.get(dropped).copied().unwrap_or_default();
    }
    let (has_less_before, has_less_after) = (start > 0, end < events.len());
    events.truncate(end);
    events.drain(..start);
    if let Some(data) = answer.data_mut() {
        *data = Value::Array(events);
    }
    if let Some(context) = answer.member_mut("context") {
        context["index"] = (index - start).into();
        if has_less_before {
            context["more_before"] = true.into();
        }
        if has_less_after {
            context["more_after"] = true.into();
        }
    }
}

/// What the account of the answer takes.
const ACCOUNT_BYTES: usize = 800;

/// One event. Its texts take what the answer holds.
async fn whole(call: &Call, id: String) -> Result<Answer, Failure> {
    let (caller, cancel) = (call.caller.clone(), Cancel::clone(&call.cancel));
    let service = call.edge.ready()?;
    let found = call
        .edge
        .query
        .run(move || service.event(&caller, &id, &cancel));
    let found = found.await??;
    let event = events::as_sent(&found.event, &found.source_name);
    let event = json!([event.unwrap_or_default()]);
    let meta = QueryMeta::of_account(&found.account);
    let answer = Answer::read(event, &meta).texts(call.budget.bytes());
    Ok(answer.next("A text that is still cut needs a larger `max_tokens`."))
}
