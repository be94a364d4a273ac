//! A search whose caller has gone is stopped.

use std::io::Write;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use crate::client::{connect, head};
use crate::server::Server;

/// A test that waits longer has failed.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The value of a metric.
pub(crate) fn metric(server: &Server, name: &str) -> u64 {
    let metrics = server.send("GET /metrics", &[], b"").body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    let value = line.unwrap_or_else(|| panic!("no {name} in {metrics}"));
    value.trim().parse().unwrap()
}

pub(crate) fn wait_for(server: &Server, name: &str, value: u64) {
    let began = Instant::now();
    while metric(server, name) != value {
        assert!(
            began.elapsed() < TIMEOUT,
            "{name} does not come to be {value}"
        );
    }
}

pub(crate) const IN_FLIGHT: &str = "cordwood_http_in_flight{lane=\"query\"}";
pub(crate) const SEARCHES: &str = "cordwood_searches_total";

/// A search stops within 50 ms of this; here everything is some twenty times slower, and other tests run beside.
const PATIENCE: Duration = Duration::from_millis(50 * 20);

/// So often a search is asked that seems to go on: what only the machine's other work delays is not delayed each time.
const TRIES: usize = 3;

/// Asks, goes away, and sees the search notice in time.
fn check(server: &Server, query: &str, parameters: &str) {
    let mut took = (0..TRIES).map(|_| time_to_notice(server, query, parameters));
    assert!(
        took.any(|took| took < PATIENCE),
        "{query} went on for {PATIENCE:?}"
    );
}

/// Asks, goes away, and waits for the search to notice.
fn time_to_notice(server: &Server, query: &str, parameters: &str) -> Duration {
    let authorization = format!("Authorization: Bearer {}", server.api_token);
    let request_line = format!("GET /api/v1/query?query={query}{parameters}");
    let before = metric(server, SEARCHES);
    let mut stream = connect(server.address);
    write!(stream, "{}\r\n", head(&request_line, &[&authorization])).unwrap();
    wait_for(server, IN_FLIGHT, 1);
    stream.shutdown(Shutdown::Both).unwrap();
    let gone = Instant::now();
    wait_for(server, IN_FLIGHT, 0);
    let took = gone.elapsed();
    assert_eq!(
        metric(server, SEARCHES),
        before,
        "{query} went on to its end"
    );
    took
}

/// What takes seconds, in many texts, in one, and behind them.
#[test]
fn a_search_ends_with_its_connection() {
    let server = Server::start();
    let event = format!("{{\"message\":\"{}\"}}\n", "abc ".repeat(50));
    for _ in 0..4 {
        assert_eq!(
            server.ingest(&[], event.repeat(20_000).as_bytes()).status,
            202
        );
    }
    // Letters of which the slowest expressions make the most.
    let letters = (0..3_000_000u32).map(|index| index.wrapping_mul(2_654_435_761) >> 27);
    let letters = letters.map(|number| char::from(b'a' + u8::try_from(number % 26).unwrap()));
    let large = format!("{{\"body\":\"{}\"}}", letters.collect::<String>());
    assert_eq!(server.ingest(&[], large.as_bytes()).status, 202);

    // Every clause has to walk through every event, and none matches.
    let clauses: Vec<String> = (0..60)
        .map(|n| format!("/%5Ba-c%20%5D%7B{}%7D%5B0-9%5D/", n % 20 + 5))
        .collect();
    check(&server, &clauses.join("+OR+"), "&total=true");
    let slow = "body:/(?:%5Ba-z%5D.%7B0,50%7D%5B0-9%5D)%7B4%7DQ/";
    check(&server, slow, "");
    check(&server, &format!("*+%7C+where+{slow}"), "");
    let sort = "*+%7C+sort+by+message+desc,+body+%7C+limit+1000000+%7C+stats+count()+by+message";
    check(&server, sort, "");
}
