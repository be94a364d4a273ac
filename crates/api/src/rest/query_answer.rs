//! The answer to a query, written in pieces: events or the rows of a table first, then the account of what was read.

use std::collections::HashMap;
use std::fmt::Write;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_event::{Event, Scalar, SourceId, json};
use cordwood_service::{Cell, SearchAnswer, Table};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::rest::query_meta::QueryMeta;

/// A piece is sent when it has grown to this.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// The answer to a query.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "answers are written in pieces, from `Rows` and `QueryAnswerEnd`"
)]
pub(crate) struct QueryAnswer {
    /// Events as they were sent, with `dt`, `level`, `message`, `_id` and `_source`; or the rows of a table, by the
    /// names of its columns.
    data: Vec<serde_json::Map<String, Value>>,
    #[schema(inline)]
    #[serde(flatten)]
    end: QueryAnswerEnd,
}

/// What follows the last event or row.
#[derive(Debug, Serialize, ToSchema)]
struct QueryAnswerEnd {
    meta: QueryMeta,
    pagination: QueryPagination,
}

/// Where the next events are; null when these are the last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryPagination {
    /// This request, for the next events.
    next: Option<String>,
    /// Its `cursor` alone.
    next_cursor: Option<String>,
}

/// `{"data": […], "meta": {…}, "pagination": {…}}`; `next` makes the URL of a cursor.
pub(crate) fn query_answer(answer: SearchAnswer, next: Option<String>) -> Response {
    let tail = tail(&answer, next);
    let held = answer.held;
    let mut rows = match answer.table {
        Some(table) => Rows::of_table(table),
        None => Rows::Events(answer.source_names, answer.events.into_iter()),
    };
    in_pieces(
        move |out, separator| rows.write_next(out, separator),
        tail,
        held,
    )
}

/// An answer whose `data` is an array: `write_next` appends the next element behind what separates it, or says that there is
/// none; `tail` is what follows the last. What is held is let go when all is sent.
pub(crate) fn in_pieces(
    write_next: impl FnMut(&mut String, &str) -> bool + Send + 'static,
    tail: String,
    held: impl Send + 'static,
) -> Response {
    let mut written = Written {
        write_next,
        is_first: true,
        tail: Some(tail),
        _held: held,
    };
    let pieces = futures_util::stream::iter(std::iter::from_fn(move || written.piece()));
    let pieces = futures_util::StreamExt::map(pieces, Ok::<Bytes, std::convert::Infallible>);
    let content_type = [(CONTENT_TYPE, "application/json")];
    (content_type, Body::from_stream(pieces)).into_response()
}

/// What follows the last element of `data`: the other members of the answer, and its end.
pub(crate) fn tail_of(end: &impl Serialize) -> String {
    let end = serde_json::to_string(end).expect("what has texts for keys is JSON");
    // The members of `end` go on in the object that `data` opened.
    format!("],{}", end.strip_prefix('{').unwrap_or_default())
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

struct Written<W, H> {
    write_next: W,
    is_first: bool,
    tail: Option<String>,
    _held: H,
}

impl<W: FnMut(&mut String, &str) -> bool, H> Written<W, H> {
    /// The next piece of the answer: many small events or one large one, and at the end the tail.
    fn piece(&mut self) -> Option<Bytes> {
        self.tail.as_ref()?;
        let mut piece = String::new();
        while piece.len() < PIECE_BYTES {
            let separator = if self.is_first { "{\"data\":[" } else { "," };
            if !(self.write_next)(&mut piece, separator) {
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
pub(crate) fn column_names(columns: &[String]) -> Vec<String> {
    let names = columns.iter().map(|name| {
        let mut text = String::new();
        json::write_string(&mut text, name);
        text
    });
    names.collect()
}

/// A row of a table as an object, its columns in order.
pub(crate) fn write_row(out: &mut String, names: &[String], row: &[Cell]) {
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
    let end = QueryAnswerEnd {
        meta: QueryMeta::of(answer),
        pagination: QueryPagination {
            next,
            next_cursor: answer.next.clone(),
        },
    };
    tail_of(&end)
}
