//! What checking alerts came to.

use std::sync::atomic::Ordering;

use super::Page;
use crate::alerts::Counters;

pub(super) fn write(counters: &Counters, page: &mut Page) {
    let counts = [
        (
            "cordwood_alert_checks_total",
            "Checks of alerts, those that failed among them.",
            &counters.checks,
        ),
        (
            "cordwood_alert_checks_failed_total",
            "Checks that could not tell anything.",
            &counters.failed,
        ),
        (
            "cordwood_alert_questions_total",
            "Questions that checks asked: fewer than checks where alerts ask the same.",
            &counters.questions,
        ),
        (
            "cordwood_alert_incidents_total",
            "Incidents that checks opened.",
            &counters.opened,
        ),
        (
            "cordwood_alert_lateness_ms_total",
            "Milliseconds from the end of windows until what was found there was written, over all checks.",
            &counters.lateness_ms,
        ),
    ];
    for (name, help, counter) in counts {
        page.counter(name, help, counter.load(Ordering::Relaxed));
    }
    page.gauge(
        "cordwood_alert_lateness_last_ms",
        "The same of the latest check of the last round.",
        counters.lateness_last_ms.load(Ordering::Relaxed),
    );
}
