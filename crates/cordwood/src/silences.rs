//! `cordwood silences`: what holds back the notices of incidents.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{AddSilenceArguments, SilencesVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::remote::{Remote, path_segment, query_string};
use crate::token::client_of;

const PATH: &str = "/api/v1/silences";

/// Does what was asked.
pub(crate) fn run(settings: &Settings, verb: SilencesVerb) -> Result<(), Failure> {
    match verb {
        SilencesVerb::List { state } => list(settings, state.as_deref()),
        SilencesVerb::Add(arguments) => add(settings, &arguments),
        SilencesVerb::End { id } => {
            let path = format!("{PATH}/{}/end", path_segment(&id));
            let answer = Remote::new(settings)?.call(Method::POST, &path, Some(&json!({})))?;
            match settings.json {
                true => write_json(&answer),
                false => write(&format!("Ended silence {id}.\n")),
            }
        }
    }
}

fn list(settings: &Settings, state: Option<&str>) -> Result<(), Failure> {
    let path = format!("{PATH}{}", query_string(&[("state", state)]));
    let answer = Remote::new(settings)?.get(&path)?;
    if settings.json {
        return write_json(&answer);
    }
    let records = answer["data"].as_array().into_iter().flatten();
    let rows = records.map(|record| {
        let id = record["id"].as_str().unwrap_or_default().to_owned();
        vec![
            id,
            cell(record, "state"),
            cell(record, "ends_at"),
            matchers_of(record),
            hours_of(record),
            cell(record, "author"),
            cell(record, "comment"),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let headings = ["ID", "STATE", "ENDS", "OF", "WEEKLY", "AUTHOR", "COMMENT"];
    write(&columns(&headings, &rows))
}

/// `team=db host=web-*`
fn matchers_of(record: &Value) -> String {
    let matchers = record["attributes"]["matchers"].as_array();
    let words = matchers.into_iter().flatten().map(|matcher| {
        let name = ["name", "field", "on"]
            .into_iter()
            .find_map(|member| matcher[member].as_str());
        let value = match &matcher["is"] {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        format!("{}={value}", name.unwrap_or_default())
    });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => "everything".to_owned(),
        false => words.join(" "),
    }
}

/// `mon,tue 22:00-06:00 Europe/Berlin`
fn hours_of(record: &Value) -> String {
    let weekly = &record["attributes"]["weekly"];
    let text = |name: &str| weekly[name].as_str().unwrap_or_default();
    let days = weekly["days"].as_array().into_iter().flatten();
    let days: Vec<&str> = days.filter_map(Value::as_str).collect();
    match weekly.is_null() {
        true => "-".to_owned(),
        false => format!(
            "{} {}-{} {}",
            days.join(","),
            text("from"),
            text("to"),
            text("time_zone")
        ),
    }
}

fn add(settings: &Settings, arguments: &AddSilenceArguments) -> Result<(), Failure> {
    let labels = arguments.labels.iter();
    let labels = labels.map(|(name, is)| json!({ "on": "label", "name": name, "is": is }));
    let groups = arguments.groups.iter();
    let groups = groups.map(|(field, is)| json!({ "on": "group", "field": field, "is": is }));
    let rule = arguments.rule.iter();
    let rule = rule.map(|rule| json!({ "on": "rule", "is": rule }));
    let matchers: Vec<Value> = labels.chain(groups).chain(rule).collect();
    if matchers.is_empty() && !arguments.everything {
        return Err(Failure::new("This would mute everything.").hint(
            "Say what to mute with --label, --group or --rule, or that it is meant with --everything.",
        ));
    }
    let lasting = arguments.lasting;
    let lasting = lasting.map(|lasting| format!("now+{}s", lasting.as_secs()));
    let weekly = arguments.weekly.as_ref().map(|weekly| {
        json!({
            "days": weekly.days,
            "from": weekly.from,
            "to": weekly.to,
            "time_zone": weekly.time_zone,
        })
    });
    let remote = Remote::new(settings)?;
    let body = json!({
        "matchers": matchers,
        "starts_at": arguments.from,
        "ends_at": arguments.until.clone().or(lasting),
        "weekly": weekly,
        "lets_pass": arguments.lets_pass,
        "comment": arguments.comment,
        "client_id": client_of(&remote, arguments.client.as_deref())?,
        "all_clients": arguments.all_clients.then_some(true),
    });
    let answer = remote.call(Method::POST, PATH, Some(&body))?;
    if settings.json {
        return write_json(&answer);
    }
    let record = &answer["data"];
    let id = record["id"].as_str().unwrap_or_default();
    write(&format!(
        "Silence {id} is {}. `cordwood silences end {id}` ends it.\n",
        cell(record, "state")
    ))
}
