//! How many appends a second the store takes, each durable before it returns:
//! `cargo run --release -p cordwood-store --example appends -- <empty directory> [threads] [events per append] [seconds]`.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a measurement"
)]

#[path = "../tests/store/lines.rs"]
mod lines;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cordwood_store::disk::FileSystem;
use cordwood_store::{Options, Store};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| {
        let argument = arguments.get(index);
        argument.map_or(default, |text| text.parse().expect("a number"))
    };
    let directory = arguments.first().expect("an empty directory");
    let (threads, events, seconds) = (number(1, 64), number(2, 1), number(3, 5));
    let disk = Arc::new(FileSystem::new(directory));
    let (store, _) = Store::open(Options::default(), disk, Arc::new(lines::Lines)).unwrap();
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let appender = |thread| append_until(&store, thread, events, &is_over);
    let mut waits: Vec<Duration> = std::thread::scope(|scope| {
        let appender = &appender;
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || appender(thread)))
            .collect();
        std::thread::sleep(Duration::from_secs(seconds));
        is_over.store(true, Ordering::Relaxed);
        let waits = threads.into_iter().map(|thread| thread.join().unwrap());
        waits.flatten().collect()
    });
    let elapsed = start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let stats = store.stats();
    println!(
        "{threads} threads, {events} events each: {:.0} appends/s, {:.0} events/s, {:.1} MB/s of log, {:.0} syncs/s, median {:?}, 99 % {:?}",
        waits.len() as f64 / elapsed,
        waits.len() as f64 * events as f64 / elapsed,
        stats.log_bytes as f64 / elapsed / 1e6,
        stats.log_writes as f64 / elapsed,
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
    );
}

fn append_until(store: &Store, thread: u64, events: u64, is_over: &AtomicBool) -> Vec<Duration> {
    let body: Vec<String> = (0..events)
        .map(|event| format!("{event} GET /api/v1/accounts/{thread}{event} took {event} ms and gave 200, request 5f0c{event:04x}"))
        .collect();
    let body = body.join("\n");
    let mut waits = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let append = lines::append_of(thread % 8, None, &body);
        let start = Instant::now();
        store.append(append).unwrap();
        waits.push(start.elapsed());
    }
    waits
}
