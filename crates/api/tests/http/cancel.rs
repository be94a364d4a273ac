//! A search whose caller has gone is stopped.

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::client::{connect, head};
use crate::server::Server;

/// A test that waits longer has failed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The value of a metric.
fn metric(server: &Server, name: &str) -> u64 {
    let metrics = server.send("GET /metrics", &[], b"").body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
    value.trim().parse().unwrap()
}

fn wait_for(server: &Server, name: &str, value: u64) {
    let began = Instant::now();
    while metric(server, name) != value {
        assert!(
            began.elapsed() < TIMEOUT,
            "{name} does not come to be {value}"
        );
    }
}

#[test]
fn a_search_ends_with_its_connection() {
    const IN_FLIGHT: &str = "cordwood_http_in_flight{lane=\"query\"}";
    const SEARCHES: &str = "cordwood_searches_total";
    let server = Server::start();
    let event = format!("{{\"message\":\"{}\"}}\n", "abc ".repeat(50));
    for _ in 0..4 {
        assert_eq!(
            server.ingest(&[], event.repeat(20_000).as_bytes()).status,
            202
        );
    }
    // Some seconds of work: every clause has to walk through every event, and none matches.
    let clauses: Vec<String> = (0..60)
        .map(|n| format!("/%5Ba-c%20%5D%7B{}%7D%5B0-9%5D/", n % 20 + 5))
        .collect();
    let query = clauses.join("+OR+");
    let authorization = format!("Authorization: Bearer {}", server.api_token);
    let request_line = format!("GET /api/v1/query?query={query}&total=true");

    let mut stream = connect(server.address);
    write!(stream, "{}\r\n", head(&request_line, &[&authorization])).unwrap();
    wait_for(&server, IN_FLIGHT, 1);
    let before = metric(&server, SEARCHES);
    stream.shutdown(Shutdown::Both).unwrap();
    wait_for(&server, IN_FLIGHT, 0);
    assert_eq!(
        metric(&server, SEARCHES),
        before,
        "the search went on to its end"
    );
}
