//! What an agent finds with its token: another client's events, records and names are hidden from every tool, in whatever parameter they are named.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::agent::{Agent, token_of};
use crate::server::Server;

/// A word of the other client's events, records and names.
const HIDDEN: &str = "zebrawood";

/// Parameters that name nothing which is anybody's: texts to search for, numbers, times, choices. What one of another name means has to
/// be decided here, or to be asked with what is another client's.
const NAMES_NOTHING: &[&str] = &[
    "action",
    "after",
    "baseline",
    "baseline_from",
    "baseline_to",
    "batch_size",
    "before",
    "by",
    "cause",
    "comment",
    "condition",
    "content",
    "days",
    "description",
    "ends_at",
    "explain",
    "field",
    "from",
    "group_by",
    "limit",
    "max_tokens",
    "measure",
    "new_since",
    "order",
    "page",
    "per_page",
    "platform",
    "query",
    "runbook",
    "same",
    "severity",
    "stages",
    "status",
    "text",
    "to",
    "trend",
    "values",
    "visibility",
    "whole",
    "window_s",
    "within",
];

/// What the other client has.
struct Theirs {
    client: String,
    source: String,
    source_name: String,
    event: String,
    saved_query: String,
    alert: String,
    silence: String,
    incident: String,
}

impl Theirs {
    /// What nobody has, of the same form.
    fn nobodys() -> Theirs {
        Theirs {
            client: "4711".to_owned(),
            source: "src-4711".to_owned(),
            source_name: "nobodys api".to_owned(),
            event: "0123456789abcdef-1".to_owned(),
            saved_query: "4711".to_owned(),
            alert: "4711".to_owned(),
            silence: "4711".to_owned(),
            incident: "4711".to_owned(),
        }
    }
}

/// A server on which another client has events and one record of each kind.
fn server_of_two() -> (Server, Theirs) {
    let (server, client) = Server::with_client("zebrawood inc");
    let client = client.to_string();
    let id = |made: &Value| made["data"]["id"].as_str().unwrap().to_owned();
    let ask = |request: &str, body: Value| {
        let answer = server.rest(request, &body.to_string());
        assert!((200..300).contains(&answer.status), "{request}: {answer:?}");
        answer.json()
    };
    let source_name = "zebrawood api".to_owned();
    let source = json!({"name": source_name, "client_id": client});
    let source = ask("POST /api/v1/sources", source);
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
    let saved = json!({"name": "zebrawood errors", "query": "zebrawood", "visibility": "shared", "client_id": client});
    let alert = json!({"name": "zebrawood alert", "query": "zebrawood", "condition": {"type": "matches"}, "client_id": client, "paused": true});
    let silence = json!({"client_id": client, "comment": "zebrawood is rebuilt", "ends_at": "now+2h", "matchers": [{"on": "rule", "is": "zebrawood*"}]});
    let incident = json!({"name": "zebrawood is down", "client_id": client});
    // More than fit on a page of one.
    ask("POST /api/v1/incidents", incident.clone());
    let found = ask("POST /api/v1/query", json!({"query": "zebrawood"}));
    let theirs = Theirs {
        saved_query: id(&ask("POST /api/v1/saved-queries", saved)),
        alert: id(&ask("POST /api/v1/alerts", alert)),
        silence: id(&ask("POST /api/v1/silences", silence)),
        incident: id(&ask("POST /api/v1/incidents", incident)),
        event: found["data"][0]["_id"].as_str().unwrap().to_owned(),
        source: format!("src-{}", id(&source)),
        client,
        source_name,
    };
    (server, theirs)
}

