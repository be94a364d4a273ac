//! `cordwood source`: the sources of a server.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{RetentionDays, SizeLimit, SourceVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::remote::{Remote, path_segment, query_string};
use crate::token::client_of;

/// Runs one of the verbs.
pub(crate) fn run(settings: &Settings, verb: SourceVerb) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let is_json = settings.json;
    match verb {
        SourceVerb::Create {
            name,
            platform,
            client,
            retention,
            max_size,
        } => {
            let client = client_of(&remote, client.as_deref())?;
            let body = json!({
                "name": name,
                "platform": platform,
                "client_id": client,
                "logs_retention": retention.0,
                "disk_bytes_max": max_size.0,
            });
            create(&remote, is_json, &name, &body)
        }
        SourceVerb::Update {
            source,
            name,
            retention,
            max_size,
        } => {
            let mut body = serde_json::Map::new();
            if let Some(name) = name {
                body.insert("name".to_owned(), name.into());
            }
            if let Some(RetentionDays(days)) = retention {
                body.insert("logs_retention".to_owned(), days.into());
            }
            if let Some(SizeLimit(bytes)) = max_size {
                body.insert("disk_bytes_max".to_owned(), bytes.into());
            }
            let answer = remote.call(Method::PATCH, &path(&source), Some(&body.into()))?;
            show(&answer, is_json)
        }
        SourceVerb::List => list(&remote, is_json),
        SourceVerb::Show { source } => {
            let answer = remote.get(&path(&source))?;
            show(&answer, is_json)
        }
        SourceVerb::RotateToken { source, overlap } => {
            let body = json!({"overlap_seconds": overlap.as_secs()});
            rotate(&remote, is_json, &source, &body)
        }
        SourceVerb::Pause { source } => pause(&remote, is_json, &source, true),
        SourceVerb::Resume { source } => pause(&remote, is_json, &source, false),
        SourceVerb::Delete { source } => delete(&remote, is_json, &source),
    }
}

fn create(remote: &Remote, is_json: bool, name: &str, body: &Value) -> Result<(), Failure> {
    let answer = remote.call(Method::POST, "/api/v1/sources", Some(body))?;
    if is_json {
        return write_json(&answer);
    }
    let source = &answer["data"];
    write(&format!(
        "Source {name} (id {}) is ready. Its token, shown only now:\n\n    {}\n\nSend events to {}/\n",
        source["id"].as_str().unwrap_or_default(),
        cell(source, "token"),
        remote.url(),
    ))
}

fn list(remote: &Remote, is_json: bool) -> Result<(), Failure> {
    let sources = all(remote)?;
    if is_json {
        return write_json(&json!({"data": sources}));
    }
    let rows: Vec<Vec<String>> = sources.iter().map(row).collect();
    write(&columns(
        &[
            "ID", "NAME", "PLATFORM", "EVENTS", "BYTES", "DISK", "STATE", "TOKEN",
        ],
        &rows,
    ))
}

fn row(source: &Value) -> Vec<String> {
    let is_paused = source["attributes"]["ingesting_paused"] == true;
    vec![
        source["id"].as_str().unwrap_or_default().into(),
        cell(source, "name"),
        cell(source, "platform"),
        cell(source, "records_count"),
        cell(source, "records_bytes"),
        cell(source, "disk_bytes"),
        if is_paused { "paused" } else { "taking in" }.into(),
        cell(source, "token"),
    ]
}

/// Every source, through all pages.
fn all(remote: &Remote) -> Result<Vec<Value>, Failure> {
    let mut sources = Vec::new();
    for page in 1u64.. {
        let page = page.to_string();
        let parameters = query_string(&[("per_page", Some("250")), ("page", Some(&page))]);
        let mut answer = remote.get(&format!("/api/v1/sources{parameters}"))?;
        if let Value::Array(records) = answer["data"].take() {
            sources.extend(records);
        }
        if answer["pagination"]["next"].is_null() {
            break;
        }
    }
    Ok(sources)
}

fn show(answer: &Value, is_json: bool) -> Result<(), Failure> {
    if is_json {
        return write_json(answer);
    }
    let source = &answer["data"];
    let mut rows = vec![vec![
        "id".to_owned(),
        source["id"].as_str().unwrap_or_default().into(),
    ]];
    let shown = [
        "name",
        "platform",
        "client_id",
        "table_name",
        "ingesting_host",
        "ingesting_paused",
        "logs_retention",
        "quota_bytes_per_month",
        "records_count",
        "records_bytes",
        "disk_bytes",
        "disk_bytes_max",
        "token",
        "created_at",
        "updated_at",
    ];
    rows.extend(shown.map(|name| vec![name.to_owned(), cell(source, name)]));
    let text = columns(&["SOURCE", ""], &rows);
    write(&text)
}

fn rotate(remote: &Remote, is_json: bool, source: &str, body: &Value) -> Result<(), Failure> {
    let path = format!("{}/rotate-token", path(source));
    let answer = remote.call(Method::POST, &path, Some(body))?;
    if is_json {
        return write_json(&answer);
    }
    let source = &answer["data"];
    write(&format!(
        "The new token of {}, shown only now:\n\n    {}\n\nOlder tokens are good until {}.\n",
        cell(source, "name"),
        cell(source, "token"),
        cell(source, "old_tokens_expire_at"),
    ))
}

fn pause(remote: &Remote, is_json: bool, source: &str, is_paused: bool) -> Result<(), Failure> {
    let body = json!({"ingesting_paused": is_paused});
    let answer = remote.call(Method::PATCH, &path(source), Some(&body))?;
    if is_json {
        return write_json(&answer);
    }
    let name = cell(&answer["data"], "name");
    write(&if is_paused {
        format!("{name} is paused: what it sends is refused with 403 until it is resumed.\n")
    } else {
        format!("{name} takes in events again.\n")
    })
}

fn delete(remote: &Remote, is_json: bool, source: &str) -> Result<(), Failure> {
    remote.call(Method::DELETE, &path(source), None)?;
    if is_json {
        return write_json(&json!({"data": {"deleted": source}}));
    }
    write(&format!("{source} is deleted.\n"))
}

fn path(source: &str) -> String {
    format!("/api/v1/sources/{}", path_segment(source))
}
