//! The answer to a query, written in pieces: events first, then the account of what was read.

use std::fmt::Write;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_event::{Event, Timestamp, json};
use cordwood_service::{Account, SearchAnswer};
use serde_json::{Value, json};

use crate::failure::diagnostic;

/// A piece is sent when it has grown to this.
const PIECE_BYTES: usize = 64 << 10;

/// `{"data": […], "meta": {…}, "pagination": {…}}`; `next` makes the URL of a cursor.
pub(crate) fn query_answer(answer: SearchAnswer, next: Option<String>) -> Response {
    let tail = tail(&answer, next);
    let names = answer.source_names;
    let events = answer.events.into_iter();
    let mut written = Written {
        names,
        events,
        is_first: true,
        tail: Some(tail),
    };
    let pieces = futures_util::stream::iter(std::iter::from_fn(move || written.piece()));
    let pieces = futures_util::StreamExt::map(pieces, Ok::<Bytes, std::convert::Infallible>);
    let content_type = [(CONTENT_TYPE, "application/json")];
    (content_type, Body::from_stream(pieces)).into_response()
}

struct Written {
    names: std::collections::HashMap<cordwood_event::SourceId, String>,
    events: std::vec::IntoIter<Event>,
    is_first: bool,
    tail: Option<String>,
}

impl Written {
    /// The next piece of the answer: many small events or one large one, and at the end the tail.
    fn piece(&mut self) -> Option<Bytes> {
        self.tail.as_ref()?;
        let mut piece = String::new();
        while piece.len() < PIECE_BYTES {
            let Some(event) = self.events.next() else {
                let opening = if self.is_first { "{\"data\":[" } else { "" };
                piece.push_str(opening);
                piece.push_str(&self.tail.take()?);
                break;
            };
            piece.push_str(if self.is_first { "{\"data\":[" } else { "," });
            self.is_first = false;
            let name = self.names.get(&event.source).map_or("", String::as_str);
            json::write_event(&mut piece, &event, name);
        }
        Some(piece.into())
    }
}

/// What follows the last event.
fn tail(answer: &SearchAnswer, next: Option<String>) -> String {
    let pagination = json!({"next": next, "next_cursor": answer.next});
    let mut tail = String::new();
    let _ = write!(
        tail,
        "],\"meta\":{},\"pagination\":{pagination}}}",
        meta(answer)
    );
    tail
}

fn meta(answer: &SearchAnswer) -> Value {
    let account = &answer.account;
    let mut meta = json!({
        "complete": account.complete,
        "incomplete_reason": account.incomplete_reason,
        "query": account.query,
        "range": {"from": account.from.map(time), "to": account.to.map(time)},
        "sources": account.sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rows_scanned": account.rows_scanned,
        "bytes_scanned": account.bytes_scanned,
        "blocks_total": account.blocks_total,
        "blocks_pruned": account.blocks_pruned,
        "took_ms": took_ms(account),
        "hints": answer.hints.iter().map(diagnostic).collect::<Vec<_>>(),
    });
    if let Some(total) = answer.total {
        meta["total"] = total.into();
    }
    if let Some(explanation) = explanation(answer) {
        let clauses = answer.clauses.iter();
        let clauses = clauses.map(|one| json!({"clause": one.clause, "matches": one.matches}));
        meta["clauses"] = clauses.collect();
        meta["explanation"] = explanation.into();
    }
    meta
}

fn time(timestamp: Timestamp) -> String {
    timestamp.to_string()
}

/// To the microsecond: many answers take less than a millisecond.
fn took_ms(account: &Account) -> f64 {
    (account.elapsed.as_secs_f64() * 1e6).round() / 1e3
}

/// Why nothing was found, in a sentence.
fn explanation(answer: &SearchAnswer) -> Option<String> {
    if !answer.events.is_empty() || answer.clauses.is_empty() {
        return None;
    }
    let empty = answer.clauses.iter().filter(|one| one.matches == 0);
    let empty: Vec<String> = empty.map(|one| format!("`{}`", one.clause)).collect();
    Some(if empty.is_empty() {
        "Each clause matches events in the range, but no event matches all of them together.".into()
    } else {
        format!("No event in the range matches {}.", empty.join(" or "))
    })
}