/// A call of a tool.
type ToolCall = (&'static str, Value);

/// Calls that name nothing: what they show to who sees everything is hidden from others.
fn open_calls() -> Vec<ToolCall> {
    let mut calls = vec![
        ("betterstack_query_logs", json!({"query": "*"})),
        ("betterstack_list_sources", json!({})),
        ("logs_stats", json!({"stages": "stats count() by message"})),
        ("logs_patterns", json!({})),
        (
            "logs_what_changed",
            json!({"from": "2026-03-27T09:30:00Z", "to": "2026-03-27T10:30:00Z"}),
        ),
        ("logs_trace", json!({"value": "req-77"})),
        ("logs_fields", json!({"query": "*"})),
        ("saved_queries", json!({"action": "list"})),
        ("alerts", json!({"action": "list"})),
        ("alerts", json!({"action": "list_silences"})),
        (
            "alerts",
            json!({"action": "back_test", "query": "*", "condition": {"type": "matches"}, "group_by": ["service"], "days": 30}),
        ),
        ("incidents", json!({"action": "list"})),
        ("source_health", json!({})),
    ];
    if cfg!(feature = "sql") {
        calls.push(("logs_sql", json!({"query": "SELECT message FROM logs"})));
    }
    calls
}

/// Calls that name what is another's, of which none may tell more than that it is not there. Those that change something come last, so that
/// what they change is shown before.
fn naming_calls(theirs: &Theirs) -> Vec<ToolCall> {
    let source = &theirs.source;
    let of_one = |action: &str| {
        (
            "incidents",
            json!({"action": action, "incident": theirs.incident}),
        )
    };
    let rule = |action: &str| json!({"action": action, "name": "ours", "query": "*", "condition": {"type": "matches"}});
    let with = |mut arguments: Value, name: &str, value: Value| {
        arguments[name] = value;
        arguments
    };
    let mut calls = vec![
        (
            "betterstack_query_logs",
            json!({"query": "*", "source_id": theirs.source_name}),
        ),
        (
            "betterstack_create_source",
            json!({"name": "ours", "client_id": theirs.client}),
        ),
        ("logs_context", json!({"id": theirs.event})),
        ("logs_context", json!({"id": theirs.event, "whole": true})),
        ("logs_trace", json!({"event_id": theirs.event})),
        (
            "logs_trace",
            json!({"value": "req-77", "source_id": source}),
        ),
        (
            "logs_stats",
            json!({"stages": "stats count()", "source_id": source}),
        ),
        ("source_health", json!({"source_id": theirs.source_name})),
        (
            "saved_queries",
            json!({"action": "show", "saved_query": theirs.saved_query}),
        ),
        (
            "saved_queries",
            json!({"action": "create", "name": "ours 1", "query": "*", "client_id": theirs.client}),
        ),
        ("alerts", json!({"action": "show", "alert": theirs.alert})),
        (
            "alerts",
            json!({"action": "back_test", "alert": theirs.alert}),
        ),
        (
            "alerts",
            with(rule("create"), "client_id", json!(theirs.client)),
        ),
        (
            "alerts",
            json!({"action": "silence", "ends_at": "now+1h", "client_id": theirs.client}),
        ),
        of_one("show"),
        of_one("timeline"),
        of_one("what_changed"),
        of_one("report"),
        (
            "incidents",
            json!({"action": "open", "name": "ours", "client_id": theirs.client}),
        ),
        of_one("acknowledge"),
        of_one("resolve"),
        (
            "incidents",
            json!({"action": "comment", "incident": theirs.incident, "content": "ours"}),
        ),
        (
            "alerts",
            json!({"action": "end_silence", "silence": theirs.silence}),
        ),
        (
            "saved_queries",
            json!({"action": "delete", "saved_query": theirs.saved_query}),
        ),
    ];
    for tool in ["logs_patterns", "logs_what_changed", "logs_fields"] {
        calls.push((tool, json!({"source_id": source})));
    }
    if cfg!(feature = "sql") {
        let statement = json!({"query": "SELECT message FROM logs", "source_id": source});
        calls.push(("logs_sql", statement));
    }
    calls
}

/// Records of one's own that name another's source.
fn records_of_source(theirs: &Theirs) -> Vec<ToolCall> {
    let sources = json!([theirs.source, theirs.source_name]);
    let name = format!("about {}", theirs.source_name);
    let alert = json!({"action": "create", "name": name, "query": "*", "condition": {"type": "matches"}, "source_id": sources});
    vec![
        (
            "saved_queries",
            json!({"action": "create", "name": name, "query": "*", "source_id": sources}),
        ),
        ("alerts", alert),
        (
            "incidents",
            json!({"action": "open", "name": name, "source_id": sources}),
        ),
    ]
}

/// Calls that take a name of the other client's for something of one's own: it is as free as any.
fn calls_with_taken_names(name: &str) -> Vec<ToolCall> {
    let alert = json!({"action": "create", "name": format!("{name} alert"), "query": "*", "condition": {"type": "matches"}});
    vec![
        (
            "betterstack_create_source",
            json!({"name": format!("{name} api")}),
        ),
        (
            "saved_queries",
            json!({"action": "create", "name": format!("{name} errors"), "query": "*"}),
        ),
        ("alerts", alert),
        (
            "alerts",
            json!({"action": "silence", "ends_at": "now+1h", "matchers": [{"on": "rule", "is": format!("{name}*")}]}),
        ),
    ]
}

/// The error of a call without what it names, so that two can be compared; `None` if it was answered.
fn refusal(agent: &Agent<'_>, (tool, arguments): &ToolCall, named: &Theirs) -> Option<Value> {
    let result = agent.call(tool, arguments.clone());
    if result["isError"] != true {
        return None;
    }
    let mut text = result["content"][0]["text"].as_str().unwrap().to_owned();
    let names = [
        &named.event,
        &named.source_name,
        &named.source,
        &named.client,
        &named.saved_query,
        &named.alert,
        &named.silence,
        &named.incident,
    ];
    for name in names {
        text = text.replace(&format!("`{name}`"), "`it`");
    }
    assert!(!text.contains(HIDDEN), "{tool} {arguments}: {text}");
    let error: Value = serde_json::from_str(&text).unwrap();
    let mut error = error["error"].clone();
    // What was asked is not what is told.
    error.as_object_mut().map(|error| error.remove("query"));
    Some(error)
}

#[test]
fn what_another_client_has_is_hidden_from_every_tool() {
    let (server, _) = server_of_two();
    let everything = Agent::new(&server, &server.api_token);
    let ours = Agent::new(&server, &token_of(&server, "admin", json!(["1"])));
    let text_of = |agent: &Agent<'_>, (tool, arguments): &ToolCall| {
        agent.call(tool, arguments.clone())["content"][0].to_string()
    };
    let mut calls = open_calls();
    // Where a page of theirs ends is no way in either.
    for (tool, first) in [
        (
            "betterstack_query_logs",
            json!({"query": "*", "batch_size": 1}),
        ),
        ("incidents", json!({"action": "list", "per_page": 1})),
    ] {
        let page = everything.found(tool, first.clone());
        let mut next = first;
        next["cursor"] = page["meta"]["next_cursor"].clone();
        assert!(next["cursor"].is_string(), "{tool}: {page}");
        calls.push((tool, next));
    }
    for call in calls {
        let hidden = text_of(&ours, &call);
        assert!(!hidden.contains(HIDDEN), "{call:?}: {hidden}");
        let shown = text_of(&everything, &call);
        assert!(shown.contains(HIDDEN), "{call:?} shows nothing: {shown}");
    }
}

