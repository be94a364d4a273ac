//! A store with a few small blocks, and statements over it.

use std::sync::Arc;
use std::time::Instant;

use cordwood_engine::{Cancel, Clock, Engine, Options, SearchedSource};
use cordwood_event::{Batch, BatchBuilder, EventHead, Level, Scalar, SourceId, Timestamp};
use cordwood_query::TimeBounds;
use cordwood_sql::{Answer, Error, Format, Request, Sql};
use cordwood_store::disk::FileSystem;
use cordwood_store::{Append, Decode, LoggedBody, MemoryBudget, Store};
use serde_json::{Map, Value};
use tempfile::TempDir;

/// 2026-03-27T10:00:00Z, in seconds; event `n` of a test lies `n` seconds after it.
pub(crate) const START_SECONDS: i64 = 1_774_605_600;

/// Few, so that there are several blocks and open rows.
const BLOCK_ROWS: usize = 4;

/// The sources of every test: `web` and `batch-jobs`.
pub(crate) fn sources() -> Vec<SearchedSource> {
    let source = |id, name: &str| SearchedSource {
        id: SourceId(id),
        name: name.to_owned(),
        kept_from: None,
    };
    vec![source(1, "web"), source(2, "batch-jobs")]
}

/// The logged bodies of these tests are never read again.
#[derive(Debug)]
struct NoReplay;

impl Decode for NoReplay {
    fn decode(&self, _logged: &LoggedBody<'_>) -> Result<Batch, String> {
        Err("the store is opened once".to_owned())
    }
}

/// A store and what asks it.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    sql: Sql,
    _directory: TempDir,
    events: i64,
}

impl Fixture {
    pub(crate) fn new() -> Fixture {
        Fixture::with_memory(MemoryBudget::default())
    }

    /// Statements may take a quarter of this memory.
    pub(crate) fn with_memory(memory: MemoryBudget) -> Fixture {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let options = cordwood_store::Options {
            block_rows: BLOCK_ROWS,
            free_space_reserve_bytes: 0,
            sealing_threads: 1,
            ..cordwood_store::Options::default()
        };
        let disk = Arc::new(FileSystem::new(directory.path()));
        let (store, _) = Store::open(options, disk, Arc::new(NoReplay)).expect("the store opens");
        let clock = Clock::new(Instant::now);
        let engine = Engine::new(Options {
            threads: 2,
            memory: memory.clone(),
            clock: clock.clone(),
        });
        let engine = Arc::new(engine.expect("threads can be started"));
        Fixture {
            store,
            sql: Sql::new(engine, memory, clock),
            _directory: directory,
            events: 0,
        }
    }

    /// The events of most tests, in blocks, in a segment and among open rows.
    pub(crate) fn usual() -> Fixture {
        let mut fixture = Fixture::new();
        let web: Vec<Value> = (0..9)
            .map(|number| {
                serde_json::json!({
                    "message": format!("GET /item/{number} took {}ms", number * 10),
                    "level": if number % 3 == 0 { "error" } else { "info" },
                    "http": {"method": if number % 2 == 0 { "GET" } else { "POST" }, "status": 200 + number},
                    "duration_ms": if number % 2 == 0 { serde_json::json!(number * 10) } else { serde_json::json!(0.5) },
                    "user": if number < 6 { serde_json::json!(format!("u{}", number % 3)) } else { Value::Null },
                    "cached": number % 4 == 0,
                    "odd": if number == 0 { serde_json::json!("text") } else { serde_json::json!(number) },
                })
            })
            .collect();
        fixture.append(0, &web);
        fixture.store.flush().expect("a flush");
        fixture.append(
            1,
            &[
                serde_json::json!({"message": "job started", "level": "WARNING", "job": {"name": "nightly"}, "tags": ["a", "b"]}),
                serde_json::json!({"message": "job done", "job": {"name": "nightly"}, "items": [{"id": 1}, {"id": 2}]}),
            ],
        );
        fixture
    }

    /// Stores events, each a second after the one before.
    pub(crate) fn append(&mut self, source: usize, documents: &[Value]) {
        let mut builder = BatchBuilder::new();
        for document in documents {
            let Value::Object(fields) = document else {
                panic!("an event is an object");
            };
            let nanos = (START_SECONDS + self.events) * 1_000_000_000;
            self.events += 1;
            push_event(&mut builder, fields, nanos);
        }
        let appended = self.store.append(Append {
            source: sources()[source].id,
            received_at: Timestamp::from_nanos(0),
            format: String::new(),
            batch_key: None,
            body: Vec::new(),
            compressed: false,
            batch: builder.finish(),
        });
        appended.expect("the store accepts events");
    }

    pub(crate) fn request(&self, text: &str) -> Request {
        Request {
            text: text.to_owned(),
            sources: sources(),
            range: TimeBounds::ALL,
            rows_max: 1000,
            deadline: None,
            cancel: Cancel::default(),
            now: Timestamp::from_nanos((START_SECONDS + 60) * 1_000_000_000),
        }
    }

    pub(crate) fn run(&self, request: &Request) -> Result<Answer, Error> {
        self.sql.run(&self.store.snapshot(), request)
    }

    pub(crate) fn ask(&self, text: &str) -> Answer {
        match self.run(&self.request(text)) {
            Ok(answer) => answer,
            Err(error) => panic!("{text}: {error:?}"),
        }
    }

    /// The rows of a statement as CSV without the names.
    pub(crate) fn rows(&self, text: &str) -> Vec<String> {
        let written = self.ask(text).encode(Format::Csv).expect("CSV is written");
        let written = String::from_utf8(written).expect("CSV is text");
        written.lines().skip(1).map(str::to_owned).collect()
    }

    pub(crate) fn check(&self, text: &str, expected: &[&str]) {
        assert_eq!(self.rows(text), expected, "{text}");
    }
}

fn push_event(builder: &mut BatchBuilder, fields: &Map<String, Value>, nanos: i64) {
    builder.begin_event();
    let sent_level = fields.get("level").and_then(Value::as_str);
    let level = sent_level.and_then(Level::parse);
    for (key, value) in fields {
        let is_level_name = key == "level" && level.map(Level::name) == sent_level;
        if !(is_level_name && level.is_some()) {
            push_member(builder, key, value);
        }
    }
    builder.finish_event(EventHead {
        timestamp: Timestamp::from_nanos(nanos),
        level,
        source_bytes: 100,
    });
}

fn push_member(builder: &mut BatchBuilder, key: &str, value: &Value) {
    builder.key(key).expect("a map has each key once");
    match value {
        Value::Object(members) => {
            builder.begin_object();
            for (key, value) in members {
                push_member(builder, key, value);
            }
            builder.end_object();
        }
        Value::Null => builder.value(Scalar::Null),
        Value::Bool(boolean) => builder.value(Scalar::Bool(*boolean)),
        Value::String(text) => builder.value(Scalar::Str(text)),
        Value::Array(_) => builder.value(Scalar::Json(&value.to_string())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => builder.value(Scalar::Int(integer)),
            (None, Some(float)) => builder.value(Scalar::Float(float)),
            (None, None) => panic!("a number is an integer or a float"),
        },
    }
}
