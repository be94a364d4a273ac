//! One run of the suite: ingest measured, then the questions, cold and warm, every answer checked.

mod alerts;
mod cancellation;
mod concurrency;
mod encodings;
mod ingest;
mod investigation;
mod questions;
mod shapes;
mod tails;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use cordwood_harness::ServerOptions;

use self::ingest::{Ingestion, Until};
use self::questions::Stage;
use crate::corpus::{self, Kind, Meta, Spec};
use crate::load::{Bodies, Encoding};
use crate::oracle;
use crate::process;
use crate::question;
use crate::report::{self, Outcome};

pub(crate) use self::alerts::{Alerting, MIX as ALERTS_MIX};
pub(crate) use self::concurrency::{Concurrency, Mixed};
pub(crate) use self::encodings::Encoded;
pub(crate) use self::ingest::Ingest;
pub(crate) use self::investigation::{Exported, Investigation, Probed};
pub(crate) use self::questions::{Answer, Asked};
pub(crate) use self::shapes::{Counted, Shape};
pub(crate) use self::tails::Tailed;

const EVENTS: u64 = 10_000_000;
const SMOKE_EVENTS: u64 = 40_000;
/// As much of the corpus as is sent in each encoding: about a million events, which fit into memory.
const ENCODED_BYTES: u64 = 375_000_000;
const SMOKE_ENCODED_BYTES: u64 = 8_000_000;
/// Events in the corpora of other shapes: 477 MB, and about 370.
const LOGHUB_EVENTS: u64 = 2_000_000;
const SMOKE_LOGHUB_EVENTS: u64 = 10_000;
const WIDE_EVENTS: u64 = 500_000;
const SMOKE_WIDE_EVENTS: u64 = 5_000;
const SEED: u64 = 42;
/// How old the oldest event in the log may become where a run would wait for it to go into a segment. The run of the
/// page's first table keeps the server's own ten minutes.
const FLUSH_AGE_MS: u64 = 20_000;
/// Timed runs of a warm question; the median counts.
const WARM_RUNS: usize = 7;
/// How long clients ask at the same time: long enough for percentiles, and to see that it works.
const CLIENTS_ASK: Duration = Duration::from_secs(30);
const SMOKE_CLIENTS_ASK: Duration = Duration::from_secs(1);

/// Searches that are given up.
const GIVEN_UP: usize = 50;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The `cordwood` binary.
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// Events in the corpus [default: 10 000 000].
    #[arg(long)]
    events: Option<u64>,
    /// 40 000 events, each question once, and no page of results unless --page says where: does it run, and are the answers right?
    #[arg(long)]
    smoke: bool,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// The size of a body.
    #[arg(long, default_value_t = 2048)]
    body_kib: usize,
    /// The directory that holds the *_2k.log files: the `loghub` corpus is ingested too.
    #[arg(long, value_name = "DIR")]
    loghub_dir: Option<PathBuf>,
    /// Where the corpus and the server's data go: several gigabytes.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data"))]
    dir: PathBuf,
    /// Where the page of results goes [default: bench/RESULTS.md, with --smoke nowhere].
    #[arg(long)]
    page: Option<PathBuf>,
}

impl Arguments {
    fn body_bytes(&self) -> usize {
        self.body_kib << 10
    }

    fn events(&self) -> u64 {
        let standard = if self.smoke { SMOKE_EVENTS } else { EVENTS };
        self.events.unwrap_or(standard)
    }

    fn page(&self) -> Option<PathBuf> {
        let standard = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
        let standard = (!self.smoke).then_some(standard);
        self.page.clone().or(standard)
    }

    fn encoded_bytes(&self) -> u64 {
        if self.smoke {
            SMOKE_ENCODED_BYTES
        } else {
            ENCODED_BYTES
        }
    }

    fn alerts(&self) -> alerts::Extent {
        if self.smoke {
            alerts::Extent::SMOKE
        } else {
            alerts::Extent::WHOLE
        }
    }

