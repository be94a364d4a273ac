//! One run of the suite: ingest measured, then the questions, cold and warm, every answer checked.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use cordwood_harness::{Api, Server, ServerOptions, Source};
use serde_json::Value;

use crate::corpus::{self, Kind, Meta, Spec};
use crate::load::{self, Encoding, Sent, Shape};
use crate::oracle::{self, Expected};
use crate::process;
use crate::question::{Question, Wanted, questions};
use crate::report::{self, Outcome};

const EVENTS: u64 = 10_000_000;
const SMOKE_EVENTS: u64 = 100_000;
/// The oldest event in the log goes into a segment after ten minutes; by then all have.
const FLUSHED_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// Timed runs of a warm question; the median counts.
const WARM_RUNS: usize = 7;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The `cordwood` binary.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// Events in the corpus [default: 10 000 000].
    #[arg(long)]
    events: Option<u64>,
    /// 100 000 events, each question once, and no page of results: does it run, and are the answers right?
    #[arg(long)]
    smoke: bool,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// The size of a body.
    #[arg(long, default_value_t = 2048)]
    body_kib: usize,
    /// How bodies are compressed on the wire.
    #[arg(long, value_enum, default_value_t = Encoding::None)]
    encoding: Encoding,
    /// Where the corpus and the server's data go: several gigabytes.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data"))]
    dir: PathBuf,
}

impl Arguments {
    fn shape(&self) -> Shape {
        Shape {
            connections: self.connections,
            body_bytes: self.body_kib << 10,
            encoding: self.encoding,
        }
    }

    fn events(&self) -> u64 {
        let standard = if self.smoke { SMOKE_EVENTS } else { EVENTS };
        self.events.unwrap_or(standard)
    }
}

/// What ingest took.
#[derive(Clone, Debug)]
pub(crate) struct Ingest {
    pub(crate) sent: Sent,
    /// Until the server had nothing left to do.
    pub(crate) settled: Duration,
    /// Whether all events were in segments when the figures below were taken.
    pub(crate) is_flushed: bool,
    pub(crate) processor_seconds: f64,
    pub(crate) by_thread: Vec<(String, Duration)>,
    pub(crate) memory_peak_bytes: u64,
    pub(crate) disk_bytes: u64,
}

/// What one question took.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) warm: Duration,
    /// Processor time of the server per warm run.
    pub(crate) warm_processor: Duration,
    pub(crate) cold: Duration,
    pub(crate) total: u64,
    /// What is wrong with the answer.
    pub(crate) fault: Option<String>,
}

/// A server with the corpus in it.
struct Stage<'a> {
    options: ServerOptions,
    source: Source,
    meta: &'a Meta,
}

/// Whether every answer was right.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&arguments.dir)?;
    let events = arguments.events();
    let path = arguments.dir.join(format!("app-{events}.ndjson"));
    println!("corpus: {events} events");
    let spec = Spec {
        kind: Kind::App,
        events,
        seed: 42,
        day: "2026-06-10".to_owned(),
    };
    let meta = corpus::ensure(&spec, &path)?;
    let questions = questions(&meta);
    println!("answers: counted one by one");
    let expected = oracle::answers(&path, &meta, &questions)?;

    let dir = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(&arguments.dir)?;
    let options = ServerOptions {
        binary: arguments.server.clone(),
        data_dir: dir.path().join("data"),
        log: dir.path().join("server.log"),
        config: None,
    };
    let load_before = process::load_average()?;
    let (stage, ingest) = measure_ingest(&path, &meta, options, arguments)?;
    println!("ingest: {}", report::ingest_line(&meta, &ingest));
    let warm_runs = if arguments.smoke { 1 } else { WARM_RUNS };
    let (answers, is_cache_dropped) = stage.ask_all(&questions, &expected, warm_runs)?;
    let failed = answers
        .iter()
        .filter(|answer| answer.fault.is_some())
        .count();
    if !arguments.smoke {
        let outcome = Outcome {
            meta: &meta,
            shape: arguments.shape(),
            ingest: &ingest,
            questions: &questions,
            answers: &answers,
            is_cache_dropped,
            load_before,
        };
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
        std::fs::write(&page, report::page(&outcome)?)?;
        println!("written: {}", page.display());
    }
    println!("{} passed, {failed} failed", answers.len() - failed);
    Ok(failed == 0)
}

fn measure_ingest<'a>(
    path: &Path,
    meta: &'a Meta,
    options: ServerOptions,
    arguments: &Arguments,
) -> anyhow::Result<(Stage<'a>, Ingest)> {
    let server = Server::start(&options)?;
    let source = server.api().create_source("bench")?;
    let sent = load::send(path, arguments.shape(), &source, &|| server.api())?;
    let settled = process::wait_until_idle(server.id())?;
    let is_flushed = !arguments.smoke && wait_until_flushed(&server.api())?;
    let threads = process::processor_time_by_thread(server.id())?;
    let mut by_thread: Vec<_> = threads.into_iter().collect();
    by_thread.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    let processor_seconds = process::processor_seconds(server.id())?;
    let memory_peak_bytes = process::memory_peak_bytes(server.id())?;
    server.stop()?;
    let ingest = Ingest {
        sent,
        settled,
        is_flushed,
        processor_seconds,
        by_thread,
        memory_peak_bytes,
        disk_bytes: process::disk_bytes(&options.data_dir)?,
    };
    let stage = Stage {
        options,
        source,
        meta,
    };
    Ok((stage, ingest))
}

