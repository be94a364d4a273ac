//! Saved queries over HTTP: saved, listed, changed, asked and deleted.

use serde_json::json;

use crate::openapi::Document;
use crate::server::Server;

#[test]
fn the_life_of_a_saved_query() {
    let server = Server::start();
    let document = Document::of(&server);
    let send = |request_line: &str, body: serde_json::Value| {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = server.rest(request_line, &body);
        if answer.status != 204 {
            document.check(request_line, &answer, request_line);
        }
        answer
    };
    server.ingest(
        &[],
        br#"[{"message":"no","level":"error"},{"message":"yes"}]"#,
    );
    let new = json!({"name": "fails", "query": "level:error", "from": "now-1h", "tags": ["a"], "visibility": "shared"});
    let saved = send("POST /api/v1/saved-queries", new.clone());
    assert_eq!(saved.status, 201, "{saved:?}");
    let id = saved.json()["data"]["id"].as_str().unwrap().to_owned();
    let again = send("POST /api/v1/saved-queries", new);
    assert_eq!(again.failure(), (422, "invalid_values".to_owned()));
    let listed = send("GET /api/v1/saved-queries", json!(null)).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 7);
    let asked = send("GET /api/v1/query?saved_query=fails", json!(null)).json();
    assert_eq!(asked["data"].as_array().unwrap().len(), 1);
    assert_eq!(asked["meta"]["query"], "level:error");
    let posted = send(
        "POST /api/v1/query",
        json!({"saved_query": id, "total": true}),
    )
    .json();
    assert_eq!(posted["meta"]["total"], 1);
    let one = format!("/api/v1/saved-queries/{id}");
    let changed = send(&format!("PATCH {one}"), json!({"query": "", "from": ""}));
    assert_eq!(changed.json()["data"]["attributes"]["from"], json!(null));
    let all = send("GET /api/v1/query?saved_query=FAILS", json!(null)).json();
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    let wrong = send(&format!("PATCH {one}"), json!({"query": "level:"}));
    assert_eq!(wrong.failure(), (400, "invalid_query".to_owned()));
    assert!(wrong.json()["position"].is_object());
    assert_eq!(send(&format!("DELETE {one}"), json!(null)).status, 204);
    let gone = send("GET /api/v1/query?saved_query=fails", json!(null));
    assert_eq!(gone.failure(), (404, "not_found".to_owned()));
}
