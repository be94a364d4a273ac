//! The Model Context Protocol over HTTP: what agents see, and what they get.

use std::collections::BTreeSet;
use std::io::Read;

use serde_json::{Value, json};

use crate::agent::{Agent, slow_arguments, token_of, with_much_to_search};
use crate::cancel::{IN_FLIGHT, SEARCHES, metric, wait_for};
use crate::mcp_audit::last_outcome;
use crate::server::Server;

#[test]
fn without_a_token_there_is_no_conversation() {
    let server = Server::start();
    let headers = [
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
    ];
    let answer = server.send("POST /mcp", &headers, b"{}");
    assert_eq!(answer.failure(), (401, "unauthenticated".to_owned()));
}

#[test]
fn a_session_is_of_the_token_that_began_it() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    let other = Agent {
        token: token_of(&server, "admin", Value::Null),
        session: agent.session.clone(),
        version: agent.version.clone(),
        server: &server,
    };
    let answer = other.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert_eq!(answer.failure(), (404, "no_such_session".to_owned()));
}

/// The names and parameters of the three tools that agents know by heart.
#[test]
fn the_three_tools_have_their_names_and_parameters() {
    let server = Server::start();
    let tools = Agent::new(&server, &server.api_token).tools();
    let cases = [
        (
            "betterstack_query_logs",
            vec!["query", "source_id", "from", "to", "batch_size", "order"],
            json!(["query"]),
        ),
        ("betterstack_list_sources", vec!["page"], json!([])),
        (
            "betterstack_create_source",
            vec!["name", "platform"],
            json!(["name"]),
        ),
    ];
    for (name, parameters, required) in cases {
        let schema = &tools[name]["inputSchema"];
        for parameter in parameters {
            assert!(
                schema["properties"].get(parameter).is_some(),
                "{name}: {parameter}"
            );
        }
        assert_eq!(schema["required"], required, "{name}");
        assert!(tools[name]["outputSchema"].is_object(), "{name}");
    }
    let properties = &tools["betterstack_query_logs"]["inputSchema"]["properties"];
    assert_eq!(properties["batch_size"]["default"], 100);
    let orders = json!(["newest_first", "oldest_first"]);
    assert_eq!(properties["order"]["enum"], orders);
    assert_eq!(properties["order"]["default"], "newest_first");
}

#[test]
fn the_three_tools_answer_in_their_shapes() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    let made = agent.found(
        "betterstack_create_source",
        json!({"name": "Production API", "platform": "node"}),
    );
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("src-"), "{made}");
    let token = made["data"]["attributes"]["token"].as_str().unwrap();
    let sent = json!([
        {"dt": "2026-03-27T10:15:29.456Z", "level": "error", "message": "Health check failed", "service": "api"},
        {"dt": "2026-03-27T10:15:30.123Z", "level": "error", "message": "Connection refused", "request_id": "req-abc-123"},
    ]);
    let authorization = format!("Authorization: Bearer {token}");
    let stored = server.send(
        "POST /",
        &[&authorization, "Content-Type: application/json"],
        sent.to_string().as_bytes(),
    );
    assert_eq!(stored.status, 202, "{stored:?}");
    let found = agent.found(
        "betterstack_query_logs",
        json!({"query": "level:error", "source_id": id}),
    );
    let events = found["data"].as_array().unwrap();
    assert_eq!(events.len(), 2, "{found}");
    assert_eq!(events[0]["message"], "Connection refused");
    assert_eq!(events[0]["dt"], "2026-03-27T10:15:30.123Z");
    assert_eq!(events[0]["request_id"], "req-abc-123");
    assert_eq!(events[1]["service"], "api");
    let oldest = agent.found(
        "betterstack_query_logs",
        json!({"query": "*", "source_id": id, "order": "oldest_first", "batch_size": 1}),
    );
    assert_eq!(oldest["data"][0]["message"], "Health check failed");
    assert!(oldest["meta"]["next_cursor"].is_string(), "{oldest}");
    let listed = agent.found("betterstack_list_sources", json!({}));
    let listed = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|source| source["id"] == id.as_str())
        .unwrap()
        .clone();
    let masked = format!("xxxx...{}", token.get(token.len() - 4..).unwrap());
    let attributes = json!({"name": "Production API", "platform": "node", "token": masked, "ingesting_paused": false, "records_count": 2});
    assert_eq!(
        listed,
        json!({"id": id, "type": "source", "attributes": attributes})
    );
}

/// A platform is called in answers what agents call it, whatever it is called over HTTP.
#[test]
fn platforms_have_the_names_that_agents_know() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    let platforms = [
        "node",
        "python",
        "ruby",
        "go",
        "docker",
        "kubernetes",
        "syslog",
        "http",
    ];
    let unknown = agent.refused(
        "betterstack_create_source",
        json!({"name": "x", "platform": "cobol"}),
    );
    let named = unknown["platforms"].as_array().unwrap();
    for platform in platforms {
        let made = agent.found(
            "betterstack_create_source",
            json!({"name": platform, "platform": platform}),
        );
        assert_eq!(made["data"]["attributes"]["platform"], platform);
        assert!(named.contains(&json!(platform)), "{platform}: {unknown}");
    }
}

