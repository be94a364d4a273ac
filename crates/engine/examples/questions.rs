//! Asks the questions of the reference workload and prints how long each takes.
//!
//! `cargo run --release -p cordwood-engine --example questions -- EVENTS.ndjson DIRECTORY [QUESTION…]`
//!
//! Loads the events of the corpus `app` (`EVENTS.ndjson`, beside it `EVENTS.ndjson.meta.json`) into a store in
//! `DIRECTORY`, unless one is there already, and asks the named questions or all, seven times each; prints the median.
//!
//! With `clients` in place of a question, eight clients ask a mix of them side by side for half a minute, with
//! `clients-beside-ingest` while 10 000 events arrive each second, which stay in the directory; prints percentiles.

#[path = "questions/clients.rs"]
mod clients;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cordwood_engine::{
    Clock, Engine, Facet, FacetsRequest, Order, SearchAnswer, SearchRequest, SearchedSource,
    Staged, StagedRequest, Total,
};
use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Scalar, SourceId, Timestamp};
use cordwood_query::{TimeBounds, parse};
use cordwood_store::disk::FileSystem;
use cordwood_store::{Append, Decode, LoggedBody, MemoryBudget, Snapshot, Store};
use serde_json::Value;

use clients::{Arriving, Asked, Clients};

/// What clients ask side by side.
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
const CLIENTS: Clients = Clients {
    count: 8,
    time: Duration::from_secs(30),
};
/// A batch of 1 000 events as often as makes 10 000 a second.
const EVENTS_PER_BATCH: usize = 1_000;
const ARRIVING_EVERY: Duration = Duration::from_millis(100);
/// Different batches; then they come again.
const ARRIVING_BATCHES: usize = 50;

const ROUNDS: usize = 7;
const LINES_PER_BATCH: usize = 2_000;

/// What a question asks for besides matching events.
#[derive(Clone, Copy)]
enum Wanted {
    Newest(usize),
    Oldest(usize),
    Total,
}

use Wanted::{Newest, Oldest};

/// Name, query (`{needle}` stands for a request id that occurs), and what is wanted.
const QUESTIONS: &[(&str, &str, Wanted)] = &[
    ("count_all", "*", Wanted::Total),
    ("newest100", "*", Newest(100)),
    ("newest100_err", "level:error", Newest(100)),
    (
        "oldest100_err_svc",
        "service:checkout-api level:error",
        Oldest(100),
    ),
    ("needle_request", "request_id:\"{needle}\"", Newest(100)),
    ("rare_token", "message:zqxvortex", Newest(100)),
    (
        "phrase_count",
        "message:\"connection refused\"",
        Wanted::Total,
    ),
    (
        "phrase_newest",
        "message:\"connection refused\"",
        Newest(100),
    ),
    (
        "phrase_zero",
        "message:\"refused connection\"",
        Wanted::Total,
    ),
    ("token_zero", "message:nonexistenttoken42", Wanted::Total),
    ("token_common", "message:user", Wanted::Total),
    ("host_prefix", "host:prod-api-0*", Wanted::Total),
    ("substring", "message:*timeout*", Wanted::Total),
    (
        "bool_fields",
        "service:payments-service level:(error OR warn) NOT message:gateway",
        Wanted::Total,
    ),
    (
        "bool_text",
        "(message:deadlock OR message:timeout) NOT message:statement",
        Wanted::Total,
    ),
    ("range_num", "duration_ms:>1000", Wanted::Total),
    (
        "range_newest",
        "status:>=500 path:\\/api\\/v1\\/checkout*",
        Newest(50),
    ),
    (
        "regexp",
        r"message:/took [0-9]{4,}\.[0-9]+ms/",
        Wanted::Total,
    ),
    ("tenant_err", "tenant_id:t-17 level:error", Newest(100)),
    (
        "stack_token",
        "stack_trace:NullPointerException",
        Wanted::Total,
    ),
    (
        "nested",
        "http.method:DELETE http.bytes:>100000",
        Wanted::Total,
    ),
    ("any_field", "zqxvortex", Wanted::Total),
    ("trace_request", "\"{needle}\"", Oldest(1000)),
];

