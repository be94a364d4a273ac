//! Asks what changed in the last hour of a data directory, and prints the answer and how long it takes.
//!
//! `cargo run --release -p cordwood-service --example what_changed -- DIRECTORY TO [QUERY [LINES]]`
//!
//! `TO` is the end of the hour, such as `2026-06-10T15:00:00Z`. The directory is that of a server; where it has no sources
//! yet, one is made for the events there are of the first. `LINES` is a file of events as lines of JSON: they are sent to a new source, and
//! are in no block yet when the question is asked. Prints the median of seven askings.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cordwood_service::{
    Caller, Cancel, NewSource, Options, Payload, Service, SourceFilter, WhatChanged,
    WhatChangedRequest,
};

const ROUNDS: usize = 7;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().context("which directory?")?;
    let request = WhatChangedRequest {
        to: Some(arguments.next().context("until when?")?),
        query: arguments.next().unwrap_or_default(),
        ..WhatChangedRequest::default()
    };
    let service = Service::open(Options::new(&directory))?;
    let token = std::fs::read_to_string(format!("{directory}/cli-token"))?;
    let caller = service.authenticate(token.trim())?;
    if service
        .list_sources(&caller, &SourceFilter::default())?
        .total
        == 0
    {
        let new = NewSource {
            name: "events".to_owned(),
            ..NewSource::default()
        };
        service.create_source(&caller, &new)?;
    }
    if let Some(lines) = arguments.next() {
        send(&service, &caller, std::fs::read(lines)?)?;
    }
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..ROUNDS {
        let started = Instant::now();
        let answer = service.what_changed(&caller, &request, &Cancel::default())?;
        times.push(started.elapsed());
        if round == 0 {
            print(&answer);
        }
    }
    println!("first {:.0?}", times.first().copied().unwrap_or_default());
    times.sort();
    println!(
        "median {:.0?}",
        times.get(ROUNDS / 2).copied().unwrap_or_default()
    );
    Ok(())
}

/// Sends events to a new source.
fn send(service: &Service, caller: &Caller, lines: Vec<u8>) -> anyhow::Result<()> {
    let new = NewSource {
        name: "open".to_owned(),
        ..NewSource::default()
    };
    let source = service.create_source(caller, &new)?;
    let admission = service.admit(source.token.reveal(), lines.len() as u64);
    let admission = admission.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    let payload = Payload {
        content_type: Some("application/x-ndjson".to_owned()),
        body: lines,
        ..Payload::default()
    };
    let sent = service.ingest(admission, payload);
    let sent = sent.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    println!("{sent:?}");
    Ok(())
}

fn print(answer: &WhatChanged) {
    for change in &answer.changes {
        println!("{}", change.sentence);
    }
    for cause in &answer.causes {
        println!("{:>8.0} {}", cause.score, cause.sentence);
    }
    for service in &answer.services {
        println!("{}", service.sentence);
    }
    let patterns = [
        &answer.new_patterns,
        &answer.changed_patterns,
        &answer.vanished_patterns,
    ];
    for pattern in patterns.into_iter().flatten() {
        println!("{:>8.0} {}", pattern.score, pattern.sentence);
    }
    for value in answer.new_values.iter().chain(&answer.vanished_values) {
        println!("{}", value.sentence);
    }
    println!("{:?}", answer.account);
}
