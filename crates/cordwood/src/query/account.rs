//! What the answer says of itself, in one line on standard error: how many, how complete, at what cost.

use std::fmt::Write as _;
use std::io::{Write as _, stderr};

use serde_json::{Value, json};

use crate::output::size;
use crate::terminal::{Colour, Ink, printable};

/// What is counted.
#[derive(Clone, Copy, Debug, Default)]
enum Counted {
    #[default]
    Events,
    TableRows,
}

/// Gathered over all pages.
#[derive(Debug, Default)]
pub(crate) struct Account {
    counted: Counted,
    /// Events, or rows of a table.
    events: u64,
    rows_scanned: u64,
    bytes_scanned: u64,
    took_ms: f64,
    total: Option<u64>,
    incomplete_reason: Option<String>,
    /// Of the first page.
    meta: Value,
}

impl Account {
    /// An account of a table.
    pub(crate) fn of_table() -> Account {
        Account {
            counted: Counted::TableRows,
            ..Account::default()
        }
    }

    /// The events so far.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Adds a page.
    pub(crate) fn add(&mut self, events: u64, meta: &Value) {
        let number = |name: &str| meta[name].as_u64().unwrap_or_default();
        self.events += events;
        self.rows_scanned += number("rows_scanned");
        self.bytes_scanned += number("bytes_scanned");
        self.took_ms += meta["took_ms"].as_f64().unwrap_or_default();
        self.total = self.total.or(meta["total"].as_u64());
        if meta["complete"] == false && self.incomplete_reason.is_none() {
            let reason = meta["incomplete_reason"].as_str();
            self.incomplete_reason = Some(reason.unwrap_or("no reason given").into());
        }
        if self.meta.is_null() {
            self.meta = meta.clone();
        }
    }

    /// Prints it.
    pub(crate) fn report(&self, has_more: bool, is_json: bool, colour: Colour) {
        let text = if is_json {
            let counted = match self.counted {
                Counted::Events => "events",
                Counted::TableRows => "rows",
            };
            let meta = json!({counted: self.events, "has_more": has_more, "meta": self.meta});
            format!("{meta}\n")
        } else {
            self.text(has_more, colour)
        };
        // Where standard error is gone, there is nobody to tell.
        let _ = stderr().write_all(text.as_bytes());
    }

    fn text(&self, has_more: bool, colour: Colour) -> String {
        let mut out = String::new();
        colour.paint(&mut out, Ink::Dim, &self.line(has_more));
        out.push('\n');
        if let Some(reason) = &self.incomplete_reason {
            let warning = format!("INCOMPLETE: {}", printable(reason));
            colour.paint(&mut out, Ink::Yellow, &warning);
            out.push('\n');
        }
        // With an open start, what was cut off was not asked for.
        if !self.meta["range"]["from"].is_null()
            && let Some(cuts) = self.meta["kept_from"].as_object()
        {
            for (source, from) in cuts {
                let from = printable(from.as_str().unwrap_or_default()).into_owned();
                let source = printable(source);
                let _ = writeln!(
                    out,
                    "The range begins before the retention of source {source}: events before {from} are not kept."
                );
            }
        }
        for note in self.meta["notes"].as_array().into_iter().flatten() {
            let _ = writeln!(out, "{}", printable(note.as_str().unwrap_or_default()));
        }
        for approximation in self.meta["approximate"].as_array().into_iter().flatten() {
            let _ = writeln!(out, "{}", printable(&estimate(approximation)));
        }
        if let Some(explanation) = self.meta["explanation"].as_str() {
            let _ = writeln!(out, "{}", printable(explanation));
            for clause in self.meta["clauses"].as_array().into_iter().flatten() {
                let text = printable(clause["clause"].as_str().unwrap_or_default());
                let matches = match &clause["matches"] {
                    Value::String(text) => text.clone(),
                    number => number.to_string(),
                };
                let _ = writeln!(out, "  {matches:>10}  {text}");
            }
            for (name, when) in [("nearest_before", "before"), ("nearest_after", "after")] {
                if let Some(time) = self.meta[name].as_str() {
                    let time = printable(time);
                    let _ = writeln!(out, "The nearest match {when} the range is of {time}.");
                }
            }
        }
        for hint in self.meta["hints"].as_array().into_iter().flatten() {
            let parts = [&hint["message"], &hint["hint"]];
            let parts: Vec<&str> = parts.iter().filter_map(|part| part.as_str()).collect();
            let _ = writeln!(out, "hint: {}", printable(&parts.join(" ")));
        }
        out
    }

