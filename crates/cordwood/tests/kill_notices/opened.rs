//! Incidents that a program opens.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::process::Directory;
use crate::receiver::{Ledger, receive};
use crate::{PATIENCE, Random, add_channel, directory, rounds, token};

/// Incidents of a round: below what a channel takes in a minute.
const INCIDENTS_PER_ROUND: u64 = 12;

#[test]
fn of_incidents_that_are_opened_no_notice_is_lost_and_none_comes_twice() {
    let rounds = rounds();
    let mut random = Random::of_clock();
    let directory = directory();
    let (url, mut ledger) = receive();
    let server = directory.serve();
    add_channel(&directory, &url);
    server.kill();

    let mut opened = 0;
    for _ in 0..rounds {
        opened = kill_once(&directory, &mut ledger, opened, &mut random);
    }
    let server = directory.serve();
    // The answer to the last one may not have come, and it be open all the same.
    assert!(open(&server.url, &token(&directory), opened));
    opened += 1;
    ledger.wait_for(opened, &directory);
    server.kill();
    ledger.assert_told((0..opened).map(|number| format!("opened: {}", title(number))));
    println!("{rounds} kills, {opened} incidents, each told under one key");
}

fn title(number: u64) -> String {
    format!("incident number {number}")
}

/// Starts the server, waits for what it owes, has incidents opened until it is killed at some moment; the number of the next one.
fn kill_once(directory: &Directory, ledger: &mut Ledger, first: u64, random: &mut Random) -> u64 {
    let server = directory.serve();
    ledger.wait_for(first, directory);
    let (url, token) = (server.url.clone(), token(directory));
    let (opened, openings) = channel();
    let opener = thread::spawn(move || {
        let mut next = first;
        while next < first + INCIDENTS_PER_ROUND && open(&url, &token, next) {
            next += 1;
            let _ = opened.send(());
        }
        next
    });
    for _ in 0..=random.below(INCIDENTS_PER_ROUND - 1) {
        openings
            .recv_timeout(PATIENCE)
            .expect("incidents are opened");
    }
    // The moment within the write, the attempt or its account is left to chance.
    let moment = Duration::from_micros(random.below(30_000));
    let _ = openings.recv_timeout(moment);
    server.kill();
    opener.join().unwrap()
}

/// Opens an incident under a key of its own, so that one whose answer did not come is not opened twice; whether the server answered.
fn open(url: &str, token: &str, number: u64) -> bool {
    let body = json!({"name": title(number), "key": format!("key {number}")});
    let request = ureq::post(format!("{url}/api/v1/incidents"))
        .config()
        .http_status_as_error(false)
        .build()
        .header("authorization", format!("Bearer {token}"))
        .content_type("application/json");
    match request.send(body.to_string()) {
        Ok(answer) => {
            assert!(answer.status().is_success(), "{answer:?}");
            true
        }
        Err(_) => false,
    }
}
