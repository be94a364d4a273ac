//! `logs_trace`: follow an id through all sources.

use cordwood_service::{Access, TraceSubject};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, list, number, text, with_scope};
use crate::mcp::tool::{Call, Tool, body_of};
use crate::rest::trace;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_trace",
    title: "Trace an id",
    description: "Follow a request id, trace id, user id, address or any value through all sources, in order of time: what each service \
                  did, where the first error and the longest pauses are. Give `value`, or `event_id` to follow the ids that event carries.",
    access: Access::Read,
    input,
    output: list,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "value": text("The id to follow, in whatever field it stands"),
        "event_id": text("The `_id` of an event whose ids are followed, in place of `value`"),
        "limit": number("Events at most, the earliest (default 100)"),
    }));
    arguments(properties, &[])
}

/// Events unless asked otherwise.
const EVENTS_DEFAULT: u64 = 100;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let subject = match (call.take_text("value"), call.take_text("event_id")) {
        (Some(value), None) => TraceSubject::Value(value),
        (None, Some(id)) => TraceSubject::Event(id),
        _ => {
            let sentence = "One of `value` and `event_id` has to be given.";
            return Err(Failure::parameter("value", sentence));
        }
    };
    call.arguments
        .entry("limit")
        .or_insert(EVENTS_DEFAULT.into());
    let request = trace::trace_request(subject, &call.parameters()?)?;
    let (caller, cancel) = (call.authenticated(), call.cancel.clone());
    let traced = trace::trace(&call.edge, caller, request, cancel).await?;
    let answer = Answer::of_rest(&body_of(traced).await?);
    let next = match answer.data() == &json!([]) {
        true => {
            "No event has this value: is it the whole id, as it stands in the logs? Widen the range, or search for a part with betterstack_query_logs."
        }
        false => {
            "`trace.services` says who did what, `trace.gaps` where time went; logs_context shows what stands around one event."
        }
    };
    Ok(answer.next(next))
}
