//! The answer to a query, written in pieces: events or the rows of a table first, then the account of what was read.

use std::collections::HashMap;
use std::fmt::Write;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_event::{Event, Scalar, SourceId, Timestamp, json};
use cordwood_service::{
    Account, AnswerMemory, Approximation, BlockCounts, Cell, ClauseCount, Count, Explanation,
    Method, SearchAnswer, Table,
};
use serde_json::{Value, json};

use crate::failure::diagnostic;

/// A piece is sent when it has grown to this.
const PIECE_BYTES: usize = 64 << 10;

/// `{"data": […], "meta": {…}, "pagination": {…}}`; `next` makes the URL of a cursor.
pub(crate) fn query_answer(answer: SearchAnswer, next: Option<String>) -> Response {
    let tail = tail(&answer, next);
    let held = answer.held;
    let rows = match answer.table {
        Some(table) => Rows::of_table(table),
        None => Rows::Events(answer.source_names, answer.events.into_iter()),
    };
    let mut written = Written {
        rows,
        is_first: true,
        tail: Some(tail),
        _held: held,
    };
    let pieces = futures_util::stream::iter(std::iter::from_fn(move || written.piece()));
    let pieces = futures_util::StreamExt::map(pieces, Ok::<Bytes, std::convert::Infallible>);
    let content_type = [(CONTENT_TYPE, "application/json")];
    (content_type, Body::from_stream(pieces)).into_response()
}

/// What stands in `data`.
enum Rows {
    /// Events, and the names of their sources.
    Events(HashMap<SourceId, String>, std::vec::IntoIter<Event>),
    /// The names of the columns as JSON, and the rows.
    Table(Vec<String>, std::vec::IntoIter<Vec<Cell>>),
}

impl Rows {
    fn of_table(table: Table) -> Rows {
        Rows::Table(column_names(&table.columns), table.rows.into_iter())
    }

    /// Appends the next one, behind what separates it; false when there is none.
    fn write_next(&mut self, out: &mut String, separator: &str) -> bool {
        match self {
            Rows::Events(names, events) => {
                let Some(event) = events.next() else {
                    return false;
                };
                out.push_str(separator);
                let name = names.get(&event.source).map_or("", String::as_str);
                json::write_event(out, &event, name);
            }
            Rows::Table(names, rows) => {
                let Some(row) = rows.next() else {
                    return false;
                };
                out.push_str(separator);
                write_row(out, names, &row);
            }
        }
        true
    }
}

struct Written {
    rows: Rows,
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
            let separator = if self.is_first { "{\"data\":[" } else { "," };
            if !self.rows.write_next(&mut piece, separator) {
                let opening = if self.is_first { "{\"data\":[" } else { "" };
                piece.push_str(opening);
                piece.push_str(&self.tail.take()?);
                break;
            }
            self.is_first = false;
        }
        Some(piece.into())
    }
}

/// The names of columns, as JSON.
pub(super) fn column_names(columns: &[String]) -> Vec<String> {
    let names = columns.iter().map(|name| {
        let mut text = String::new();
        json::write_string(&mut text, name);
        text
    });
    names.collect()
}

/// A row of a table as an object, its columns in order.
pub(super) fn write_row(out: &mut String, names: &[String], row: &[Cell]) {
    out.push('{');
    for (index, (name, cell)) in names.iter().zip(row).enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(name);
        out.push(':');
        write_cell(out, cell);
    }
    out.push('}');
}

fn write_cell(out: &mut String, cell: &Cell) {
    let scalar = match cell {
        Cell::Int(integer) => {
            let _ = write!(out, "{integer}");
            return;
        }
        Cell::Time(timestamp) => {
            let _ = write!(out, "\"{timestamp}\"");
            return;
        }
        Cell::Null => Scalar::Null,
        Cell::Bool(boolean) => Scalar::Bool(*boolean),
        Cell::Float(float) => Scalar::Float(*float),
        Cell::Str(text) => Scalar::Str(text),
        Cell::Json(text) => Scalar::Json(text),
    };
    json::write_value(out, scalar);
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
        "blocks_total": account.blocks.total,
        "blocks_pruned": account.blocks.pruned(),
        "blocks_pruned_by": pruned_by(&account.blocks),
        "blocks_counted": account.blocks.counted_whole,
        "blocks_read": account.blocks.read,
        "took_ms": took_ms(account),
        "hints": answer.hints.iter().map(diagnostic).collect::<Vec<_>>(),
    });
    if !account.kept_from.is_empty() {
        let cuts = account.kept_from.iter();
        let cuts = cuts.map(|(source, from)| (source.to_string(), time(*from).into()));
        meta["kept_from"] = Value::Object(cuts.collect());
    }
    if answer.has_more {
        meta["more"] = true.into();
    }
    if let Some(table) = &answer.table {
        meta["columns"] = json!(table.columns);
        meta["more"] = table.more.into();
        meta["approximate"] = answer.approximate.iter().map(approximation).collect();
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

/// The steps of pruning by the names a plan has for them.
fn pruned_by(blocks: &BlockCounts) -> Value {
    json!({
        "time": blocks.pruned_by_time,
        "snapshot": blocks.pruned_by_sequence,
        "token_map": blocks.pruned_by_tokens,
        "deletions": blocks.pruned_by_deletion,
        "min_max": blocks.pruned_by_statistics,
        "fields": blocks.pruned_by_absent_column,
        "dictionaries": blocks.pruned_by_dictionary,
    })
}

/// Which column is not exact, what estimated it, and how far off it may be as a share of the value.
fn approximation(approximation: &Approximation) -> Value {
    let column = &approximation.column;
    match approximation.method {
        Method::HyperLogLog { standard_error } => {
            json!({"column": column, "method": "hyperloglog", "standard_error": standard_error})
        }
        Method::Histogram { relative_error } => {
            json!({"column": column, "method": "histogram", "relative_error": relative_error})
        }
    }
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
