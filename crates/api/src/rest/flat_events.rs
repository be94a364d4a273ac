//! Events as Better Stack's live tail gives them: flat objects, all with the same members.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cordwood_event::{Event, Scalar, SourceId, Timestamp, json, path};
use cordwood_service::{AnswerMemory, SearchAnswer};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::rest::query_answer::{PIECE_BYTES, column_names, write_row};
use crate::rest::query_meta::QueryMeta;

/// Members that an event has whether it was sent with them or not: beyond so many, those it lacks are left out, as events of
/// a thousand sorts would otherwise be mostly nulls.
const COLUMNS_MAX: usize = 1024;

/// Members written by hand, which hide fields of these names.
const OWN: [&str; 3] = ["dt", "app", "source_id"];

/// A page of events.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "answers are written in pieces")]
pub(crate) struct FlatAnswer {
    /// Flat objects; after stages that make a table, its rows.
    data: Vec<serde_json::Map<String, Value>>,
    #[schema(inline)]
    #[serde(flatten)]
    end: FlatAnswerEnd,
}

/// What follows the last event.
#[derive(Debug, Serialize, ToSchema)]
struct FlatAnswerEnd {
    meta: QueryMeta,
    pagination: FlatPagination,
}

/// Where the next events are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlatPagination {
    /// This request, for the next events; null when these are the last.
    next: Option<String>,
}

/// `{"data": […], "meta": {…}, "pagination": {"next": …}}`.
pub(super) fn flat_answer(answer: SearchAnswer, next: Option<String>) -> Response {
    let end = FlatAnswerEnd {
        meta: QueryMeta::of(&answer),
        pagination: FlatPagination { next },
    };
    let end = serde_json::to_string(&end).expect("a record of texts and numbers is JSON");
    let end = format!("],{}", end.strip_prefix('{').unwrap_or(&end));
    let rows: Box<dyn Iterator<Item = String> + Send> = match answer.table {
        Some(table) => {
            let names = column_names(&table.columns);
            Box::new(table.rows.into_iter().map(move |row| {
                let mut out = String::new();
                write_row(&mut out, &names, &row);
                out
            }))
        }
        None => {
            let flat = Flat::new(&answer.events, answer.source_names);
            Box::new(
                answer
                    .events
                    .into_iter()
                    .map(move |event| flat.text(&event)),
            )
        }
    };
    let mut written = Written {
        rows,
        separator: "{\"data\":[",
        end: Some(end),
        _held: answer.held,
    };
    let pieces = futures_util::stream::iter(std::iter::from_fn(move || written.piece()));
    let pieces = futures_util::StreamExt::map(pieces, Ok::<Bytes, std::convert::Infallible>);
    let content_type = [(CONTENT_TYPE, "application/json")];
    (content_type, Body::from_stream(pieces)).into_response()
}

struct Written {
    rows: Box<dyn Iterator<Item = String> + Send>,
    separator: &'static str,
    end: Option<String>,
    _held: AnswerMemory,
}

impl Written {
    /// The next piece of the answer, and at last its end.
    fn piece(&mut self) -> Option<Bytes> {
        self.end.as_ref()?;
        let mut piece = String::new();
        while piece.len() < PIECE_BYTES {
            match self.rows.next() {
                Some(row) => {
                    piece.push_str(std::mem::replace(&mut self.separator, ","));
                    piece.push_str(&row);
                }
                None => {
                    if self.separator != "," {
                        piece.push_str(self.separator);
                    }
                    piece.push_str(&self.end.take()?);
                    break;
                }
            }
        }
        Some(piece.into())
    }
}

/// The members of all events of a page.
struct Flat {
    columns: BTreeSet<String>,
    source_names: HashMap<SourceId, String>,
}

impl Flat {
    fn new(events: &[Event], source_names: HashMap<SourceId, String>) -> Flat {
        let mut columns = BTreeSet::from(["level".to_owned(), "message".to_owned()]);
        let fields = events.iter().flat_map(|event| &event.fields);
        for (field, _) in fields {
            if columns.len() >= COLUMNS_MAX {
                break;
            }
            columns.insert(path::name(field).into_owned());
        }
        Flat {
            columns,
            source_names,
        }
    }

    fn text(&self, event: &Event) -> String {
        let mut out = String::from("{\"dt\":");
        json::write_string(&mut out, &micros(event.id.timestamp));
        out.push_str(",\"app\":");
        let app = self.source_names.get(&event.source);
        json::write_string(&mut out, app.map_or("", String::as_str));
        let _ = write!(out, ",\"source_id\":{}", event.source);
        let mut values: HashMap<_, Scalar<'_>> = HashMap::new();
        if let Some(level) = event.level {
            values.insert("level".into(), Scalar::Str(level.name()));
        }
        for (field, value) in &event.fields {
            values.insert(path::name(field), value.as_scalar());
        }
        for column in &self.columns {
            let value = values.remove(column.as_str());
            write_member(&mut out, column, value.unwrap_or(Scalar::Null));
        }
        let mut others: Vec<_> = values.into_iter().collect();
        others.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, value) in others {
            write_member(&mut out, &name, value);
        }
        out.push('}');
        out
    }
}

fn write_member(out: &mut String, name: &str, value: Scalar<'_>) {
    if OWN.contains(&name) {
        return;
    }
    out.push(',');
    json::write_string(out, name);
    out.push(':');
    json::write_value(out, value);
}

/// `2026-03-27 10:00:00.000000`, in UTC.
fn micros(time: Timestamp) -> String {
    const NANOS_PER_SECOND: i64 = 1_000_000_000;
    let nanos = time.as_nanos();
    let second = nanos - nanos.rem_euclid(NANOS_PER_SECOND);
    let micros = nanos.rem_euclid(NANOS_PER_SECOND) / 1000;
    let whole = Timestamp::from_nanos(second).to_string();
    let whole = whole.split('.').next().unwrap_or_default();
    let whole = whole.trim_end_matches('Z').replacen('T', " ", 1);
    format!("{whole}.{micros:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_microseconds() {
        let cases = [
            ("2026-03-27T10:00:00Z", "2026-03-27 10:00:00.000000"),
            ("2026-03-27T10:00:00.5Z", "2026-03-27 10:00:00.500000"),
            (
                "2026-03-27T10:00:00.123456789Z",
                "2026-03-27 10:00:00.123456",
            ),
            (
                "1969-12-31T23:59:59.999999999Z",
                "1969-12-31 23:59:59.999999",
            ),
        ];
        for (time, expected) in cases {
            let time = Timestamp::parse_rfc3339(time).expect("a time");
            assert_eq!(micros(time), expected);
        }
    }
}
