//! Counters of the edges, in the text format of Prometheus.
//!
//! They are of the whole process: no source, client or token is named, so that `/metrics` needs none.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use cordwood_service::Outcome;

use crate::edge::Edge;

/// Plain counters, since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Answers by the first digit of their status: index 1 is 1xx.
    answers: [AtomicU64; 6],
    events_accepted: AtomicU64,
    events_rejected: AtomicU64,
    batches_repeated: AtomicU64,
    calls_unwritten: AtomicU64,
}

impl Counters {
    pub(crate) fn count_answer(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(answers) = self.answers.get(class) {
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a call of an agent whose entry in the audit log could not be written.
    pub(crate) fn count_unwritten_call(&self) {
        self.calls_unwritten.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_ingest(&self, outcome: &Outcome) {
        if outcome.duplicate {
            self.batches_repeated.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let rejected = outcome.rejected_count;
        self.events_accepted
            .fetch_add(outcome.accepted, Ordering::Relaxed);
        self.events_rejected.fetch_add(rejected, Ordering::Relaxed);
    }
}

/// The edges' counters as text; the service has its own.
pub(crate) fn text(edge: &Edge) -> String {
    let mut out = String::new();
    let counters = &edge.counters;
    family(
        &mut out,
        "cordwood_http_answers_total",
        "counter",
        "HTTP answers by class of status.",
    );
    for (class, count) in counters.answers.iter().enumerate().skip(1) {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(
            out,
            "cordwood_http_answers_total{{class=\"{class}xx\"}} {count}"
        );
    }
    let totals = [
        (
            "cordwood_http_events_accepted_total",
            "Events acknowledged over HTTP, each once.",
            &counters.events_accepted,
        ),
        (
            "cordwood_http_events_rejected_total",
            "Events refused beside others that were acknowledged.",
            &counters.events_rejected,
        ),
        (
            "cordwood_http_batches_repeated_total",
            "Batches acknowledged again by their key, without storing them again.",
            &counters.batches_repeated,
        ),
        (
            "cordwood_audit_entries_failed_total",
            "Calls of agents that the audit log does not have, because writing it failed.",
            &counters.calls_unwritten,
        ),
    ];
    for (name, help, count) in totals {
        family(&mut out, name, "counter", help);
        let _ = writeln!(out, "{name} {}", count.load(Ordering::Relaxed));
    }
    lanes(&mut out, edge);
    out
}

fn lanes(out: &mut String, edge: &Edge) {
    let lanes = [
        ("ingest", &edge.ingest),
        ("query", &edge.query),
        ("manage", &edge.manage),
        ("agents", &edge.agents),
    ];
    let in_flight = "cordwood_http_in_flight";
    family(
        out,
        in_flight,
        "gauge",
        "Calls into the core running or waiting.",
    );
    for (name, lane) in lanes {
        let _ = writeln!(out, "{in_flight}{{lane=\"{name}\"}} {}", lane.in_flight());
    }
    let refused = "cordwood_http_refused_total";
    family(
        out,
        refused,
        "counter",
        "Calls refused because too many were waiting.",
    );
    for (name, lane) in lanes {
        let _ = writeln!(out, "{refused}{{lane=\"{name}\"}} {}", lane.refused());
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
