//! What the page says of live tails.

use std::fmt::Write as _;

use super::Outcome;
use super::figures::ms;
use crate::suite::Tailed;

/// A line for the terminal.
pub(crate) fn tailed_line(tailed: &Tailed) -> String {
    format!(
        "{} tails of {} queries: {} ms p50, {} ms p99, {} of {} events not received at the end",
        tailed.trial.tails,
        tailed.trial.queries,
        ms(tailed.acknowledged.percentile(50)),
        ms(tailed.acknowledged.percentile(99)),
        tailed.expected.saturating_sub(tailed.seen),
        tailed.expected,
    )
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    page.push_str(
        "## Live tails\n\n\
         Beside 10 000 events a second, 1 % of which match, each trial on a server of its own: milliseconds from the 202 of an event to \
         its reader, and from sending it. The last column is what readers had not received two seconds after the last event was sent.\n\n\
         | tails | queries | p50 | p99 | most | from sending: p50 | p99 | CPU seconds | not received |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for tailed in outcome.tails {
        let (acknowledged, sent) = (&tailed.acknowledged, &tailed.sent);
        writeln!(
            page,
            "| {} | {} | {} | **{}** | {} | {} | {} | {:.1} | {} of {} |",
            tailed.trial.tails,
            tailed.trial.queries,
            ms(acknowledged.percentile(50)),
            ms(acknowledged.percentile(99)),
            ms(acknowledged.longest()),
            ms(sent.percentile(50)),
            ms(sent.percentile(99)),
            tailed.processor_seconds,
            tailed.expected.saturating_sub(tailed.seen),
            tailed.expected,
        )?;
    }
    page.push('\n');
    Ok(())
}