/// Name, query with stages, and the length of the last part of the corpus it is about, in seconds; 0 is all of it.
const STAGED: &[(&str, &str, i64)] = &[
    (
        "svc_err_1h",
        "level:error | stats count() by service",
        3_600,
    ),
    ("hist_minute", "* | stats count() by dt:1m", 0),
    (
        "hist_err_level",
        "message:timeout | stats count() by dt:5m, level",
        0,
    ),
    ("top_paths", "path:* | top 10 path", 0),
    ("p95_by_svc", "* | stats p95(duration_ms) by service", 0),
    ("distinct_users", "* | stats count_distinct(user_id)", 0),
    ("dash_5min", "* | stats count() by dt:10s, level", 300),
    ("avg_by_svc", "* | stats avg(duration_ms) by service", 0),
    ("users", "* | top 10 user_id", 0),
    (
        "parse_took",
        "message:took | parse \"took=<took:number>ms\" | stats max(took) by service",
        0,
    ),
    ("slowest", "* | sort by duration_ms desc | limit 20", 0),
    (
        "dedup_service",
        "* | dedup service | fields dt, service, message",
        0,
    ),
];

/// Name, query, and the fields that facets are asked of; none for the commonest.
const FACETS: &[(&str, &str, &[&str])] = &[
    ("facets", "*", &[]),
    ("facets_err", "level:error", &[]),
    ("facets_err_path", "level:error", &["path"]),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [events, directory, only @ ..] = &*arguments else {
        return Err("usage: questions EVENTS.ndjson DIRECTORY [QUESTION…]".into());
    };
    let is_new = !Path::new(directory).exists();
    let disk = Arc::new(FileSystem::new(directory));
    let (store, _) = Store::open(cordwood_store::Options::default(), disk, Arc::new(NoReplay))?;
    if is_new {
        load(&store, events)?;
    }
    let needle = needle(events)?;
    let engine = Engine::new(cordwood_engine::Options {
        threads: std::thread::available_parallelism()?.get(),
        memory: MemoryBudget::default(),
        clock: Clock::new(Instant::now),
    })?;
    let snapshot = store.snapshot();
    if let ["clients" | "clients-beside-ingest"] =
        only.iter().map(|only| &**only).collect::<Vec<_>>()[..]
    {
        let questions = mix(&snapshot, &needle)?;
        let arriving = match only.iter().any(|only| only == "clients-beside-ingest") {
            true => Some(arriving(events)?),
            false => None,
        };
        let asked = CLIENTS.ask(&engine, &store, &questions, arriving.as_ref());
        asked.map_err(|failure| failure.to_string())?;
        store.flush()?;
        store.close()?;
        return Ok(());
    }
    for (name, query, wanted) in QUESTIONS {
        if only.is_empty() || only.iter().any(|only| only == name) {
            ask(
                &engine,
                &snapshot,
                name,
                &request(&query.replace("{needle}", &needle), *wanted)?,
            )?;
        }
    }
    for (name, query, last_seconds) in STAGED {
        if only.is_empty() || only.iter().any(|only| only == name) {
            ask_staged(
                &engine,
                &snapshot,
                name,
                &staged_request(&snapshot, query, *last_seconds)?,
            )?;
        }
    }
    for (name, query, fields) in FACETS {
        if only.is_empty() || only.iter().any(|only| only == name) {
            ask_facets(&engine, &snapshot, (name, query, fields))?;
        }
    }
    if only.is_empty() || only.iter().any(|only| only == "context") {
        ask_context(&engine, &snapshot)?;
    }
    store.close()?;
    Ok(())
}

/// The events before and after one in the middle, in the order of results.
fn ask_context(engine: &Engine, snapshot: &Snapshot) -> Result<(), Box<dyn std::error::Error>> {
    let Some(totals) = snapshot.totals(SourceId(1)) else {
        return Ok(());
    };
    let (first, last) = (totals.time_min.as_nanos(), totals.time_max.as_nanos());
    let middle = Timestamp::from_nanos(first + (last - first) / 2);
    let mut before = request("*", Newest(10))?;
    before.range.last = middle;
    let found = engine.search(snapshot, &before)?;
    let Some(event) = found.events.first() else {
        return Ok(());
    };
    let mut after = request("*", Oldest(10))?;
    after.range.first = event.id.timestamp;
    (before.after, after.after) = (Some(event.id), Some(event.id));
    ask(engine, snapshot, "context_before", &before)?;
    ask(engine, snapshot, "context_after", &after)
}

