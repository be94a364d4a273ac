//! The audit log: each call of an agent is in it, whatever becomes of the call.

use serde_json::{Value, json};

use crate::agent::{Agent, token_of};
use crate::server::Server;

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
