//! Eight clients that ask a mix of questions at the same time, alone and beside ingest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cordwood_harness::{Api, Sending, Server};
use serde_json::Value;

use super::questions::Stage;
use crate::latency::Latencies;
use crate::load::{self, Body};
use crate::oracle::Expected;
use crate::question::Question;

const CLIENTS: usize = 8;
/// What the pages of a log viewer ask; each client begins elsewhere in the list.
const MIX: [&str; 8] = [
    "newest100_err",
    "needle_request",
    "phrase_newest",
    "svc_err_1h",
    "dash_5min",
    "tenant_err",
    "hist_minute",
    "bool_fields",
];
/// Every so often a batch of so many events: 10 000 a second.
const BATCH_EVENTS: usize = 1000;
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Batches take turns on so many connections, lest one that is acknowledged late holds up the next.
const SENDERS: u32 = 4;

/// A question with what is right.
type Asking<'a> = (&'a Question, &'a Expected);

/// What the clients were answered in the time they had.
#[derive(Clone, Debug)]
pub(crate) struct Mixed {
    pub(crate) elapsed: Duration,
    pub(crate) answers: Latencies,
    /// Of batches, from when each was due to its acknowledgement.
    pub(crate) batches: Latencies,
    /// What was wrong with answers.
    pub(crate) faults: Vec<String>,
}

/// The mix alone, and beside ingest.
#[derive(Clone, Debug)]
pub(crate) struct Concurrency {
    pub(crate) questions: usize,
    pub(crate) alone: Mixed,
    pub(crate) beside_ingest: Mixed,
}

/// What one client was answered.
#[derive(Debug, Default)]
struct Part {
    times: Vec<Duration>,
    faults: Vec<String>,
    /// The last answer to each question, by its place in the mix.
    last: BTreeMap<usize, Value>,
}

/// The events sent beside the questions go to the source that is asked, which is no longer the corpus afterwards.
pub(super) fn measure(
    stage: &Stage<'_>,
    corpus: &Path,
    asked: &[Asking<'_>],
    duration: Duration,
) -> anyhow::Result<Concurrency> {
    let mix: Vec<Asking<'_>> = MIX
        .iter()
        .filter_map(|name| asked.iter().find(|(question, _)| question.name == *name))
        .copied()
        .collect();
    let clients = Clients {
        stage,
        mix: &mix,
        duration,
    };
    Ok(Concurrency {
        questions: mix.len(),
        alone: clients.alone()?,
        beside_ingest: clients.beside(&batches(corpus, duration)?)?,
    })
}

impl Concurrency {
    /// What was wrong with answers, whatever went on beside.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &String> {
        self.alone.faults.iter().chain(&self.beside_ingest.faults)
    }
}

struct Clients<'a> {
    stage: &'a Stage<'a>,
    mix: &'a [Asking<'a>],
    duration: Duration,
}

