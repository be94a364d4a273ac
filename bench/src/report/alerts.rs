//! What the page says of checking alerts.

use std::fmt::Write as _;

use super::Outcome;
use crate::suite::{ALERTS_MIX, Alerting};

/// A line for the terminal.
pub(crate) fn alerts_line(alerting: &Alerting) -> String {
    let verdict = match alerting.fault() {
        None => "ok".to_owned(),
        Some(fault) => format!("FAILED: {fault}"),
    };
    format!(
        "{} alerts: made in {:.1} s, {:.2} cores beside {:.2} without, {:.0} checks/s, {:.0} questions/s, \
         late by {:.0} ms on average, {:.0} at most: {verdict}",
        alerting.alerts,
        alerting.created.as_secs_f64(),
        alerting.cores(),
        alerting.cores_without,
        alerting.checks / alerting.elapsed.as_secs_f64(),
        alerting.questions / alerting.elapsed.as_secs_f64(),
        alerting.lateness_mean_ms,
        alerting.lateness_max_ms,
    )
}

pub(super) fn write(page: &mut String, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let alerting = outcome.alerting;
    let seconds = alerting.elapsed.as_secs_f64();
    writeln!(
        page,
        "## Alerts\n\n\
         {} alerts on the server that has the corpus, each checked every {} s, while {:.0} events a second come in, of now: {ALERTS_MIX}. \
         Made one after the other over HTTP in {:.1} s. Processor time of the server over {seconds:.0} s without alerts, and over as long \
         with them once each was checked; lateness is from the end of a window until what was found there was written, and windows \
         end at full ten seconds.\n\n\
         | cores without | cores with | alerts alone | checks/s | questions/s | checks that failed | incidents opened | lateness mean, ms | latest, ms |\n\
         |---|---|---|---|---|---|---|---|---|\n\
         | {:.3} | {:.3} | **{:.3}** | {:.1} | {:.1} | {} | {} | {:.0} | {:.0} |\n",
        alerting.alerts,
        alerting.check_every_s,
        alerting.events_per_second,
        alerting.created.as_secs_f64(),
        alerting.cores_without,
        alerting.cores_with,
        alerting.cores(),
        alerting.checks / seconds,
        alerting.questions / seconds,
        alerting.failed,
        alerting.incidents,
        alerting.lateness_mean_ms,
        alerting.lateness_max_ms,
    )?;
    Ok(())
}
