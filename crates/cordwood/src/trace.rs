//! `cordwood trace`: an id through all sources, as a timeline.

use std::fmt::Write as _;
use std::io::{Write as _, stderr, stdout};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ureq::http::Method;

use crate::args::TraceArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{columns, write};
use crate::query::fields::Fields;
use crate::query::lines::{level_ink, value_text};
use crate::remote::{Remote, path_segment, query_string};
use crate::terminal::{Colour, Ink, printable};

/// The answer; events are kept as the server wrote them.
#[derive(Deserialize)]
struct Answer {
    data: Vec<Traced>,
    trace: Value,
    meta: Value,
}

#[derive(Deserialize)]
struct Traced {
    event: Box<RawValue>,
    matched: Vec<String>,
    service: String,
}

/// Prints the events in order of time, with the pauses between them and what each service did.
pub(crate) fn run(settings: &Settings, arguments: &TraceArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let text = remote
        .send(Method::GET, &path_of(arguments), &[], None)?
        .into_success()?;
    if settings.json {
        return write(&format!("{text}\n"));
    }
    let answer: Answer = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("The server's answer cannot be read: {error}")))?;
    let colour = Colour::of(&stdout());
    write(&timeline(&answer, colour)?)?;
    write(&services(&answer.trace))?;
    // Where standard error is gone, there is nobody to tell.
    let _ = stderr().write_all(account(&answer).as_bytes());
    Ok(())
}

fn path_of(arguments: &TraceArguments) -> String {
    let sources = (!arguments.scope.sources.is_empty()).then(|| arguments.scope.sources.join(","));
    let limit = arguments.limit.map(|limit| limit.to_string());
    let is_event = is_event_id(&arguments.subject);
    let parameters = query_string(&[
        (
            "value",
            Some(arguments.subject.as_str()).filter(|_| !is_event),
        ),
        ("source_id", sources.as_deref()),
        ("from", arguments.scope.from.as_deref()),
        ("to", arguments.scope.to.as_deref()),
        ("limit", limit.as_deref()),
    ]);
    match is_event {
        true => format!(
            "/api/v1/events/{}/trace{parameters}",
            path_segment(&arguments.subject)
        ),
        false => format!("/api/v1/trace{parameters}"),
    }
}

/// Whether it is written as the `_id` of an event is: 16 hexadecimal digits, a hyphen, up to 16 more.
fn is_event_id(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once('-').is_some_and(|(time, sequence)| {
        time.len() == 16 && (1..=16).contains(&sequence.len()) && is_hex(time) && is_hex(sequence)
    })
}

/// `08:00:01.000 checkout ERROR message [request_id]`, with the longest pauses between.
fn timeline(answer: &Answer, colour: Colour) -> Result<String, Failure> {
    let services = answer.data.iter();
    let width = services.map(|traced| traced.service.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut out = String::new();
    for traced in &answer.data {
        let event = Fields::parse(traced.event.get()).map_err(|error| {
            Failure::new(format!("An event of the answer cannot be read: {error}"))
        })?;
        let id = event.get("_id").unwrap_or_default();
        if let Some(pause) = pause_before(&answer.trace, id) {
            let text = format!("  … {} …\n", span(pause));
            colour.paint(&mut out, Ink::Dim, &text);
        }
        let time = printable(event.get("dt").unwrap_or_default()).into_owned();
        colour.paint(&mut out, Ink::Dim, &time);
        let service = printable(&traced.service).into_owned();
        let service = format!(" {service:width$} ");
        colour.paint(&mut out, Ink::Cyan, &service);
        let level = event.get("level").unwrap_or("-");
        let shown = format!("{:<5}", printable(level).to_uppercase());
        colour.paint(&mut out, level_ink(level), &shown);
        write_text(&mut out, &event);
        let matched = format!(" [{}]", printable(&traced.matched.join(", ")));
        colour.paint(&mut out, Ink::Dim, &matched);
        out.push('\n');
    }
    Ok(out)
}

/// The message, or where there is none the other fields.
fn write_text(out: &mut String, event: &Fields) {
    if let Some(message) = event.get("message") {
        let _ = write!(out, " {}", printable(message));
        return;
    }
    for (name, value) in event.others() {
        let _ = write!(out, " {}={}", printable(name), value_text(value));
    }
}

/// How long nothing happened before an event, if that is among the longest pauses.
fn pause_before(trace: &Value, id: &str) -> Option<f64> {
    let mut gaps = trace["gaps"].as_array()?.iter();
    let gap = gaps.find(|gap| gap["before"] == id)?;
    gap["duration_ms"].as_f64()
}

/// Milliseconds for people.
fn span(millis: f64) -> String {
    match millis {
        millis if millis < 1_000.0 => format!("{millis:.1} ms"),
        millis if millis < 60_000.0 => format!("{:.2} s", millis / 1_000.0),
        millis if millis < 3_600_000.0 => format!("{:.1} min", millis / 60_000.0),
        millis => format!("{:.1} h", millis / 3_600_000.0),
    }
}

fn services(trace: &Value) -> String {
    let services = trace["services"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = services
        .map(|service| {
            let text = |name: &str| service[name].as_str().unwrap_or_default().to_owned();
            vec![
                text("service"),
                service["events"].to_string(),
                service["errors"].to_string(),
                text("first"),
                span(service["duration_ms"].as_f64().unwrap_or_default()),
            ]
        })
        .collect();
    match rows.is_empty() {
        true => String::new(),
        false => {
            let headings = ["SERVICE", "EVENTS", "ERRORS", "FIRST", "DURATION"];
            format!("\n{}", columns(&headings, &rows))
        }
    }
}

fn account(answer: &Answer) -> String {
    let ids = answer.trace["identifiers"].as_array().into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(|id| id["value"].as_str()).collect();
    let total = match &answer.trace["total"] {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    let mut out = format!(
        "{} of {} events with {} over {}; {:.1} ms\n",
        answer.data.len(),
        printable(&total),
        printable(&ids.join(" or ")),
        span(answer.trace["duration_ms"].as_f64().unwrap_or_default()),
        answer.meta["took_ms"].as_f64().unwrap_or_default(),
    );
    if let Some(reason) = answer.meta["incomplete_reason"].as_str() {
        let _ = writeln!(out, "INCOMPLETE: {}", printable(reason));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_from_values() {
        let cases = [
            ("18a0af9b3dfd8000-1f", true),
            ("550e8400-e29b-41d4-a716-446655440000", false),
            ("4bf92f3577b34da6a3ce929d0e0e4736", false),
            ("18a0af9b3dfd8000-", false),
            ("18a0af9b3dfd8000-xyz", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_event_id(text), expected, "{text}");
        }
    }

    #[test]
    fn spans() {
        let cases = [
            (0.5, "0.5 ms"),
            (2_500.0, "2.50 s"),
            (90_000.0, "1.5 min"),
            (5_400_000.0, "1.5 h"),
        ];
        for (millis, expected) in cases {
            assert_eq!(span(millis), expected);
        }
    }
}
