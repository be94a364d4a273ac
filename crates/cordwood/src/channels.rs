//! `cordwood channels`: where notices go, whether they arrive, and what became of them.

mod body;
mod secret;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{AddVerb, ChannelsVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::remote::{Remote, path_segment};

const PATH: &str = "/api/v1/channels";

/// Does what was asked.
pub(crate) fn run(settings: &Settings, verb: ChannelsVerb) -> Result<(), Failure> {
    match verb {
        ChannelsVerb::List => list(settings),
        ChannelsVerb::Show { channel } => show(settings, &channel),
        ChannelsVerb::Add(verb) => add(settings, *verb),
        ChannelsVerb::Test { channel } => test(settings, &channel),
        ChannelsVerb::Deliveries { channel, limit } => deliveries(settings, &channel, limit),
        ChannelsVerb::Pause { channel } => {
            change(settings, &channel, &json!({"paused": true}), "Paused")
        }
        ChannelsVerb::Resume { channel } => {
            change(settings, &channel, &json!({"paused": false}), "Resumed")
        }
        ChannelsVerb::Remove { channel } => {
            let remote = Remote::new(settings)?;
            remote.call(Method::DELETE, &path_to(&channel), None)?;
            match settings.json {
                true => Ok(()),
                false => write(&format!("Removed {channel}.\n")),
            }
        }
    }
}

fn path_to(channel: &str) -> String {
    format!("{PATH}/{}", path_segment(channel))
}

fn id_of(record: &Value) -> String {
    record["id"].as_str().unwrap_or_default().to_owned()
}

fn list(settings: &Settings) -> Result<(), Failure> {
    let answer = Remote::new(settings)?.get(PATH)?;
    if settings.json {
        return write_json(&answer);
    }
    let records = answer["data"].as_array().into_iter().flatten();
    let rows = records.map(|record| {
        let health = &record["attributes"]["health"];
        let told = |name: &str| health[name].as_str().unwrap_or("-").to_owned();
        let waiting = health["waiting"]
            .as_u64()
            .map_or("-".to_owned(), |count| count.to_string());
        let mut row = vec![id_of(record)];
        row.extend(["name", "kind", "default", "paused"].map(|attribute| cell(record, attribute)));
        row.extend([told("last_delivered_at"), told("last_failed_at"), waiting]);
        row
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let headings = [
        "ID",
        "NAME",
        "KIND",
        "DEFAULT",
        "PAUSED",
        "DELIVERED",
        "FAILED",
        "WAITING",
    ];
    write(&columns(&headings, &rows))
}

fn show(settings: &Settings, channel: &str) -> Result<(), Failure> {
    let answer = Remote::new(settings)?.get(&path_to(channel))?;
    if settings.json {
        return write_json(&answer);
    }
    let record = &answer["data"];
    let attributes = &record["attributes"];
    let mut rows = vec![vec!["id".to_owned(), id_of(record)]];
    for attribute in [
        "name",
        "kind",
        "default",
        "paused",
        "per_minute",
        "client_id",
    ] {
        rows.push(vec![attribute.to_owned(), cell(record, attribute)]);
    }
    for part in ["settings", "health"] {
        for (name, value) in attributes[part].as_object().into_iter().flatten() {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            rows.push(vec![name.clone(), text]);
        }
    }
    for secret in attributes["secrets_set"].as_array().into_iter().flatten() {
        let name = secret.as_str().unwrap_or_default().to_owned();
        rows.push(vec![name, "(set, not shown)".to_owned()]);
    }
    write(&columns(&["CHANNEL", ""], &rows))
}

fn add(settings: &Settings, verb: AddVerb) -> Result<(), Failure> {
    let body = body::of(verb)?;
    let answer = Remote::new(settings)?.call(Method::POST, PATH, Some(&body))?;
    if settings.json {
        return write_json(&answer);
    }
    let name = body["name"].as_str().unwrap_or_default();
    write(&format!(
        "Made. `cordwood channels test {name:?}` tries it.\n"
    ))
}

/// A notice that does not arrive is a failure of the command: scripts set up channels.
fn test(settings: &Settings, channel: &str) -> Result<(), Failure> {
    let path = format!("{}/test", path_to(channel));
    let answer = Remote::new(settings)?.call(Method::POST, &path, None)?;
    let attributes = &answer["data"]["attributes"];
    let response = attributes["response"].as_str().unwrap_or_default();
    let status = attributes["status"].as_u64();
    let status = status.map_or("no answer".to_owned(), |status| format!("answer {status}"));
    if attributes["delivered"] != true {
        let failure = Failure::new(format!("The notice did not arrive at {channel} ({status})"));
        return Err(failure.detail(response.to_owned()).body(answer.clone()));
    }
    if settings.json {
        return write_json(&answer);
    }
    write(&format!("Delivered ({status}): {response}\n"))
}

fn deliveries(settings: &Settings, channel: &str, limit: u32) -> Result<(), Failure> {
    let path = format!("{}/deliveries?limit={limit}", path_to(channel));
    let answer = Remote::new(settings)?.get(&path)?;
    if settings.json {
        return write_json(&answer);
    }
    let records = answer["data"].as_array().into_iter().flatten();
    let rows = records.map(|record| {
        let attempts = record["attributes"]["attempts"].as_array();
        let last = attempts.and_then(|attempts| attempts.last());
        let response = last
            .and_then(|last| last["response"].as_str())
            .unwrap_or("-");
        let status = last.and_then(|last| last["status"].as_u64());
        let mut row = vec![id_of(record)];
        row.extend(
            ["created_at", "kind", "title", "state"].map(|attribute| cell(record, attribute)),
        );
        row.push(attempts.map_or(0, Vec::len).to_string());
        row.push(status.map_or("-".to_owned(), |status| status.to_string()));
        row.push(response.to_owned());
        row
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let headings = [
        "ID", "WRITTEN", "KIND", "TITLE", "STATE", "ATTEMPTS", "STATUS", "ANSWER",
    ];
    write(&columns(&headings, &rows))
}

fn change(settings: &Settings, channel: &str, body: &Value, done: &str) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let answer = remote.call(Method::PATCH, &path_to(channel), Some(body))?;
    match settings.json {
        true => write_json(&answer),
        false => write(&format!("{done} {channel}.\n")),
    }
}
