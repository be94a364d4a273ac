//! How soon an event that was acknowledged is seen by those who tail: one reader, and many, beside steady ingest.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cordwood_harness::{Api, Sending, Server, ServerOptions};

use crate::latency::Latencies;
use crate::process;

/// Every so often a batch of so many events: 10 000 a second.
const BATCH_EVENTS: u64 = 1000;
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Batches take turns on so many connections, lest one that is acknowledged late holds up the next.
const SENDERS: u64 = 4;
/// One event in so many is an error, which is what is tailed.
const ERROR_EVERY: u64 = 100;
/// Readers are threads that do little.
const STACK_BYTES: usize = 128 << 10;
/// The last events are on their way for less than this.
const AFTERMATH: Duration = Duration::from_secs(2);

/// What is tried: each so many tails of so many different queries, for as long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) trials: &'static [Trial],
    pub(super) duration: Duration,
}

impl Extent {
    pub(super) const WHOLE: Extent = Extent {
        trials: &[
            Trial::of(1, 1),
            Trial::of(500, 1),
            Trial::of(500, 10),
            Trial::of(500, 500),
        ],
        duration: Duration::from_secs(30),
    };
    /// Whether it runs.
    pub(super) const SMOKE: Extent = Extent {
        trials: &[Trial::of(20, 20)],
        duration: Duration::from_secs(2),
    };
}

/// One trial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    pub(crate) tails: usize,
    /// Different queries among them.
    pub(crate) queries: usize,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub(crate) struct Tailed {
    pub(crate) trial: Trial,
    /// Events that were to be seen, by all readers together.
    pub(crate) expected: usize,
    /// And those that were, soon after the last one was sent.
    pub(crate) seen: usize,
    /// From the acknowledgement of an event to its reader.
    pub(crate) acknowledged: Latencies,
    /// From the sending of it.
    pub(crate) sent: Latencies,
    pub(crate) processor_seconds: f64,
}

/// When batches were sent and acknowledged, by their numbers.
#[derive(Debug, Default)]
struct Batches {
    sent: HashMap<u64, Instant>,
    acknowledged: HashMap<u64, Instant>,
}

/// An event as a reader got it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    batch: u64,
    at: Instant,
}

/// Makes all trials, each on a server of its own.
pub(super) fn measure(server: &Path, extent: Extent) -> anyhow::Result<Vec<Tailed>> {
    let trials = extent.trials.iter();
    trials
        .map(|trial| trial.measure(server, extent.duration))
        .collect()
}

impl Trial {
    const fn of(tails: usize, queries: usize) -> Trial {
        Trial { tails, queries }
    }

