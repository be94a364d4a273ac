//! What the page says of what is asked beyond a search.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::{mb, ms, yes_or_no};
use crate::suite::{Exported, Probed};

/// A line for the terminal.
pub(crate) fn probed_line(probed: &Probed) -> String {
    let verdict = match &probed.fault {
        None => "ok".to_owned(),
        Some(fault) => format!("FAILED: {fault}"),
    };
    format!(
        "{:<26} {:>9} ms warm [{} CPU]: {verdict}",
        probed.name,
        ms(probed.warm),
        ms(probed.warm_processor)
    )
}

/// The same of an export.
pub(crate) fn exported_line(export: &Exported) -> String {
    format!(
        "export: {:.0} events/s, {:.0} MB/s; download {:.0} MB/s",
        export.events_per_second(),
        mb(export.bytes) / export.written.as_secs_f64(),
        mb(export.bytes) / export.downloaded.as_secs_f64(),
    )
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    page.push_str(
        "## Investigating\n\n\
         Of all events unless a filter is named; context is of ten events on each side, what changed compares an hour with the \
         one before. Milliseconds over HTTP, warm; in brackets the server's CPU milliseconds per run.\n\n\
         | asked | warm | mark | reached | answer |\n|---|---|---|---|---|\n",
    );
    for probed in &outcome.investigation.probes {
        let answer = if probed.fault.is_none() {
            "right"
        } else {
            "**wrong**"
        };
        writeln!(
            page,
            "| {} | **{}** [{}] | under {} | {} | {answer} |",
            probed.name,
            ms(probed.warm),
            ms(probed.warm_processor),
            probed.mark_ms,
            yes_or_no(probed.is_reached()),
        )?;
    }
    let export = &outcome.investigation.export;
    writeln!(
        page,
        "\nAn export of all {} events as NDJSON, in order of time, writes {:.0} events (mark {:.0}) and {:.0} MB a second; its file of {:.0} MB is \
         downloaded at {:.0} MB/s.\n",
        export.events,
        export.events_per_second(),
        Exported::MARK,
        mb(export.bytes) / export.written.as_secs_f64(),
        mb(export.bytes),
        mb(export.bytes) / export.downloaded.as_secs_f64(),
    )?;
    Ok(())
}
