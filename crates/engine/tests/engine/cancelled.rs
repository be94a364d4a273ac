//! How soon work stops once nobody wants it: the one who asked has the answer, and the threads are free for others.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use cordwood_engine::{
    Cancel, Clock, Engine, Incomplete, Options, SearchRequest, StagedRequest, Total,
};
use cordwood_query::parse;
use cordwood_store::{MemoryBudget, Snapshot};
use serde_json::json;

use crate::support::document::Document;
use crate::support::fixture::{Fixture, newest, sources};

/// What is promised is 50 ms. Here everything is some twenty times slower, and other tests run beside.
const PATIENCE: Duration = Duration::from_millis(50 * 12);

/// So often a question is asked that seems to go on: what only the machine's other work delays is not delayed each time.
const TRIES: usize = 3;

/// So long a question is let go on before it is cancelled, at most.
const TIME_MAX: Duration = Duration::from_secs(1);

/// Letters of which no two texts are alike.
fn mixed(seed: u32, bytes: u32) -> String {
    let letter = |index: u32| {
        let mixed = (seed.wrapping_mul(97) + index).wrapping_mul(2_654_435_761);
        char::from(b'a' + (mixed >> 27) as u8 % 26)
    };
    (0..bytes).map(letter).collect()
}

fn event(index: u32) -> Document {
    let fields = [
        ("id", json!(format!("{} {index}", mixed(index, 8)))),
        ("number", json!(index)),
        ("of", json!(index % 40)),
        ("message", json!(mixed(index, 60))),
    ];
    Document {
        time: index.into(),
        fields: fields
            .into_iter()
            .map(|(path, value)| (path.to_owned(), value))
            .collect(),
    }
}

/// Blocks, open rows, and a text of megabytes.
fn filled() -> Fixture {
    let mut fixture = Fixture::new(16_384);
    for batch in 0..12u32 {
        let events: Vec<Document> = (0..2_000)
            .map(|index| event(batch * 2_000 + index))
            .collect();
        fixture.append(&sources()[0], &events);
        if batch == 8 {
            fixture.store.flush().expect("a flush");
        }
    }
    let mut large = event(90_000);
    large
        .fields
        .insert("body".to_owned(), json!(mixed(7, 1 << 20)));
    fixture.append(&sources()[1], &[large]);
    fixture.store.flush().expect("a flush");
    fixture
}

/// A question for an engine.
fn request(text: &str) -> StagedRequest {
    let query = parse(text).expect("a query").query;
    StagedRequest {
        search: SearchRequest {
            filter: query.filter,
            ..newest("*", 1_000)
        },
        stages: query.stages,
        rows_max: 10_000,
    }
}

/// Whether it was stopped, and what is wrong with its account.
fn ask(engine: &Engine, snapshot: &Snapshot, request: &StagedRequest) -> bool {
    let account = match request.stages.is_empty() {
        true => {
            engine
                .search(snapshot, &request.search)
                .expect("an answer")
                .account
        }
        false => {
            engine
                .run_stages(snapshot, request)
                .expect("an answer")
                .account
        }
    };
    assert!(
        account
            .incomplete
            .iter()
            .all(|why| *why == Incomplete::Cancelled),
        "{:?}",
        account.incomplete
    );
    !account.is_complete()
}

/// Cancels a question after a while; whether that stopped it, and how long it took from then until it was answered and the
/// only thread was free again.
fn reaction(
    fixture: &Fixture,
    engine: &Engine,
    text: &str,
    total: Total,
    after: Duration,
) -> (bool, Duration) {
    let snapshot = fixture.store.snapshot();
    let cancel = Cancel::default();
    let mut request = request(text);
    request.search.total = total;
    request.search.cancel = cancel.clone();
    thread::scope(|scope| {
        let asked = scope.spawn(|| ask(engine, &snapshot, &request));
        // A question that ends earlier is not waited for.
        let began = Instant::now();
        while began.elapsed() < after && !asked.is_finished() {
            thread::yield_now();
        }
        cancel.cancel();
        let cancelled = Instant::now();
        let is_stopped = asked.join().expect("the question ends");
        // One that needs the thread.
        let probe = SearchRequest {
            limit: 1,
            ..newest("message:/zq$/", 1)
        };
        let other = SearchRequest {
            range: cordwood_query::TimeBounds {
                first: cordwood_event::Timestamp::from_nanos(90_000),
                last: cordwood_event::Timestamp::MAX,
            },
            ..probe
        };
        engine.search(&snapshot, &other).expect("an answer");
        (is_stopped, cancelled.elapsed())
    })
}

