//! A query's plan in columns: what each step of pruning leaves, how each clause is decided, and what the rest would cost.

use std::fmt::Write;

use serde_json::Value;

use crate::output::{columns, size};
use crate::query::account::plural;
use crate::terminal::printable;

/// The answer of the server, for people.
pub(crate) fn text(answer: &Value) -> String {
    let (plan, meta) = (&answer["data"], &answer["meta"]);
    let mut out = format!("query: {}\n", printable(&word(&meta["query"])));
    let ends = [&meta["range"]["from"], &meta["range"]["to"]].map(word);
    let _ = writeln!(
        out,
        "range: {} to {}",
        printable(&ends[0]),
        printable(&ends[1])
    );
    out.push('\n');
    out.push_str(&pruning(plan));
    let tables = [clauses(&plan["clauses"]), stages(&plan["stages"])];
    for table in tables.into_iter().flatten() {
        out.push('\n');
        out.push_str(&table);
    }
    out.push('\n');
    out.push_str(&cost(plan));
    if let Some(reason) = meta["incomplete_reason"].as_str() {
        let _ = writeln!(out, "INCOMPLETE: {}", printable(reason));
    }
    out
}

/// What there is, what each step that ruled something out leaves, and how the rest is answered.
fn pruning(plan: &Value) -> String {
    let steps = list(&plan["pruning"]);
    let mut rows: Vec<Vec<String>> = Vec::new();
    if let Some(first) = steps.first() {
        rows.push(scope("all sources asked for", &first["before"]));
    }
    for step in steps {
        if step["before"]["blocks"] != step["after"]["blocks"] {
            let name = format!("after {}", word(&step["step"]).replace('_', " "));
            rows.push(scope(&name, &step["after"]));
        }
    }
    let left = &plan["left"];
    for (title, name) in [
        ("counted from directories", "counted"),
        ("counted from templates", "by_templates"),
        ("to be read", "read"),
    ] {
        if name == "read" || number(&left[name]["blocks"]) > 0 {
            rows.push(scope(title, &left[name]));
        }
    }
    if number(&left["open_rows"]) > 0 {
        let rows_open = number(&left["open_rows"]).to_string();
        let title = "in memory, one by one".to_owned();
        rows.push(vec![title, "-".into(), "-".into(), rows_open, "-".into()]);
    }
    columns(&["PRUNING", "SEGMENTS", "BLOCKS", "EVENTS", "BYTES"], &rows)
}

fn scope(title: &str, scope: &Value) -> Vec<String> {
    let counts = ["segments", "blocks", "rows"].map(|name| number(&scope[name]).to_string());
    let mut row = vec![title.to_owned()];
    row.extend(counts);
    row.push(size(number(&scope["bytes"])));
    row
}

/// In how many blocks each clause is decided by what; nothing when there is none.
fn clauses(clauses: &Value) -> Option<String> {
    const COUNTS: [&str; 5] = [
        "without_words",
        "with_none",
        "with_all",
        "by_templates",
        "open",
    ];
    let rows: Vec<Vec<String>> = list(clauses)
        .iter()
        .map(|clause| {
            let mut row = vec![word(&clause["clause"])];
            row.extend(COUNTS.map(|name| number(&clause["blocks"][name]).to_string()));
            row.push(size(number(&clause["bytes"])));
            row
        })
        .collect();
    let headings = [
        "CLAUSE: BLOCKS",
        "NO WORD",
        "NONE",
        "ALL",
        "TEMPLATES",
        "OPEN",
        "BYTES",
    ];
    (!rows.is_empty()).then(|| columns(&headings, &rows))
}

fn stages(stages: &Value) -> Option<String> {
    let row = |stage: &Value| {
        vec![
            word(&stage["stage"]),
            word(&stage["runs"]).replace('_', " "),
        ]
    };
    let rows: Vec<Vec<String>> = list(stages).iter().map(row).collect();
    (!rows.is_empty()).then(|| columns(&["STAGE", "RUNS"], &rows))
}

fn cost(plan: &Value) -> String {
    let (matches, estimate) = (&plan["matches"], &plan["estimate"]);
    let [least, most] = ["at_least", "at_most"].map(|end| number(&matches[end]));
    let mut out = match least == most {
        true => format!("matches: {least}\n"),
        false => format!(
            "matches: {least} to {most}, about {}\n",
            number(&estimate["matches"])
        ),
    };
    if plan["from_metadata"] == true {
        out.push_str("cost: answered from metadata, nothing is read\n");
        return out;
    }
    let [blocks, rows] = ["blocks", "rows"].map(|name| number(&estimate[name]));
    let _ = writeln!(
        out,
        "cost: about {blocks} {}, {rows} {} and {} read, {:.1} ms of one thread{}",
        plural(blocks, "block"),
        plural(rows, "event"),
        size(number(&estimate["bytes"])),
        estimate["cpu_ms"].as_f64().unwrap_or_default(),
        match plan["stops_early"] == true {
            true => "; it stops as soon as it has enough",
            false => "",
        },
    );
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_in_columns() {
        let scope = |blocks: u64| json!({"segments": 1, "blocks": blocks, "rows": blocks * 10, "bytes": blocks * 2048});
        let answer = json!({
            "data": {
                "pruning": [
                    {"step": "time", "before": scope(4), "after": scope(4)},
                    {"step": "token_map", "before": scope(4), "after": scope(1)},
                ],
                "clauses": [{
                    "clause": "message:a", "bytes": 1536,
                    "blocks": {"without_words": 3, "with_none": 0, "with_all": 0, "by_templates": 0, "open": 1},
                }],
                "stages": [{"stage": "stats count()", "runs": "in_each_block"}],
                "left": {"counted": scope(0), "by_templates": scope(0), "read": scope(1), "open_rows": 7},
                "from_metadata": false, "stops_early": true,
                "matches": {"at_least": 0, "at_most": 17},
                "estimate": {"matches": 2, "blocks": 1, "rows": 17, "bytes": 1024, "cpu_ms": 0.3},
            },
            "meta": {
                "query": "message:a | stats count()", "incomplete_reason": null,
                "range": {"from": "2026-03-27T10:00:00.000Z", "to": null},
            },
        });
        let expected = "\
query: message:a | stats count()
range: 2026-03-27T10:00:00.000Z to -

PRUNING                SEGMENTS  BLOCKS  EVENTS  BYTES
all sources asked for  1         4       40      8.0 KiB
after token map        1         1       10      2.0 KiB
to be read             1         1       10      2.0 KiB
in memory, one by one  -         -       7       -

CLAUSE: BLOCKS  NO WORD  NONE  ALL  TEMPLATES  OPEN  BYTES
message:a       3        0     0    0          1     1.5 KiB

STAGE          RUNS
stats count()  in each block

matches: 0 to 17, about 2
cost: about 1 block, 17 events and 1.0 KiB read, 0.3 ms of one thread; it stops as soon as it has enough
";
        assert_eq!(text(&answer), expected);
    }
}