    fn line(&self, has_more: bool) -> String {
        let noun = match self.counted {
            Counted::Events => "event",
            Counted::TableRows => "table row",
        };
        let mut line = format!("{} {}", self.events, plural(self.events, noun));
        if let Some(total) = self.total {
            let _ = write!(line, " of {total}");
        }
        if has_more {
            line.push_str(", and more (--limit N shows them)");
        }
        let _ = write!(
            line,
            " in {:.1} ms; {} {} and {} read",
            self.took_ms,
            self.rows_scanned,
            plural(self.rows_scanned, "row"),
            size(self.bytes_scanned),
        );
        line
    }
}

/// How a column was estimated, and how far off it may be.
fn estimate(approximation: &Value) -> String {
    let column = approximation["column"].as_str().unwrap_or_default();
    let percent = |name: &str| approximation[name].as_f64().map(|share| share * 100.0);
    let error = match (percent("standard_error"), percent("relative_error")) {
        (Some(percent), _) => format!("with a standard error of {percent:.2} %"),
        (None, Some(percent)) => format!("to within {percent:.2} %"),
        (None, None) => "approximately".to_owned(),
    };
    let method = approximation["method"].as_str().unwrap_or("a sketch");
    format!("`{column}` is estimated by {method}, {error}.")
}

pub(crate) fn plural(count: u64, noun: &str) -> String {
    if count == 1 {
        noun.to_owned()
    } else {
        format!("{noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_added_up() {
        let mut account = Account::default();
        let page = json!({
            "rows_scanned": 10, "bytes_scanned": 2048, "took_ms": 1.5, "complete": true, "total": 7,
        });
        account.add(2, &page);
        let late = json!({
            "rows_scanned": 1, "bytes_scanned": 0, "took_ms": 0.5, "complete": false,
            "incomplete_reason": "deadline",
        });
        account.add(1, &late);
        let expected = "3 events of 7, and more (--limit N shows them) in 2.0 ms; \
                        11 rows and 2.0 KiB read\nINCOMPLETE: deadline\n";
        assert_eq!(account.text(true, Colour::Off), expected);
    }

    #[test]
    fn tables_say_what_is_estimated() {
        let mut account = Account::of_table();
        let meta = json!({
            "complete": true, "rows_scanned": 5, "columns": ["p95(a)", "n"], "approximate": [
                {"column": "p95(a)", "method": "histogram", "relative_error": 0.01},
                {"column": "n", "method": "hyperloglog", "standard_error": 0.0081},
            ],
        });
        account.add(1, &meta);
        let expected = "1 table row in 0.0 ms; 5 rows and 0 B read\n\
                        `p95(a)` is estimated by histogram, to within 1.00 %.\n\
                        `n` is estimated by hyperloglog, with a standard error of 0.81 %.\n";
        assert_eq!(account.text(false, Colour::Off), expected);
    }

    #[test]
    fn nothing_found_is_explained() {
        let mut account = Account::default();
        account.add(
            0,
            &json!({
                "complete": true,
                "explanation": "No event in the range matches `a:b`.",
                "clauses": [
                    {"clause": "a:b", "matches": 0},
                    {"clause": "c:d", "matches": "at least 12"},
                ],
                "nearest_before": "2026-03-27T10:00:00.000Z",
                "hints": [{"message": "`and` is a word.", "hint": "Write `AND`."}],
            }),
        );
        let expected = "0 events in 0.0 ms; 0 rows and 0 B read\n\
                        No event in the range matches `a:b`.\n\
                        \x20          0  a:b\n\
                        \x20 at least 12  c:d\n\
                        The nearest match before the range is of 2026-03-27T10:00:00.000Z.\n\
                        hint: `and` is a word. Write `AND`.\n";
        assert_eq!(account.text(false, Colour::Off), expected);
    }
}