/// Waits until the log holds nothing that is not in a segment too, so that processor time and bytes on
/// disk are those of the whole way. Whether it came to that.
fn wait_until_flushed(api: &Api) -> anyhow::Result<bool> {
    let deadline = Instant::now() + FLUSHED_TIMEOUT;
    while Instant::now() < deadline {
        if api.metric("cordwood_store_unflushed_bytes")? == 0.0 {
            return Ok(true);
        }
        thread::sleep(Duration::from_secs(1));
    }
    Ok(false)
}

impl Stage<'_> {
    /// Cold: each question to a server just started, with no file cached if the kernel lets us.
    fn ask_all(
        &self,
        questions: &[Question],
        expected: &[Expected],
        warm_runs: usize,
    ) -> anyhow::Result<(Vec<Answer>, bool)> {
        let mut cold = Vec::new();
        let mut is_cache_dropped = true;
        for question in questions {
            is_cache_dropped &= process::drop_page_cache();
            let server = Server::start(&self.options)?;
            cold.push(self.ask(question, &server.api())?.0);
            server.stop()?;
        }
        let server = Server::start(&self.options)?;
        let mut answers = Vec::new();
        for ((question, expected), cold) in questions.iter().zip(expected).zip(cold) {
            let answer = self
                .ask_warm(question, expected, &server, warm_runs)
                .with_context(|| format!("the question {}", question.name))?;
            let answer = Answer { cold, ..answer };
            println!("{}", report::answer_line(question, &answer));
            answers.push(answer);
        }
        server.stop()?;
        Ok((answers, is_cache_dropped))
    }

    fn ask_warm(
        &self,
        question: &Question,
        expected: &Expected,
        server: &Server,
        runs: usize,
    ) -> anyhow::Result<Answer> {
        let api = server.api();
        let (_, first) = self.ask(question, &api)?;
        let fault = self.check(question, expected, &first, &api)?;
        let processor = || -> anyhow::Result<Duration> {
            Ok(process::processor_time_by_thread(server.id())?
                .values()
                .sum())
        };
        let before = processor()?;
        let mut times = Vec::new();
        for _ in 0..runs {
            times.push(self.ask(question, &api)?.0);
        }
        let used = processor()?.saturating_sub(before);
        times.sort_unstable();
        Ok(Answer {
            warm: times[times.len() / 2],
            warm_processor: used / u32::try_from(runs)?,
            cold: Duration::ZERO,
            total: expected.total,
            fault,
        })
    }

    /// From sending the question to having read the whole answer.
    fn ask(&self, question: &Question, api: &Api) -> anyhow::Result<(Duration, Value)> {
        let page = match question.wanted {
            // The smallest page there is; it adds the reading of one event.
            Wanted::Total => Some((1, "newest_first", "true")),
            Wanted::Newest(count) => Some((count, "newest_first", "false")),
            Wanted::Oldest(count) => Some((count, "oldest_first", "false")),
            // A table comes whole.
            Wanted::Table(_) => None,
        };
        let started = Instant::now();
        let mut parameters = vec![
            ("source_id", self.source.id.clone()),
            ("query", question.query.clone()),
        ];
        if let Some((size, order, total)) = page {
            parameters.extend([
                ("batch_size", size.to_string()),
                ("order", order.to_owned()),
                ("total", total.to_owned()),
            ]);
        }
        if let Some(since) = &question.since {
            parameters.push(("from", since.clone()));
        }
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        let answer = api.query(&parameters)?;
        Ok((started.elapsed(), answer))
    }

    /// Counts and times as the oracle found them; what it found of the needle as the generator knows it.
    fn check(
        &self,
        question: &Question,
        expected: &Expected,
        answer: &Value,
        api: &Api,
    ) -> anyhow::Result<Option<String>> {
        if answer.pointer("/meta/complete").and_then(Value::as_bool) != Some(true) {
            return Ok(Some(format!("not complete: {}", answer["meta"])));
        }
        let known = match question.name {
            "count_all" => Some(self.meta.events),
            "needle_request" => self.meta.needle_hits,
            "rare_token" => self.meta.rare_hits,
            _ => None,
        };
        if let Some(known) = known.filter(|known| *known != expected.total) {
            let counted = expected.total;
            return Ok(Some(format!(
                "the generator made {known}, the oracle counts {counted}"
            )));
        }
        if let Wanted::Table(table) = question.wanted {
            return table.fault(&expected.rows, answer);
        }
        let total = match question.wanted {
            Wanted::Table(_) => None,
            Wanted::Total => answer.pointer("/meta/total").cloned(),
            Wanted::Newest(_) | Wanted::Oldest(_) => {
                let counted = Question {
                    wanted: Wanted::Total,
                    ..question.clone()
                };
                self.ask(&counted, api)?.1.pointer("/meta/total").cloned()
            }
        };
        if total.as_ref().and_then(Value::as_u64) != Some(expected.total) {
            let expected = expected.total;
            return Ok(Some(format!(
                "the total is {total:?} and should be {expected}"
            )));
        }
        let times: Vec<&str> = answer["data"]
            .as_array()
            .map(|events| {
                events
                    .iter()
                    .filter_map(|event| event["dt"].as_str())
                    .collect()
            })
            .unwrap_or_default();
        Ok(
            (question.wanted != Wanted::Total && times != expected.times)
                .then(|| format!("other events: {times:?} in place of {:?}", expected.times)),
        )
    }
}