    fn measure(self, binary: &Path, duration: Duration) -> anyhow::Result<Tailed> {
        let directory = tempfile::tempdir()?;
        let server = Server::start(&ServerOptions {
            binary: binary.to_owned(),
            data_dir: directory.path().join("data"),
            log: directory.path().join("log"),
            config: None,
        })?;
        let source = server.api().create_source("bench")?;
        let batches = Arc::new(Mutex::new(Batches::default()));
        let readers = (0..self.tails).map(|tail| self.open(&server, tail));
        let readers = readers.collect::<anyhow::Result<Vec<_>>>()?;
        let processor_before = process::processor_seconds(server.id())?;
        thread::scope(|scope| {
            let started = Instant::now();
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| {
                    let (api, token, batches) = (server.api(), &source.token, &batches);
                    scope.spawn(move || send(&api, token, batches, (sender, started, duration)))
                })
                .collect();
            let mut senders = senders.into_iter();
            senders.try_for_each(|sender| sender.join().expect("sending does not panic"))
        })?;
        thread::sleep(AFTERMATH);
        let processor_seconds = process::processor_seconds(server.id())? - processor_before;
        let mut seen = Vec::new();
        for (stream, reader) in readers {
            stream.shutdown(Shutdown::Both)?;
            seen.push(reader.join().expect("reading does not panic"));
        }
        server.stop()?;
        let batches = batches.lock().expect("no sender panics with it");
        Ok(self.outcome(&batches, &seen, processor_seconds))
    }

    /// Opens a tail and reads it on a thread of its own until its connection is closed.
    fn open(
        self,
        server: &Server,
        tail: usize,
    ) -> anyhow::Result<(TcpStream, thread::JoinHandle<Vec<Seen>>)> {
        let address = server.url().trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&address)?;
        let mut writer = stream.try_clone()?;
        let query = format!("level:error+NOT+reader:q{}", tail % self.queries.max(1));
        let token = server.token();
        write!(
            writer,
            "GET /api/v1/tail?query={query} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )?;
        let mut lines = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        lines.read_line(&mut line)?;
        ensure!(
            line.starts_with("HTTP/1.1 200"),
            "a tail was refused: {line}"
        );
        let reader = thread::Builder::new().stack_size(STACK_BYTES);
        let reader = reader.spawn(move || read(lines))?;
        Ok((stream, reader))
    }

    fn outcome(self, batches: &Batches, seen: &[Vec<Seen>], processor_seconds: f64) -> Tailed {
        let since = |times: &HashMap<u64, Instant>| {
            let seen = seen.iter().flatten();
            let times = seen.filter_map(|seen| {
                let since = times.get(&seen.batch)?;
                Some(seen.at.saturating_duration_since(*since))
            });
            Latencies::sorted(times.collect())
        };
        let errors = usize::try_from(BATCH_EVENTS / ERROR_EVERY).unwrap_or(usize::MAX);
        Tailed {
            trial: self,
            expected: batches.sent.len() * errors * self.tails,
            seen: seen.iter().map(Vec::len).sum(),
            acknowledged: since(&batches.acknowledged),
            sent: since(&batches.sent),
            processor_seconds,
        }
    }
}

/// Notes when each event came, by the number of its batch.
fn read(lines: BufReader<TcpStream>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for line in lines.lines() {
        let Ok(line) = line else { break };
        let number = line.split_once("\"batch\":").map(|(_, rest)| rest);
        let digits = number.and_then(|rest| rest.split([',', '}']).next());
        if let Some(Ok(batch)) = digits.map(str::parse) {
            seen.push(Seen {
                batch,
                at: Instant::now(),
            });
        }
    }
    seen
}

/// One of the senders, which sends its batches when they are due, or as soon after as it can.
fn send(
    api: &Api,
    source_token: &str,
    batches: &Mutex<Batches>,
    (sender, started, duration): (u64, Instant, Duration),
) -> anyhow::Result<()> {
    let sending = Sending {
        source_token,
        content_encoding: None,
        batch_key: None,
    };
    for number in (sender..).step_by(usize::try_from(SENDERS)?) {
        let due_after = BATCH_INTERVAL * u32::try_from(number)?;
        if due_after >= duration {
            break;
        }
        let body = body(number);
        thread::sleep(due_after.saturating_sub(started.elapsed()));
        let note = |what: fn(&mut Batches) -> &mut HashMap<u64, Instant>| {
            let mut batches = batches.lock().expect("no sender panics with it");
            what(&mut batches).insert(number, Instant::now());
        };
        note(|batches| &mut batches.sent);
        api.send(&sending, body.as_bytes()).context("sending")?;
        note(|batches| &mut batches.acknowledged);
    }
    Ok(())
}

/// A batch of requests to a web shop.
fn body(batch: u64) -> String {
    let mut body = String::new();
    for event in 0..BATCH_EVENTS {
        let level = if event.is_multiple_of(ERROR_EVERY) {
            "error"
        } else {
            "info"
        };
        let number = batch * BATCH_EVENTS + event;
        let _ = writeln!(
            body,
            "{{\"level\":\"{level}\",\"message\":\"request {number} took {}.{} ms\",\"batch\":{batch},\
             \"service\":\"service-{}\",\"host\":\"prod-{}\",\"path\":\"/api/v1/orders/{}\",\"status\":{},\
             \"duration_ms\":{}.25,\"request_id\":\"{number:032x}\"}}",
            number % 997,
            number % 10,
            number % 20,
            number % 200,
            number % 5003,
            200 + number % 5,
            number % 997,
        );
    }
    body
}
