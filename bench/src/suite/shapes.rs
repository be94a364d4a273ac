//! Corpora of other shapes: ingested, and for `wide` asked, lest the suite knows only one kind of events.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cordwood_harness::{Api, Server, Source};
use serde_json::Value;

use super::ingest::{Ingest, Ingestion};
use crate::corpus::Meta;
use crate::load::{Bodies, Encoding};

/// A question whose answer is a number of events.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) query: &'static str,
    /// Whether an event is counted, decided without the query language.
    holds: fn(&Value) -> bool,
}

/// What is asked of the `wide` corpus: values of mixed types, elements of arrays, and what is rarely there.
const WIDE: [Count; 3] = [
    Count {
        query: "db.f07:>=500",
        holds: |event| {
            event
                .pointer("/db/f07")
                .and_then(number)
                .is_some_and(|number| number >= 500.0)
        },
    },
    Count {
        query: "cart.f06:amber",
        holds: |event| {
            let elements = event.pointer("/cart/f06").and_then(Value::as_array);
            elements.is_some_and(|elements| elements.iter().any(|element| element == "amber"))
        },
    },
    Count {
        query: "audit.s1.f15:* NOT level:error",
        holds: |event| {
            event
                .pointer("/audit/s1/f15")
                .is_some_and(|value| !value.is_null())
                && event["level"] != "error"
        },
    },
];

/// Text that is a number as a whole takes part in comparisons with numbers.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// A corpus ingested into a server of its own.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) meta: Meta,
    pub(crate) ingest: Ingest,
    pub(crate) counts: Vec<Counted>,
}

/// What one count took.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) query: &'static str,
    pub(crate) warm: Duration,
    pub(crate) total: u64,
    /// What is wrong with the answer.
    pub(crate) fault: Option<String>,
}

/// Ingest and bytes on disk.
pub(super) fn measure(
    meta: Meta,
    corpus: &Path,
    body_bytes: usize,
    ingestion: &Ingestion,
) -> anyhow::Result<(Source, Shape)> {
    let bodies = Bodies::open(corpus, body_bytes, Encoding::Plain)?;
    let (source, ingest) = ingestion.measure(bodies, Encoding::Plain)?;
    let shape = Shape {
        meta,
        ingest,
        counts: Vec::new(),
    };
    Ok((source, shape))
}

/// Asks what is asked of the `wide` corpus, each so many times.
pub(super) fn count_wide(
    corpus: &Path,
    ingestion: &Ingestion,
    source: &Source,
    runs: usize,
) -> anyhow::Result<Vec<Counted>> {
    let expected = count_lines(corpus)?;
    let server = Server::start(&ingestion.options)?;
    let api = server.api();
    let counted = WIDE
        .iter()
        .zip(expected)
        .map(|(count, expected)| count.ask(expected, source, &api, runs))
        .collect();
    server.stop()?;
    counted
}

/// Another way to the counts: every line read and tested.
fn count_lines(corpus: &Path) -> anyhow::Result<[u64; WIDE.len()]> {
    let file = File::open(corpus).with_context(|| format!("open {}", corpus.display()))?;
    let mut totals = [0; WIDE.len()];
    for line in BufReader::with_capacity(1 << 20, file).lines() {
        let event: Value = serde_json::from_str(&line?).context("not an event")?;
        for (count, total) in WIDE.iter().zip(&mut totals) {
            *total += u64::from((count.holds)(&event));
        }
    }
    Ok(totals)
}

impl Count {
    /// The first time is not counted.
    fn ask(
        &self,
        expected: u64,
        source: &Source,
        api: &Api,
        runs: usize,
    ) -> anyhow::Result<Counted> {
        let parameters = [
            ("source_id", source.id.as_str()),
            ("query", self.query),
            ("batch_size", "1"),
            ("total", "true"),
        ];
        let first = api.query(&parameters)?;
        let mut times = Vec::new();
        for _ in 0..runs {
            let started = Instant::now();
            api.query(&parameters)?;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let meta = &first["meta"];
        let is_right = meta["complete"] == true && meta["total"] == expected;
        Ok(Counted {
            query: self.query,
            warm: times[times.len() / 2],
            total: expected,
            fault: (!is_right).then(|| format!("{meta} and should be {expected}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::WIDE;

    #[test]
    fn counts_are_of_what_their_queries_say() {
        let check = |event: &Value, expected: [bool; 3]| {
            let found = [0, 1, 2].map(|index| (WIDE[index].holds)(event));
            assert_eq!(found, expected, "{event}");
        };
        check(&json!({"level": "info"}), [false; 3]);
        check(&json!({"db": {"f07": 500}}), [true, false, false]);
        check(&json!({"db": {"f07": "999"}}), [true, false, false]);
        check(&json!({"db": {"f07": "amber"}}), [false; 3]);
        check(&json!({"db": {"f07": true}}), [false; 3]);
        check(
            &json!({"cart": {"f06": ["teal", "amber"]}}),
            [false, true, false],
        );
        check(&json!({"cart": {"f06": ["teal", "jade"]}}), [false; 3]);
        check(
            &json!({"level": "info", "audit": {"s1": {"f15": false}}}),
            [false, false, true],
        );
        check(
            &json!({"level": "info", "audit": {"s1": {"f15": null}}}),
            [false; 3],
        );
        check(
            &json!({"level": "error", "audit": {"s1": {"f15": 1}}}),
            [false; 3],
        );
    }
}
