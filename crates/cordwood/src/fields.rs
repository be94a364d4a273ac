//! `cordwood fields`: which fields there are, in how many events, of which types, and what stands in them.

use std::fmt::Write as _;
use std::io::{Write as _, stderr};

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::FieldsArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{columns, write, write_json};
use crate::query::caret;
use crate::remote::Remote;
use crate::terminal::printable;

/// Values of each of many fields: as many as a line holds.
const VALUES_DEFAULT: u64 = 5;
/// Values of each of a few.
const VALUES_OF_NAMED: u64 = 10;
/// Characters of a value; the rest of a longer one is left out.
const VALUE_CHARS_MAX: usize = 40;

/// Prints a line for each field.
pub(crate) fn run(settings: &Settings, arguments: &FieldsArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let values = match arguments.fields.is_empty() {
        true => VALUES_DEFAULT,
        false => VALUES_OF_NAMED,
    };
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.scope.sources,
        "from": arguments.scope.from,
        "to": arguments.scope.to,
        "field": arguments.fields,
        "values": arguments.values.unwrap_or(values),
    });
    let body = Some(("application/json", body.to_string().into_bytes()));
    let answer = remote.send(Method::POST, "/api/v1/query/facets", &[], body)?;
    let text = answer.into_success();
    let text = text.map_err(|failure| caret::point_out(failure, &arguments.query))?;
    let answer: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("The server's answer cannot be read: {error}")))?;
    if settings.json {
        return write_json(&answer);
    }
    write(&table(&answer))?;
    // Where standard error is gone, there is nobody to tell.
    let _ = stderr().write_all(account(&answer).as_bytes());
    Ok(())
}

fn table(answer: &Value) -> String {
    let facets = answer["data"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = facets.map(row).collect();
    columns(
        &["FIELD", "TYPES", "EVENTS", "DIFFERENT", "COMMONEST"],
        &rows,
    )
}

fn row(facet: &Value) -> Vec<String> {
    let types = facet["types"].as_array().into_iter().flatten();
    let types: Vec<&str> = types.filter_map(Value::as_str).collect();
    let conflict = match facet["conflict"] == true {
        true => " (conflict)",
        false => "",
    };
    let sign = match facet["distinct_is"].as_str() {
        Some("about") => "~",
        Some("at_least") => "≥",
        _ => "",
    };
    vec![
        facet["field"].as_str().unwrap_or_default().to_owned(),
        format!("{}{conflict}", types.join("|")),
        facet["events"].to_string(),
        format!("{sign}{}", facet["distinct"]),
        commonest(facet),
    ]
}

/// `a (12), b (3)`; of numbers without a list, their ends; of a sample, how many events that is.
fn commonest(facet: &Value) -> String {
    let values = facet["values"].as_array().into_iter().flatten();
    let values: Vec<String> = values
        .map(|counted| format!("{} ({})", shown(&counted["value"]), counted["events"]))
        .collect();
    let mut text = values.join(", ");
    if !facet["min"].is_null() {
        let separator = if text.is_empty() { "" } else { "; " };
        let _ = write!(text, "{separator}{} to {}", facet["min"], facet["max"]);
    }
    if !values.is_empty() && facet["looked_at"] != facet["of"] {
        let _ = write!(text, "; of the newest {}", facet["looked_at"]);
    }
    text
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn account(answer: &Value) -> String {
    let matches = match &answer["matches"] {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    let meta = &answer["meta"];
    let mut out = format!(
        "{} events match of {} in the range, which have {} fields; {:.1} ms\n",
        printable(&matches),
        answer["events_in_range"],
        answer["fields"].as_array().map_or(0, Vec::len),
        meta["took_ms"].as_f64().unwrap_or_default(),
    );
    if let Some(reason) = meta["incomplete_reason"].as_str() {
        let _ = writeln!(out, "INCOMPLETE: {}", printable(reason));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let cases = [
            (
                json!({"field": "host", "types": ["text"], "conflict": false, "events": 9, "of": 9, "looked_at": 9,
                       "distinct": 2, "distinct_is": "exactly", "min": null, "max": null,
                       "values": [{"value": "a", "events": 6}, {"value": "b", "events": 3}]}),
                vec!["host", "text", "9", "2", "a (6), b (3)"],
            ),
            (
                json!({"field": "took", "types": ["number"], "conflict": false, "events": 9, "of": 9, "looked_at": 9,
                       "distinct": 7, "distinct_is": "at_least", "min": 1, "max": 9.5, "values": []}),
                vec!["took", "number", "9", "≥7", "1 to 9.5"],
            ),
            (
                json!({"field": "s", "types": ["text", "number"], "conflict": true, "events": 4, "of": 9, "looked_at": 5,
                       "distinct": 7, "distinct_is": "about", "min": null, "max": null,
                       "values": [{"value": 200, "events": 4}]}),
                vec![
                    "s",
                    "text|number (conflict)",
                    "4",
                    "~7",
                    "200 (4); of the newest 5",
                ],
            ),
        ];
        for (facet, expected) in cases {
            assert_eq!(row(&facet), expected);
        }
    }
}
