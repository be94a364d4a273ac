//! What an agent can do about a failure: which sources there are, the query as it may have been meant, the tool to ask first.

use std::sync::Arc;

use cordwood_service::{Caller, Cancel, PER_PAGE_MAX, Progress, SourceFilter, corrected_query};
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::failure::Failure;
use crate::mcp::tool::Call;

/// Sources or clients that are named where one was not found.
const NAMED_MAX: usize = 50;

/// What a failure is explained by: the call it is of.
pub(crate) struct About {
    edge: Arc<Edge>,
    caller: Caller,
    cancel: Cancel,
    tool: &'static str,
    query: Option<String>,
}

impl About {
    pub(crate) fn of(call: &Call, tool: &'static str) -> About {
        let text = |name: &str| call.arguments.get(name).and_then(Value::as_str);
        let query = match (text("query"), text("stages")) {
            (query, Some(stages)) => Some(crate::mcp::tools::stats::joined(
                query.unwrap_or_default(),
                stages,
            )),
            (query, None) => query.map(str::to_owned),
        };
        About {
            edge: Arc::clone(&call.edge),
            caller: call.caller.clone(),
            cancel: call.cancel.clone(),
            tool,
            query,
        }
    }

    /// How far the work under the call has come.
    pub(crate) fn progress(&self) -> Progress {
        self.cancel.progress()
    }

    /// The failure, with what would be right.
    pub(crate) async fn explained(&self, failure: Failure) -> Failure {
        let code = failure.members().get("code").and_then(Value::as_str);
        let failure = match code.unwrap_or_default() {
            "invalid_query" => self.with_correction(failure),
            "source_not_found" | "source_ambiguous" => self.with_sources(failure).await,
            "invalid_values" if failure.is_about_value("query") => self.with_correction(failure),
            "invalid_values" if failure.is_about_value("client_id") => {
                self.with_clients(failure).await
            }
            "event_not_found" => failure.with(
                "next",
                "Take an `_id` from `data` of betterstack_query_logs.",
            ),
            "not_found" => failure.with("next", "The actions that list have those there are."),
            "busy" => failure.with("next", "Ask again in a moment, or over a shorter range."),
            _ => failure,
        };
        failure.with("tool", self.tool)
    }

    fn with_correction(&self, failure: Failure) -> Failure {
        let Some(query) = &self.query else {
            return failure;
        };
        let failure = failure.with("query", query.as_str());
        let guide = "Read the resource cordwood://guide/query-language for the whole language.";
        match corrected_query(query) {
            Some(corrected) => failure.with("corrected_query", corrected).with(
                "next",
                "Ask again with `corrected_query` if that is what was meant.",
            ),
            None => failure.with("next", guide),
        }
    }

    /// The clients there are, of those that the caller may know of: their ids are said nowhere else.
    async fn with_clients(&self, failure: Failure) -> Failure {
        let caller = self.caller.clone();
        let Ok(service) = self.edge.ready() else {
            return failure;
        };
        let listed = self.edge.manage.run(move || service.list_clients(&caller));
        let Ok(Ok(clients)) = listed.await else {
            return failure;
        };
        let clients: Vec<Value> = clients
            .iter()
            .take(NAMED_MAX)
            .map(|client| json!({ "id": client.id.0, "name": client.name }))
            .collect();
        let next = "Use the `id` of one of `clients` as `client_id`.";
        failure.with("clients", clients).with("next", next)
    }

    /// The sources there are, of those that the caller may know of.
    async fn with_sources(&self, failure: Failure) -> Failure {
        let caller = self.caller.clone();
        let filter = SourceFilter {
            per_page: Some(PER_PAGE_MAX),
            ..SourceFilter::default()
        };
        let Ok(service) = self.edge.ready() else {
            return failure;
        };
        let listed = self
            .edge
            .manage
            .run(move || service.list_sources(&caller, &filter));
        let Ok(Ok(page)) = listed.await else {
            return failure;
        };
        let sources = page.sources.iter().take(NAMED_MAX);
        let sources: Vec<Value> = sources
            .map(|source| json!({ "id": format!("src-{}", source.id), "name": source.name }))
            .collect();
        let next = match page.total > sources.len() {
            true => "Use one of `sources`; betterstack_list_sources lists all.",
            false => "Use one of `sources`; these are all.",
        };
        failure.with("sources", sources).with("next", next)
    }
}
