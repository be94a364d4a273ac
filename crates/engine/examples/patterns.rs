//! Asks for the patterns of a source and prints how long that takes, before and after they are known, and how long all processors
//! together were busy with it.
//!
//! `cargo run --release -p cordwood-engine --example patterns -- DIRECTORY [QUERY]`
//!
//! `DIRECTORY` is a store that the example `questions` has loaded.

use std::sync::Arc;
use std::time::Instant;

use cordwood_engine::pattern::PatternForms;
use cordwood_engine::{
    Clock, Engine, Patterns, PatternsRequest, SearchRequest, SearchedSource, Staged, StagedRequest,
};
use cordwood_event::{Batch, SourceId, Timestamp};
use cordwood_query::{FieldName, parse};
use cordwood_store::disk::FileSystem;
use cordwood_store::{Decode, LoggedBody, MemoryBudget, Store};

const ROUNDS: usize = 5;

/// As many as a terminal shows.
const SHOWN: usize = 40;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, query @ ..] = &*arguments else {
        return Err("usage: patterns DIRECTORY [QUERY]".into());
    };
    let query = query.first().map_or("*", String::as_str);
    let disk = Arc::new(FileSystem::new(directory));
    let (store, _) = Store::open(cordwood_store::Options::default(), disk, Arc::new(NoReplay))?;
    let engine = Engine::new(cordwood_engine::Options {
        threads: std::thread::available_parallelism()?.get(),
        memory: MemoryBudget::default(),
        clock: Clock::new(Instant::now),
    })?;
    let snapshot = store.snapshot();
    let request = request(query)?;
    let mut busy = Busy::start();
    let found = engine.patterns(&snapshot, &request)?;
    print("new", &found, &mut busy);
    let forms = found.patterns.iter().map(|pattern| &*pattern.form);
    let forms: PatternForms = forms.take(5_000).collect();
    engine.know_patterns(SourceId(1), Arc::new(forms));
    for _ in 0..ROUNDS {
        print("known", &engine.patterns(&snapshot, &request)?, &mut busy);
    }
    let staged = StagedRequest {
        search: request.search.clone(),
        stages: parse("* | patterns")?.query.stages,
        rows_max: 10_000,
    };
    for _ in 0..ROUNDS {
        let answer = engine.run_stages(&snapshot, &staged)?;
        let Staged::Table(table) = answer.result else {
            return Err("no table".into());
        };
        println!(
            "stage  {:9.2} ms  [{}]  {} rows",
            answer.account.elapsed.as_secs_f64() * 1e3,
            busy.since_last(),
            table.rows.len()
        );
    }
    for pattern in found.patterns.iter().take(SHOWN) {
        println!("{:9} {} {}", pattern.count, pattern.id, pattern.text);
    }
    store.close()?;
    Ok(())
}

fn print(what: &str, found: &Patterns, busy: &mut Busy) {
    println!(
        "{what:6} {:9.2} ms  [{}]  {} patterns, {} events, {} other  {:.1} MB read{}",
        found.account.elapsed.as_secs_f64() * 1e3,
        busy.since_last(),
        found.patterns.len(),
        found.events,
        found.other,
        found.account.bytes_scanned as f64 / 1e6,
        if found.account.is_complete() {
            ""
        } else {
            "  INCOMPLETE"
        },
    );
}

/// How long the processors have been busy with this process: on a machine that others use as well, the time that passes says little.
struct Busy {
    ms: u64,
}

impl Busy {
    fn start() -> Busy {
        Busy { ms: busy_ms() }
    }

    /// In milliseconds, since this was asked last.
    fn since_last(&mut self) -> u64 {
        let now = busy_ms();
        now - std::mem::replace(&mut self.ms, now)
    }
}

/// As `/proc/self/stat` has it (proc_pid_stat(5)), in hundredths of a second; 0 where there is none.
fn busy_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let times = behind_name.split_ascii_whitespace().skip(11).take(2);
    let ticks = times.filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * 10
}

fn request(query: &str) -> Result<PatternsRequest, Box<dyn std::error::Error>> {
    let source = SearchedSource {
        id: SourceId(1),
        name: "app".to_owned(),
        kept_from: None,
    };
    let filter = parse(query)?.query.filter;
    Ok(PatternsRequest {
        search: SearchRequest::newest(vec![source], filter, 0, Timestamp::MAX),
        field: FieldName::new("message"),
        buckets_max: 30,
        examples_max: 50,
    })
}

/// Everything was flushed before the store was closed, so no body is ever decoded again.
struct NoReplay;

impl Decode for NoReplay {
    fn decode(&self, _logged: &LoggedBody<'_>) -> Result<Batch, String> {
        Err("the store was not closed in order".to_owned())
    }
}
