//! A search that tells how far it has come.

use serde_json::{Value, json};

use crate::server::Server;

/// The events of a stream: names and data.
fn events(body: &str) -> Vec<(&str, Value)> {
    let events = body.split_terminator("\n\n");
    events
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let name = name.strip_prefix("event: ").unwrap();
            let data = data.strip_prefix("data: ").unwrap();
            (name, serde_json::from_str(data).unwrap())
        })
        .collect()
}

fn asked(server: &Server, request_line: &str, body: &str) -> Vec<(String, Value)> {
    let authorization = format!("Authorization: Bearer {}", server.api_token);
    let headers = [&*authorization, "Accept: text/event-stream"];
    let answer = server.send(request_line, &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let events = events(&answer.body).into_iter();
    events.map(|(name, data)| (name.to_owned(), data)).collect()
}

#[test]
fn the_last_event_is_the_answer() {
    let server = Server::start();
    server.ingest(&[], br#"{"message": "one\ntwo"}"#);
    for (request_line, body) in [
        ("GET /api/v1/query?query=one", ""),
        ("POST /api/v1/query", r#"{"query": "one"}"#),
    ] {
        let told = asked(&server, request_line, body);
        let (name, answer) = told.last().unwrap();
        assert_eq!(name, "answer");
        assert_eq!(answer["data"][0]["message"], "one\ntwo");
        assert_eq!(answer["meta"]["complete"], true);
    }
}

#[test]
fn or_the_failure() {
    let server = Server::start();
    let told = asked(&server, "GET /api/v1/query?from=never", "");
    let (name, failure) = told.last().unwrap();
    assert_eq!(name, "failure");
    assert_eq!(failure["code"], "invalid_parameter");
    assert!(failure["request_id"].is_string());
}

/// More arithmetic than is done within an interval, on blocks and open rows.
#[test]
fn before_it_comes_progress() {
    let server = Server::start();
    let event = |index: usize| format!("{{\"message\": \"a{}b{index}\"}}\n", "x".repeat(400));
    let batch: String = (0..20_000).map(event).collect();
    for _ in 0..4 {
        assert_eq!(server.ingest(&[], batch.as_bytes()).status, 202);
    }
    let slow = "/(a|x)*(x|b)*[0-9]{9}/";
    let body = json!({"query": format!("message:{slow} OR message:{slow}i | stats count()")});
    let told = asked(&server, "POST /api/v1/query", &body.to_string());
    let (answers, progress): (Vec<_>, Vec<_>) = told.iter().partition(|(name, _)| name == "answer");
    assert_eq!(answers.len(), 1);
    assert!(!progress.is_empty());
    for (name, told) in progress {
        assert_eq!(name, "progress");
        let (planned, done) = (told["parts_planned"].as_u64(), told["parts_done"].as_u64());
        assert!(done <= planned && planned > Some(0), "{told}");
        assert!(told["took_ms"].as_f64() > Some(100.0), "{told}");
    }
}
