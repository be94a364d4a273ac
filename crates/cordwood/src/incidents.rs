//! `cordwood incidents`: what is wrong, who takes care of it, and what is done about it.

use std::fs;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{IncidentListArguments, IncidentsVerb, OpenArguments};
use crate::config::Settings;
use crate::failure::{Failure, cannot};
use crate::output::{cell, columns, write, write_json};
use crate::query::caret::point_out;
use crate::remote::{Remote, path_segment, query_string};
use crate::terminal::printable;
use crate::token::client_of;

const PATH: &str = "/api/v1/incidents";

/// Does what was asked.
pub(crate) fn run(settings: &Settings, verb: IncidentsVerb) -> Result<(), Failure> {
    match verb {
        IncidentsVerb::List(arguments) => list(settings, &arguments),
        IncidentsVerb::Show { id } => show(settings, &id),
        IncidentsVerb::Open(arguments) => open(settings, &arguments),
        IncidentsVerb::Ack { id, by } => act(settings, &id, "acknowledge", &json!({ "by": by })),
        IncidentsVerb::Resolve { id, by } => act(settings, &id, "resolve", &json!({ "by": by })),
        IncidentsVerb::Reopen { id } => act(settings, &id, "reopen", &json!({})),
        IncidentsVerb::Escalate { id, to } => act(settings, &id, "escalate", &json!({ "to": to })),
        IncidentsVerb::Merge { id, others } => {
            act(settings, &id, "merge", &json!({ "incident_ids": others }))
        }
        IncidentsVerb::Comment { id, text } => comment(settings, &id, &text),
        IncidentsVerb::Assign { id, to } => assign(settings, &id, &to),
        IncidentsVerb::Report { id, output } => {
            let path = format!("{}/report", path_to(&id));
            let remote = Remote::new(settings)?;
            let answer = remote.send(Method::GET, &path, &[], None)?;
            let report = answer.into_success()?;
            match output {
                None => write(&report),
                Some(file) => fs::write(&file, report)
                    .map_err(|error| cannot(format!("write {}", file.display()), &error)),
            }
        }
        IncidentsVerb::Events { id, keep } => events(settings, &id, &keep),
    }
}

fn path_to(id: &str) -> String {
    format!("{PATH}/{}", path_segment(id))
}

fn list(settings: &Settings, arguments: &IncidentListArguments) -> Result<(), Failure> {
    let limit = arguments.limit.to_string();
    let mut pairs = vec![
        ("per_page", Some(limit.as_str())),
        ("rule_id", arguments.rule.as_deref()),
        ("text", arguments.text.as_deref()),
        ("from", arguments.from.as_deref()),
        ("to", arguments.to.as_deref()),
    ];
    for (name, values) in [
        ("status", &arguments.status),
        ("severity", &arguments.severity),
        ("label", &arguments.label),
    ] {
        pairs.extend(values.iter().map(|value| (name, Some(value.as_str()))));
    }
    let path = format!("{PATH}{}", query_string(&pairs));
    let answer = Remote::new(settings)?.get(&path)?;
    if settings.json {
        return write_json(&answer);
    }
    let records = answer["data"].as_array().into_iter().flatten();
    let rows = records.map(|record| {
        let id = record["id"].as_str().unwrap_or_default().to_owned();
        let attributes = ["status", "severity", "started_at", "assignee", "name"];
        let cells = attributes.map(|attribute| cell(record, attribute));
        std::iter::once(id).chain(cells).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let headings = ["ID", "STATUS", "SEVERITY", "STARTED", "ASSIGNEE", "NAME"];
    write(&columns(&headings, &rows))?;
    match answer["pagination"]["next"].is_null() {
        true => Ok(()),
        false => write(&format!(
            "{} in all; --limit, --from or --status show others.\n",
            answer["pagination"]["total"]
        )),
    }
}

fn show(settings: &Settings, id: &str) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let answer = remote.get(&path_to(id))?;
    if settings.json {
        return write_json(&answer);
    }
    let timeline = remote.get(&format!("{}/timeline", path_to(id)))?;
    let related = remote.get(&format!("{}/related", path_to(id)))?;
    // Until it is known there is nothing to show.
    let what_changed = remote.get(&format!("{}/what-changed", path_to(id))).ok();
    write(&attributes_of(&answer["data"]))?;
    write(&format!("\n{}", timeline_of(&timeline)))?;
    let causes = what_changed.iter().flat_map(|answer| {
        let causes = answer["data"]["causes"].as_array();
        causes.cloned().unwrap_or_default()
    });
    for (number, cause) in (1..).zip(causes) {
        let heading = if number == 1 { "\nWHAT CHANGED\n" } else { "" };
        let sentence = cause["sentence"].as_str().unwrap_or_default();
        write(&format!("{heading}{number}. {}\n", printable(sentence)))?;
    }
    let related = related["data"].as_array().into_iter().flatten();
    for (number, record) in (1..).zip(related) {
        let heading = if number == 1 { "\nRELATED\n" } else { "" };
        let reasons = record["attributes"]["reasons"].as_array();
        let reasons = reasons.into_iter().flatten().filter_map(Value::as_str);
        let line = format!(
            "{}  {}: {}",
            record["id"].as_str().unwrap_or_default(),
            cell(record, "name"),
            reasons.collect::<Vec<_>>().join("; ")
        );
        write(&format!("{heading}{}\n", printable(&line)))?;
    }
    Ok(())
}

fn attributes_of(record: &Value) -> String {
    let id = record["id"].as_str().unwrap_or_default().to_owned();
    let mut rows = vec![vec!["id".to_owned(), id]];
    for attribute in [
        "name",
        "cause",
        "status",
        "severity",
        "started_at",
        "opened_by",
        "acknowledged_by",
        "resolved_by",
        "assignee",
        "rule_id",
        "group",
        "merged_into",
        "silence_id",
        "query",
        "from",
        "to",
        "value",
        "threshold",
        "runbook",
    ] {
        if !record["attributes"][attribute].is_null() {
            rows.push(vec![attribute.to_owned(), cell(record, attribute)]);
        }
    }
    let labels = record["attributes"]["labels"].as_object();
    for (name, value) in labels.into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        rows.push(vec!["label".to_owned(), format!("{name}={value}")]);
    }
    columns(&["INCIDENT", ""], &rows)
}

