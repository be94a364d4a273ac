//! Too much at once is refused with 429 and a time to come back, in each lane on its own.

use cordwood_api::{EdgeOptions, LaneLimits};

use crate::server::Server;

const CLOSED: LaneLimits = LaneLimits {
    running: 0,
    waiting: 0,
};

#[test]
fn a_full_ingest_lane_refuses_events_and_nothing_else() {
    let server = Server::with(&EdgeOptions {
        ingest: CLOSED,
        ..EdgeOptions::default()
    });
    let answer = server.ingest(&[], b"{\"message\":\"x\"}");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(server.rest("GET /api/v1/sources", "").status, 200);
    let metrics = server.send("GET /metrics", &[], b"").body;
    assert!(
        metrics.contains("cordwood_http_refused_total{lane=\"ingest\"} 1"),
        "{metrics}"
    );
    let import = server.rest("POST /api/v1/sources/default/events", "{}");
    assert_eq!(import.failure(), (429, "busy".into()));
}

#[test]
fn a_full_query_lane_refuses_queries_and_nothing_else() {
    let server = Server::with(&EdgeOptions {
        query: CLOSED,
        ..EdgeOptions::default()
    });
    let answer = server.rest("GET /api/v1/query?query=x", "");
    assert_eq!(answer.failure(), (429, "busy".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(server.ingest(&[], b"{\"message\":\"x\"}").status, 202);
}
