//! `cordwood alerts`: rules that the server checks, and what they would have done.

mod checks;
mod members;
mod templates;

use std::fs;

use clap::ValueEnum as _;
use serde_json::{Map, Value, json};
use ureq::http::Method;

use crate::args::{AlertsVerb, RuleArguments};
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::output::{cell, columns, write, write_json};
use crate::remote::{Remote, path_segment};
use crate::terminal::printable;
use crate::token::client_of;

const PATH: &str = "/api/v1/alerts";

/// Does what was asked.
pub(crate) fn run(settings: &Settings, verb: AlertsVerb) -> Result<(), Failure> {
    match verb {
        AlertsVerb::List => list(settings),
        AlertsVerb::Show { name } => {
            let answer = Remote::new(settings)?.get(&path_to(&name))?;
            show(settings, &answer, "ALERT")
        }
        AlertsVerb::Add {
            name,
            rule,
            sources,
            channels,
            description,
            client,
        } => {
            let mut body = new_body_of(&rule)?;
            let client = client_of(&Remote::new(settings)?, client.as_deref())?;
            let mut put = |member: &str, value: Value| drop(body.insert(member.to_owned(), value));
            put("name", json!(name));
            put("source_id", json!(sources));
            put("channels", json!(channels));
            put("description", json!(description));
            put("client_id", json!(client));
            add(settings, &Value::Object(body))
        }
        AlertsVerb::BackTest {
            name,
            rule,
            sources,
            days,
            client,
        } => {
            let mut body = match name {
                Some(_) => body_of(&rule)?,
                None => new_body_of(&rule)?,
            };
            let client = client_of(&Remote::new(settings)?, client.as_deref())?;
            body.insert("client_id".to_owned(), json!(client));
            body.insert("days".to_owned(), json!(days));
            body.insert("alert".to_owned(), json!(name));
            if !sources.is_empty() {
                body.insert("source_id".to_owned(), json!(sources));
            }
            back_test(settings, &Value::Object(body))
        }
        AlertsVerb::History {
            name,
            limit,
            before,
        } => checks::history(settings, &name, limit, before),
        AlertsVerb::Templates(verb) => templates::run(settings, verb),
        AlertsVerb::Members { name } => members::members(settings, &name),
        AlertsVerb::Retire {
            name,
            member,
            reason,
        } => members::retire(settings, &name, &member, reason.as_deref()),
        AlertsVerb::Pause { name } => pause(settings, &name, true),
        AlertsVerb::Resume { name } => pause(settings, &name, false),
        AlertsVerb::Remove { name } => {
            let remote = Remote::new(settings)?;
            remote.call(Method::DELETE, &path_to(&name), None)?;
            match settings.json {
                true => Ok(()),
                false => write(&format!("Deleted {name}. Its incidents stay.\n")),
            }
        }
    }
}

fn path_to(name: &str) -> String {
    format!("{PATH}/{}", path_segment(name))
}

