//! `cordwood audit`: which tools agents called, and what came of it.

use crate::args::AuditArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::remote::{Remote, query_string};
use crate::terminal::printable;

/// Characters of the arguments that are shown; `--json` has what is kept of them.
const ARGUMENTS_SHOWN: usize = 80;

/// Lists calls, the newest first.
pub(crate) fn run(settings: &Settings, arguments: &AuditArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let limit = arguments.limit.map(|limit| limit.to_string());
    let before = arguments.before.map(|before| before.to_string());
    let parameters = query_string(&[("limit", limit.as_deref()), ("before", before.as_deref())]);
    let answer = remote.get(&format!("/api/v1/audit{parameters}"))?;
    if settings.json {
        return write_json(&answer);
    }
    let calls = answer["data"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = calls
        .map(|call| {
            let arguments: String = cell(call, "arguments")
                .chars()
                .take(ARGUMENTS_SHOWN)
                .collect();
            vec![
                call["id"].as_str().unwrap_or_default().into(),
                cell(call, "at"),
                printable(&cell(call, "token_name")).into(),
                cell(call, "tool"),
                cell(call, "outcome"),
                cell(call, "took_ms"),
                printable(&arguments).into(),
            ]
        })
        .collect();
    let headings = ["ID", "AT", "TOKEN", "TOOL", "OUTCOME", "MS", "ARGUMENTS"];
    write(&columns(&headings, &rows))
}
