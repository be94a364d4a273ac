//! What became of notices.

use std::sync::atomic::Ordering;

use super::Page;
use crate::channels::Counters;

pub(super) fn write(counters: &Counters, page: &mut Page) {
    let counts = [
        (
            "cordwood_notices_delivered_total",
            "Notices that channels took.",
            &counters.delivered,
        ),
        (
            "cordwood_notice_retries_total",
            "Attempts that failed and are made again.",
            &counters.retried,
        ),
        (
            "cordwood_notices_failed_total",
            "Notices given up: nobody was told.",
            &counters.failed,
        ),
        (
            "cordwood_notices_digested_total",
            "Notices put into a digest because there were too many.",
            &counters.digested,
        ),
    ];
    for (name, help, counter) in counts {
        page.counter(name, help, counter.load(Ordering::Relaxed));
    }
}