    fn tails(&self) -> tails::Extent {
        if self.smoke {
            tails::Extent::SMOKE
        } else {
            tails::Extent::WHOLE
        }
    }

    fn clients_ask(&self) -> Duration {
        if self.smoke {
            SMOKE_CLIENTS_ASK
        } else {
            CLIENTS_ASK
        }
    }

    /// The corpus of so many events, and where it is.
    fn corpus(&self, kind: Kind, events: u64) -> anyhow::Result<(PathBuf, Meta)> {
        let name = match kind {
            Kind::App => "app",
            Kind::Loghub(_) => "loghub",
            Kind::Wide => "wide",
        };
        let path = self.dir.join(format!("{name}-{events}.ndjson"));
        let spec = Spec {
            day: kind.day().to_owned(),
            kind,
            events,
            seed: SEED,
        };
        let meta = corpus::ensure(&spec, &path)?;
        Ok((path, meta))
    }

    /// A server with a directory of its own in `dir`.
    fn server_in(&self, dir: &Path) -> ServerOptions {
        ServerOptions {
            binary: self.server.clone(),
            data_dir: dir.join("data"),
            log: dir.join("server.log"),
            config: None,
        }
    }

    fn ingestion(&self, options: ServerOptions) -> Ingestion {
        Ingestion {
            options,
            connections: self.connections,
            until: if self.smoke {
                Until::Acknowledged
            } else {
                Until::Flushed
            },
        }
    }

    /// Beside the run of the first table: on a directory of its own, and into segments after seconds.
    fn ingestion_beside(&self, dir: &Path) -> anyhow::Result<Ingestion> {
        std::fs::create_dir(dir)?;
        let config = dir.join("cordwood.toml");
        std::fs::write(&config, format!("flush_age_ms = {FLUSH_AGE_MS}\n"))?;
        Ok(self.ingestion(ServerOptions {
            config: Some(config),
            ..self.server_in(dir)
        }))
    }
}

/// Whether every answer was right.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&arguments.dir)?;
    let events = arguments.events();
    println!("corpus: {events} events");
    let (path, meta) = arguments.corpus(Kind::App, events)?;
    let questions = question::questions(&meta);
    println!("answers: counted one by one");
    let expected = oracle::answers(&path, &meta, &questions)?;

    let dir = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(&arguments.dir)?;
    let load_before = process::load_average()?;
    let ingestion = arguments.ingestion(arguments.server_in(dir.path()));
    let bodies = Bodies::open(&path, arguments.body_bytes(), Encoding::Plain)?;
    let (source, ingest) = ingestion.measure(bodies, Encoding::Plain)?;
    println!("ingest: {}", report::ingest_line(&ingest));
    let stage = Stage {
        options: ingestion.options,
        source,
        meta: &meta,
    };
    let warm_runs = if arguments.smoke { 1 } else { WARM_RUNS };
    let asked = stage.ask_all(&questions, &expected, warm_runs)?;
    let investigation = investigation::measure(&stage, warm_runs)?;
    let checked: Vec<_> = questions.iter().zip(&expected).collect();
    let concurrency = concurrency::measure(&stage, &path, &checked, arguments.clients_ask())?;
    println!("{}", report::concurrency_line(&concurrency));
    let given_up = cancellation::measure(&stage, GIVEN_UP)?;
    println!("{}", report::given_up_line(&given_up));
    let alerting = alerts::measure(&stage, &path, arguments.alerts())?;
    println!("{}", report::alerts_line(&alerting));
    let tailed = measure_tails(arguments)?;
    let encoded = encodings::measure(
        &path,
        arguments.body_bytes(),
        arguments.encoded_bytes(),
        |name| arguments.ingestion_beside(&dir.path().join(name)),
    )?;
    for Encoded { encoding, ingest } in &encoded {
        println!("{encoding:?}: {}", report::ingest_line(ingest));
    }
    let shapes = measure_shapes(arguments, dir.path(), warm_runs)?;
    for shape in &shapes {
        println!(
            "{}: {}",
            shape.meta.corpus,
            report::ingest_line(&shape.ingest)
        );
        for counted in &shape.counts {
            println!("{}", report::counted_line(counted));
        }
    }
    let page = report::page(&Outcome {
        meta: &meta,
        connections: arguments.connections,
        body_bytes: arguments.body_bytes(),
        ingest: &ingest,
        questions: &questions,
        asked: &asked,
        warm_runs,
        encoded: &encoded,
        investigation: &investigation,
        concurrency: &concurrency,
        given_up: &given_up,
        alerting: &alerting,
        tails: &tailed,
        shapes: &shapes,
        load_before,
    })?;
    if let Some(path) = arguments.page() {
        std::fs::write(&path, page)?;
        println!("written: {}", path.display());
    }
    let counts = shapes.iter().flat_map(|shape| &shape.counts);
    let faults: Vec<bool> = asked
        .answers
        .iter()
        .map(|answer| answer.fault.is_some())
        .chain(counts.map(|counted| counted.fault.is_some()))
        .chain(
            investigation
                .probes
                .iter()
                .map(|probed| probed.fault.is_some()),
        )
        .chain([alerting.fault().is_some()])
        .collect();
    let failed = faults.iter().filter(|is_fault| **is_fault).count();
    println!("{} passed, {failed} failed", faults.len() - failed);
    Ok(failed == 0 && concurrency.faults().count() == 0)
}

