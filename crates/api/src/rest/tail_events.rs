//! The events of a tail as text: `hello` first, `log` for each row, `dropped` where rows are missing, `end` last.
//!
//! The format is that of server-sent events (WHATWG HTML, section 9.2). An `id` is the sequence number of an event: up to it,
//! the reader has seen all there was, or was told of what it has not.

use std::fmt::Write;

use cordwood_event::json;
use cordwood_service::{
    DropReason, Dropped, LiveRow, Since, TAILS_MAX, TailBatch, TailEnd, TailHello,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::Diagnostic;
use crate::rest::query_answer::{column_names, write_row};
use crate::rest::times::Millis;

/// When a browser comes back after a break, in milliseconds: soon, but not all at once with others after a restart.
const RETRY_MS: u32 = 2000;

/// The `data` of an event of the stream.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum TailEvent {
    /// Of `hello`.
    Hello {
        /// What the tail is.
        meta: TailMeta,
    },
    /// Of `dropped`.
    Dropped(DroppedRecord),
    /// Of `end`.
    End(EndRecord),
    /// Of `log`: an event as it was sent, with `dt`, `level`, `message`, `_id` and `_source`; or the columns that `fields` keeps.
    #[expect(dead_code, reason = "rows are written by hand, once for all readers")]
    Log(serde_json::Map<String, serde_json::Value>),
}

/// What a tail is, and the account of what came before it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TailMeta {
    /// The query as understood.
    query: String,
    /// The sources there are now.
    sources: Vec<TailedSourceRecord>,
    /// The columns, in order, if the stages keep only some fields.
    columns: Option<Vec<String>>,
    /// Whether every event that came before was considered, as far as it was asked for.
    complete: bool,
    /// Why not, if not.
    incomplete_reason: Option<String>,
    /// Events looked at for what came before.
    rows_scanned: u64,
    /// Bytes read and decoded for it.
    bytes_scanned: u64,
    took_ms: Millis,
    /// Remarks on the query text.
    hints: Vec<Diagnostic>,
}

/// A source that a tail is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TailedSourceRecord {
    id: String,
    name: String,
    /// Whether it takes no events at present.
    paused: bool,
}

/// Rows that a reader does not get.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DroppedRecord {
    /// `slow_reader`, `slow_server`, `too_far_back` or `unknown_position`.
    reason: &'static str,
    /// How many, if that is known; of `slow_server`, events of which any may have matched.
    count: Option<u64>,
    /// The same in a sentence.
    message: String,
}

/// Why a tail ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndRecord {
    /// `unauthenticated`, `source_gone`, `stalled` or `stopping`.
    reason: &'static str,
    /// The same in a sentence.
    message: String,
}

impl TailMeta {
    fn of(hello: &TailHello) -> TailMeta {
        let sources = hello.sources.iter().map(|source| TailedSourceRecord {
            id: source.id.to_string(),
            name: source.name.clone(),
            paused: source.is_paused,
        });
        TailMeta {
            query: hello.query.clone(),
            sources: sources.collect(),
            columns: hello.columns.clone(),
            complete: hello.incomplete_reason.is_none(),
            incomplete_reason: hello.incomplete_reason.clone(),
            rows_scanned: hello.rows_scanned,
            bytes_scanned: hello.bytes_scanned,
            took_ms: Millis(hello.elapsed),
            hints: hello.hints.iter().map(Diagnostic::of).collect(),
        }
    }
}

/// What the tail is, before its first row.
pub(super) fn hello(hello: &TailHello, since: Since) -> Vec<u8> {
    let mut out = format!("retry: {RETRY_MS}\n");
    if since == Since::Now {
        // With a past to be told, the place to go on from is that of its first row.
        let _ = writeln!(out, "id: {}", hello.position);
    }
    let meta = TailMeta::of(hello);
    push(&mut out, "hello", &TailEvent::Hello { meta });
    out.into_bytes()
}

