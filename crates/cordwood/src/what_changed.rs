//! `cordwood what-changed`: compares a window of time with a baseline and prints what explains the difference, the
//! strongest first.

use std::fmt::Write as _;
use std::io::{Write as _, stderr, stdout};

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{BaselineName, WhatChangedArguments};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{write, write_json};
use crate::query::caret;
use crate::remote::Remote;
use crate::terminal::{Colour, Ink, printable};

/// The lists of an answer under their headings.
const LISTS: [(&str, &str); 8] = [
    ("new_patterns", "New patterns"),
    ("changed_patterns", "Patterns much commoner or rarer"),
    ("vanished_patterns", "Vanished patterns"),
    ("services", "Services"),
    ("quiet_services", "Gone quiet"),
    ("new_values", "New values"),
    ("vanished_values", "Vanished values"),
    ("changes", "All events"),
];

/// Prints what changed; the account of it goes to standard error.
pub(crate) fn run(settings: &Settings, arguments: &WhatChangedArguments) -> Result<(), Failure> {
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.sources,
        "from": arguments.from,
        "to": arguments.to,
        "baseline": arguments.baseline.map(BaselineName::as_str),
        "baseline_from": arguments.baseline_from,
        "baseline_to": arguments.baseline_to,
        "explain": arguments.explain,
    });
    let body = Some(("application/json", body.to_string().into_bytes()));
    let remote = Remote::new(settings)?;
    let answer = remote.send(Method::POST, "/api/v1/what-changed", &[], body)?;
    let text = answer.into_success();
    let text = text.map_err(|failure| caret::point_out(failure, &arguments.query))?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("The server's answer cannot be read: {error}"))
            .hint("Is it a Cordwood server that --url names?")
    })?;
    if settings.json {
        return write_json(&answer);
    }
    write(&told(&answer["data"], Colour::of(&stdout())))?;
    let account = account(&answer["meta"], Colour::of(&stderr()));
    // Where standard error is gone, there is nobody to tell.
    let _ = stderr().write_all(account.as_bytes());
    Ok(())
}

/// What changed, line by line: each with the query that shows it.
fn told(data: &Value, colour: Colour) -> String {
    let mut out = String::new();
    let causes = lines(&data["causes"]);
    if causes.is_empty() {
        out.push_str("Nothing explains a change.\n");
    }
    for (number, (sentence, query)) in (1..).zip(causes) {
        let number = colour.painted(Ink::Bold, &format!("{number}."));
        let _ = writeln!(out, "{number} {sentence}\n   {}", shown(&query, colour));
    }
    for (name, heading) in LISTS {
        let lines = lines(&data[name]);
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", colour.painted(Ink::Bold, heading));
        for (sentence, query) in lines {
            let _ = writeln!(out, "   {sentence}\n   {}", shown(&query, colour));
        }
    }
    out
}

/// The sentences of a list and the queries that show them.
fn lines(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| printable(value.as_str().unwrap_or_default()).into_owned();
    let lines = list.as_array().into_iter().flatten();
    lines
        .map(|line| (text(&line["sentence"]), text(&line["shown_by"]["query"])))
        .collect()
}

fn shown(query: &str, colour: Colour) -> String {
    colour.painted(Ink::Dim, &format!("cordwood query '{query}'"))
}

/// What was compared, whether that was everything, and what there is to know before it is believed.
fn account(meta: &Value, colour: Colour) -> String {
    let window = |name: &str| {
        let text = |end: &str| meta[name][end].as_str().unwrap_or("?").to_owned();
        let events = &meta[name]["events"];
        format!("{events} events from {} to {}", text("from"), text("to"))
    };
    let mut out = format!(
        "{} with {} in {} ms\n",
        window("current"),
        window("baseline"),
        meta["took_ms"]
    );
    let notes = meta["notes"].as_array().into_iter().flatten();
    let notes = notes.filter_map(Value::as_str);
    let reason = meta["incomplete_reason"].as_str();
    for note in notes.chain(reason) {
        let note = colour.painted(Ink::Yellow, &printable(note));
        let _ = writeln!(out, "{note}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_with_their_queries() {
        let line = |sentence: &str, query: &str| json!({"sentence": sentence, "shown_by": {"query": query}});
        let data = json!({
            "causes": [line("It was t-7.", "tenant=t-7"), line("And\u{1b}[2J h.", "host=h")],
            "new_values": [line("v2 is new.", "version=v2")],
            "new_patterns": [line("`no <*>` is new.", "message:no")],
        });
        assert_eq!(
            told(&data, Colour::Off),
            "1. It was t-7.\n   cordwood query 'tenant=t-7'\n\
             2. And\\u{1b}[2J h.\n   cordwood query 'host=h'\n\
             \nNew patterns\n   `no <*>` is new.\n   cordwood query 'message:no'\n\
             \nNew values\n   v2 is new.\n   cordwood query 'version=v2'\n"
        );
        assert_eq!(
            told(&json!({}), Colour::Off),
            "Nothing explains a change.\n"
        );
    }

    #[test]
    fn the_account_says_what_is_missing() {
        let window = |events: u64| json!({"from": "a", "to": "b", "events": events});
        let meta = json!({
            "current": window(2),
            "baseline": window(0),
            "took_ms": 1.5,
            "notes": ["the baseline has no events"],
            "incomplete_reason": "the time ran out",
        });
        assert_eq!(
            account(&meta, Colour::Off),
            "2 events from a to b with 0 events from a to b in 1.5 ms\n\
             the baseline has no events\nthe time ran out\n"
        );
    }
}
