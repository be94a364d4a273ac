//! Paging by cursor: each event once and in order, while others keep arriving.

use serde_json::Value;

use crate::server::Server;

fn send_events(server: &Server, numbers: std::ops::Range<u32>) {
    // Two events a second: pages end between events of the same time too.
    let events = numbers.map(|number| {
        let second = number / 2;
        format!("{{\"dt\":{},\"n\":{number}}}\n", 1_774_605_600 + second)
    });
    let body: String = events.collect();
    assert_eq!(server.ingest(&[], body.as_bytes()).status, 202);
}

fn page(server: &Server, path_and_query: &str) -> (Vec<u64>, Option<String>) {
    let answer = server.rest(&format!("GET {path_and_query}"), "").json();
    let numbers = answer["data"].as_array().unwrap().iter();
    let numbers = numbers.map(|event| event["n"].as_u64().unwrap()).collect();
    let next = &answer["pagination"]["next"];
    let next = match next {
        Value::Null => None,
        next => {
            let next = next.as_str().unwrap();
            Some(
                next.strip_prefix("http://logs.example:4747")
                    .unwrap()
                    .to_owned(),
            )
        }
    };
    (numbers, next)
}

fn check(order: &str, expected: Vec<u64>) {
    let server = Server::start();
    send_events(&server, 0..50);
    let mut found = Vec::new();
    let mut next = Some(format!("/api/v1/query?batch_size=7&order={order}"));
    let mut arriving = 50;
    while let Some(path_and_query) = next {
        let (numbers, after) = page(&server, &path_and_query);
        assert!(!numbers.is_empty(), "an empty page");
        found.extend(numbers);
        next = after;
        // Newer events, and older ones that come late.
        send_events(&server, arriving..arriving + 10);
        send_events(&server, 20..22);
        arriving += 10;
    }
    assert_eq!(found, expected);
}

#[test]
fn pages_newest_first_are_of_one_moment() {
    check("newest_first", (0..50).rev().collect());
}

#[test]
fn pages_oldest_first_are_of_one_moment() {
    check("oldest_first", (0..50).collect());
}

/// Better Stack's query API: as many pages as it takes, each under an absolute URL.
#[test]
fn pages_of_the_live_tail_are_followed_by_their_urls() {
    let server = Server::start();
    send_events(&server, 0..120);
    for (order, expected) in [
        ("newest_first", (0..120).rev().collect::<Vec<u64>>()),
        ("oldest_first", (0..120).collect()),
    ] {
        let mut found = Vec::new();
        let mut next = Some(format!(
            "/api/v2/query/live-tail?source_ids=1&from=2026-03-27&batch=50&order={order}"
        ));
        while let Some(path_and_query) = next {
            let (numbers, after) = page(&server, &path_and_query);
            found.extend(numbers);
            next = after;
        }
        assert_eq!(found, expected, "{order}");
    }
}
