//! The account of an answer as agents get it: whether it is complete, what was scanned, over which range, and what to ask next.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The `meta` of an answer, out of that of the REST API. What tells of blocks is left out: it explains costs, not answers.
pub(crate) fn account(meta: &impl Serialize) -> Map<String, Value> {
    let Ok(Value::Object(mut meta)) = serde_json::to_value(meta) else {
        return Map::new();
    };
    let mut told = Map::new();
    let scanned = json!({
        "events": meta.remove("rows_scanned"),
        "bytes": meta.remove("bytes_scanned"),
        "ms": meta.remove("took_ms"),
    });
    told.insert("scanned".to_owned(), scanned);
    leave_out_blocks(&mut meta);
    // Of an answer over two windows each has its own.
    meta.values_mut()
        .filter_map(Value::as_object_mut)
        .for_each(leave_out_blocks);
    meta.retain(|name, _| name != "counts" && name != "sources");
    // What is null or empty says nothing; the four that are always told stay.
    meta.retain(|name, value| is_always_told(name) || !is_nothing(value));
    told.extend(meta);
    told.entry("range").or_insert(Value::Null);
    told
}

fn leave_out_blocks(members: &mut Map<String, Value>) {
    members.retain(|name, _| !name.starts_with("blocks_"));
}

/// The same of an answer made of records, for which nothing was scanned.
pub(crate) fn of_records(records: usize) -> Map<String, Value> {
    let mut told = Map::new();
    told.insert("complete".to_owned(), true.into());
    told.insert("scanned".to_owned(), json!({ "records": records }));
    told.insert("range".to_owned(), Value::Null);
    told
}

fn is_always_told(name: &str) -> bool {
    matches!(name, "complete" | "range")
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_what_an_answer_rests_on() {
        let meta = json!({
            "complete": false, "incomplete_reason": "time", "query": "a", "range": {"from": null, "to": null},
            "rows_scanned": 5, "bytes_scanned": 70, "took_ms": 1.5, "blocks_total": 3, "blocks_pruned_by": {"time": 1},
            "hints": [], "sources": ["1"], "baseline": {"events": 7, "blocks_total": 3},
        });
        let expected = json!({
            "complete": false, "incomplete_reason": "time", "query": "a", "range": {"from": null, "to": null},
            "scanned": {"events": 5, "bytes": 70, "ms": 1.5}, "baseline": {"events": 7},
        });
        assert_eq!(Value::Object(account(&meta)), expected);
    }
}
