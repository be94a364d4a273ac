//! `cordwood alerts history`: what the checks of an alert saw at which something happened, or which failed.

use serde_json::Value;

use super::{path_to, plain};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{columns, write, write_json};
use crate::remote::{Remote, query_string};

/// Values of one check in a cell at most; the rest is counted.
const VALUES_SHOWN: usize = 3;

/// Shows the newest checks.
pub(super) fn history(
    settings: &Settings,
    name: &str,
    limit: u32,
    before: Option<u64>,
) -> Result<(), Failure> {
    let (limit, before) = (limit.to_string(), before.map(|before| before.to_string()));
    let parameters = [("limit", Some(&*limit)), ("before", before.as_deref())];
    let path = format!("{}/checks{}", path_to(name), query_string(&parameters));
    let answer = Remote::new(settings)?.get(&path)?;
    if settings.json {
        return write_json(&answer);
    }
    let checks: Vec<&Value> = answer["data"].as_array().into_iter().flatten().collect();
    let Some(last) = checks.last() else {
        return write("No check is kept: nothing has happened yet, and none has failed.\n");
    };
    let rows: Vec<Vec<String>> = checks.iter().map(|check| row(check)).collect();
    let headings = ["AT", "OUTCOME", "MS", "GROUPS", "VALUES", "HAPPENED"];
    write(&columns(&headings, &rows))?;
    let asked = plain(&last["attributes"]["asked"]);
    match answer["pagination"]["next"].is_null() {
        true => write(&format!("Asked: {asked}\n")),
        false => write(&format!(
            "Asked: {asked}\nThere are more: --before {}.\n",
            plain(&last["id"])
        )),
    }
}

fn row(check: &Value) -> Vec<String> {
    let attributes = &check["attributes"];
    let reason = plain(&attributes["reason"]);
    let outcome = plain(&attributes["outcome"]);
    vec![
        plain(&attributes["at"]),
        match reason.is_empty() {
            true => outcome,
            false => format!("{outcome}: {reason}"),
        },
        plain(&attributes["took_ms"]),
        plain(&attributes["group_count"]),
        values(attributes),
        happened(attributes),
    ]
}

/// `web-3=12, web-4=9, …`
fn values(attributes: &Value) -> String {
    let all = attributes["values"].as_array();
    let all: Vec<&Value> = all.into_iter().flatten().collect();
    let shown = all.iter().take(VALUES_SHOWN).map(|of| {
        let value = match of["value"].is_null() {
            true => "none".to_owned(),
            false => plain(&of["value"]),
        };
        match group(&of["group"]) {
            group if group.is_empty() => value,
            group => format!("{group}={value}"),
        }
    });
    let mut words: Vec<String> = shown.collect();
    if all.len() > VALUES_SHOWN {
        words.push("…".to_owned());
    }
    words.join(", ")
}

/// `opened web-3 (above 5)`
fn happened(attributes: &Value) -> String {
    let happened = attributes["happened"].as_array().into_iter().flatten();
    let words = happened.map(|happening| {
        let (kind, group) = (plain(&happening["type"]), group(&happening["group"]));
        match plain(&happening["limit"]) {
            limit if limit.is_empty() => format!("{kind} {group}"),
            limit => format!("{kind} {group} ({limit})"),
        }
    });
    let words: Vec<String> = words.map(|word| word.replace("  ", " ")).collect();
    words.join(", ").trim().to_owned()
}

/// The values of a group as a name: `web-3`, or nothing for the whole.
pub(super) fn group(group: &Value) -> String {
    let values = group.as_object().into_iter().flatten();
    let values = values.map(|(_, value)| match value.is_null() {
        true => "(none)".to_owned(),
        false => plain(value),
    });
    values.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_check_is_a_line() {
        let check = json!({ "attributes": {
            "at": "2026-03-27T10:00:00.000Z", "outcome": "seen", "reason": null, "took_ms": 1.5, "group_count": 4,
            "values": [
                { "group": { "host": "web-3" }, "value": 12.0 },
                { "group": { "host": null }, "value": null },
                { "group": { "host": "web-4" }, "value": "up" },
                { "group": { "host": "web-5" }, "value": 1.0 },
            ],
            "happened": [{ "type": "opened", "group": { "host": "web-3" }, "limit": "above 5" },
                { "type": "recovered", "group": {}, "limit": null }],
        }});
        let expected = [
            "2026-03-27T10:00:00.000Z",
            "seen",
            "1.5",
            "4",
            "web-3=12.0, (none)=none, web-4=up, …",
            "opened web-3 (above 5), recovered",
        ];
        assert_eq!(row(&check), expected);
    }
}
