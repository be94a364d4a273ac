//! `saved_queries`: questions under a name.

use axum::extract::{Path, State};
use cordwood_service::Access;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::json_body::JsonBody;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{actions, arguments, list_or_record, number, one_of, text, texts};
use crate::mcp::tool::{Call, Tool};
use crate::rest::saved_queries;

pub(crate) const TOOL: Tool = Tool {
    name: "saved_queries",
    title: "Saved queries",
    description: "List saved queries, show one, save one, delete one. To ask one, give its `query`, `from`, `to` and `source_id` to \
                  betterstack_query_logs.",
    access: Access::Read,
    input,
    output: list_or_record,
    answer: |call| Box::pin(answer(call)),
};

const ACTIONS: [(&str, Access); 4] = [
    ("list", Access::Read),
    ("show", Access::Read),
    ("create", Access::Write),
    ("delete", Access::Write),
];

fn input(access: Access) -> Value {
    let mut properties = json!({
        "action": actions(&ACTIONS, access, "What to do"),
        "saved_query": text("Its id or name: for show and delete"),
    });
    if access >= Access::Write {
        properties["name"] = text("For create");
        properties["description"] = text("What it is for");
        properties["query"] = text("For create: the query");
        properties["from"] = text("Kept as written: `now-1h`");
        properties["to"] = text("Kept as written");
        properties["source_id"] = texts("Sources; all if left out");
        properties["client_id"] = number("Whose it is, if the token sees several");
        properties["visibility"] = one_of(&["private", "shared"], "private unless given");
    }
    arguments(properties, &["action"])
}

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let action = call.require_text("action")?;
    let (edge, caller) = (State(call.edge.clone()), call.authenticated());
    match action.as_str() {
        "list" => {
            let listed = saved_queries::list(edge, caller, call.links.clone()).await?;
            Ok(Answer::of_rest(&listed.0))
        }
        "show" => {
            let name = Path(call.require_text("saved_query")?);
            let shown = saved_queries::show(edge, caller, name).await?;
            Ok(Answer::of_rest(&shown.0))
        }
        "create" => {
            let (_, made) = saved_queries::create(edge, caller, JsonBody(call.arguments)).await?;
            Ok(Answer::of_rest(&made.0))
        }
        _ => {
            let name = call.require_text("saved_query")?;
            saved_queries::delete(edge, caller, Path(name.clone())).await?;
            Ok(Answer::records(json!({ "deleted": name })))
        }
    }
}
