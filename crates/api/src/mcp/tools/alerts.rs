//! `alerts`: rules that the server checks, what they would have done in the past, and silences.

use axum::extract::{Path, State};
use cordwood_service::Access;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{actions, arguments, list_or_record, number, one_of, text, texts};
use crate::mcp::tool::{Call, Tool};
use crate::parameters::Parameters;
use crate::rest::{alerts, silences};

pub(crate) const TOOL: Tool = Tool {
    name: "alerts",
    title: "Alerts and silences",
    description: "List alerts with how each stands, show one, back-test one: when it would have fired in the last days. Those who may \
                  write create alerts (back-test first), and hold back their notices for a time with silence.",
    access: Access::Read,
    input,
    output: list_or_record,
    answer: |call| Box::pin(answer(call)),
};

const ACTIONS: [(&str, Access); 7] = [
    ("list", Access::Read),
    ("show", Access::Read),
    ("back_test", Access::Read),
    ("list_silences", Access::Read),
    ("create", Access::Write),
    ("silence", Access::Write),
    ("end_silence", Access::Write),
];

const CONDITION: &str = "`{\"type\":\"threshold\",\"operator\":\"higher_than\",\"value\":10}`, `{\"type\":\"matches\"}` for any event, \
     `{\"type\":\"new_pattern\"}`, `{\"type\":\"absence\",\"of\":\"members\"}` for each of `group_by` that falls silent, \
     `{\"type\":\"relative\",\"operator\":\"increases_by\",\"by_percent\":50,\"against\":\"yesterday\"}`, \
     `{\"type\":\"anomaly\",\"direction\":\"higher\"}`";

fn input(access: Access) -> Value {
    let mut properties = json!({
        "action": actions(&ACTIONS, access, "What to do"),
        "alert": text("Its id or name: for show, and for back_test of one that is there"),
        "query": text("The filter: `level:error service:api`"),
        "condition": { "type": "object", "description": CONDITION },
        "measure": text("`count()` unless given, `p95(duration_ms)`, …"),
        "group_by": texts("Fields whose values are judged each by itself"),
        "window_s": number("Window in seconds (default 300)"),
        "source_id": texts("Sources; all if left out"),
        "severity": one_of(&["info", "warning", "error", "critical"], "error unless given"),
        "days": number("For back_test: 1 to 30 days (default 7)"),
    });
    if access >= Access::Write {
        properties["name"] = text("For create");
        properties["description"] = text("What it is for");
        properties["runbook"] = text("What to do when it fires");
        properties["client_id"] = number("Whose it is, if the token sees several");
        properties["ends_at"] = text("For silence: until when, `now+2h`");
        properties["matchers"] = json!({
            "type": "array", "items": { "type": "object" },
            "description": "For silence, all must fit: `{\"on\":\"rule\",\"is\":\"disk*\"}`, `{\"on\":\"group\",\"field\":\"host\",\"is\":\"web-*\"}`; none for everything",
        });
        properties["comment"] = text("For silence: why");
        properties["silence"] = text("For end_silence: its id");
    }
    arguments(properties, &["action"])
}

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let action = call.require_text("action")?;
    let (edge, caller) = (State(call.edge.clone()), call.authenticated());
    match action.as_str() {
        "list" => {
            let listed = alerts::list(edge, caller, call.links.clone()).await?;
            Ok(Answer::of_rest(&listed.0))
        }
        "show" => {
            let name = Path(call.require_text("alert")?);
            Ok(Answer::of_rest(&alerts::show(edge, caller, name).await?.0))
        }
        "back_test" => {
            let tested = alerts::back_test(edge, caller, JsonBody(call.arguments)).await?;
            Ok(of_back_test(Answer::of_rest(&tested.0)))
        }
        "create" => {
            let (_, made) = alerts::create(edge, caller, JsonBody(call.arguments)).await?;
            Ok(Answer::of_rest(&made.0)
                .next("It is checked from now on; action show says how it stands."))
        }
        "list_silences" => {
            let all = Parameters::default().as_uri();
            let listed = silences::list(edge, caller, all, call.links.clone()).await?;
            Ok(Answer::of_rest(&listed.0))
        }
        "silence" => {
            let (_, made) = silences::create(edge, caller, JsonBody(call.arguments)).await?;
            Ok(Answer::of_rest(&made.0).next("Action end_silence with its id ends it early."))
        }
        _ => {
            let id = Path(call.require_text("silence")?);
            Ok(Answer::of_rest(&silences::end(edge, caller, id).await?.0))
        }
    }
}

/// What a back-test says of itself stands in the account, as it does of other searches.
fn of_back_test(answer: Answer) -> Answer {
    let attributes = &answer.data()["attributes"];
    let complete = attributes["complete"].clone();
    let reason = attributes["incomplete_reason"].clone();
    let range = json!({ "from": attributes["from"], "to": attributes["to"] });
    let scanned = json!({ "checks": attributes["checks"], "ms": attributes["elapsed_ms"] });
    let answer = answer
        .told("complete", complete)
        .told("range", range)
        .told("scanned", scanned);
    let answer = match reason.is_null() {
        true => answer,
        false => answer.told("incomplete_reason", reason),
    };
    answer.next("Change the condition until it would have fired for what matters only; then action create with the same members.")
}