/// Alerts alone, on a server that has taken the corpus. Whether all was right.
pub(crate) fn run_alerts(arguments: &Arguments) -> anyhow::Result<bool> {
    std::fs::create_dir_all(&arguments.dir)?;
    let (path, meta) = arguments.corpus(Kind::App, arguments.events())?;
    let dir = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(&arguments.dir)?;
    let ingestion = arguments.ingestion(arguments.server_in(dir.path()));
    let bodies = Bodies::open(&path, arguments.body_bytes(), Encoding::Plain)?;
    let (source, ingest) = ingestion.measure(bodies, Encoding::Plain)?;
    println!("ingest: {}", report::ingest_line(&ingest));
    let stage = Stage {
        options: ingestion.options,
        source,
        meta: &meta,
    };
    let alerting = alerts::measure(&stage, &path, arguments.alerts())?;
    println!("{}", report::alerts_line(&alerting));
    Ok(alerting.fault().is_none())
}

/// Live tails alone.
pub(crate) fn run_tails(arguments: &Arguments) -> anyhow::Result<()> {
    measure_tails(arguments).map(drop)
}

fn measure_tails(arguments: &Arguments) -> anyhow::Result<Vec<Tailed>> {
    let tailed = tails::measure(&arguments.server, arguments.tails())?;
    for trial in &tailed {
        println!("{}", report::tailed_line(trial));
    }
    Ok(tailed)
}

/// The `wide` corpus, and `loghub` if it was said where its lines are.
fn measure_shapes(
    arguments: &Arguments,
    dir: &Path,
    warm_runs: usize,
) -> anyhow::Result<Vec<Shape>> {
    let measure = |kind: Kind, events: u64| {
        let (path, meta) = arguments.corpus(kind, events)?;
        let ingestion = arguments.ingestion_beside(&dir.join(&meta.corpus))?;
        let (source, shape) = shapes::measure(meta, &path, arguments.body_bytes(), &ingestion)?;
        anyhow::Ok((path, ingestion, source, shape))
    };
    let [wide_events, loghub_events] = if arguments.smoke {
        [SMOKE_WIDE_EVENTS, SMOKE_LOGHUB_EVENTS]
    } else {
        [WIDE_EVENTS, LOGHUB_EVENTS]
    };
    let (path, ingestion, source, mut wide) = measure(Kind::Wide, wide_events)?;
    wide.counts = shapes::count_wide(&path, &ingestion, &source, warm_runs)?;
    let mut shapes = vec![wide];
    if let Some(lines) = &arguments.loghub_dir {
        let (.., shape) = measure(Kind::Loghub(lines.clone()), loghub_events)?;
        shapes.push(shape);
    }
    Ok(shapes)
}