#[test]
fn who_may_only_read_sees_nothing_that_writes() {
    let server = Server::start();
    let reader = Agent::new(&server, &token_of(&server, "read", Value::Null));
    let tools = reader.tools();
    assert!(!tools.contains_key("betterstack_create_source"));
    for (name, tool) in &tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{name}");
        let schema = tool["inputSchema"].to_string();
        for writing in [
            "\"create\"",
            "\"silence\"",
            "\"open\",\"ack",
            "\"acknowledge\"",
            "\"delete\"",
        ] {
            assert!(!schema.contains(writing), "{name}: {writing}");
        }
    }
    let unseen = reader.ask(
        "tools/call",
        json!({"name": "betterstack_create_source", "arguments": {"name": "x"}}),
    );
    assert!(
        unseen["error"]["message"]
            .as_str()
            .unwrap()
            .contains("There is no tool"),
        "{unseen}"
    );
    let refused = reader.refused(
        "alerts",
        json!({"action": "create", "name": "x", "query": "*"}),
    );
    assert_eq!(refused["code"], "invalid_parameter", "{refused}");
}

#[test]
fn a_refusal_says_what_would_be_right() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    let refused = agent.refused(
        "betterstack_query_logs",
        json!({"query": "*", "source_id": "nowhere"}),
    );
    assert_eq!(refused["code"], "source_not_found");
    assert!(
        !refused["sources"].as_array().unwrap().is_empty(),
        "{refused}"
    );
    let refused = agent.refused(
        "betterstack_query_logs",
        json!({"query": "level:error AND \"refused"}),
    );
    assert_eq!(refused["code"], "invalid_query");
    assert!(refused["position"]["start"].is_u64(), "{refused}");
    assert_eq!(refused["corrected_query"], "level:error AND \"refused\"");
    // Of a record too, wherever its query stands.
    let condition = json!({"type": "matches"});
    let records = [
        (
            "alerts",
            json!({"action": "create", "name": "x", "query": "level:(error", "condition": condition}),
        ),
        (
            "incidents",
            json!({"action": "open", "name": "x", "query": "level:(error"}),
        ),
        (
            "saved_queries",
            json!({"action": "create", "name": "x", "query": "level:(error"}),
        ),
    ];
    for (tool, arguments) in records {
        let refused = agent.refused(tool, arguments);
        assert_eq!(
            refused["corrected_query"], "level:(error)",
            "{tool}: {refused}"
        );
    }
    let refused = agent.refused(
        "betterstack_query_logs",
        json!({"query": "*", "sorce_id": "x"}),
    );
    assert_eq!(refused["parameter"], "sorce_id", "{refused}");
    server.ingest(
        &["Content-Type: application/json"],
        br#"{"service": "api", "message": "hi", "dt": "2026-03-27T10:00:00Z"}"#,
    );
    let empty = agent.found("betterstack_query_logs", json!({"query": "sevice:api"}));
    assert_eq!(
        empty["meta"]["clauses"][0]["unknown_fields"][0]["near"][0], "service",
        "{empty}"
    );
    let next = empty["meta"]["next"].to_string();
    assert!(next.contains("`service`"), "{next}");
    let later = json!({"query": "service:api", "from": "2026-03-28T00:00:00Z", "to": "2026-03-29T00:00:00Z"});
    let empty = agent.found("betterstack_query_logs", later);
    let next = empty["meta"]["next"].to_string();
    assert!(next.contains("2026-03-27T10:00:00"), "{next}");
}

/// Whatever computes something says, of nothing, which clause is to blame and where the nearest matches are.
#[test]
fn what_computes_nothing_says_why() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    server.ingest(
        &["Content-Type: application/json"],
        br#"{"service": "api", "level": "error", "message": "hi", "dt": "2026-03-27T10:00:00Z"}"#,
    );
    let day = json!({"from": "2026-03-28T00:00:00Z", "to": "2026-03-29T00:00:00Z"});
    let with = |mut arguments: Value, scope: &Value| {
        let scope = scope.as_object().unwrap().clone();
        arguments.as_object_mut().unwrap().extend(scope);
        arguments
    };
    let calls = [
        ("logs_stats", json!({"stages": "stats count(), avg(took)"})),
        ("logs_stats", json!({"stages": "stats count() by service"})),
        ("logs_patterns", json!({})),
        ("logs_fields", json!({})),
    ];
    for (tool, arguments) in calls {
        let misspelt = with(
            arguments.clone(),
            &json!({"query": "level:error sevice:api"}),
        );
        let found = agent.found(tool, misspelt);
        let clauses = &found["meta"]["clauses"];
        assert_eq!(clauses[0]["matches"], 1, "{tool}: {found}");
        assert_eq!(
            clauses[1]["unknown_fields"][0]["near"][0], "service",
            "{tool}: {found}"
        );
        let next = found["meta"]["next"].to_string();
        assert!(next.contains("`service`"), "{tool}: {next}");
        let later = with(with(arguments, &day), &json!({"query": "service:api"}));
        let found = agent.found(tool, later);
        let next = found["meta"]["next"].to_string();
        assert!(next.contains("2026-03-27T10:00:00"), "{tool}: {next}");
    }
    // What counts zero of events that there are needs no reason.
    let stages = "stats count() if (level:fatal) as fatal";
    let found = agent.found(
        "logs_stats",
        json!({"query": "service:api", "stages": stages}),
    );
    assert_eq!(found["data"], json!([{"fatal": 0}]), "{found}");
    assert_eq!(found["meta"].get("clauses"), None, "{found}");
}

