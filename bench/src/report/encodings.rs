//! What the page says of compressed bodies.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::{mb, percentiles};
use crate::suite::{Encoded, Ingest};

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let Some(plain) = outcome.encoded.first() else {
        return Ok(());
    };
    writeln!(
        page,
        "## Bodies plain and compressed\n\n\
         The first {:.0} MB of the corpus, each encoding to a server of its own. The bodies are compressed before the clock \
         starts and sent from memory, three times in turn, of which the one in the middle by processor time is here; MB are of the lines, before compression. In brackets the ratio to plain.\n\n\
         | bodies | MB on the wire | MB per CPU second | acknowledged MB/s | peak memory MB | acknowledged after ms |\n\
         |---|---|---|---|---|---|",
        mb(plain.ingest.sent.raw_bytes),
    )?;
    let (plain_per_cpu, plain_per_second) = rates(&plain.ingest);
    for encoded in outcome.encoded {
        let ingest = &encoded.ingest;
        let (per_cpu, per_second) = rates(ingest);
        writeln!(
            page,
            "| {} | {:.0} | {per_cpu:.1} [{:.2}] | {per_second:.0} [{:.2}] | {:.0} | {} |",
            encoded.encoding.name().unwrap_or("plain"),
            mb(ingest.sent.bytes_on_wire),
            per_cpu / plain_per_cpu,
            per_second / plain_per_second,
            mb(ingest.memory_peak_bytes),
            percentiles(&ingest.sent.acknowledgements),
        )?;
    }
    page.push('\n');
    Ok(())
}

/// MB per CPU second of compressed bodies, as a share of that of plain ones.
pub(super) fn shares_of_plain(outcome: &Outcome<'_>) -> Vec<(&'static str, f64)> {
    let Some((plain, compressed)) = outcome.encoded.split_first() else {
        return Vec::new();
    };
    let (plain, _) = rates(&plain.ingest);
    let share = |encoded: &Encoded| {
        let (per_cpu, _) = rates(&encoded.ingest);
        Some((encoded.encoding.name()?, per_cpu / plain))
    };
    compressed.iter().filter_map(share).collect()
}

/// MB per CPU second of the server, and acknowledged per second.
fn rates(ingest: &Ingest) -> (f64, f64) {
    let raw = mb(ingest.sent.raw_bytes);
    (
        raw / ingest.processor_seconds,
        raw / ingest.sent.elapsed.as_secs_f64(),
    )
}
