//! How the service is: health for a probe, counters for Prometheus.

mod alerts;
mod bucket;
mod notices;
mod tails;

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Service;

/// Whether the service takes and answers requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Searches are answered.
    pub can_read: bool,
    /// Events are taken.
    pub can_write: bool,
    /// What is wrong, if anything.
    pub problems: Vec<String>,
}

/// What the service itself counts; since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted_events: AtomicU64,
    accepted_bytes: AtomicU64,
    unauthorized: AtomicU64,
    searches: AtomicU64,
    search_micros: AtomicU64,
    rows_scanned: AtomicU64,
    bytes_scanned: AtomicU64,
    incomplete_searches: AtomicU64,
}

impl Counters {
    pub(crate) fn count_accepted(&self, events: u64, bytes: u64) {
        self.accepted_events.fetch_add(events, Ordering::Relaxed);
        self.accepted_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn count_unauthorized(&self) {
        self.unauthorized.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_search(&self, account: &cordwood_engine::Account) {
        let micros = u64::try_from(account.elapsed.as_micros()).unwrap_or(u64::MAX);
        let incomplete = u64::from(!account.is_complete());
        let counts = [
            (&self.searches, 1),
            (&self.search_micros, micros),
            (&self.rows_scanned, account.rows_scanned),
            (&self.bytes_scanned, account.bytes_scanned),
            (&self.incomplete_searches, incomplete),
        ];
        for (counter, count) in counts {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }
}

impl Service {
    /// How the service is.
    pub fn health(&self) -> Health {
        let stats = self.store.stats();
        let mut problems = Vec::new();
        if let Some(reason) = &stats.poisoned {
            problems.push(format!(
                "events are refused since a failure of the disk: {reason}"
            ));
        }
        if stats.is_disk_full {
            problems.push("the disk is full: events are refused until there is space".to_owned());
        }
        if stats.segments_missing > 0 {
            let count = stats.segments_missing;
            problems.push(format!(
                "{count} segments cannot be read, answers say which events are missing"
            ));
        }
        problems.extend(bucket::problems(&stats));
        Health {
            can_read: true,
            can_write: stats.poisoned.is_none() && !stats.is_disk_full,
            problems,
        }
    }

    /// All counters, in the text format of Prometheus.
    pub fn metrics_text(&self) -> String {
        let mut page = Page::default();
        self.write_ingest_metrics(&mut page);
        self.write_search_metrics(&mut page);
        tails::write(&self.tails, &mut page);
        alerts::write(&self.alerts.counters, &mut page);
        notices::write(&self.delivery.counters, &mut page);
        self.write_store_metrics(&mut page);
        bucket::write(&self.store.stats(), &mut page);
        self.write_memory_metrics(&mut page);
        page.text
    }

    fn write_ingest_metrics(&self, page: &mut Page) {
        let counters = &self.counters;
        page.counter(
            "cordwood_ingest_events_total",
            "Events taken and on disk.",
            counters.accepted_events.load(Ordering::Relaxed),
        );
        page.counter(
            "cordwood_ingest_bytes_total",
            "Bytes of these events as sent, before compression.",
            counters.accepted_bytes.load(Ordering::Relaxed),
        );
        page.counter(
            "cordwood_ingest_unauthorized_total",
            "Requests without a good source token.",
            counters.unauthorized.load(Ordering::Relaxed),
        );
        page.begin(
            "cordwood_ingest_refused_month",
            "gauge",
            "Requests and events refused this calendar month, by source and reason.",
        );
        let now = self.now();
        for source in self.catalog.sources() {
            let usage = self.catalog.usage(source.id).unwrap_or_default();
            for (reason, count) in usage.in_month_of(now).refused {
                page.labelled(
                    "cordwood_ingest_refused_month",
                    &[("source", &source.id.to_string()), ("reason", &reason)],
                    count,
                );
            }
        }
    }

    fn write_search_metrics(&self, page: &mut Page) {
        let counts = [
            (
                "cordwood_searches_total",
                "Searches answered.",
                &self.counters.searches,
            ),
            (
                "cordwood_searches_incomplete_total",
                "Of these, with an incomplete answer.",
                &self.counters.incomplete_searches,
            ),
            (
                "cordwood_search_microseconds_total",
                "Time spent on searches.",
                &self.counters.search_micros,
            ),
            (
                "cordwood_search_rows_total",
                "Events looked at.",
                &self.counters.rows_scanned,
            ),
            (
                "cordwood_search_bytes_total",
                "Bytes of blocks read.",
                &self.counters.bytes_scanned,
            ),
        ];
        for (name, help, counter) in counts {
            page.counter(name, help, counter.load(Ordering::Relaxed));
        }
    }

    fn write_store_metrics(&self, page: &mut Page) {
        let stats = self.store.stats();
        let counters = [
            (
                "cordwood_store_appends_total",
                "Batches acknowledged, repeated ones included.",
                stats.appends,
            ),
            (
                "cordwood_store_duplicates_total",
                "Batches acknowledged and not stored again.",
                stats.duplicates,
            ),
            (
                "cordwood_store_events_total",
                "Events stored since the start.",
                stats.events,
            ),
            (
                "cordwood_store_log_writes_total",
                "Writes to the log, each with one sync.",
                stats.log_writes,
            ),
            (
                "cordwood_store_log_bytes_total",
                "Bytes written to the log.",
                stats.log_bytes,
            ),
            (
                "cordwood_store_flushes_total",
                "Segments written.",
                stats.flushes,
            ),
            (
                "cordwood_store_flush_failures_total",
                "Segments that could not be written, to be tried again.",
                stats.flush_failures,
            ),
            (
                "cordwood_store_flushed_bytes_total",
                "Bytes of the segments written.",
                stats.flushed_bytes,
            ),
            (
                "cordwood_store_merges_total",
                "Merges of segments.",
                stats.merges,
            ),
            (
                "cordwood_store_merge_failures_total",
                "Merges that failed, to be tried again.",
                stats.merge_failures,
            ),
            (
                "cordwood_store_merge_read_bytes_total",
                "Bytes of the segments that merges read.",
                stats.merged_bytes_in,
            ),
            (
                "cordwood_store_merge_written_bytes_total",
                "Bytes of the segments that merges wrote.",
                stats.merged_bytes_out,
            ),
            (
                "cordwood_store_removed_events_total",
                "Events removed because they had expired or were deleted.",
                stats.events_removed,
            ),
            (
                "cordwood_store_read_errors_total",
                "Reads of blocks that failed.",
                stats.read_errors,
            ),
        ];
        for (name, help, value) in counters {
            page.counter(name, help, value);
        }
        page.begin(
            "cordwood_store_refused_total",
            "counter",
            "Batches the store refused, by reason.",
        );
        let refused = [
            ("busy", stats.refused_busy),
            ("disk_full", stats.refused_disk_full),
            ("poisoned", stats.refused_poisoned),
        ];
        for (reason, count) in refused {
            page.labelled("cordwood_store_refused_total", &[("reason", reason)], count);
        }
        let gauges = [
            (
                "cordwood_store_writable",
                "1 while events are taken, 0 since a failure of the disk.",
                u64::from(stats.poisoned.is_none()),
            ),
            (
                "cordwood_store_fresh_bytes",
                "Memory that events not yet in a segment take.",
                stats.fresh_bytes,
            ),
            (
                "cordwood_store_unflushed_bytes",
                "Bytes of events, as sent, that are in the log only.",
                stats.unflushed_event_bytes,
            ),
            (
                "cordwood_store_segments",
                "Segments that can be read.",
                stats.segments,
            ),
            (
                "cordwood_store_segment_bytes",
                "Bytes of these.",
                stats.segment_bytes,
            ),
            (
                "cordwood_store_segments_missing",
                "Segments that cannot be read.",
                stats.segments_missing,
            ),
            (
                "cordwood_store_deletions_standing",
                "Deletions whose events are hidden and not yet purged.",
                stats.deletions_standing,
            ),
        ];
        for (name, help, value) in gauges {
            page.gauge(name, help, value);
        }
        if let Some(free) = stats.disk_free_bytes {
            page.gauge("cordwood_disk_free_bytes", "Bytes free on the disk.", free);
        }
    }

    fn write_memory_metrics(&self, page: &mut Page) {
        page.gauge(
            "cordwood_memory_reserved_bytes",
            "Memory reserved by bodies, fresh events and queries.",
            self.memory.used_bytes(),
        );
        page.gauge(
            "cordwood_memory_ceiling_bytes",
            "What the reservations keep to.",
            self.memory.ceiling_bytes(),
        );
        page.counter(
            "cordwood_memory_refused_total",
            "Reservations refused for want of memory.",
            self.memory.refusals(),
        );
    }
}

/// A page in the text format of Prometheus.
#[derive(Debug, Default)]
struct Page {
    text: String,
}

impl Page {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.begin(name, "counter", help);
        self.labelled(name, &[], value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.begin(name, "gauge", help);
        self.labelled(name, &[], value);
    }

    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn labelled(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let separator = if index == 0 { '{' } else { ',' };
            let escaped = text
                .replace('\\', r"\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let _ = write!(self.text, "{separator}{label}=\"{escaped}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn labels_are_escaped() {
        let mut page = Page::default();
        page.gauge("plain", "Of nothing.", 1);
        page.labelled("odd", &[("a", "say \"hi\""), ("b", "back\\slash\nline")], 2);
        let expected = "# HELP plain Of nothing.\n# TYPE plain gauge\nplain 1\n\
                        odd{a=\"say \\\"hi\\\"\",b=\"back\\\\slash\\nline\"} 2\n";
        assert_eq!(page.text, expected);
    }
}
