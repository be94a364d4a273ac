//! `cordwood patterns`: what events say alike, a line for each, the commonest first.

use std::io::{IsTerminal, stderr, stdout};

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::PatternsArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{write, write_json};
use crate::query::caret;
use crate::remote::Remote;
use crate::terminal::{Colour, Ink, printable};

/// As many as fit beside a pattern on a line.
const BUCKETS_MAX: u64 = 24;

/// From none to as many as there are at most.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Prints the patterns; what there is to say of them goes to standard error.
pub(crate) fn run(settings: &Settings, arguments: &PatternsArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.scope.sources,
        "from": arguments.scope.from,
        "to": arguments.scope.to,
        "field": arguments.field,
        "limit": arguments.limit,
        "buckets": BUCKETS_MAX,
        "new_since": arguments.new_since,
    });
    let answer = remote.call(Method::POST, "/api/v1/patterns", Some(&body));
    let answer = answer.map_err(|failure| caret::point_out(failure, &arguments.query))?;
    if settings.json {
        return write_json(&answer);
    }
    write(&table(&answer, Colour::of(&stdout())))?;
    report(&answer["meta"], arguments, Colour::of(&stderr()));
    Ok(())
}

/// One pattern as it is shown.
struct Line {
    count: String,
    share: String,
    trend: String,
    level: String,
    is_new: bool,
    pattern: String,
}

fn table(answer: &Value, colour: Colour) -> String {
    let range_begins = answer["meta"]["range"]["from"].as_str().unwrap_or_default();
    let records = answer["data"].as_array().into_iter().flatten();
    let lines: Vec<Line> = records
        .map(|record| Line::of(&record["attributes"], range_begins))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let width = |cell: fn(&Line) -> &str, heading: &str| {
        let cells = lines.iter().map(|line| cell(line).chars().count());
        cells.chain([heading.chars().count()]).max().unwrap_or(0)
    };
    let (counts, trends) = (
        width(|line| &line.count, "COUNT"),
        width(|line| &line.trend, "TREND"),
    );
    let levels = width(|line| &line.level, "LEVEL");
    let mut out = format!(
        "{:>counts$}   {:>6}  {:trends$}  {:levels$}  PATTERN\n",
        "COUNT", "SHARE", "TREND", "LEVEL"
    );
    for line in &lines {
        let mark = if line.is_new { "*" } else { " " };
        out.push_str(&format!(
            "{:>counts$}{mark}  {:>6}  ",
            line.count, line.share
        ));
        colour.paint(&mut out, Ink::Cyan, &format!("{:trends$}", line.trend));
        out.push_str("  ");
        colour.paint(
            &mut out,
            ink_of(&line.level),
            &format!("{:levels$}", line.level),
        );
        out.push_str("  ");
        out.push_str(&line.pattern);
        out.push('\n');
    }
    out
}

impl Line {
    fn of(attributes: &Value, range_begins: &str) -> Line {
        let share = attributes["share"].as_f64().unwrap_or_default() * 100.0;
        let first_seen = attributes["first_seen_at"].as_str().unwrap_or_default();
        let pattern = attributes["pattern"].as_str().unwrap_or_default();
        Line {
            count: attributes["count"].to_string(),
            share: if share >= 0.1 || share == 0.0 {
                format!("{share:.1}%")
            } else {
                "<0.1%".to_owned()
            },
            trend: sparkline(&attributes["trend"]),
            level: level(&attributes["levels"]),
            // Both are written alike: without an offset, from the year on.
            is_new: !range_begins.is_empty() && first_seen >= range_begins,
            pattern: printable(pattern).into_owned(),
        }
    }
}

/// A bar for each bucket, of which the greatest is full; what is there at all is seen.
fn sparkline(trend: &Value) -> String {
    let counts = trend.as_array().into_iter().flatten();
    let counts: Vec<u64> = counts.map(|count| count.as_u64().unwrap_or(0)).collect();
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let heights = BARS.len() as u64 - 1;
    let bar = |count: &u64| {
        let height = count.saturating_mul(heights).div_ceil(most);
        let height = usize::try_from(height).ok();
        height.and_then(|height| BARS.get(height)).copied()
    };
    counts
        .iter()
        .map(|count| bar(count).unwrap_or(' '))
        .collect()
}