#[test]
fn what_another_client_has_is_not_found_in_the_same_words_as_what_nobody_has() {
    let (server, theirs) = server_of_two();
    let everything = Agent::new(&server, &server.api_token);
    let ours = Agent::new(&server, &token_of(&server, "admin", json!(["1"])));
    let nobodys = Theirs::nobodys();
    for (call, other) in naming_calls(&theirs).iter().zip(&naming_calls(&nobodys)) {
        let hidden = refusal(&ours, call, &theirs);
        assert!(hidden.is_some(), "{call:?} is answered");
        assert_eq!(hidden, refusal(&ours, other, &nobodys), "{call:?}");
        let shown = everything.call(call.0, call.1.clone());
        assert_ne!(shown["isError"], true, "{call:?}: {shown}");
    }
    for (call, other) in records_of_source(&theirs)
        .iter()
        .zip(&records_of_source(&nobodys))
    {
        let hidden = refusal(&ours, call, &theirs);
        assert_eq!(hidden, refusal(&ours, other, &nobodys), "{call:?}");
    }
    for (taken, free) in calls_with_taken_names(HIDDEN)
        .iter()
        .zip(&calls_with_taken_names("nobodys"))
    {
        for (call, named) in [(taken, &theirs), (free, &nobodys)] {
            assert_eq!(refusal(&ours, call, named), None, "{call:?}");
        }
    }
}