/// Of several clients one has to be named; which there are is said where it is asked for.
#[test]
fn records_are_made_for_the_client_that_is_named() {
    let (server, client) = Server::with_client("Acme");
    let agent = Agent::new(&server, &server.api_token);
    let condition = json!({"type": "matches"});
    let calls = [
        (
            "saved_queries",
            json!({"action": "create", "name": "errors", "query": "level:error", "visibility": "shared"}),
        ),
        (
            "alerts",
            json!({"action": "create", "name": "errors", "query": "level:error", "condition": condition}),
        ),
        ("alerts", json!({"action": "silence", "ends_at": "now+1h"})),
        ("incidents", json!({"action": "open", "name": "errors"})),
    ];
    for (tool, mut arguments) in calls {
        let refused = agent.refused(tool, arguments.clone());
        let clients = refused["clients"].as_array();
        let clients = clients.unwrap_or_else(|| panic!("{tool}: {refused}"));
        let named = clients.iter().find(|client| client["name"] == "Acme");
        arguments["client_id"] = named.unwrap()["id"].clone();
        let made = agent.found(tool, arguments);
        let of = &made["data"]["attributes"]["client_id"];
        assert_eq!(*of, client.to_string(), "{tool}: {made}");
    }
}

/// Equal events come once; of many long ones as many as fit, and the cursor leads to exactly the rest.
#[test]
fn answers_are_small_and_lead_on() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    let mut events: Vec<Value> = (0..60)
        .map(|n| json!({"dt": format!("2026-03-27T10:00:{n:02}Z"), "message": format!("{n} {}", "long ".repeat(400))}))
        .collect();
    events.extend(
        (0..30).map(|n| json!({"dt": format!("2026-03-27T11:00:{n:02}Z"), "message": "the same"})),
    );
    let stored = server.ingest(
        &["Content-Type: application/json"],
        json!(events).to_string().as_bytes(),
    );
    assert_eq!(stored.status, 202, "{stored:?}");
    let mut seen = BTreeSet::new();
    let mut counted = 0;
    let mut arguments = json!({"query": "*"});
    loop {
        let found = agent.found("betterstack_query_logs", arguments.clone());
        for event in found["data"].as_array().unwrap() {
            counted += event["_repeated"]["count"].as_u64().unwrap_or(1);
            let is_new = seen.insert(event["_id"].as_str().unwrap().to_owned());
            assert!(is_new, "twice: {event}");
        }
        match found["meta"]["next_cursor"].as_str() {
            Some(cursor) => arguments["cursor"] = cursor.into(),
            None => break,
        }
    }
    assert_eq!((counted, seen.len()), (90, 61));
    let first = agent.found(
        "betterstack_query_logs",
        json!({"query": "long", "batch_size": 1}),
    );
    let cut = first["data"][0]["message"].as_str().unwrap();
    assert!(cut.contains("…[cut:"), "{cut}");
    let id = &first["data"][0]["_id"];
    let whole = agent.found("logs_context", json!({"id": id, "whole": true}));
    assert!(whole["data"][0]["message"].as_str().unwrap().len() > 2_000);
}

/// A long search tells how far it has come; told to stop, it stops in the engine, and the log says so.
#[test]
fn a_long_call_tells_its_progress_and_can_be_cancelled() {
    let server = with_much_to_search();
    let agent = Agent::new(&server, &server.api_token);
    let before = metric(&server, SEARCHES);
    let params = json!({"name": "logs_stats", "arguments": slow_arguments(), "_meta": {"progressToken": "t"}});
    let mut stream = agent.begin(7, &params);
    let mut told = String::new();
    while !told.contains("notifications/progress") {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "it ended without progress: {told}");
        told.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    agent.cancel(7);
    wait_for(&server, IN_FLIGHT, 0);
    assert_eq!(metric(&server, SEARCHES), before, "it went on to its end");
    assert_eq!(last_outcome(&server), "cancelled");
}
