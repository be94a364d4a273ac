//! The audit log: each call of an agent is in it, whatever becomes of the call and however much there is to do.

use std::thread;

use cordwood_api::{EdgeOptions, LaneLimits};
use cordwood_service::ToolOutcome;
use serde_json::{Value, json};

use crate::agent::{Agent, message_in, slow_arguments, token_of, with_much_to_search};
use crate::cancel::{IN_FLIGHT, wait_for};
use crate::server::Server;

const CALLS_IN_FLIGHT: &str = "cordwood_http_in_flight{lane=\"agents\"}";

/// What came of the call that was over last, when all are over.
pub(crate) fn last_outcome(server: &Server) -> String {
    wait_for(server, CALLS_IN_FLIGHT, 0);
    let log = server.rest("GET /api/v1/audit?limit=1", "").json();
    let outcome = log["data"][0]["attributes"]["outcome"].as_str();
    outcome
        .unwrap_or_else(|| panic!("no call: {log}"))
        .to_owned()
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

/// Who may not write and tries to is who the log is read for.
#[test]
fn a_call_of_a_tool_that_is_not_for_the_token_is_written_down() {
    let server = Server::start();
    let reader = Agent::new(&server, &token_of(&server, "read", Value::Null));
    let arguments = json!({"name": "mine"});
    let params = json!({"name": "betterstack_create_source", "arguments": arguments});
    let answer = reader.ask("tools/call", params);
    assert!(answer["error"].is_object(), "{answer}");
    let log = server.rest("GET /api/v1/audit", "").json();
    let last = &log["data"][0]["attributes"];
    let told = ["tool", "outcome", "arguments"].map(|name| last[name].as_str().unwrap());
    let expected = [
        "betterstack_create_source",
        "no_such_tool",
        r#"{"name":"mine"}"#,
    ];
    assert_eq!(told, expected, "{log}");
}

/// The lane of records is so narrow that most requests are refused; of the calls that are not, none is missing.
#[test]
fn no_call_is_lost_in_a_crowd() {
    const AGENTS: usize = 6;
    const CALLS: usize = 20;
    let server = Server::with(&EdgeOptions {
        manage: LaneLimits {
            running: 1,
            waiting: 1,
        },
        ..EdgeOptions::default()
    });
    let agents: Vec<Agent<'_>> = (0..AGENTS)
        .map(|_| Agent::new(&server, &server.api_token))
        .collect();
    let params = json!({"name": "betterstack_query_logs", "arguments": {"query": "("}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    thread::scope(|scope| {
        for agent in &agents {
            scope.spawn(|| {
                let mut answered = 0;
                while answered < CALLS {
                    let answer = agent.post(&call);
                    // Refused at the door: there was no call.
                    if answer.status != 429 {
                        let result = message_in(&answer, 1);
                        assert_eq!(result["result"]["isError"], true, "{result}");
                        answered += 1;
                    }
                }
            });
        }
    });
    let log = server.rest("GET /api/v1/audit?limit=500", "").json();
    let written = log["data"].as_array().unwrap().len();
    assert_eq!(written, AGENTS * CALLS);
}

#[test]
fn a_call_without_room_in_the_log_does_nothing() {
    let server = Server::with(&EdgeOptions {
        agents: LaneLimits {
            running: 0,
            waiting: 0,
        },
        ..EdgeOptions::default()
    });
    let agent = Agent::new(&server, &server.api_token);
    let refused = agent.refused("betterstack_create_source", json!({"name": "unwritten"}));
    assert_eq!(refused["code"], "busy", "{refused}");
    let sources = server.rest("GET /api/v1/sources", "");
    assert!(!sources.body.contains("unwritten"), "{sources:?}");
    let metrics = server.send("GET /metrics", &[], b"").body;
    assert!(
        metrics.contains("cordwood_http_refused_total{lane=\"agents\"} 1"),
        "{metrics}"
    );
}

/// A call that a stop of the server breaks off is in the log when the server has stopped.
#[test]
fn a_stop_waits_for_the_log() {
    let mut server = with_much_to_search();
    let agent = Agent::new(&server, &server.api_token);
    let arguments = slow_arguments();
    let _stream = agent.begin(7, &json!({"name": "logs_stats", "arguments": arguments}));
    wait_for(&server, IN_FLIGHT, 1);
    server.stop();
    server.wait();
    let service = server.edge.service().unwrap();
    let caller = service.authenticate(&server.api_token).unwrap();
    let log = service.audit(&caller, None, None).unwrap();
    let outcomes: Vec<&ToolOutcome> = log
        .entries
        .iter()
        .map(|entry| &entry.call.outcome)
        .collect();
    let cancelled = ToolOutcome::Refused("cancelled".to_owned());
    assert_eq!(outcomes, [&cancelled]);
}
