//! The versions of the protocol: each that is spoken is agreed on, calls a tool, and has a call cancelled in its own way.

use std::io::Read;
use std::net::Shutdown;

use serde_json::{Value, json};

use crate::agent::{
    Agent, begin, headers_of, message_in, post, slow_arguments, with_much_to_search,
};
use crate::cancel::{IN_FLIGHT, SEARCHES, metric, wait_for};
use crate::client::Answer;
use crate::mcp_audit::last_outcome;
use crate::server::Server;

/// Those that begin with `initialize` and have sessions, the oldest first.
const WITH_SESSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// That in which each request says for itself what those said once.
const WITHOUT_SESSIONS: &str = "2026-07-28";

#[test]
fn versions_with_sessions_are_agreed_on_and_cancel_by_a_notification() {
    let server = with_much_to_search();
    for version in WITH_SESSIONS {
        let agent = Agent::speaking(&server, &server.api_token, version);
        assert_eq!(agent.version, version);
        let listed = agent.found("betterstack_list_sources", json!({}));
        assert_eq!(listed["data"][0]["type"], "source", "{version}: {listed}");
        let before = metric(&server, SEARCHES);
        let stream = agent.begin(
            7,
            &json!({"name": "logs_stats", "arguments": slow_arguments()}),
        );
        wait_for(&server, IN_FLIGHT, 1);
        agent.cancel(7);
        wait_for(&server, IN_FLIGHT, 0);
        assert_eq!(metric(&server, SEARCHES), before, "{version}");
        assert_eq!(last_outcome(&server), "cancelled", "{version}");
        drop(stream);
    }
}

/// A client that wants a version which is not spoken, or which has no `initialize`, is offered the newest that has, and goes on with that or
/// not at all.
#[test]
fn another_version_is_offered_in_the_place_of_one_that_is_not_spoken() {
    let server = Server::start();
    for version in ["1999-01-01", "2099-01-01", WITHOUT_SESSIONS] {
        let agent = Agent::speaking(&server, &server.api_token, version);
        assert_eq!(agent.version, "2025-11-25", "for {version}");
        agent.found("betterstack_list_sources", json!({}));
    }
    let agent = Agent {
        version: "2099-01-01".to_owned(),
        ..Agent::new(&server, &server.api_token)
    };
    let refused = agent.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.body.contains("2099-01-01"), "{refused:?}");
}

/// The headers of a request in the version without sessions: what it is about is said outside the body, for what stands in between.
fn headers(server: &Server, version: &str, method: &str, name: Option<&str>) -> Vec<String> {
    let mut headers = headers_of(&server.api_token);
    headers.push(format!("Mcp-Protocol-Version: {version}"));
    headers.push(format!("Mcp-Method: {method}"));
    headers.extend(name.map(|name| format!("Mcp-Name: {name}")));
    headers
}

/// A request in it.
fn message(id: u64, version: &str, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn ask(server: &Server, version: &str, method: &str, params: Value) -> Answer {
    let name = params["name"].as_str().map(str::to_owned);
    let headers = headers(server, version, method, name.as_deref());
    post(server, &headers, &message(1, version, method, params))
}

#[test]
fn the_version_without_sessions_is_spoken_request_by_request() {
    let server = Server::start();
    let discovered = ask(&server, WITHOUT_SESSIONS, "server/discover", json!({}));
    assert_eq!(discovered.header("mcp-session-id"), None);
    let discovered = message_in(&discovered, 1)["result"].clone();
    let spoken: Vec<&str> = discovered["supportedVersions"]
        .as_array()
        .unwrap_or_else(|| panic!("no versions: {discovered}"))
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(spoken, [&WITH_SESSIONS[..], &[WITHOUT_SESSIONS]].concat());
    assert!(
        discovered["instructions"]
            .as_str()
            .unwrap()
            .contains("logs_what_changed")
    );
    let call = json!({"name": "betterstack_list_sources", "arguments": {}});
    let listed = ask(&server, WITHOUT_SESSIONS, "tools/call", call);
    let listed = message_in(&listed, 1)["result"].clone();
    let source = &listed["structuredContent"]["data"][0];
    assert_eq!(source["type"], "source", "{listed}");
    assert_eq!(last_outcome(&server), "answered");
    let refused = ask(&server, "2099-01-01", "tools/list", json!({}));
    assert_eq!(refused.status, 400, "{refused:?}");
    let refused = message_in(&refused, 1);
    let supported = &refused["error"]["data"]["supported"];
    assert!(
        supported.to_string().contains(WITHOUT_SESSIONS),
        "{refused}"
    );
}

/// Its way to cancel is to hang up, before the first word of the answer or in the middle of it.
#[test]
fn the_version_without_sessions_cancels_by_hanging_up() {
    let server = with_much_to_search();
    for progress_token in [Value::Null, json!("t")] {
        let before = metric(&server, SEARCHES);
        let mut call = message(
            1,
            WITHOUT_SESSIONS,
            "tools/call",
            json!({"name": "logs_stats", "arguments": slow_arguments()}),
        );
        if !progress_token.is_null() {
            call["params"]["_meta"]["progressToken"] = progress_token.clone();
        }
        let headers = headers(&server, WITHOUT_SESSIONS, "tools/call", Some("logs_stats"));
        let mut stream = begin(&server, &headers, &call);
        wait_for(&server, IN_FLIGHT, 1);
        if !progress_token.is_null() {
            let mut told = [0; 1];
            stream.read_exact(&mut told).unwrap();
        }
        stream.shutdown(Shutdown::Both).unwrap();
        wait_for(&server, IN_FLIGHT, 0);
        assert_eq!(metric(&server, SEARCHES), before, "{progress_token}");
        assert_eq!(last_outcome(&server), "cancelled", "{progress_token}");
    }
}
