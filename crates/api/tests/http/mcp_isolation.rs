//! What an agent may do with its token: another client's events, records and names are hidden from every tool.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::agent::{Agent, token_of};
use crate::server::Server;

/// A word of the other client's events, records and names.
const HIDDEN: &str = "zebrawood";

/// For each tool, calls whose answers to who sees everything hold the word, or succeed where there is nothing to hold.
fn calls(incident: &str, event: &str, alert: &str) -> Vec<(&'static str, Value)> {
    let mut calls = vec![
        ("betterstack_query_logs", json!({"query": "*"})),
        ("betterstack_list_sources", json!({})),
        (
            "betterstack_create_source",
            json!({"name": "zebrawood too", "client_id": 2}),
        ),
        ("logs_stats", json!({"stages": "stats count() by message"})),
        ("logs_patterns", json!({})),
        (
            "logs_what_changed",
            json!({"from": "2026-03-27T09:30:00Z", "to": "2026-03-27T10:30:00Z"}),
        ),
        ("logs_trace", json!({"value": "req-77"})),
        ("logs_trace", json!({"event_id": event})),
        ("logs_context", json!({"id": event})),
        ("logs_context", json!({"id": event, "whole": true})),
        ("logs_fields", json!({"query": "*"})),
        ("saved_queries", json!({"action": "list"})),
        (
            "saved_queries",
            json!({"action": "show", "saved_query": "zebrawood errors"}),
        ),
        ("alerts", json!({"action": "list"})),
        ("alerts", json!({"action": "show", "alert": alert})),
        ("incidents", json!({"action": "list"})),
        ("incidents", json!({"action": "show", "incident": incident})),
        (
            "incidents",
            json!({"action": "report", "incident": incident}),
        ),
        ("source_health", json!({})),
    ];
    if cfg!(feature = "sql") {
        calls.push(("logs_sql", json!({"query": "SELECT message FROM logs"})));
    }
    calls
}

#[test]
fn an_agent_sees_nothing_of_another_client_with_any_tool() {
    let (server, _) = Server::with_client("theirs");
    let ask = |request: &str, body: Value| {
        let answer = server.rest(request, &body.to_string());
        assert!((200..300).contains(&answer.status), "{request}: {answer:?}");
        answer.json()
    };
    let source = ask(
        "POST /api/v1/sources",
        json!({"name": "zebrawood api", "client_id": 2}),
    );
    let token = source["data"]["attributes"]["token"].as_str().unwrap();
    let authorization = format!("Authorization: Bearer {token}");
    let event = |hour: u64, n: u64, level: &str, message: &str| {
        let dt = format!("2026-03-27T{hour:02}:00:{n:02}Z");
        json!({"dt": dt, "level": level, "message": message, "service": "zebrawood", "request_id": "req-77"})
    };
    let quiet = (0..60).map(|n| event(9, n, "info", "zebrawood is well"));
    let loud = (0..60).map(|n| event(10, n, "error", "zebrawood is down"));
    let events = json!(quiet.chain(loud).collect::<Vec<Value>>());
    let headers = [&*authorization, "Content-Type: application/json"];
    let stored = server.send("POST /", &headers, events.to_string().as_bytes());
    assert_eq!(stored.status, 202, "{stored:?}");
    ask(
        "POST /api/v1/saved-queries",
        json!({"name": "zebrawood errors", "query": "zebrawood", "visibility": "shared", "client_id": 2}),
    );
    let alert = ask(
        "POST /api/v1/alerts",
        json!({"name": "zebrawood alert", "query": "zebrawood", "condition": {"type": "matches"}, "client_id": 2, "paused": true}),
    );
    let incident = ask(
        "POST /api/v1/incidents",
        json!({"name": "zebrawood is down", "client_id": 2}),
    );
    let found = ask("POST /api/v1/query", json!({"query": "zebrawood"}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let calls = calls(
        &text(&incident["data"]["id"]),
        &text(&found["data"][0]["_id"]),
        &text(&alert["data"]["id"]),
    );
    let everything = Agent::new(&server, &server.api_token);
    let ours = Agent::new(&server, &token_of(&server, "admin", json!(["1"])));
    let tools: BTreeSet<String> = ours.tools().into_keys().collect();
    let covered: BTreeSet<String> = calls.iter().map(|(tool, _)| (*tool).to_owned()).collect();
    assert_eq!(tools, covered, "each tool needs a call here");
    for (tool, arguments) in calls {
        let hidden = ours.call(tool, arguments.clone())["content"][0].to_string();
        // What was asked may be told back; what is told beyond may not.
        let told = hidden.replace(&format!("`{}`", "zebrawood errors"), "");
        assert!(!told.contains(HIDDEN), "{tool} {arguments}: {hidden}");
        let shown = everything.call(tool, arguments.clone());
        let shown = shown["content"][0].to_string();
        assert!(
            shown.contains(HIDDEN),
            "{tool} {arguments} shows nothing: {shown}"
        );
    }
    let resources = ours.ask("resources/list", json!({})).to_string();
    assert!(!resources.contains(HIDDEN), "{resources}");
    let theirs =
        json!({"uri": format!("cordwood://sources/src-{}/fields", text(&source["data"]["id"]))});
    assert!(
        everything
            .ask("resources/read", theirs.clone())
            .to_string()
            .contains(HIDDEN)
    );
    let hidden = ours.ask("resources/read", theirs);
    assert!(
        hidden["error"].is_object() && !hidden.to_string().contains(HIDDEN),
        "{hidden}"
    );
    let log = token_of(&server, "admin", json!(["1"]));
    let authorization = format!("Authorization: Bearer {log}");
    let log = server.send("GET /api/v1/audit", &[&authorization], b"");
    assert!(
        !log.body.contains(&server.api_token) && log.status == 200,
        "{log:?}"
    );
}
