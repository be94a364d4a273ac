//! What an engineer asks beyond a search, of a server that has the `app` corpus: each answer is checked by what is known of
//! the corpus, then timed warm. And an export of everything.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use cordwood_harness::{Api, Server};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::questions::Stage;
use crate::corpus::Meta;
use crate::process;
use crate::report;

/// How long an export of everything may take before something is wrong.
const EXPORT_MAX: Duration = Duration::from_secs(600);
/// How often it is asked how far it has come.
const EXPORT_POLL: Duration = Duration::from_millis(50);
/// Fields whose facets are asked for.
const FACET_FIELDS: usize = 20;
/// The window that is compared with the one before it.
const WINDOW: Duration = Duration::from_secs(3600);

/// Something to ask, with what must be in the answer.
struct Probe {
    name: &'static str,
    /// Milliseconds that a warm answer stays under.
    mark_ms: f64,
    path: String,
    parameters: Vec<(&'static str, String)>,
    /// What is wrong with an answer.
    fault: fn(&Value, &Meta) -> Option<String>,
}

/// What one probe took.
#[derive(Clone, Debug)]
pub(crate) struct Probed {
    pub(crate) name: &'static str,
    /// Milliseconds that a warm answer stays under.
    pub(crate) mark_ms: f64,
    pub(crate) warm: Duration,
    /// Processor time of the server per warm run.
    pub(crate) warm_processor: Duration,
    pub(crate) fault: Option<String>,
}

/// What an export of everything took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exported {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    /// From asking for it until the file is whole.
    pub(crate) written: Duration,
    /// From asking for the file until all of it is read.
    pub(crate) downloaded: Duration,
}

impl Probed {
    pub(crate) fn is_reached(&self) -> bool {
        self.warm.as_secs_f64() * 1e3 < self.mark_ms
    }
}

impl Exported {
    /// Events a second that an export has to write.
    pub(crate) const MARK: f64 = 300_000.0;

