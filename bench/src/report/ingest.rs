//! What the page says of ingest.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::{mb, percentiles};
use crate::suite::Ingest;

/// One line on ingest, for the terminal.
pub(crate) fn ingest_line(ingest: &Ingest) -> String {
    format!(
        "{:.1} MB/s acknowledged, {:.1} MB per CPU second, {:.0} MB peak, {:.0} MB on disk, \
         idle after {:.1} s, {} postponed",
        mb(ingest.sent.raw_bytes) / ingest.sent.elapsed.as_secs_f64(),
        mb(ingest.sent.raw_bytes) / ingest.processor_seconds,
        mb(ingest.memory_peak_bytes),
        mb(ingest.disk_bytes),
        ingest.settled.as_secs_f64(),
        ingest.sent.postponed,
    )
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let ingest = outcome.ingest;
    page.push_str(
        "## Ingest\n\n\
         The others' figures are references, measured on the 10 million events on a machine of the same \
         kind: ClickHouse and DuckDB in process, without HTTP and without a durable acknowledgement.\n\n\
         | | acknowledged MB/s | idle after the last acknowledgement | durable at acknowledgement | \
         MB per CPU second | peak memory MB | disk MB | raw/disk |\n|---|---|---|---|---|---|---|---|\n",
    );
    writeln!(
        page,
        "| **Cordwood** | {:.0} | {:.1} s | yes | {:.1} | {:.0} | {:.0} | {:.1} |",
        mb(ingest.sent.raw_bytes) / ingest.sent.elapsed.as_secs_f64(),
        ingest.settled.as_secs_f64(),
        mb(ingest.sent.raw_bytes) / ingest.processor_seconds,
        mb(ingest.memory_peak_bytes),
        mb(ingest.disk_bytes),
        ingest.sent.raw_bytes as f64 / ingest.disk_bytes as f64,
    )?;
    page.push_str(
        "| VictoriaLogs | 18 | 0 s | no (7 s later) | 10 | 554 | 644 | 5.8 |\n\
         | ClickHouse | 76 | 0 s | not fsynced | 30 | 6265 | 770 | 4.9 |\n\
         | Quickwit | 45 | 178 s | log written, fsync not seen | 8 | 5044 | 1222 | 3.1 |\n\
         | DuckDB → Parquet, no index | 116 | – | – | 78 | 652 | 387 | 9.7 |\n\n",
    );
    let rest = if ingest.is_flushed {
        "the whole way into segments"
    } else {
        "what was done by then: some events were still in the log"
    };
    writeln!(page, "Processor time and bytes on disk are of {rest}.\n")?;
    let acknowledgements = &ingest.sent.acknowledgements;
    writeln!(
        page,
        "{} bodies; {} times one was postponed by 429. Milliseconds from sending a body to its acknowledgement: {}.\n",
        acknowledgements.count(),
        ingest.sent.postponed,
        percentiles(acknowledgements),
    )?;
    let memory = outcome.asked.memory;
    writeln!(
        page,
        "Memory resident, in MB: at most {:.0} during ingest and {:.0} idle after it; in a server started anew, at most \
         {:.0} during the questions and {:.0} idle after them.\n",
        mb(ingest.memory_peak_bytes),
        mb(ingest.memory_idle_bytes),
        mb(memory.peak_bytes),
        mb(memory.resident_bytes),
    )?;
    page.push_str(
        "Where the processor time went, by the server's threads (those alive at the end):\n\n",
    );
    page.push_str("| thread | CPU seconds | share |\n|---|---|---|\n");
    for (name, time) in &ingest.by_thread {
        let seconds = time.as_secs_f64();
        let share = 100.0 * seconds / ingest.processor_seconds;
        if share >= 0.5 {
            writeln!(page, "| `{name}` | {seconds:.1} | {share:.0} % |")?;
        }
    }
    page.push('\n');
    Ok(())
}