/// The questions of the mix.
fn mix(snapshot: &Snapshot, needle: &str) -> Result<Vec<(&'static str, Asked)>, String> {
    let mut questions = Vec::new();
    for name in MIX {
        let plain = QUESTIONS.iter().find(|(plain, ..)| *plain == name);
        let staged = STAGED.iter().find(|(staged, ..)| *staged == name);
        questions.extend(match (plain, staged) {
            (Some((_, query, wanted)), _) => {
                let request = request(&query.replace("{needle}", needle), *wanted)?;
                Some((name, Asked::Search(request)))
            }
            (None, Some((_, query, seconds))) => {
                let request = staged_request(snapshot, query, *seconds)?;
                Some((name, Asked::Staged(request)))
            }
            (None, None) => None,
        });
    }
    Ok(questions)
}

fn arriving(events: &str) -> Result<Arriving, Box<dyn std::error::Error>> {
    let mut lines = BufReader::new(File::open(events)?).lines();
    let mut batches = Vec::new();
    for _ in 0..ARRIVING_BATCHES {
        batches.push(next_batch(&mut lines.by_ref().take(EVENTS_PER_BATCH))?);
    }
    Ok(Arriving {
        batches,
        every: ARRIVING_EVERY,
    })
}

fn staged_request(
    snapshot: &Snapshot,
    query: &str,
    last_seconds: i64,
) -> Result<StagedRequest, String> {
    let query = parse(query)
        .map_err(|wrong| format!("{query}: {wrong:?}"))?
        .query;
    let mut search = request("*", Newest(0))?;
    search.filter = query.filter;
    let last = snapshot.totals(SourceId(1)).map(|totals| totals.time_max);
    if let (Some(last), 1..) = (last, last_seconds) {
        let first = Timestamp::from_nanos(last.as_nanos() - last_seconds * 1_000_000_000);
        search.range = TimeBounds { first, last };
    }
    Ok(StagedRequest {
        search,
        stages: query.stages,
        rows_max: 10_000,
    })
}

fn ask_staged(
    engine: &Engine,
    snapshot: &Snapshot,
    name: &str,
    request: &StagedRequest,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut times: Vec<Duration> = Vec::new();
    let mut rows = 0;
    let mut account = None;
    for _ in 0..ROUNDS {
        let answer = engine.run_stages(snapshot, request)?;
        times.push(answer.account.elapsed);
        rows = match answer.result {
            Staged::Events { events, .. } => events.len(),
            Staged::Table(table) => table.rows.len(),
        };
        account = Some(answer.account);
    }
    times.sort();
    let (Some(median), Some(account)) = (times.get(ROUNDS / 2), account) else {
        return Ok(());
    };
    println!(
        "{name:18} {:9.2} ms  {rows:9} rows   {:8.1} MB read  blocks: {} read, {} pruned, {} counted{}",
        median.as_secs_f64() * 1e3,
        account.bytes_scanned as f64 / 1e6,
        account.blocks.read,
        account.blocks.pruned(),
        account.blocks.counted_whole,
        if account.is_complete() {
            ""
        } else {
            "  INCOMPLETE"
        },
    );
    Ok(())
}

fn ask_facets(
    engine: &Engine,
    snapshot: &Snapshot,
    (name, query, fields): (&str, &str, &[&str]),
) -> Result<(), Box<dyn std::error::Error>> {
    let asked = FacetsRequest {
        search: request(query, Newest(0))?,
        fields: fields.iter().map(|name| (*name).to_owned()).collect(),
        values_max: 10,
    };
    let mut times: Vec<Duration> = Vec::new();
    let mut last = None;
    for _ in 0..ROUNDS {
        let facets = engine.facets(snapshot, &asked)?;
        times.push(facets.account.elapsed);
        last = Some(facets);
    }
    times.sort();
    let (Some(median), Some(facets)) = (times.get(ROUNDS / 2), last) else {
        return Ok(());
    };
    let is_sampled = |facet: &&Facet| facet.looked_at != facet.coverage.of;
    println!(
        "{name:18} {:9.2} ms  {:9} facets, {} of them of a sample, {} fields",
        median.as_secs_f64() * 1e3,
        facets.facets.len(),
        facets.facets.iter().filter(is_sampled).count(),
        facets.survey.fields.len(),
    );
    Ok(())
}