    pub(crate) fn events_per_second(&self) -> f64 {
        self.events as f64 / self.written.as_secs_f64()
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct Investigation {
    pub(crate) probes: Vec<Probed>,
    pub(crate) export: Exported,
}

/// Asks all, each so many times.
pub(super) fn measure(stage: &Stage<'_>, runs: usize) -> anyhow::Result<Investigation> {
    let server = Server::start(&stage.options)?;
    let api = server.api();
    let mut probed = Vec::new();
    for probe in probes(stage, &api)? {
        let answer = ask(&probe, stage.meta, &server, runs)
            .with_context(|| format!("the probe {}", probe.name))?;
        println!("{}", report::probed_line(&answer));
        probed.push(answer);
    }
    let export = export(stage, &api)?;
    println!("{}", report::exported_line(&export));
    server.stop()?;
    Ok(Investigation {
        probes: probed,
        export,
    })
}

fn probes(stage: &Stage<'_>, api: &Api) -> anyhow::Result<Vec<Probe>> {
    let meta = stage.meta;
    let of_source = || ("source_id", stage.source.id.clone());
    let needle = meta.needle_request_id.clone().unwrap_or_default();
    let event = id_of(stage, api, &format!("request_id:\"{needle}\""))?;
    let query = |query: &str| vec![of_source(), ("query", query.to_owned())];
    let window = window(meta)?;
    Ok(vec![
        Probe {
            name: "histogram",
            mark_ms: 100.0,
            path: "/api/v1/query/histogram".into(),
            parameters: query("*"),
            fault: |answer, meta| differs(&answer["data"]["total"], meta.events),
        },
        Probe {
            name: "histogram of a word",
            mark_ms: 100.0,
            path: "/api/v1/query/histogram".into(),
            parameters: query("message:timeout"),
            fault: |answer, _| is_empty(&answer["data"]["buckets"]),
        },
        Probe {
            name: "facets",
            mark_ms: 100.0,
            path: "/api/v1/query/facets".into(),
            parameters: query("*"),
            fault: |answer, _| lacks_fields(answer),
        },
        Probe {
            name: "facets of errors",
            mark_ms: 100.0,
            path: "/api/v1/query/facets".into(),
            parameters: query("level:error"),
            fault: |answer, _| lacks_fields(answer),
        },
        Probe {
            name: "completion of a value",
            mark_ms: 20.0,
            path: "/api/v1/query/complete".into(),
            parameters: query("service:pay"),
            fault: |answer, _| is_empty(&answer["data"]),
        },
        Probe {
            name: "context",
            mark_ms: 100.0,
            path: format!("/api/v1/events/{event}/context"),
            parameters: Vec::new(),
            fault: |answer, _| is_empty(&answer["data"]),
        },
        Probe {
            name: "context of the same host",
            mark_ms: 100.0,
            path: format!("/api/v1/events/{event}/context"),
            parameters: vec![("same", "host".into())],
            fault: |answer, _| is_empty(&answer["data"]),
        },
        Probe {
            name: "trace",
            mark_ms: 100.0,
            path: "/api/v1/trace".into(),
            parameters: vec![of_source(), ("value", needle)],
            fault: |answer, meta| differs(&answer["trace"]["total"], meta.needle_hits.unwrap_or(0)),
        },
        Probe {
            name: "patterns",
            mark_ms: 1000.0,
            path: "/api/v1/patterns".into(),
            parameters: query("*"),
            fault: |answer, meta| differs(&answer["meta"]["events"], meta.events),
        },
        Probe {
            name: "patterns of errors",
            mark_ms: 1000.0,
            path: "/api/v1/patterns".into(),
            parameters: query("level:error"),
            fault: |answer, _| is_empty(&answer["data"]),
        },
        Probe {
            name: "what changed",
            mark_ms: 500.0,
            path: "/api/v1/what-changed".into(),
            parameters: [vec![of_source()], window.to_vec()].concat(),
            fault: |answer, _| compares_nothing(answer),
        },
    ])
}

/// The id of the newest event that a query finds.
fn id_of(stage: &Stage<'_>, api: &Api, query: &str) -> anyhow::Result<String> {
    let answer = api.query(&[("source_id", &stage.source.id), ("query", query)])?;
    let id = answer.pointer("/data/0/_id").and_then(Value::as_str);
    Ok(id.context("no event of the needle")?.to_owned())
}

/// An hour in the middle of the corpus's day.
fn window(meta: &Meta) -> anyhow::Result<[(&'static str, String); 2]> {
    let middle = Timestamp::from_millisecond(i64::try_from(meta.t0_ms.midpoint(meta.t1_ms))?)?;
    let until = middle + WINDOW;
    Ok([("from", middle.to_string()), ("to", until.to_string())])
}

fn differs(found: &Value, expected: u64) -> Option<String> {
    (found.as_u64() != Some(expected)).then(|| format!("{found}, and should be {expected}"))
}

fn is_empty(found: &Value) -> Option<String> {
    let is_empty = found.as_array().is_none_or(Vec::is_empty);
    is_empty.then(|| "nothing was found".into())
}

/// What came of comparing is checked where incidents are planted; here only that both windows have events.
fn compares_nothing(answer: &Value) -> Option<String> {
    let events = |window: &str| answer["meta"][window]["events"].as_u64().unwrap_or(0);
    let (current, baseline) = (events("current"), events("baseline"));
    (current == 0 || baseline == 0)
        .then(|| format!("{current} events are compared with {baseline}"))
}

fn lacks_fields(answer: &Value) -> Option<String> {
    let facets = answer["data"].as_array().map_or(0, Vec::len);
    let fields = answer["fields"].as_array().map_or(0, Vec::len);
    (facets < fields.min(FACET_FIELDS) || facets == 0)
        .then(|| format!("{facets} facets of {fields} fields"))
}

fn ask(probe: &Probe, meta: &Meta, server: &Server, runs: usize) -> anyhow::Result<Probed> {
    let api = server.api();
    let parameters: Vec<(&str, &str)> = probe
        .parameters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let first = api.get(&probe.path, &parameters)?;
    let fault = match first.pointer("/meta/complete").and_then(Value::as_bool) {
        Some(true) => (probe.fault)(&first, meta),
        _ => Some(format!("not complete: {}", first["meta"])),
    };
    let processor = || -> anyhow::Result<Duration> {
        Ok(process::processor_time_by_thread(server.id())?
            .values()
            .sum())
    };
    let before = processor()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        api.get(&probe.path, &parameters)?;
        times.push(started.elapsed());
    }
    let used = processor()?.saturating_sub(before);
    times.sort_unstable();
    Ok(Probed {
        name: probe.name,
        mark_ms: probe.mark_ms,
        warm: times[times.len() / 2],
        warm_processor: used / u32::try_from(runs)?,
        fault,
    })
}

/// Everything as NDJSON, as it is.
fn export(stage: &Stage<'_>, api: &Api) -> anyhow::Result<Exported> {
    let started = Instant::now();
    let wanted = json!({"source_id": [stage.source.id], "format": "ndjson"});
    let mut export = api.post("/api/v1/exports", &wanted)?;
    let id = export["data"]["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/api/v1/exports/{id}");
    while let Some("queued" | "running") = state(&export) {
        ensure!(started.elapsed() < EXPORT_MAX, "the export does not end");
        std::thread::sleep(EXPORT_POLL);
        export = api.get(&path, &[])?;
    }
    let written = started.elapsed();
    if state(&export) != Some("done") {
        bail!("the export failed: {export}");
    }
    let number = |name: &str| export["data"]["attributes"][name].as_u64();
    let (events, bytes) = (number("events"), number("bytes"));
    ensure!(events == Some(stage.meta.events), "exported {events:?}");
    let started = Instant::now();
    let read = api.download(&format!("{path}/file"))?;
    ensure!(bytes == Some(read), "{bytes:?} bytes, of which {read} came");
    Ok(Exported {
        events: stage.meta.events,
        bytes: read,
        written,
        downloaded: started.elapsed(),
    })
}

fn state(export: &Value) -> Option<&str> {
    export["data"]["attributes"]["state"].as_str()
}