/// The commonest level, with a sign if there are others.
fn level(levels: &Value) -> String {
    let levels = levels.as_object();
    let mut levels: Vec<(&str, u64)> = levels
        .into_iter()
        .flatten()
        .map(|(name, count)| (name.as_str(), count.as_u64().unwrap_or(0)))
        .collect();
    levels.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match *levels {
        [] | [("none", _)] => "-".to_owned(),
        [(name, _)] => name.to_owned(),
        [(name, _), ..] => format!("{name}+"),
    }
}

fn ink_of(level: &str) -> Ink {
    match level.trim_end_matches('+') {
        "fatal" | "error" => Ink::Red,
        "warn" => Ink::Yellow,
        "info" => Ink::Green,
        _ => Ink::Dim,
    }
}

/// How many there are, and what the answer may lack.
fn report(meta: &Value, arguments: &PatternsArguments, colour: Colour) {
    let number = |name: &str| meta[name].as_u64().unwrap_or(0);
    let took_ms = meta["took_ms"].as_f64().unwrap_or_default();
    let mut text = format!(
        "{} patterns of {} events in {took_ms:.0} ms",
        number("patterns_total"),
        number("events"),
    );
    let shown = arguments.limit.unwrap_or(50);
    if number("patterns_total") > shown {
        text.push_str(&format!("; the commonest {shown} (--limit N shows more)"));
    }
    if let Some(length) = meta["bucket_length"].as_str() {
        text.push_str(&format!("; a bar is {length}"));
    }
    eprintln!("{}", colour.painted(Ink::Dim, &text));
    let left_out = [
        ("events_without_field", "events do not have the field"),
        (
            "events_other",
            "events say things of too many kinds to be told apart",
        ),
        (
            "patterns_forgotten",
            "patterns were forgotten, because there were too many; they may seem to be new",
        ),
    ];
    for (name, what) in left_out {
        if number(name) > 0 {
            eprintln!("{} {what}", number(name));
        }
    }
    if meta["complete"] == false {
        let reason = meta["incomplete_reason"]
            .as_str()
            .unwrap_or("no reason given");
        let warning = format!("INCOMPLETE: {}", printable(reason));
        eprintln!("{}", colour.painted(Ink::Yellow, &warning));
    }
    if stderr().is_terminal() && number("patterns_total") > 0 {
        eprintln!("--json has a query for the events of each, and an example");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trends_are_bars() {
        for (trend, expected) in [
            (json!([0, 1, 4, 8]), " ▁▄█"),
            (json!([0, 0]), "  "),
            (json!([1_000_000, 1]), "█▁"),
            (json!([]), ""),
        ] {
            assert_eq!(sparkline(&trend), expected);
        }
    }

    #[test]
    fn the_commonest_level_is_shown() {
        for (levels, expected) in [
            (json!({"info": 3}), "info"),
            (json!({"error": 5, "info": 3}), "error+"),
            (json!({"none": 3}), "-"),
            (json!({}), "-"),
        ] {
            assert_eq!(level(&levels), expected);
        }
    }

    #[test]
    fn a_pattern_that_is_new_in_the_range_is_marked() {
        let attributes = json!({
            "pattern": "took <num>ms", "count": 12, "share": 0.25, "trend": [1, 2],
            "levels": {"info": 12}, "first_seen_at": "2026-03-27T10:00:00.000Z",
        });
        let table_from = |from: Value| {
            let answer =
                json!({"data": [{"attributes": attributes}], "meta": {"range": {"from": from}}});
            table(&answer, Colour::Off)
        };
        let heading = "COUNT    SHARE  TREND  LEVEL  PATTERN\n";
        assert_eq!(
            table_from(json!("2026-03-27T09:00:00.000Z")),
            format!("{heading}   12*   25.0%  ▄█     info   took <num>ms\n")
        );
        assert_eq!(
            table_from(json!(null)),
            format!("{heading}   12    25.0%  ▄█     info   took <num>ms\n")
        );
    }
}