fn check(text: &str, total: Total) {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    let fixture = FIXTURE.get_or_init(filled);
    let engine = Engine::new(Options {
        threads: 1,
        memory: MemoryBudget::default(),
        clock: Clock::new(Instant::now),
    })
    .expect("a thread can be started");
    let began = Instant::now();
    let (_, _) = reaction(fixture, &engine, text, total, TIME_MAX);
    let whole = began.elapsed().min(TIME_MAX);
    let mut stopped = 0;
    for fifth in 0..5 {
        let after = whole * fifth / 5;
        let mut tries = (0..TRIES).map(|_| reaction(fixture, &engine, text, total, after));
        let in_time = tries.find(|(_, took)| *took < PATIENCE);
        let Some((is_stopped, _)) = in_time else {
            panic!("`{text}`, cancelled after {after:?} of {whole:?}, went on for {PATIENCE:?}");
        };
        stopped += u32::from(is_stopped);
    }
    assert!(
        stopped > 0,
        "`{text}` takes too little time to be stopped: {whole:?}"
    );
}

#[test]
fn regular_expressions_over_everything() {
    check("message:/(?:[a-z].{0,20}[x-z]){4}[^a-z]/", Total::Count);
}

#[test]
fn a_slow_expression_on_one_large_text() {
    check("body:/(?:[a-z].{0,50}[0-9]){4}Q/", Total::Count);
    check(
        "* | where body:/(?:[a-z].{0,50}[0-9]){4}Q/",
        Total::NotAsked,
    );
}

#[test]
fn a_wildcard_on_one_large_text() {
    check("body:*a?b?c?d?e?f?g?0", Total::Count);
}

#[test]
fn sorts() {
    check(
        "* | sort by id, message desc | limit 1000000 | stats count() by of",
        Total::NotAsked,
    );
    check("* | sort by message | limit 10000", Total::NotAsked);
}

#[test]
fn many_groups() {
    check(
        "* | stats count(), max(number) by id, message | sort by max(number)",
        Total::NotAsked,
    );
    check("* | top 10000 id", Total::NotAsked);
}

#[test]
fn few_groups_that_hold_much() {
    check(
        "* | stats count_distinct(id), p95(number), p50(number) by of",
        Total::NotAsked,
    );
}

#[test]
fn rows_in_order() {
    check(
        "* | dedup id, message | where message:/(?:[a-z].{0,20}[x-z]){3}[^a-z]/ | stats count()",
        Total::NotAsked,
    );
}

#[test]
fn intervals() {
    check("* | timechart 1ms count() by id", Total::NotAsked);
}

#[test]
fn fields_of_every_row() {
    check(
        "* | fields id, number, message | dedup message | sort by id",
        Total::NotAsked,
    );
}

#[test]
fn pages_of_events() {
    check("NOT id:nothing NOT message:/[0-9]Q/", Total::NotAsked);
}

/// What is found is given back a moment after, not when all is done.
#[test]
fn deadlines() {
    const TIME: Duration = Duration::from_millis(20);
    let fixture = filled();
    let snapshot = fixture.store.snapshot();
    for text in [
        "body:/(?:[a-z].{0,50}[0-9]){4}Q/",
        "* | where body:/(?:[a-z].{0,50}[0-9]){4}Q/ | stats count()",
    ] {
        let mut request = request(text);
        request.search.total = Total::Count;
        let began = Instant::now();
        request.search.deadline = Some(began + TIME);
        let account = match request.stages.is_empty() {
            true => {
                fixture
                    .engine
                    .search(&snapshot, &request.search)
                    .expect("an answer")
                    .account
            }
            false => {
                fixture
                    .engine
                    .run_stages(&snapshot, &request)
                    .expect("an answer")
                    .account
            }
        };
        let took = began.elapsed();
        assert_eq!(
            account.incomplete,
            [Incomplete::Deadline],
            "`{text}` took {took:?}"
        );
        assert!(took < TIME + PATIENCE, "`{text}` took {took:?}");
    }
}
