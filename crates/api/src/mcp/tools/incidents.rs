//! `incidents`: that something is wrong, what is known of it, and what is done about it.

use axum::extract::{Path, State};
use cordwood_service::Access;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{actions, arguments, list_or_record, number, one_of, text, texts};
use crate::mcp::tool::{Call, Tool};
use crate::rest::{incident_acts, incident_comments, incident_reading, incidents};

pub(crate) const TOOL: Tool = Tool {
    name: "incidents",
    title: "Incidents",
    description: "List incidents, show one with its query and range, its timeline, what changed when it began, or a report of it. Those \
                  who may write open, acknowledge, resolve and comment.",
    access: Access::Read,
    input,
    output: list_or_record,
    answer: |call| Box::pin(answer(call)),
};

const ACTIONS: [(&str, Access); 9] = [
    ("list", Access::Read),
    ("show", Access::Read),
    ("timeline", Access::Read),
    ("what_changed", Access::Read),
    ("report", Access::Read),
    ("open", Access::Write),
    ("acknowledge", Access::Write),
    ("resolve", Access::Write),
    ("comment", Access::Write),
];

fn input(access: Access) -> Value {
    let mut properties = json!({
        "action": actions(&ACTIONS, access, "What to do"),
        "incident": text("Its id, for all but list and open"),
        "status": one_of(&["open", "started", "acknowledged", "resolved"], "For list"),
        "text": text("For list: part of the name or cause"),
        "from": text("For list: began then or later. For open: start of its range"),
        "to": text("The end"),
        "per_page": number("For list (default 20)"),
        "cursor": text("For list: `meta.next_cursor` of the page before"),
    });
    if access >= Access::Write {
        properties["name"] = text("For open: what is wrong, in a line");
        properties["cause"] = text("For open: why");
        properties["severity"] = one_of(
            &["info", "warning", "error", "critical"],
            "For open, error unless given",
        );
        properties["query"] = text("For open: the query that shows it");
        properties["source_id"] = texts("For open: its sources");
        properties["client_id"] = number("For open: whose it is, if the token sees several");
        properties["content"] = text("For comment");
        properties["by"] = text("For acknowledge and resolve: the person for whom it is done");
    }
    arguments(properties, &["action"])
}

/// Incidents on a page unless asked otherwise.
const PER_PAGE_DEFAULT: u64 = 20;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let action = call.require_text("action")?;
    match action.as_str() {
        "list" => list(call).await,
        "open" => {
            let (edge, caller) = (State(call.edge.clone()), call.authenticated());
            let (_, opened) = incidents::create(edge, caller, JsonBody(call.arguments)).await?;
            let answer = Answer::of_rest(&opened.0);
            Ok(answer
                .next("Action what_changed compares its window with the hour before, in a moment."))
        }
        _ => {
            let id = call.require_text("incident")?;
            of_one(&action, id, call).await
        }
    }
}

async fn list(mut call: Call) -> Result<Answer, Failure> {
    call.arguments
        .entry("per_page")
        .or_insert(PER_PAGE_DEFAULT.into());
    let (edge, caller) = (State(call.edge.clone()), call.authenticated());
    let uri = call.parameters()?.as_uri();
    let listed = incidents::list(edge, caller, uri, call.links.clone())
        .await?
        .0;
    let answer = Answer::of_rest(&listed).told("total", listed.total());
    Ok(match listed.next_cursor() {
        Some(cursor) => answer
            .told("next_cursor", cursor)
            .next("There are more: the same call with `cursor` = `meta.next_cursor`."),
        None => answer,
    })
}

async fn of_one(action: &str, id: String, call: Call) -> Result<Answer, Failure> {
    let (edge, caller) = (State(call.edge.clone()), call.authenticated());
    let (links, body, id) = (
        call.links.clone(),
        JsonBody(call.arguments.clone()),
        Path(id),
    );
    Ok(match action {
        "show" => Answer::of_rest(&incidents::show(edge, caller, id).await?.0).next(
            "Its `query`, `from` and `to`, given to betterstack_query_logs, show what showed it.",
        ),
        "timeline" => {
            Answer::of_rest(&incident_reading::timeline(edge, caller, id, links).await?.0)
        }
        "what_changed" => {
            let known = incident_reading::what_changed(edge, caller, id).await?.0;
            Answer::of_rest(&known).over_two_windows()
        }
        "report" => {
            let Path(id) = id;
            let report = call.manage(move |service, caller| service.incident_report(caller, &id));
            let chars = call.budget.bytes();
            Answer::records(json!({ "markdown": report.await? })).texts(chars)
        }
        "acknowledge" => {
            Answer::of_rest(&incident_acts::acknowledge(edge, caller, id, body).await?.0)
        }
        "resolve" => Answer::of_rest(&incident_acts::resolve(edge, caller, id, body).await?.0),
        _ => Answer::of_rest(&incident_comments::create(edge, caller, id, body).await?.1.0),
    })
}
