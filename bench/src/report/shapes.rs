//! What the page says of corpora of other shapes.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::{mb, ms};
use crate::suite::{Counted, Shape};

/// A line for the terminal.
pub(crate) fn counted_line(counted: &Counted) -> String {
    let verdict = match &counted.fault {
        None => "ok".to_owned(),
        Some(fault) => format!("FAILED: {fault}"),
    };
    format!(
        "{:<32} {:>9} ms warm, {} match: {verdict}",
        counted.query,
        ms(counted.warm),
        counted.total
    )
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    page.push_str(
        "## Corpora of other shapes\n\n\
         `wide` has 600 paths, 10 to 60 of them in an event, nested and of mixed types; `loghub` the real lines of sixteen \
         systems. Of `loghub`'s 2 million events VictoriaLogs ingests 19 MB per CPU second and makes 53 MB on disk, \
         ClickHouse 38 and 99.\n\n\
         | corpus | events | MB | acknowledged MB/s | MB per CPU second | peak memory MB | disk MB | raw/disk |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for shape in outcome.shapes {
        write_ingest(page, shape)?;
    }
    page.push('\n');
    if outcome.shapes.iter().all(|shape| shape.counts.is_empty()) {
        return Ok(());
    }
    page.push_str("| corpus | query | matches | warm ms | answer |\n|---|---|---|---|---|\n");
    for shape in outcome.shapes {
        for counted in &shape.counts {
            let answer = if counted.fault.is_none() {
                "right"
            } else {
                "**wrong**"
            };
            writeln!(
                page,
                "| {} | `{}` total | {} | {} | {answer} |",
                shape.meta.corpus,
                counted.query,
                counted.total,
                ms(counted.warm),
            )?;
        }
    }
    Ok(())
}

fn write_ingest(page: &mut String, shape: &Shape) -> anyhow::Result<()> {
    let ingest = &shape.ingest;
    let raw = mb(shape.meta.bytes);
    writeln!(
        page,
        "| `{}` | {} | {raw:.0} | {:.0} | {:.1} | {:.0} | {:.1} | {:.1} |",
        shape.meta.corpus,
        shape.meta.events,
        raw / ingest.sent.elapsed.as_secs_f64(),
        raw / ingest.processor_seconds,
        mb(ingest.memory_peak_bytes),
        mb(ingest.disk_bytes),
        raw / mb(ingest.disk_bytes),
    )?;
    Ok(())
}
