//! How many tails there are, and what their readers got and did not get.

use super::Page;
use crate::tails::Tails;

pub(super) fn write(tails: &Tails, page: &mut Page) {
    let counts = tails.hub.counters.read();
    page.gauge(
        "cordwood_tails",
        "Live tails open.",
        tails.hub.open_tails() as u64,
    );
    let counters = [
        (
            "cordwood_tails_opened_total",
            "Live tails opened.",
            counts.opened,
        ),
        (
            "cordwood_tails_refused_total",
            "Live tails refused because too many were open.",
            counts.refused,
        ),
        (
            "cordwood_tail_rows_total",
            "Rows offered to a reader, counted for each.",
            counts.rows,
        ),
        (
            "cordwood_tail_dropped_total",
            "Of these, rows dropped because the reader was too slow or memory was short.",
            counts.dropped,
        ),
        (
            "cordwood_tail_unexamined_total",
            "Events not looked at for a reader because the server was too slow, counted for each.",
            counts.unexamined,
        ),
    ];
    for (name, help, value) in counters {
        page.counter(name, help, value);
    }
    page.gauge(
        "cordwood_tail_memory_bytes",
        "Memory of rows on their way to readers.",
        tails.hub.memory.used_bytes(),
    );
}
