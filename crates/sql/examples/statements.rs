//! Asks statements over a data directory and prints how long each takes.
//!
//! `cargo run -p cordwood-sql --example statements -- DIRECTORY [STATEMENT…]`
//!
//! `DIRECTORY` is one that the example `questions` of the engine has made: its source is the table `app`. Asks the
//! statements given, or some that groups are made for, seven times each; prints how long it took the first time, the shortest of
//! these times, which says most on a machine that does other things too, and the same of planning alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cordwood_engine::{Cancel, Clock, Engine, SearchedSource};
use cordwood_event::{Batch, SourceId, Timestamp};
use cordwood_query::TimeBounds;
use cordwood_sql::{Request, Sql};
use cordwood_store::disk::FileSystem;
use cordwood_store::{Decode, LoggedBody, MemoryBudget, Snapshot, Store};

const ROUNDS: usize = 7;

const STATEMENTS: [&str; 10] = [
    "SELECT count() FROM app",
    "SELECT level, count() AS n FROM app GROUP BY level ORDER BY n DESC",
    "SELECT toStartOfMinute(dt) AS minute, count() FROM app GROUP BY minute ORDER BY minute",
    "SELECT toStartOfInterval(dt, INTERVAL 5 MINUTE) AS time, level, count() FROM app WHERE message LIKE '%timeout%' GROUP BY time, level ORDER BY time",
    "SELECT service, countIf(level = 'error') AS errors, count() AS events FROM app GROUP BY service",
    "SELECT service, avg(duration_ms), max(duration_ms) FROM app GROUP BY service",
    "SELECT path, count() AS n FROM app WHERE path IS NOT NULL GROUP BY path ORDER BY n DESC LIMIT 10",
    "SELECT uniqExact(user_id) FROM app",
    "SELECT user_id, count() AS n FROM app GROUP BY user_id ORDER BY n DESC LIMIT 10",
    "SELECT dt, message FROM app WHERE level = 'error' ORDER BY dt DESC LIMIT 10",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, statements @ ..] = &*arguments else {
        return Err("usage: statements DIRECTORY [STATEMENT…]".into());
    };
    let disk = Arc::new(FileSystem::new(directory));
    let (store, _) = Store::open(cordwood_store::Options::default(), disk, Arc::new(NoReplay))?;
    let (memory, clock) = (MemoryBudget::default(), Clock::new(Instant::now));
    let engine = Engine::new(cordwood_engine::Options {
        threads: std::thread::available_parallelism()?.get(),
        memory: memory.clone(),
        clock: clock.clone(),
    })?;
    let sql = Sql::new(Arc::new(engine), memory, clock);
    let snapshot = store.snapshot();
    match statements {
        [] => {
            for statement in STATEMENTS {
                ask(&sql, &snapshot, statement)?;
            }
        }
        statements => {
            for statement in statements {
                ask(&sql, &snapshot, statement)?;
            }
        }
    }
    store.close()?;
    Ok(())
}

fn ask(sql: &Sql, snapshot: &Snapshot, statement: &str) -> Result<(), Box<dyn std::error::Error>> {
    let first = sql.run(snapshot, &request(statement))?;
    let running = shortest(sql, snapshot, statement)?;
    let planning = shortest(sql, snapshot, &format!("EXPLAIN {statement}"))?;
    println!(
        "first {:8.1} ms  then {:8.1} ms  planning {:6.1} ms  {:6} rows  {:6.1} MB read  {statement}",
        millis(first.elapsed),
        millis(running),
        millis(planning),
        first.rows(),
        first.account.bytes_scanned as f64 / 1e6,
    );
    Ok(())
}

fn shortest(
    sql: &Sql,
    snapshot: &Snapshot,
    statement: &str,
) -> Result<Duration, cordwood_sql::Error> {
    let mut shortest = Duration::MAX;
    for _ in 0..ROUNDS {
        shortest = shortest.min(sql.run(snapshot, &request(statement))?.elapsed);
    }
    Ok(shortest)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn request(text: &str) -> Request {
    Request {
        text: text.to_owned(),
        sources: vec![SearchedSource {
            id: SourceId(1),
            name: "app".to_owned(),
            kept_from: None,
        }],
        range: TimeBounds::ALL,
        rows_max: 10_000,
        deadline: None,
        cancel: Cancel::default(),
        now: Timestamp::MAX,
    }
}

/// The directory was closed in order: no body is ever decoded again.
struct NoReplay;

impl Decode for NoReplay {
    fn decode(&self, _logged: &LoggedBody<'_>) -> Result<Batch, String> {
        Err("the store was not closed in order".to_owned())
    }
}
