//! `cordwood alerts members` and `retire`: who is expected to send, and who is no longer.

use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::checks::group;
use super::{path_to, plain};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{columns, write, write_json};
use crate::remote::Remote;

/// Lists the members of an alert's roster.
pub(super) fn members(settings: &Settings, name: &str) -> Result<(), Failure> {
    let answer = Remote::new(settings)?.get(&format!("{}/members", path_to(name)))?;
    if settings.json {
        return write_json(&answer);
    }
    let records = answer["data"].as_array().into_iter().flatten();
    let rows = records.map(|record| {
        let attributes = &record["attributes"];
        vec![
            group(&attributes["group"]),
            plain(&attributes["last_seen"]),
            plain(&attributes["first_seen"]),
            plain(&attributes["silent_since"]),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    match rows.is_empty() {
        true => write("Nobody is expected: nothing was heard of any member yet.\n"),
        false => write(&columns(
            &["MEMBER", "LAST SEEN", "FIRST SEEN", "SILENT SINCE"],
            &rows,
        )),
    }
}

/// Takes a member off the roster.
pub(super) fn retire(
    settings: &Settings,
    name: &str,
    member: &[(String, String)],
    reason: Option<&str>,
) -> Result<(), Failure> {
    let fields = member.iter();
    let fields: Map<String, Value> = fields
        .map(|(field, value)| (field.clone(), Value::from(value.as_str())))
        .collect();
    let body = json!({ "group": fields, "reason": reason });
    let path = format!("{}/retire", path_to(name));
    let answer = Remote::new(settings)?.call(Method::POST, &path, Some(&body))?;
    if settings.json {
        return write_json(&answer);
    }
    let attributes = &answer["data"]["attributes"];
    let member = group(&attributes["group"]);
    match attributes["resolved_incident_id"].as_str() {
        Some(incident) => write(&format!(
            "{member} is not expected any more, and incident {incident} is resolved.\n"
        )),
        None => write(&format!("{member} is not expected any more.\n")),
    }
}
