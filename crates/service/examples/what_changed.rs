//! Asks what changed in the last hour of a data directory, and prints the answer and how long it takes.
//!
//! `cargo run --release -p cordwood-service --example what_changed -- DIRECTORY TO [QUERY]`
//!
//! `TO` is the end of the hour, such as `2026-06-10T15:00:00Z`. The directory is that of a server; where it has no sources
//! yet, one is made for the events there are of the first. Prints the median of seven askings.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use cordwood_service::{
    Cancel, NewSource, Options, Service, SourceFilter, WhatChanged, WhatChangedRequest,
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
    for value in answer.new_values.iter().chain(&answer.vanished_values) {
        println!("{}", value.sentence);
    }
    println!("{:?}", answer.account);
}
