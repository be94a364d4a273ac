//! `cordwood query --histogram`: counts by time and level, a bar for each interval.

use std::fmt::Write as _;
use std::io::{Write as _, stderr, stdout};

use serde_json::{Value, json};
use ureq::http::Method;

use super::caret;
use crate::args::QueryArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{write, write_json};
use crate::remote::Remote;
use crate::terminal::{Colour, Ink, printable};

/// Cells of the longest bar: with time and count it fits into 80 columns.
const BAR_CELLS: u64 = 48;

/// The levels a bar is made of, the worst first, where it is seen first.
const LEVELS: [(&str, Ink); 7] = [
    ("fatal", Ink::BrightRed),
    ("error", Ink::Red),
    ("warn", Ink::Yellow),
    ("info", Ink::Green),
    ("debug", Ink::Blue),
    ("trace", Ink::Dim),
    ("none", Ink::Dim),
];

pub(super) fn run(
    settings: &Settings,
    arguments: &QueryArguments,
    remote: &Remote,
) -> Result<(), Failure> {
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.scope.sources,
        "from": arguments.scope.from,
        "to": arguments.scope.to,
        "interval": arguments.interval,
    });
    let body = Some(("application/json", body.to_string().into_bytes()));
    let answer = remote.send(Method::POST, "/api/v1/query/histogram", &[], body)?;
    let text = answer.into_success();
    let text = text.map_err(|failure| caret::point_out(failure, &arguments.query))?;
    let answer: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::new(format!("The server's answer cannot be read: {error}")))?;
    if settings.json {
        return write_json(&answer);
    }
    write(&bars(&answer["data"], Colour::of(&stdout())))?;
    // Where standard error is gone, there is nobody to tell.
    let _ = stderr().write_all(account(&answer).as_bytes());
    Ok(())
}

fn bars(histogram: &Value, colour: Colour) -> String {
    let buckets = histogram["buckets"].as_array();
    let buckets = buckets.map_or(&[][..], Vec::as_slice);
    let count_of = |bucket: &Value| bucket["count"].as_u64().unwrap_or_default();
    let greatest = buckets.iter().map(count_of).max().unwrap_or_default();
    let width = greatest.to_string().len();
    let mut out = String::new();
    for bucket in buckets {
        let count = count_of(bucket);
        let start = bucket["start"].as_str().unwrap_or_default();
        let start = start.trim_end_matches(".000Z").replace('T', " ");
        let _ = write!(out, "{} {count:>width$} ", printable(&start));
        draw(&mut out, &bucket["levels"], greatest, colour);
        let trimmed = out.trim_end().len();
        out.truncate(trimmed);
        out.push('\n');
    }
    out
}

/// A cell for each so many events, of the colours of their levels; what is there has a cell at least.
fn draw(out: &mut String, levels: &Value, greatest: u64, colour: Colour) {
    for (level, ink) in LEVELS {
        let events = levels[level].as_u64().unwrap_or_default();
        if events == 0 {
            continue;
        }
        let cells = u128::from(events) * u128::from(BAR_CELLS) / u128::from(greatest.max(1));
        let cells = usize::try_from(cells).unwrap_or_default().max(1);
        colour.paint(out, ink, &"█".repeat(cells));
    }
}

fn account(answer: &Value) -> String {
    let (data, meta) = (&answer["data"], &answer["meta"]);
    let levels = data["levels"].as_object().into_iter().flatten();
    let levels: Vec<String> = levels
        .map(|(level, events)| format!("{} {events}", printable(level)))
        .collect();
    let mut out = format!(
        "{} events in intervals of {} in {:.1} ms",
        data["total"],
        printable(data["interval"].as_str().unwrap_or_default()),
        meta["took_ms"].as_f64().unwrap_or_default(),
    );
    if !levels.is_empty() {
        let _ = write!(out, "; {}", levels.join(", "));
    }
    out.push('\n');
    if let Some(reason) = meta["incomplete_reason"].as_str() {
        let _ = writeln!(out, "INCOMPLETE: {}", printable(reason));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_counts() {
        let histogram = json!({"buckets": [
            {"start": "2026-03-27T08:00:00.000Z", "count": 96, "levels": {"info": 48, "error": 48}},
            {"start": "2026-03-27T08:01:00.000Z", "count": 0, "levels": {}},
            {"start": "2026-03-27T08:02:00.500Z", "count": 1, "levels": {"none": 1}},
        ]});
        let expected = format!(
            "2026-03-27 08:00:00 96 {}\n2026-03-27 08:01:00  0\n2026-03-27 08:02:00.500Z  1 █\n",
            "█".repeat(48)
        );
        assert_eq!(bars(&histogram, Colour::Off), expected);
        assert_eq!(bars(&json!({}), Colour::Off), "");
    }
}
