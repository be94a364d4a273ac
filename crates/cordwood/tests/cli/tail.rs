//! `tail`: events as they arrive, through a restart of the server, and mistakes.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use serde_json::Value;

use crate::process::{Directory, lines_of};

/// What is waited for comes well before.
const TIMEOUT: Duration = Duration::from_secs(60);

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(TIMEOUT).unwrap()
}

fn message(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    event["message"].as_str().unwrap().to_owned()
}

#[test]
fn events_are_shown_as_they_arrive_and_after_a_restart() {
    let directory = Directory::new();
    let server = directory.serve();
    let made = directory
        .run(&["source", "create", "web", "--json"])
        .succeeded();
    let made = made.json();
    let token = made["data"]["attributes"]["token"].as_str().unwrap();
    let body = "{\"message\":\"one\"}\n{\"message\":\"two\"}\n{\"message\":\"three\"}";
    assert_eq!(server.ingest(token, body), 202);

    let arguments = ["tail", "NOT message:quiet", "--source", "web", "-n", "2"];
    let mut tail = directory.command(&arguments).spawn().unwrap();
    let shown = lines_of(tail.stdout.take().unwrap());
    let said = lines_of(tail.stderr.take().unwrap());
    assert_eq!(message(&next(&shown)), "two");
    assert_eq!(message(&next(&shown)), "three");
    let body = "{\"message\":\"quiet\"}\n{\"message\":\"four\"}";
    assert_eq!(server.ingest(token, body), 202);
    assert_eq!(message(&next(&shown)), "four");

    server.stop();
    assert_eq!(next(&said), "-- The server shuts down; trying again in 1 s");
    let server = directory.serve();
    assert_eq!(server.ingest(token, "{\"message\":\"five\"}"), 202);
    assert_eq!(message(&next(&shown)), "five");
    tail.kill().unwrap();
    tail.wait().unwrap();
    assert!(said.iter().any(|line| line == "-- reading again"));
}

#[test]
fn what_cannot_be_tailed_is_said_at_once() {
    let directory = Directory::new();
    let _server = directory.serve();
    let cases = [
        (
            vec!["tail", "a | stats count()"],
            "a live tail has no `stats`",
        ),
        (vec!["tail", "level:("], "^"),
        (
            vec!["tail", "--source", "nowhere"],
            "`nowhere` was not found",
        ),
        (vec!["tail", "-n", "5000"], "1000 at most"),
    ];
    for (arguments, expected) in cases {
        let refused = directory.run(&arguments);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let said = refused.stderr.to_lowercase();
        assert!(said.contains(expected), "{refused:?}");
    }
}

#[test]
fn without_a_server_there_is_nothing_to_wait_for() {
    let directory = Directory::new();
    directory.serve().stop();
    let refused = directory.run(&["tail", "--url", "http://127.0.0.1:1"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("Is it running?"), "{refused:?}");
}