impl Clients<'_> {
    /// The last answers of every client are compared with the right ones when the time is over.
    fn alone(&self) -> anyhow::Result<Mixed> {
        let server = self.start_warm()?;
        let started = Instant::now();
        let parts = thread::scope(|scope| self.ask(scope, &server, started + self.duration));
        let mut mixed = Mixed::new(started.elapsed(), &parts);
        let api = server.api();
        for (place, answer) in parts.iter().flat_map(|part| &part.last) {
            let (question, expected) = self.mix[*place];
            let fault = self.stage.check(question, expected, answer, &api)?;
            mixed
                .faults
                .extend(fault.map(|fault| format!("{}: {fault}", question.name)));
        }
        server.stop()?;
        Ok(mixed)
    }

    /// Answers change with what comes in; that they are complete is all that is asked of them.
    fn beside(&self, batches: &[Body]) -> anyhow::Result<Mixed> {
        let server = self.start_warm()?;
        let started = Instant::now();
        let (parts, times) = thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| {
                    let api = server.api();
                    scope.spawn(move || self.send(batches, sender, started, &api))
                })
                .collect();
            let parts = self.ask(scope, &server, started + self.duration);
            let times: anyhow::Result<Vec<_>> = senders
                .into_iter()
                .map(|sender| sender.join().expect("sending does not panic"))
                .collect();
            (parts, times)
        });
        let mut mixed = Mixed::new(started.elapsed(), &parts);
        mixed.batches = Latencies::sorted(times?.into_iter().flatten().collect());
        server.stop()?;
        Ok(mixed)
    }

    /// A server that has answered each question once.
    fn start_warm(&self) -> anyhow::Result<Server> {
        let server = Server::start(&self.stage.options)?;
        for (question, _) in self.mix {
            self.stage.ask(question, &server.api())?;
        }
        Ok(server)
    }

    fn ask<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        server: &Server,
        deadline: Instant,
    ) -> Vec<Part> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let api = server.api();
                scope.spawn(move || self.ask_on(&api, client, deadline))
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("asking does not panic"))
            .collect()
    }

    /// One client, which asks on as soon as it has an answer.
    fn ask_on(&self, api: &Api, client: usize, deadline: Instant) -> Part {
        let mut part = Part::default();
        let mut place = client % self.mix.len();
        while Instant::now() < deadline {
            let question = self.mix[place].0;
            match self.stage.ask(question, api) {
                Ok((time, answer)) if answer["meta"]["complete"] == true => {
                    part.times.push(time);
                    part.last.insert(place, answer);
                }
                Ok((_, answer)) => {
                    let fault = format!("{}: not complete: {}", question.name, answer["meta"]);
                    part.faults.push(fault);
                }
                Err(error) => part.faults.push(format!("{}: {error:#}", question.name)),
            }
            place = (place + 1) % self.mix.len();
        }
        part
    }

    /// One of the senders, which sends its batches when they are due, or as soon after as it can.
    fn send(
        &self,
        batches: &[Body],
        sender: u32,
        started: Instant,
        api: &Api,
    ) -> anyhow::Result<Vec<Duration>> {
        let sending = Sending {
            source_token: &self.stage.source.token,
            content_encoding: None,
            batch_key: None,
        };
        let mut times = Vec::new();
        for number in (sender..).step_by(SENDERS as usize) {
            let due_after = BATCH_INTERVAL * number;
            if due_after >= self.duration {
                break;
            }
            thread::sleep(due_after.saturating_sub(started.elapsed()));
            load::send_body(&batches[number as usize % batches.len()], &sending, api)?;
            times.push(started.elapsed() - due_after);
        }
        Ok(times)
    }
}

impl Mixed {
    fn new(elapsed: Duration, parts: &[Part]) -> Mixed {
        let times = parts.iter().flat_map(|part| part.times.iter().copied());
        Mixed {
            elapsed,
            answers: Latencies::sorted(times.collect()),
            batches: Latencies::default(),
            faults: parts.iter().flat_map(|part| part.faults.clone()).collect(),
        }
    }

    pub(crate) fn questions_per_second(&self) -> f64 {
        self.answers.count() as f64 / self.elapsed.as_secs_f64()
    }

    pub(crate) fn events_per_second(&self) -> f64 {
        (self.batches.count() * BATCH_EVENTS) as f64 / self.elapsed.as_secs_f64()
    }
}

/// The corpus from its beginning, in batches: as many as are sent, or all there are.
fn batches(corpus: &Path, duration: Duration) -> anyhow::Result<Vec<Body>> {
    let file = File::open(corpus).with_context(|| format!("open {}", corpus.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut batches = Vec::new();
    while duration > BATCH_INTERVAL * u32::try_from(batches.len())? {
        let mut lines = Vec::new();
        let mut events = 0;
        while events < BATCH_EVENTS && reader.read_until(b'\n', &mut lines)? > 0 {
            events += 1;
        }
        if events < BATCH_EVENTS {
            break;
        }
        batches.push(Body {
            raw_bytes: lines.len() as u64,
            on_wire: lines,
        });
    }
    ensure!(!batches.is_empty(), "the corpus is less than one batch");
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MIX, batches};
    use crate::corpus::Meta;
    use crate::question::questions;

    #[test]
    fn the_mix_is_of_questions() {
        let meta = Meta::default();
        let names: Vec<_> = questions(&meta)
            .iter()
            .map(|question| question.name)
            .collect();
        for name in MIX {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn batches_are_whole_and_as_many_as_are_sent() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("lines");
        let text: String = (0..3500).map(|n| format!("{n}\n")).collect();
        std::fs::write(&path, text).expect("the file is written");
        for (millis, expected) in [(100, 1), (101, 2), (300, 3), (10_000, 3)] {
            let found = batches(&path, Duration::from_millis(millis)).expect("there are batches");
            let sent: Vec<u8> = found.into_iter().flat_map(|batch| batch.on_wire).collect();
            let lines = expected * 1000;
            let wanted: String = (0..lines).map(|n| format!("{n}\n")).collect();
            assert_eq!(sent, wanted.as_bytes(), "{millis} ms");
        }
    }
}
