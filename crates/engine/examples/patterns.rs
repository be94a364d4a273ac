//! Asks for the patterns of a source and prints how long that takes, before and after they are known.
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
    let found = engine.patterns(&snapshot, &request)?;
    print("new", &found);
    let forms = found.patterns.iter().map(|pattern| &*pattern.form);
    let forms: PatternForms = forms.take(5_000).collect();
    engine.know_patterns(SourceId(1), Arc::new(forms));
    for _ in 0..ROUNDS {
        print("known", &engine.patterns(&snapshot, &request)?);
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
            "stage  {:9.2} ms  {} rows",
            answer.account.elapsed.as_secs_f64() * 1e3,
            table.rows.len()
        );
    }
    for pattern in found.patterns.iter().take(SHOWN) {
        println!("{:9} {} {}", pattern.count, pattern.id, pattern.text);
    }
    store.close()?;
    Ok(())
}

fn print(what: &str, found: &Patterns) {
    println!(
        "{what:6} {:9.2} ms  {} patterns, {} events, {} other  {:.1} MB read{}",
        found.account.elapsed.as_secs_f64() * 1e3,
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
