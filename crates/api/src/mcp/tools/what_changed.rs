//! `logs_what_changed`: one window of time against another, and what explains the difference.

use cordwood_service::Access;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, one_of, record, text, with_scope};
use crate::mcp::tool::{Call, Tool};
use crate::rest::what_changed;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_what_changed",
    title: "Find what changed",
    description: "Compare a window with a baseline and name causes: which values of which fields explain more errors, warnings, \
                  slowness or volume; which services are worse or quiet; which messages are new or gone. Ask this first when something \
                  is wrong.",
    access: Access::Read,
    input,
    output: record,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "query": text("Only events that match this filter"),
        "baseline": one_of(&["previous", "yesterday", "last-week"], "The window before, or the same hours of another day; previous unless given"),
        "baseline_from": text("Start of a baseline of your own, in place of `baseline`"),
        "baseline_to": text("Its end"),
        "explain": text("A filter for the events whose rise is to be explained; errors, warnings, slowness and volume unless given"),
    }));
    arguments(properties, &[])
}

/// The lists of the answer that are read last, and so shortened first, in that order.
const ASIDE: [&str; 4] = [
    "vanished_values",
    "vanished_patterns",
    "changed_patterns",
    "new_values",
];
/// What is kept of each unless the budget is larger than the default.
const ASIDE_MAX: usize = 8;

async fn answer(call: Call) -> Result<Answer, Failure> {
    let (parameters, caller) = (call.parameters()?, call.authenticated());
    let found = what_changed::compare(&call.edge, caller, &parameters, call.cancel.clone()).await?;
    let mut answer = Answer::of_rest(&found.0);
    let mut cut = Vec::new();
    if call.budget == Default::default()
        && let Some(Value::Object(data)) = answer.data_mut()
    {
        for name in ASIDE {
            if let Some(Value::Array(list)) = data.get_mut(name)
                && list.len() > ASIDE_MAX
            {
                cut.push(format!("{name}: {ASIDE_MAX} of {}", list.len()));
                list.truncate(ASIDE_MAX);
            }
        }
    }
    answer = answer.over_two_windows();
    if !cut.is_empty() {
        answer = answer.told("lists_cut", cut).next(
            "`meta.lists_cut` names lists that are longer; a larger `max_tokens` gives them whole.",
        );
    }
    Ok(answer.next(
        "`shown_by` of a cause has the query and range that find its events with betterstack_query_logs; follow one with logs_trace.",
    ))
}