fn ask(
    engine: &Engine,
    snapshot: &Snapshot,
    name: &str,
    request: &SearchRequest,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut times: Vec<Duration> = Vec::new();
    let mut last: Option<SearchAnswer> = None;
    for _ in 0..ROUNDS {
        let answer = engine.search(snapshot, request)?;
        times.push(answer.account.elapsed);
        last = Some(answer);
    }
    times.sort();
    let (Some(median), Some(answer)) = (times.get(ROUNDS / 2), last) else {
        return Ok(());
    };
    let found = answer.total.unwrap_or(answer.events.len() as u64);
    let blocks = answer.account.blocks;
    println!(
        "{name:18} {:9.2} ms  {found:9} found  {:8.1} MB read  blocks: {} read, {} pruned, {} counted, {} beyond",
        median.as_secs_f64() * 1e3,
        answer.account.bytes_scanned as f64 / 1e6,
        blocks.read,
        blocks.pruned(),
        blocks.counted_whole,
        blocks.beyond_limit,
    );
    Ok(())
}

fn request(query: &str, wanted: Wanted) -> Result<SearchRequest, String> {
    let filter = parse(query)
        .map_err(|wrong| format!("{query}: {wrong:?}"))?
        .query
        .filter;
    let source = SearchedSource {
        id: SourceId(1),
        name: "app".to_owned(),
        kept_from: None,
    };
    let newest = SearchRequest::newest(vec![source], filter, 0, Timestamp::MAX);
    Ok(match wanted {
        Newest(limit) => SearchRequest { limit, ..newest },
        Oldest(limit) => SearchRequest {
            limit,
            order: Order::OldestFirst,
            ..newest
        },
        Wanted::Total => SearchRequest {
            total: Total::Count,
            ..newest
        },
    })
}

fn needle(events: &str) -> Result<String, Box<dyn std::error::Error>> {
    let about: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{events}.meta.json"))?)?;
    let needle = about.get("needle_request_id").and_then(Value::as_str);
    Ok(needle
        .ok_or("the corpus does not name its needle")?
        .to_owned())
}

/// Everything is flushed before the store is closed, so no body is ever decoded again.
struct NoReplay;

impl Decode for NoReplay {
    fn decode(&self, _logged: &LoggedBody<'_>) -> Result<Batch, String> {
        Err("the store was not closed in order".to_owned())
    }
}

fn load(store: &Store, events: &str) -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let mut lines = BufReader::new(File::open(events)?).lines();
    let mut count = 0;
    loop {
        let batch = next_batch(&mut lines)?;
        if batch.is_empty() {
            break;
        }
        count += batch.len();
        append(store, batch)?;
    }
    store.flush()?;
    println!(
        "loaded {count} events in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn append(store: &Store, batch: Batch) -> Result<(), cordwood_store::AppendError> {
    loop {
        let append = Append {
            source: SourceId(1),
            received_at: Timestamp::from_nanos(0),
            format: String::new(),
            batch_key: None,
            body: Vec::new(),
            compressed: true,
            batch: batch.clone(),
        };
        match store.append(append) {
            Ok(_) => return Ok(()),
            Err(cordwood_store::AppendError::Busy { .. }) => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error),
        }
    }
}

fn next_batch(
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
) -> Result<Batch, Box<dyn std::error::Error>> {
    let mut builder = BatchBuilder::new();
    for line in lines.take(LINES_PER_BATCH) {
        let line = line?;
        let event: Value = serde_json::from_str(&line)?;
        push_event(&mut builder, &event, line.len()).ok_or("an event of another shape")?;
    }
    Ok(builder.finish())
}

fn push_event(builder: &mut BatchBuilder, event: &Value, bytes: usize) -> Option<()> {
    let timestamp = event.get("dt").and_then(Value::as_str)?;
    let level = event.get("level").and_then(Value::as_str)?;
    builder.begin_event();
    for (key, value) in event.as_object()? {
        if key != "dt" && key != "level" {
            push_member(builder, key, value)?;
        }
    }
    builder.finish_event(EventHead {
        timestamp: Timestamp::parse_rfc3339(timestamp)?,
        level: Level::parse(level),
        source_bytes: u32::try_from(bytes).ok()?,
    });
    Some(())
}

fn push_member(builder: &mut BatchBuilder, key: &str, value: &Value) -> Option<()> {
    builder.key(key).ok()?;
    match value {
        Value::Object(members) => {
            builder.begin_object();
            for (key, value) in members {
                push_member(builder, key, value)?;
            }
            builder.end_object();
        }
        Value::Null => builder.value(Scalar::Null),
        Value::Bool(boolean) => builder.value(Scalar::Bool(*boolean)),
        Value::String(text) => builder.value(Scalar::Str(text)),
        Value::Array(_) => builder.value(Scalar::Json(&value.to_string())),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => builder.value(Scalar::Int(integer)),
            None => builder.value(Scalar::Float(number.as_f64()?)),
        },
    }
    Some(())
}
