//! A real server under four senders, killed with SIGKILL at random moments and started again: every
//! acknowledged event is there once.
//!
//! Each sender keeps a batch until it is acknowledged and sends it again under the same key, so in the
//! end every event that was ever sent has to be found exactly once. `CORDWOOD_KILL_ROUNDS` makes it
//! longer, `CORDWOOD_KILL_SEED` repeats the sizes and, roughly, the moments of an earlier run.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "cli/process.rs"]
#[expect(dead_code, reason = "shared with the tests of the command line")]
mod process;

use std::collections::HashMap;
use std::env;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::process::Directory;

const ROUNDS_DEFAULT: u64 = 8;
const SENDERS: u64 = 4;
/// A round in which this long nothing is acknowledged has failed.
const ROUND_TIMEOUT: Duration = Duration::from_secs(120);

/// Xorshift (Marsaglia, 2003): sizes and moments need no better.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Where the server is, if it runs; senders wait for it.
#[derive(Default)]
struct Place {
    url: Mutex<Option<String>>,
    changed: Condvar,
}

impl Place {
    fn set(&self, url: Option<String>) {
        *self.url.lock().unwrap() = url;
        self.changed.notify_all();
    }

    fn wait(&self) -> String {
        let waited =
            self.changed
                .wait_timeout_while(self.url.lock().unwrap(), ROUND_TIMEOUT, |url| url.is_none());
        waited.unwrap().0.clone().unwrap()
    }
}

#[test]
fn every_acknowledged_event_is_there_once() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let rounds = number("CORDWOOD_KILL_ROUNDS").unwrap_or(ROUNDS_DEFAULT);
    let clock = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let seed = number("CORDWOOD_KILL_SEED")
        .unwrap_or(clock.as_secs() << 30 | u64::from(clock.subsec_nanos()) | 1);
    println!("CORDWOOD_KILL_SEED={seed}");

    let directory = Directory::new();
    let token = make_source(&directory);
    let place = Place::default();
    let is_over = AtomicBool::new(false);
    let (acknowledged, acknowledgements) = channel();
    let sent: u64 = thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let random = Random(seed ^ (sender + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let (place, is_over, token) = (&place, &is_over, &token);
                let acknowledged = acknowledged.clone();
                scope.spawn(move || {
                    send_until_over(sender, random, place, is_over, token, &acknowledged)
                })
            })
            .collect();
        let mut random = Random(seed);
        for round in 0..rounds {
            kill_once(&directory, &place, &acknowledgements, &mut random);
            println!("round {round}: killed and started again");
        }
        is_over.store(true, Ordering::SeqCst);
        let server = directory.serve();
        place.set(Some(server.url.clone()));
        let sent = senders.into_iter().map(|sender| sender.join().unwrap());
        let sent = sent.sum();
        place.set(None);
        server.kill();
        sent
    });
    check_each_once(&directory, sent);
}

fn make_source(directory: &Directory) -> String {
    let server = directory.serve();
    let create = ["source", "create", "killed", "--json"];
    let created = directory.run(&create).succeeded().json();
    server.kill();
    created["data"]["attributes"]["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Starts the server, lets it acknowledge some batches, and kills it while others are on their way.
fn kill_once(
    directory: &Directory,
    place: &Place,
    acknowledgements: &Receiver<()>,
    random: &mut Random,
) {
    while acknowledgements.try_recv().is_ok() {}
    let server = directory.serve();
    place.set(Some(server.url.clone()));
    for _ in 0..=random.below(40) {
        acknowledgements.recv_timeout(ROUND_TIMEOUT).unwrap();
    }
    // The moment within the work of a batch is left to chance.
    let moment = Duration::from_micros(random.below(3_000));
    let _ = acknowledgements.recv_timeout(moment);
    place.set(None);
    server.kill();
}

/// Sends batch after batch, each until it is acknowledged; the number of events sent.
fn send_until_over(
    sender: u64,
    mut random: Random,
    place: &Place,
    is_over: &AtomicBool,
    token: &str,
    acknowledged: &Sender<()>,
) -> u64 {
    let agent = ureq::Agent::new_with_defaults();
    let mut events = 0;
    for batch in 0.. {
        if is_over.load(Ordering::SeqCst) {
            break;
        }
        let count = match random.below(12) {
            0 => 1_500,
            small => small + 1,
        };
        let body = body(sender, batch, count);
        let key = format!("{sender}-{batch}");
        loop {
            let request = agent
                .post(format!("{}/", place.wait()))
                .header("authorization", format!("Bearer {token}"))
                .header("x-batch-key", &key);
            // Anything but a 2xx, and a connection that breaks, is an error here.
            if request.send(&body).is_ok() {
                break;
            }
        }
        events += count;
        let _ = acknowledged.send(());
    }
    events
}

fn body(sender: u64, batch: u64, count: u64) -> String {
    let mut body = String::new();
    for index in 0..count {
        let padding = "x".repeat(usize::try_from(index % 200).unwrap());
        let _ = writeln!(
            body,
            "{{\"name\":\"{sender}-{batch}-{index}\",\"message\":\"event {padding}\"}}"
        );
    }
    body
}

fn check_each_once(directory: &Directory, sent: u64) {
    let server = directory.serve();
    let limit = (sent + 1_000).to_string();
    let query = [
        "query", "", "--source", "killed", "--limit", &limit, "--order", "oldest",
    ];
    let found = directory.run(&query).succeeded().json_lines();
    let mut times: HashMap<&str, u64> = HashMap::new();
    for event in &found {
        *times.entry(event["name"].as_str().unwrap()).or_default() += 1;
    }
    let doubled: Vec<&&str> = times
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(name, _)| name)
        .collect();
    assert!(doubled.is_empty(), "stored more than once: {doubled:?}");
    assert_eq!(
        times.len() as u64,
        sent,
        "events sent and acknowledged, and events found"
    );

    let source = directory
        .run(&["source", "show", "killed", "--json"])
        .succeeded()
        .json();
    let count: &Value = &source["data"]["attributes"]["records_count"];
    println!("{sent} events, each found once; the source counts {count}");
    server.stop();
    directory.run(&["check"]).succeeded();
}
