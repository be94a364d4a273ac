//! The page of results: what was measured, on what, by which command, beside what others needed.

mod alerts;
mod concurrency;
mod encodings;
mod figures;
mod ingest;
mod investigation;
mod machine;
mod marks;
mod questions;
mod shapes;
mod standing;
mod tails;

use std::fmt::Write as _;

pub(crate) use alerts::alerts_line;
pub(crate) use concurrency::{concurrency_line, given_up_line};
pub(crate) use ingest::ingest_line;
pub(crate) use investigation::{exported_line, probed_line};
pub(crate) use questions::answer_line;
pub(crate) use shapes::counted_line;
pub(crate) use tails::tailed_line;

use crate::corpus::Meta;
use crate::latency::Latencies;
use crate::question::Question;
use crate::suite::{Alerting, Asked, Concurrency, Encoded, Ingest, Investigation, Shape, Tailed};

/// Everything the page is made of.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    pub(crate) meta: &'a Meta,
    pub(crate) connections: usize,
    pub(crate) body_bytes: usize,
    pub(crate) ingest: &'a Ingest,
    pub(crate) questions: &'a [Question],
    pub(crate) asked: &'a Asked,
    /// Timed runs of a warm question; the median counts.
    pub(crate) warm_runs: usize,
    pub(crate) encoded: &'a [Encoded],
    pub(crate) investigation: &'a Investigation,
    pub(crate) concurrency: &'a Concurrency,
    /// From closing the connection of a search to its end.
    pub(crate) given_up: &'a Latencies,
    pub(crate) alerting: &'a Alerting,
    pub(crate) tails: &'a [Tailed],
    pub(crate) shapes: &'a [Shape],
    /// Processes that ran or waited to run, on average over the minute before the load.
    pub(crate) load_before: f64,
}

/// The whole page.
pub(crate) fn page(outcome: &Outcome<'_>) -> anyhow::Result<String> {
    let mut page = String::from("# Results\n\n");
    let now = jiff::Timestamp::now();
    writeln!(
        page,
        "Measured {} by `cargo xtask bench{}`.\n",
        now.strftime("%Y-%m-%d"),
        flag(outcome)
    )?;
    writeln!(page, "- Machine: {}", machine::describe())?;
    writeln!(
        page,
        "- Load average before: {:.1}. Anything much above 0 is other work these figures shared the machine \
         with; CPU figures suffer least.",
        outcome.load_before
    )?;
    let meta = outcome.meta;
    writeln!(
        page,
        "- Corpus: `{}`, seed {}, {} events, {} bytes of NDJSON.",
        meta.corpus, meta.seed, meta.events, meta.bytes
    )?;
    writeln!(
        page,
        "- Load: {} connections on the same machine, bodies of {} KiB of lines.",
        outcome.connections,
        outcome.body_bytes >> 10,
    )?;
    let cold = if outcome.asked.is_cache_dropped {
        "the server restarted and the page cache dropped before each question"
    } else {
        "the server restarted before each question; the page cache could not be dropped, so files are cached"
    };
    writeln!(
        page,
        "- Cold: {cold}. Warm: median of {}. Over HTTP, the whole answer read.",
        outcome.warm_runs
    )?;
    writeln!(
        page,
        "- Every answer was compared with a count of the corpus line by line; the last column says so.\n"
    )?;
    ingest::write(&mut page, outcome)?;
    questions::write(&mut page, outcome)?;
    investigation::write(&mut page, outcome)?;
    marks::write(&mut page, outcome)?;
    encodings::write(&mut page, outcome)?;
    concurrency::write(&mut page, outcome)?;
    alerts::write(&mut page, outcome)?;
    tails::write(&mut page, outcome)?;
    shapes::write(&mut page, outcome)?;
    Ok(page)
}

fn flag(outcome: &Outcome<'_>) -> String {
    match outcome.meta.events {
        10_000_000 => String::new(),
        events => format!(" --events {events}"),
    }
}
