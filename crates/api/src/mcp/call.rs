//! One call of a tool, from its arguments to its answer: told of while it runs, stopped when asked to, and written down.

use std::time::Duration;

use cordwood_service::ToolOutcome;
use rmcp::RoleServer;
use rmcp::model::{CallToolResult, ErrorData, ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use serde_json::Value;

use crate::failure::Failure;
use crate::mcp::answer::{Answer, refused};
use crate::mcp::budget::Budget;
use crate::mcp::entry::Entry;
use crate::mcp::refusal;
use crate::mcp::schema;
use crate::mcp::server::protocol_error;
use crate::mcp::tool::{Answering, Call, Tool};
use crate::mcp::tools;

/// Often enough to be seen as motion, seldom enough to be no load.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Has `tool` answer, within the budget that the arguments ask for.
pub(crate) async fn answer(
    tool: &Tool,
    mut call: Call,
    context: &RequestContext<RoleServer>,
) -> CallToolResult {
    let refusing = refusal::About::of(&call, tool.name);
    let entry = match Entry::begin(&call, tool.name) {
        Ok(entry) => entry,
        Err(failure) => return refused(&refusing.explained(failure).await),
    };
    let asked = take_budget(&mut call).and_then(|()| {
        schema::check(&(tool.input)(call.caller.access()), &call.arguments)?;
        Ok(())
    });
    let budget = call.budget;
    let answered = match asked {
        Ok(()) => run((tool.answer)(call), &refusing, context).await,
        Err(failure) => Err(failure),
    };
    let outcome = match &answered {
        Ok(_) => ToolOutcome::Answered,
        Err(failure) => ToolOutcome::Refused(code_of(failure)),
    };
    let result = match answered {
        Ok(answer) => answer.into_result(budget),
        Err(failure) => refused(&refusing.explained(failure).await),
    };
    entry.end(outcome, bytes_of(&result)).await;
    result
}

/// The answer to a call of a tool that is not there, or not for this token: neither is told from the other, and the log has both.
pub(crate) async fn unseen(call: &Call, name: &str) -> ErrorData {
    let entry = match Entry::begin(call, name) {
        Ok(entry) => entry,
        Err(failure) => return protocol_error(failure),
    };
    let outcome = ToolOutcome::Refused("no_such_tool".to_owned());
    entry.end(outcome, 0).await;
    let seen = tools::seen_with(call.caller.access()).map(|tool| tool.name);
    let seen = seen.collect::<Vec<_>>().join(", ");
    let sentence = format!("There is no tool `{name}` for this API token; there are {seen}.");
    ErrorData::invalid_params(sentence, None)
}

/// The size of the answer, which is no argument of any tool.
fn take_budget(call: &mut Call) -> Result<(), Failure> {
    let Some(asked) = call.arguments.remove("max_tokens") else {
        return Ok(());
    };
    let tokens = asked
        .as_u64()
        .and_then(|tokens| usize::try_from(tokens).ok());
    let tokens = tokens.ok_or_else(|| {
        let sentence = format!("`max_tokens` is {asked} and has to be a whole number of tokens");
        Failure::parameter("max_tokens", sentence)
    })?;
    call.budget = Budget::of_tokens(tokens);
    Ok(())
}

/// Waits for the answer, tells how far it has come to who asked to know, and drops it when it is cancelled: what runs for it in
/// the engine then stops.
async fn run(
    mut answering: Answering,
    about: &refusal::About,
    context: &RequestContext<RoleServer>,
) -> Result<Answer, Failure> {
    let token = context.meta.get_progress_token();
    let mut told = 0;
    loop {
        tokio::select! {
            answer = &mut answering => return answer,
            () = context.ct.cancelled() => {
                drop(answering);
                return Err(cordwood_service::Error::Cancelled.into());
            }
            () = tokio::time::sleep(PROGRESS_INTERVAL) => {
                if let Some(token) = &token {
                    told = tell(token, about, told, context).await;
                }
            }
        }
    }
}

/// Tells how far a search has come; of work that reads no blocks, only that it goes on. Progress has to grow with each notice.
async fn tell(
    token: &ProgressToken,
    about: &refusal::About,
    told: u64,
    context: &RequestContext<RoleServer>,
) -> u64 {
    let progress = about.progress();
    let now = progress.parts_done.max(told + 1);
    let mut notice = ProgressNotificationParam::new(token.clone(), as_float(now));
    if progress.parts_planned >= now {
        notice = notice.with_total(as_float(progress.parts_planned));
    }
    let message = format!("{} events looked at", progress.rows_scanned);
    // Who is gone needs no notice; that it is gone cancels the call.
    let _ = context
        .peer
        .notify_progress(notice.with_message(message))
        .await;
    now
}

/// A share of progress needs no 53 bits.
fn as_float(count: u64) -> f64 {
    count as f64
}

fn code_of(failure: &Failure) -> String {
    let code = failure.members().get("code").and_then(Value::as_str);
    code.unwrap_or("failed").to_owned()
}

fn bytes_of(result: &CallToolResult) -> u64 {
    let text = result.content.first().and_then(|content| content.as_text());
    let bytes = text.map_or(0, |text| text.text.len());
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
