//! The answer to a query, written in pieces: events first, then the account of what was read.

use std::fmt::Write;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_event::{Event, Timestamp, json};
use cordwood_service::{Account, AnswerMemory, ClauseCount, Count, Explanation, SearchAnswer};
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
        _held: answer.held,
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
    _held: AnswerMemory,
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
        "blocks_pruned_by_tokens": account.blocks_pruned_by_tokens,
        "took_ms": took_ms(account),
        "hints": answer.hints.iter().map(diagnostic).collect::<Vec<_>>(),
    });
    if !account.kept_from.is_empty() {
        let cuts = account.kept_from.iter();
        let cuts = cuts.map(|(source, from)| (source.to_string(), time(*from).into()));
        meta["kept_from"] = Value::Object(cuts.collect());
    }
    if let Some(total) = answer.total {
        meta["total"] = total.into();
    }
    if let Some(explanation) = &answer.explanation {
        meta["explanation"] = sentence(explanation).into();
        meta["events_in_range"] = count(explanation.events_in_range);
        meta["clauses"] = explanation.clauses.iter().map(clause).collect();
        meta["nearest_before"] = json!(explanation.nearest_before.map(|id| time(id.timestamp)));
        meta["nearest_after"] = json!(explanation.nearest_after.map(|id| time(id.timestamp)));
    }
    meta
}

fn clause(clause: &ClauseCount) -> Value {
    let near = clause.near_fields.iter();
    let near: Value = near
        .map(|field| json!({"field": field.missing, "near": field.near}))
        .collect();
    json!({"clause": clause.clause, "matches": count(clause.matches), "unknown_fields": near})
}

/// A number, or a text when counting was cut short.
fn count(count: Count) -> Value {
    match count {
        Count::Exactly(number) => number.into(),
        Count::AtLeast(number) => format!("at least {number}").into(),
    }
}

fn time(timestamp: Timestamp) -> String {
    timestamp.to_string()
}

/// To the microsecond: many answers take less than a millisecond.
fn took_ms(account: &Account) -> f64 {
    (account.elapsed.as_secs_f64() * 1e6).round() / 1e3
}

/// Why nothing was found, in a sentence or two.
fn sentence(explanation: &Explanation) -> String {
    if explanation.events_in_range.is_none() {
        return "There are no events in the range.".into();
    }
    let emptied_by = explanation
        .emptied_by
        .and_then(|index| explanation.clauses.get(index));
    let Some(clause) = emptied_by else {
        return "No event in the range matches all clauses together.".into();
    };
    if !clause.matches.is_none() {
        let text = &clause.clause;
        return format!(
            "Events in the range match `{text}`, but none that the clauses before it match."
        );
    }
    let near = clause.near_fields.iter().flat_map(|field| &field.near);
    let near: Vec<String> = near.map(|name| format!("`{name}`")).collect();
    let hint = match near.is_empty() {
        true => String::new(),
        false => format!(" Did you mean {}?", near.join(" or ")),
    };
    format!("No event in the range matches `{}`.{hint}", clause.clause)
}
