//! The planted incidents over HTTP: the first line of what changed names the cause, and its query finds what it tells of.

use serde_json::{Value, json};

use crate::corpus::incident::{HOURS, Incident, lines};
use crate::explain::compact;
use crate::server::Server;

const EVENTS: u64 = 30_000;
const LINES_PER_BODY: usize = 5_000;
/// 2026-03-27T08:00:00Z.
const START_MS: u64 = 1_774_598_400_000;

/// A source with the events of an incident.
fn strike(server: &Server, incident: Incident) -> String {
    let body = json!({"name": format!("{incident:?}"), "platform": "http"});
    let made = server.rest("POST /api/v1/sources", &body.to_string());
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let token = made["data"]["attributes"]["token"].as_str().unwrap();
    let authorization = format!("Authorization: Bearer {token}");
    for lines in lines(incident, 3, EVENTS, START_MS).chunks(LINES_PER_BODY) {
        let body = format!("[{}]", lines.join(","));
        let headers = [&*authorization, "Content-Type: application/json"];
        let sent = server.send("POST /", &headers, body.as_bytes());
        assert_eq!(sent.status, 202, "{sent:?}");
    }
    made["data"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn causes_are_named_first() {
    let server = Server::start();
    let sources = Incident::ALL.map(|incident| strike(&server, incident));
    compact(&server);
    for (incident, source) in Incident::ALL.into_iter().zip(sources) {
        let to = (START_MS + HOURS * 3_600_000) / 1000;
        let body = json!({"source_id": source, "to": to.to_string(), "timeout_ms": 300_000});
        let answer = server.rest("POST /api/v1/what-changed", &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        assert_eq!(answer["meta"]["complete"], true, "{incident:?}: {answer}");
        let cause = &answer["data"]["causes"][0];
        let named = [&cause["values"], &cause["alike"]];
        let named: Vec<&Value> = named
            .into_iter()
            .flat_map(|list| list.as_array().unwrap())
            .collect();
        for (field, value) in incident.cause() {
            let planted = json!({"field": field, "value": value});
            assert!(
                named.contains(&&planted),
                "{incident:?}: {planted} in {cause:#}"
            );
        }
        assert_eq!(
            cause["change"],
            incident.change(),
            "{incident:?}: {cause:#}"
        );
        let said = [
            ("new_patterns", incident.new_message()),
            ("changed_patterns", incident.changed_message()),
        ];
        for (list, message) in said {
            let Some(message) = message else {
                continue;
            };
            let first = &answer["data"][list][0];
            let example = first["example"].as_str().unwrap_or_default();
            assert!(
                example.contains(message),
                "{incident:?}: {message} in {first:#}"
            );
            let is_new = list == "new_patterns";
            assert_eq!(
                first["never_seen_before"], is_new,
                "{incident:?}: {first:#}"
            );
            assert_eq!(first["events"]["baseline"] == 0, is_new);
        }
        let shown = &cause["shown_by"];
        let search = json!({
            "source_id": source,
            "query": shown["query"],
            "from": shown["from"],
            "to": shown["to"],
            "batch_size": 1,
            "total": true,
        });
        let found = server
            .rest("POST /api/v1/query", &search.to_string())
            .json();
        let told = [&cause["hits"]["current"], &cause["events"]["current"]];
        assert!(
            told.contains(&&found["meta"]["total"]),
            "{incident:?}: {found}"
        );
    }
}
