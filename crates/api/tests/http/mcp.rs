//! The Model Context Protocol over HTTP: what agents see, what they get, and that a client's agent sees nothing of another's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::cancel::{IN_FLIGHT, SEARCHES, metric, wait_for};
use crate::client::{connect, head};
use crate::server::Server;

/// Bytes of an answer at most unless asked otherwise: 4 000 tokens of four bytes.
const ANSWER_BYTES_MAX: usize = 16_000;

/// An agent's side of a conversation.
pub(crate) struct Agent<'s> {
    server: &'s Server,
    token: String,
    session: String,
}

impl<'s> Agent<'s> {
    pub(crate) fn new(server: &'s Server, token: &str) -> Agent<'s> {
        let mut agent = Agent {
            server,
            token: token.to_owned(),
            session: String::new(),
        };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = agent
            .post(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}));
        agent.session = answer.header("mcp-session-id").unwrap().to_owned();
        let told = agent.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_eq!(told.status, 202, "{told:?}");
        agent
    }

    fn headers(&self) -> Vec<String> {
        let mut headers = vec![
            format!("Authorization: Bearer {}", self.token),
            "Content-Type: application/json".to_owned(),
            "Accept: application/json, text/event-stream".to_owned(),
        ];
        if !self.session.is_empty() {
            headers.push(format!("Mcp-Session-Id: {}", self.session));
        }
        headers
    }

    fn post(&self, message: &Value) -> crate::client::Answer {
        let headers = self.headers();
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let body = message.to_string();
        self.server.send("POST /mcp", &headers, body.as_bytes())
    }

    /// The answer to a request: `result`, or `error`.
    fn ask(&self, method: &str, params: Value) -> Value {
        let answer =
            self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}));
        let data = answer
            .body
            .lines()
            .filter_map(|line| line.strip_prefix("data:"));
        let messages = data.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok());
        let told = messages.into_iter().find(|message| message["id"] == 1);
        told.unwrap_or_else(|| panic!("no answer to {method}: {answer:?}"))
    }

    /// The result of a call.
    fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments}));
        assert!(answer["result"].is_object(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// What a call that is answered finds: its structured content, which its text has as well, within the limits of an answer.
    pub(crate) fn found(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool}: {result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(
            text.len() <= ANSWER_BYTES_MAX,
            "{tool}: {} bytes",
            text.len()
        );
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read, result["structuredContent"], "{tool}");
        for always in ["complete", "scanned", "range", "next"] {
            assert!(read["meta"].get(always).is_some(), "{tool}: {read}");
        }
        read
    }

    /// The error of a call that is refused.
    fn refused(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{tool}: {result}");
        // Clients hold structured content against the schema of answers.
        assert!(
            result.get("structuredContent").is_none(),
            "{tool}: {result}"
        );
        let text: Value =
            serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        text["error"].clone()
    }

    fn tools(&self) -> BTreeMap<String, Value> {
        let listed = self.ask("tools/list", json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool.clone()))
            .collect()
    }
}

fn token_of(server: &Server, access: &str, clients: Value) -> String {
    let body = json!({"name": format!("{access} agent"), "access": access, "clients": clients});
    let made = server.rest("POST /api/v1/tokens", &body.to_string());
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["data"]["attributes"]["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

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

#[test]
fn every_call_is_written_down() {
    let server = Server::start();
    let agent = Agent::new(&server, &server.api_token);
    agent.found("betterstack_query_logs", json!({"query": "level:error"}));
    agent.refused("betterstack_query_logs", json!({"query": "("}));
    let log = server.rest("GET /api/v1/audit?limit=1", "").json();
    let last = &log["data"][0]["attributes"];
    assert_eq!(
        (&last["tool"], &last["outcome"]),
        (&json!("betterstack_query_logs"), &json!("invalid_query"))
    );
    assert_eq!(last["arguments"], r#"{"query":"("}"#);
    let next = log["pagination"]["next"].as_str().unwrap();
    let path = next.get(next.find("/api").unwrap()..).unwrap();
    let before = server.rest(&format!("GET {path}"), "").json();
    assert_eq!(before["data"][0]["attributes"]["outcome"], "answered");
    let reader = token_of(&server, "read", Value::Null);
    let authorization = format!("Authorization: Bearer {reader}");
    let refused = server.send("GET /api/v1/audit", &[&authorization], b"");
    assert_eq!(refused.status, 403, "{refused:?}");
}

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

/// A long search tells how far it has come; told to stop, it stops in the engine, and the log says so.
#[test]
fn a_long_call_tells_its_progress_and_can_be_cancelled() {
    let server = Server::start();
    let event = |index: usize| format!("{{\"message\": \"a{}b{index}\"}}\n", "x".repeat(400));
    let batch: String = (0..20_000).map(event).collect();
    for _ in 0..4 {
        assert_eq!(server.ingest(&[], batch.as_bytes()).status, 202);
    }
    let agent = Agent::new(&server, &server.api_token);
    let slow = "/(a|x)*(x|b)*[0-9]{9}/";
    let many: Vec<String> = (0..30)
        .map(|n| format!("message:{slow} OR message:/q{n}[a-z ]{{{}}}[0-9]/", n + 5))
        .collect();
    let arguments = json!({"query": many.join(" OR "), "stages": "stats count()"});
    let params =
        json!({"name": "logs_stats", "arguments": arguments, "_meta": {"progressToken": "t"}});
    let before = metric(&server, SEARCHES);
    let call =
        json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).to_string();
    let headers = agent.headers();
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let mut stream = connect(server.address);
    let head = head("POST /mcp", &headers);
    write!(stream, "{head}Content-Length: {}\r\n\r\n{call}", call.len()).unwrap();
    let mut told = String::new();
    while !told.contains("notifications/progress") {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "it ended without progress: {told}");
        told.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
    let cancelled = json!({"requestId": 7, "reason": "enough"});
    let cancelling =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled});
    assert_eq!(agent.post(&cancelling).status, 202);
    wait_for(&server, IN_FLIGHT, 0);
    assert_eq!(metric(&server, SEARCHES), before, "it went on to its end");
    let log = server.rest("GET /api/v1/audit?limit=1", "").json();
    assert_eq!(
        log["data"][0]["attributes"]["outcome"], "cancelled",
        "{log}"
    );
}