/// The rows of a batch, an event for each.
pub(super) fn rows(batch: &TailBatch) -> Vec<u8> {
    let names = column_names(batch.columns());
    let mut out = String::new();
    let mut row_text = String::new();
    for row in batch.rows() {
        row_text.clear();
        match row {
            LiveRow::Event(event) => {
                json::write_event(&mut row_text, event, batch.source_name(event.source));
            }
            LiveRow::Columns(_, cells) => write_row(&mut row_text, &names, cells),
        }
        let _ = writeln!(out, "id: {}\nevent: log", row.id().sequence);
        push_lines(&mut out, &row_text);
        out.push('\n');
    }
    out.into_bytes()
}

/// Rows that the reader does not get.
pub(super) fn dropped(dropped: Dropped) -> Vec<u8> {
    let count = dropped
        .count
        .map_or("Some".to_owned(), |count| count.to_string());
    let (reason, message) = match dropped.reason {
        DropReason::SlowReader => (
            "slow_reader",
            format!("{count} matching events are left out: they come faster than they are read."),
        ),
        DropReason::SlowServer => (
            "slow_server",
            format!("{count} events were not looked at: they come faster than the server can."),
        ),
        DropReason::TooFarBack => (
            "too_far_back",
            format!("{count} matching events are left out, the oldest that came meanwhile."),
        ),
        DropReason::UnknownPosition => (
            "unknown_position",
            "The id to go on from is none of this server's: what came since it is left out.".into(),
        ),
    };
    let mut out = String::new();
    let record = DroppedRecord {
        reason,
        count: dropped.count,
        message,
    };
    push(&mut out, "dropped", &TailEvent::Dropped(record));
    out.into_bytes()
}

/// Why nothing comes any more.
pub(super) fn end(end: &TailEnd) -> Vec<u8> {
    let (reason, message) = match end {
        TailEnd::Unauthenticated => (
            "unauthenticated",
            "The API token was revoked or has expired.".to_owned(),
        ),
        TailEnd::SourceGone(source) => {
            ("source_gone", format!("Source {source} is there no more."))
        }
        TailEnd::Stalled => (
            "stalled",
            format!("Nothing was read for a minute; there are only {TAILS_MAX} tails."),
        ),
        TailEnd::Stopping => ("stopping", "The server shuts down.".to_owned()),
    };
    let mut out = String::new();
    push(
        &mut out,
        "end",
        &TailEvent::End(EndRecord { reason, message }),
    );
    out.into_bytes()
}

/// A sign of life; takes the reader's place along while nothing matches.
pub(super) fn heartbeat(position: Option<u64>) -> Vec<u8> {
    let id = position.map_or(String::new(), |position| format!("id: {position}\n"));
    format!(": still here\n{id}\n").into_bytes()
}

fn push(out: &mut String, event: &str, data: &TailEvent) {
    let _ = writeln!(out, "event: {event}");
    let data = serde_json::to_string(data).expect("a record of texts and numbers is JSON");
    push_lines(out, &data);
    out.push('\n');
}

/// JSON kept as it was sent may have line breaks between its tokens.
fn push_lines(out: &mut String, text: &str) {
    for line in text.split(['\n', '\r']) {
        let _ = writeln!(out, "data: {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_told_in_words() {
        let told = |reason, count| String::from_utf8(dropped(Dropped { reason, count })).unwrap();
        let text = told(DropReason::SlowReader, Some(7));
        assert!(text.starts_with("event: dropped\ndata: {"), "{text}");
        assert!(
            text.contains("7 matching events") && text.ends_with("}\n\n"),
            "{text}"
        );
        assert!(told(DropReason::TooFarBack, None).contains("\"count\":null"));
    }

    #[test]
    fn line_breaks_begin_a_new_line_of_data() {
        let mut out = String::new();
        push_lines(&mut out, "{\"a\":[1,\n2,\r3]}");
        assert_eq!(out, "data: {\"a\":[1,\ndata: 2,\ndata: 3]}\n");
    }

    #[test]
    fn a_sign_of_life_takes_the_place_along() {
        assert_eq!(heartbeat(Some(7)), b": still here\nid: 7\n\n");
        assert_eq!(heartbeat(None), b": still here\n\n");
    }
}
