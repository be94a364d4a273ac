//! What the page says of clients that ask at the same time.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::{ms, percentiles};
use crate::latency::Latencies;
use crate::suite::{Concurrency, Mixed};

/// A line for the terminal, and what was wrong below it.
pub(crate) fn concurrency_line(concurrency: &Concurrency) -> String {
    let mut line = format!(
        "eight clients: {:.1} questions/s alone, {:.1} beside {:.0} events/s",
        concurrency.alone.questions_per_second(),
        concurrency.beside_ingest.questions_per_second(),
        concurrency.beside_ingest.events_per_second(),
    );
    for fault in concurrency.faults() {
        line.push_str("\n  FAILED: ");
        line.push_str(fault);
    }
    line
}

/// The same of searches that were given up.
pub(crate) fn given_up_line(given_up: &Latencies) -> String {
    match given_up.count() {
        0 => "searches given up: none lasted long enough".to_owned(),
        count => format!("{count} searches given up: {}", percentiles(given_up)),
    }
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let concurrency = outcome.concurrency;
    let (alone, beside) = (&concurrency.alone, &concurrency.beside_ingest);
    writeln!(
        page,
        "## Eight clients\n\n\
         Each asks {} questions in turn, the next as soon as it has an answer, for {:.0} s; then the same beside ingest \
         into the source that is asked, bodies of 1000 events every 100 ms. Milliseconds; a batch's are from when it was \
         due. The last answers without ingest were compared with the right ones; beside \
         ingest, each had to be complete. {} were not so.\n\n\
         | | questions/s | p50 | p99 | beside ingest: questions/s | p50 | p99 | events/s | batch p50 | batch p99 |\n\
         |---|---|---|---|---|---|---|---|---|---|",
        concurrency.questions,
        alone.elapsed.as_secs_f64(),
        concurrency.faults().count(),
    )?;
    writeln!(
        page,
        "| **Cordwood** | {} | {} | {:.0} | {} | {} |",
        answers(alone),
        answers(beside),
        beside.events_per_second(),
        ms(beside.batches.percentile(50)),
        ms(beside.batches.percentile(99)),
    )?;
    page.push_str(
        "| VictoriaLogs | 4.1 | 1900 | 5500 | 3.6 | 2300 | 5700 | 10000 | 33 | 270 |\n\
         | Quickwit | 23 | 340 | 820 | 17 | 460 | 980 | 10000 | 107 | 549 |\n\n\
         The others were asked all eight.\n\n",
    );
    if outcome.given_up.count() > 0 {
        writeln!(
            page,
            "{} searches for an expression that needs all messages were given up after 30 ms, by closing the connection. Milliseconds \
             until they had ended, as `/metrics` says, which is asked every millisecond: {}.\n",
            outcome.given_up.count(),
            percentiles(outcome.given_up),
        )?;
    }
    Ok(())
}

fn answers(mixed: &Mixed) -> String {
    format!(
        "{:.1} | {} | {}",
        mixed.questions_per_second(),
        ms(mixed.answers.percentile(50)),
        ms(mixed.answers.percentile(99)),
    )
}