/// A tool, an action or a parameter that is new is asked for what is another's too, or is known to name nothing.
#[test]
fn every_tool_action_and_parameter_is_asked_for_what_is_anothers() {
    let server = Server::start();
    let tools = Agent::new(&server, &server.api_token).tools();
    let theirs = Theirs::nobodys();
    let mut calls = [
        open_calls(),
        naming_calls(&theirs),
        records_of_source(&theirs),
    ]
    .concat();
    calls.extend(calls_with_taken_names(HIDDEN));
    // These are asked with cursors of pages of theirs.
    calls.push(("betterstack_query_logs", json!({"cursor": ""})));
    calls.push(("incidents", json!({"cursor": ""})));
    for (name, tool) in &tools {
        let asked: Vec<&Map<String, Value>> = calls
            .iter()
            .filter(|(called, _)| called == name)
            .filter_map(|(_, arguments)| arguments.as_object())
            .collect();
        assert!(!asked.is_empty(), "{name} is never called");
        let properties = &tool["inputSchema"]["properties"];
        for parameter in properties.as_object().unwrap().keys() {
            let is_asked = asked
                .iter()
                .any(|arguments| arguments.contains_key(parameter));
            let names_nothing = NAMES_NOTHING.contains(&parameter.as_str());
            assert!(is_asked || names_nothing, "{name}: {parameter}");
        }
        let actions = properties["action"]["enum"].as_array();
        for action in actions.into_iter().flatten() {
            let is_asked = asked
                .iter()
                .any(|arguments| arguments.get("action") == Some(action));
            assert!(is_asked, "{name}: {action}");
        }
    }
    let called: BTreeSet<&str> = calls.iter().map(|(tool, _)| *tool).collect();
    let there: BTreeSet<&str> = tools.keys().map(String::as_str).collect();
    assert_eq!(called, there, "a tool that is not there is called");
}

#[test]
fn resources_and_the_audit_log_are_of_ones_own_clients() {
    let (server, theirs) = server_of_two();
    let everything = Agent::new(&server, &server.api_token);
    let token = token_of(&server, "admin", json!(["1"]));
    let ours = Agent::new(&server, &token);
    let listed = ours.ask("resources/list", json!({})).to_string();
    assert!(!listed.contains(HIDDEN), "{listed}");
    let fields = |source: &str| json!({"uri": format!("cordwood://sources/{source}/fields")});
    let read = |agent: &Agent<'_>, source: &str| agent.ask("resources/read", fields(source));
    let shown = read(&everything, &theirs.source).to_string();
    assert!(shown.contains(HIDDEN), "{shown}");
    let hidden = read(&ours, &theirs.source)["error"].to_string();
    let missing = read(&ours, "src-4711")["error"].to_string();
    assert_eq!(hidden.replace(&theirs.source, "src-4711"), missing);
    assert!(!hidden.contains(HIDDEN), "{hidden}");

    everything.found("betterstack_query_logs", json!({"query": HIDDEN}));
    ours.found("betterstack_query_logs", json!({"query": "*"}));
    let authorization = format!("Authorization: Bearer {token}");
    let log = server.send("GET /api/v1/audit", &[&authorization], b"");
    assert_eq!(log.status, 200, "{log:?}");
    assert!(!log.body.contains(HIDDEN), "{log:?}");
    assert!(log.body.contains("betterstack_query_logs"), "{log:?}");
}
