//! `logs_stats`: count, and compute over events.

use cordwood_service::Access;
use serde_json::{Value, json};

use super::events;
use crate::failure::Failure;
use crate::mcp::answer::Answer;
use crate::mcp::schema::{arguments, list, number, text, with_scope};
use crate::mcp::tool::{Call, Tool};
use crate::rest::query_request::read_search;

pub(crate) const TOOL: Tool = Tool {
    name: "logs_stats",
    title: "Compute over logs",
    description: "Count and compute over the events that match. Stages: `stats count() by service | sort by count() desc | limit 10`, \
                  `stats count(), p95(duration_ms) as p95 by service | where p95 > 800`, `timechart 5m count() by level`, `top 10 path`. \
                  Functions: count, count_distinct, sum, avg, min, max, median, p50…p99.9, first, last, rate; each may carry \
                  `if (filter)`.",
    access: Access::Read,
    input,
    output: list,
    answer: |call| Box::pin(answer(call)),
};

fn input(_: Access) -> Value {
    let properties = with_scope(json!({
        "query": text("Filter, as in betterstack_query_logs; all events if left out"),
        "stages": text("Stages, with | between them"),
        "limit": number("Rows at most (default 100)"),
    }));
    arguments(properties, &["stages"])
}

/// Rows unless asked otherwise: more do not fit.
const ROWS_DEFAULT: usize = 100;

async fn answer(mut call: Call) -> Result<Answer, Failure> {
    let stages = call.require_text("stages")?;
    let query = call.take_text("query").unwrap_or_default();
    let parameters = call.parameters()?.renamed("limit", "batch_size");
    let mut request = read_search(&parameters)?;
    request.query = joined(&query, &stages);
    request.batch_size = request.batch_size.or(Some(ROWS_DEFAULT));
    let found = call.search(request).await?;
    let answer = events::found(found, call.budget);
    match counts_nothing(answer.data()) {
        true => events::with_reasons(answer, &call, &query).await,
        false => Ok(answer),
    }
}

/// Whether the table is the one row that is there even when no event matches: it counts zero, and of nothing there is no average.
fn counts_nothing(table: &Value) -> bool {
    let is_nothing = |cell: &Value| cell.is_null() || cell.as_f64() == Some(0.0);
    match table.as_array().map(Vec::as_slice) {
        Some([Value::Object(row)]) => row.values().all(is_nothing),
        _ => false,
    }
}

/// The query of a filter and stages, which may begin with the bar between them.
pub(crate) fn joined(filter: &str, stages: &str) -> String {
    let stages = stages.trim().trim_start_matches('|').trim_start();
    let filter = match filter.trim() {
        "" => "*",
        filter => filter,
    };
    format!("{filter} | {stages}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_nothing_is_told_from_others() {
        let cases = [
            (json!([{"count()": 0, "avg(took)": null}]), true),
            (json!([{"count()": 0.0}]), true),
            (json!([{"count()": 1}]), false),
            (json!([{"service": "api", "count()": 0}]), false),
            (json!([{"count()": 0}, {"count()": 0}]), false),
            (json!([]), false),
        ];
        for (table, expected) in cases {
            assert_eq!(counts_nothing(&table), expected, "{table}");
        }
    }

    #[test]
    fn filters_and_stages_are_joined() {
        let cases = [
            (
                "level:error",
                "stats count()",
                "level:error | stats count()",
            ),
            (" ", "| top 5 path", "* | top 5 path"),
        ];
        for (filter, stages, expected) in cases {
            assert_eq!(joined(filter, stages), expected);
        }
    }
}
