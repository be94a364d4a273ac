//! `/health`, `/metrics` and `/`, before and after the service is open.

use cordwood_api::EdgeOptions;

use crate::server::Server;

#[test]
fn before_it_is_open_the_server_says_so() {
    let server = Server::unopened(&EdgeOptions::default());
    let health = server.send("GET /health", &[], b"");
    assert_eq!(
        (health.status, health.json()["status"].as_str()),
        (503, Some("starting"))
    );
    let ingest = server.ingest(&[], b"{}");
    assert_eq!(
        (ingest.status, ingest.header("retry-after")),
        (503, Some("1"))
    );
    let rest = server.rest("GET /api/v1/sources", "");
    assert_eq!(rest.failure(), (503, "starting".into()));
    assert_eq!(rest.header("retry-after"), Some("1"));
    assert_eq!(server.send("GET /metrics", &[], b"").status, 200);
}

#[test]
fn once_it_is_open_it_is_healthy() {
    let server = Server::start();
    let health = server.send("GET /health", &[], b"");
    assert_eq!(
        (health.status, health.json()["status"].as_str()),
        (200, Some("ok"))
    );
}

#[test]
fn metrics_count_what_came_in() {
    let server = Server::start();
    server.ingest(&[], b"[{\"message\":\"a\"},{\"message\":\"b\"}]");
    server.ingest(&["X-Batch-Key: k"], b"{\"message\":\"c\"}");
    server.ingest(&["X-Batch-Key: k"], b"{\"message\":\"c\"}");
    let metrics = server.send("GET /metrics", &[], b"");
    let content_type = metrics.header("content-type").unwrap();
    assert!(
        content_type.starts_with("text/plain; version=0.0.4"),
        "{content_type}"
    );
    for line in [
        "cordwood_http_answers_total{class=\"2xx\"} 3",
        "cordwood_http_events_accepted_total 3",
        "cordwood_http_batches_repeated_total 1",
    ] {
        assert!(
            metrics.body.lines().any(|other| other == line),
            "{line}\n{}",
            metrics.body
        );
    }
    // Whoever may watch the machine must not learn whose it is.
    assert!(!metrics.body.contains("default"), "{}", metrics.body);
}

#[test]
fn a_browser_is_told_what_this_is() {
    let server = Server::start();
    let answer = server.send("GET /", &["Accept: text/html"], b"");
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .body
            .contains("curl -X POST http://logs.example:4747/"),
        "{}",
        answer.body
    );
    assert_eq!(server.send("HEAD /", &[], b"").status, 200);
}