fn list(settings: &Settings) -> Result<(), Failure> {
    let answer = Remote::new(settings)?.get(PATH)?;
    if settings.json {
        return write_json(&answer);
    }
    let records = answer["data"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = records
        .map(|record| {
            let status = &record["attributes"]["status"];
            let text = |value: &Value| printable(value.as_str().unwrap_or_default()).into_owned();
            vec![
                text(&record["id"]),
                printable(&cell(record, "name")).into_owned(),
                text(&status["state"]),
                status["firing_count"].to_string(),
                text(&status["checked_at"]),
                printable(&cell(record, "query")).into_owned(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return write("There are no alerts. `cordwood alerts add --help` has examples.\n");
    }
    let headings = ["ID", "NAME", "STATE", "FIRING", "CHECKED", "QUERY"];
    write(&columns(&headings, &rows))
}

fn show(settings: &Settings, answer: &Value, heading: &str) -> Result<(), Failure> {
    if settings.json {
        return write_json(answer);
    }
    let attributes = &answer["data"]["attributes"];
    let mut rows = vec![vec!["id".to_owned(), plain(&answer["data"]["id"])]];
    let members = attributes.as_object().into_iter().flatten();
    for (name, value) in members.filter(|(name, _)| *name != "status") {
        if !value.is_null() && *value != json!([]) && *value != json!("") {
            rows.push(vec![name.clone(), plain(value)]);
        }
    }
    let status = attributes["status"].as_object().into_iter().flatten();
    for (name, value) in status.filter(|(name, _)| *name != "firing") {
        if !value.is_null() {
            rows.push(vec![name.replace('_', " "), plain(value)]);
        }
    }
    write(&columns(&[heading, ""], &rows))?;
    let firing = attributes["status"]["firing"].as_array();
    let firing: Vec<Vec<String>> = firing
        .into_iter()
        .flatten()
        .map(|firing| {
            vec![
                plain(&firing["group"]),
                plain(&firing["since"]),
                plain(&firing["value"]),
            ]
        })
        .collect();
    match firing.is_empty() {
        true => Ok(()),
        false => write(&format!(
            "\n{}",
            columns(&["FIRING", "SINCE", "VALUE"], &firing)
        )),
    }
}

/// A value for people: texts without quotes, the rest as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text).into_owned(),
        value => printable(&value.to_string()).into_owned(),
    }
}

fn add(settings: &Settings, body: &Value) -> Result<(), Failure> {
    let answer = Remote::new(settings)?.call(Method::POST, PATH, Some(body))?;
    if settings.json {
        return write_json(&answer);
    }
    let id = plain(&answer["data"]["id"]);
    write(&format!(
        "Alert {id} is checked from now on. `cordwood alerts show {id}` says how it stands, `cordwood alerts back-test {id}` \
         when it would have fired.\n"
    ))
}

fn pause(settings: &Settings, name: &str, is_paused: bool) -> Result<(), Failure> {
    let body = json!({ "paused": is_paused });
    let answer = Remote::new(settings)?.call(Method::PATCH, &path_to(name), Some(&body))?;
    match (settings.json, is_paused) {
        (true, _) => write_json(&answer),
        (false, true) => write(&format!("{name} is not checked until it is resumed.\n")),
        (false, false) => write(&format!("{name} is checked again.\n")),
    }
}

fn back_test(settings: &Settings, body: &Value) -> Result<(), Failure> {
    let path = format!("{PATH}/back-test");
    let answer = Remote::new(settings)?.call(Method::POST, &path, Some(body))?;
    if settings.json {
        return write_json(&answer);
    }
    let attributes = &answer["data"]["attributes"];
    let episodes = attributes["episodes"].as_array();
    let rows: Vec<Vec<String>> = episodes
        .into_iter()
        .flatten()
        .map(|episode| {
            let minutes = episode["firing_s"].as_f64().unwrap_or_default() / 60.0;
            vec![
                plain(&episode["opened_at"]),
                match episode["recovered_at"].is_null() {
                    true => "still firing".to_owned(),
                    false => plain(&episode["recovered_at"]),
                },
                format!("{minutes:.0}"),
                plain(&episode["peak"]),
                plain(&episode["limit"]),
                match episode["group"] == json!({}) {
                    true => String::new(),
                    false => plain(&episode["group"]),
                },
            ]
        })
        .collect();
    if !rows.is_empty() {
        let headings = ["FIRED", "RECOVERED", "MINUTES", "PEAK", "LIMIT", "GROUP"];
        write(&columns(&headings, &rows))?;
    }
    let (from, to) = (plain(&attributes["from"]), plain(&attributes["to"]));
    write(&format!(
        "It would have fired {} times between {from} and {to}: {} notices to each channel, {} checks.\n",
        rows.len() as u64 + attributes["episodes_left_out"].as_u64().unwrap_or_default(),
        attributes["notices"],
        attributes["checks"],
    ))?;
    match attributes["incomplete_reason"].as_str() {
        Some(reason) => write(&format!("Not all of it: {}.\n", printable(reason))),
        None => Ok(()),
    }
}

/// The members of a rule that a file and options say.
fn body_of(arguments: &RuleArguments) -> Result<Map<String, Value>, Failure> {
    let mut body = match &arguments.file {
        None => Map::new(),
        Some(file) => {
            let reading =
                |error: &dyn std::error::Error| cannot(format!("read {}", file.display()), error);
            let text = fs::read_to_string(file).map_err(|error| reading(&error))?;
            serde_json::from_str(&text).map_err(|error| reading(&error))?
        }
    };
    let mut put = |member: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            body.insert(member.to_owned(), value);
        }
    };
    put("query", json!(arguments.query));
    put("measure", json!(arguments.measure));
    put("group_by", json!(arguments.by));
    put("condition", condition_of(arguments));
    let severity = arguments
        .severity
        .and_then(|severity| severity.to_possible_value());
    put(
        "severity",
        json!(severity.map(|severity| severity.get_name().to_owned())),
    );
    let durations = [
        ("window_s", &arguments.window),
        ("check_every_s", &arguments.every),
        ("confirmation_s", &arguments.confirm),
        ("recovery_s", &arguments.recover),
    ];
    for (member, duration) in durations {
        let seconds = duration.as_deref().map(seconds_of).transpose()?;
        put(member, json!(seconds));
    }
    Ok(body)
}

/// The same of a rule that is not there yet: about all events unless it says otherwise.
fn new_body_of(arguments: &RuleArguments) -> Result<Map<String, Value>, Failure> {
    let mut body = body_of(arguments)?;
    if body.contains_key("condition") {
        body.entry("query").or_insert_with(|| json!("*"));
    }
    Ok(body)
}

fn condition_of(arguments: &RuleArguments) -> Value {
    let threshold = |operator: &str, value: f64| json!({ "type": "threshold", "operator": operator, "value": value });
    match arguments {
        RuleArguments {
            above: Some(value), ..
        } => threshold("higher_than", *value),
        RuleArguments {
            below: Some(value), ..
        } => threshold("lower_than", *value),
        RuleArguments { any: true, .. } => json!({ "type": "matches" }),
        RuleArguments { absent: true, .. } => json!({ "type": "absence" }),
        RuleArguments {
            absent_members: true,
            ..
        } => json!({ "type": "absence", "of": "members" }),
        RuleArguments {
            new_pattern: true, ..
        } => json!({ "type": "new_pattern" }),
        RuleArguments { anomaly: true, .. } => json!({ "type": "anomaly" }),
        _ => Value::Null,
    }
}

/// `90s`, `5m`, `2h`, `1d`, or a number of seconds.
fn seconds_of(text: &str) -> Result<u64, Failure> {
    let text = text.trim();
    let (digits, factor) = match text.chars().last() {
        Some('s') => (text.strip_suffix('s'), 1),
        Some('m') => (text.strip_suffix('m'), 60),
        Some('h') => (text.strip_suffix('h'), 3_600),
        Some('d') => (text.strip_suffix('d'), 86_400),
        _ => (Some(text), 1),
    };
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    number
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| {
            Failure::new(format!("`{text}` is no duration"))
                .hint("Write a number and its unit, such as 90s, 5m or 2h.")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, expected) in [
            ("90", 90),
            ("90s", 90),
            ("5m", 300),
            (" 2h ", 7_200),
            ("1d", 86_400),
        ] {
            assert_eq!(seconds_of(text).ok(), Some(expected), "{text}");
        }
        for text in ["", "m", "5 m", "-1s", "5w"] {
            assert!(seconds_of(text).is_err(), "{text}");
        }
    }
}