fn timeline_of(answer: &Value) -> String {
    let records = answer["data"].as_array().into_iter().flatten();
    let rows = records.map(|record| {
        let attributes = ["at", "kind", "author", "text"];
        attributes.map(|attribute| cell(record, attribute)).to_vec()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    columns(&["AT", "WHAT", "BY", ""], &rows)
}

fn open(settings: &Settings, arguments: &OpenArguments) -> Result<(), Failure> {
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let labels = arguments.labels.iter();
    let labels = labels.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    let links = arguments.links.iter();
    let links: Vec<Value> = links
        .map(|url| json!({ "title": "", "url": url }))
        .collect();
    let remote = Remote::new(settings)?;
    let body = json!({
        "client_id": client_of(&remote, arguments.client.as_deref())?,
        "name": arguments.name,
        "cause": arguments.cause,
        "severity": arguments.severity,
        "query": arguments.query,
        "source_id": some(&arguments.sources),
        "from": arguments.from,
        "to": arguments.to,
        "labels": labels.collect::<serde_json::Map<_, _>>(),
        "links": links,
        "assignee": arguments.assignee,
        "channels": some(&arguments.channels),
        "key": arguments.key,
    });
    let query = arguments.query.as_deref().unwrap_or_default();
    let answer = remote.call(Method::POST, PATH, Some(&body));
    let answer = answer.map_err(|failure| point_out(failure, query))?;
    if settings.json {
        return write_json(&answer);
    }
    let record = &answer["data"];
    let id = record["id"].as_str().unwrap_or_default();
    let muted = match record["attributes"]["silence_id"].as_str() {
        Some(silence) => format!(" Silence {silence} holds back its notices."),
        None => String::new(),
    };
    write(&format!(
        "Incident {id} is open.{muted} `cordwood incidents show {id}` shows it.\n"
    ))
}

fn act(settings: &Settings, id: &str, what: &str, body: &Value) -> Result<(), Failure> {
    let path = format!("{}/{what}", path_to(id));
    let answer = Remote::new(settings)?.call(Method::POST, &path, Some(body))?;
    said(settings, &answer)
}

fn assign(settings: &Settings, id: &str, to: &str) -> Result<(), Failure> {
    let body = json!({ "assignee": to });
    let answer = Remote::new(settings)?.call(Method::PATCH, &path_to(id), Some(&body))?;
    said(settings, &answer)
}

/// What has become of an incident, in a line.
fn said(settings: &Settings, answer: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(answer);
    }
    let record = &answer["data"];
    let line = format!(
        "Incident {} is {}, assigned to {}.",
        record["id"].as_str().unwrap_or_default(),
        cell(record, "status"),
        record["attributes"]["assignee"]
            .as_str()
            .unwrap_or("nobody"),
    );
    write(&format!("{}\n", printable(&line)))
}

fn comment(settings: &Settings, id: &str, text: &str) -> Result<(), Failure> {
    let path = format!("{}/comments", path_to(id));
    let body = json!({ "content": text });
    let answer = Remote::new(settings)?.call(Method::POST, &path, Some(&body))?;
    match settings.json {
        true => write_json(&answer),
        false => write(&format!("Said of incident {id}.\n")),
    }
}

fn events(settings: &Settings, id: &str, keep: &[String]) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let path = format!("{}/events", path_to(id));
    if !keep.is_empty() {
        let body = json!({ "event_ids": keep });
        let answer = remote.call(Method::POST, &path, Some(&body))?;
        if settings.json {
            return write_json(&answer);
        }
        write(&format!("{} more are kept.\n", answer["kept"]))?;
        for refused in answer["refused"].as_array().into_iter().flatten() {
            let reason = refused["reason"].as_str().unwrap_or_default();
            write(&format!("Not kept: {}\n", printable(reason)))?;
        }
        return Ok(());
    }
    let answer = remote.get(&path)?;
    if settings.json {
        return write_json(&answer);
    }
    for record in answer["data"].as_array().into_iter().flatten() {
        let event = record["attributes"]["event"].to_string();
        write(&format!("{}\n", printable(&event)))?;
    }
    Ok(())
}
