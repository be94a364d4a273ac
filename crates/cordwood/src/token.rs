//! `cordwood token`: API tokens of a server.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{TokenAccess, TokenVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::remote::Remote;

const PATH: &str = "/api/v1/tokens";

/// Runs one of the verbs.
pub(crate) fn run(settings: &Settings, verb: TokenVerb) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let is_json = settings.json;
    match verb {
        TokenVerb::Create {
            name,
            access,
            clients,
        } => create(&remote, is_json, &name, access, &clients),
        TokenVerb::List => list(&remote, is_json),
        TokenVerb::Revoke { revoked } => revoke(&remote, is_json, &revoked),
    }
}

fn create(
    remote: &Remote,
    is_json: bool,
    name: &str,
    access: TokenAccess,
    clients: &[String],
) -> Result<(), Failure> {
    let access = match access {
        TokenAccess::Read => "read",
        TokenAccess::Write => "write",
        TokenAccess::Admin => "admin",
    };
    let mut body = json!({"name": name, "access": access});
    if !clients.is_empty() {
        let ids = clients.iter().map(|client| client_id(remote, client));
        body["clients"] = json!(ids.collect::<Result<Vec<_>, _>>()?);
    }
    let answer = remote.call(Method::POST, PATH, Some(&body))?;
    if is_json {
        return write_json(&answer);
    }
    let token = cell(&answer["data"], "token");
    write(&format!(
        "API token {name} ({access}), shown only now:\n\n    {token}\n"
    ))
}

fn list(remote: &Remote, is_json: bool) -> Result<(), Failure> {
    let answer = remote.get(PATH)?;
    if is_json {
        return write_json(&answer);
    }
    let tokens = answer["data"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = tokens
        .map(|token| {
            vec![
                token["id"].as_str().unwrap_or_default().into(),
                cell(token, "name"),
                cell(token, "access"),
                cell(token, "token"),
                cell(token, "last_used_at"),
                cell(token, "revoked_at"),
            ]
        })
        .collect();
    write(&columns(
        &["ID", "NAME", "ACCESS", "TOKEN", "LAST USED", "REVOKED"],
        &rows,
    ))
}

fn revoke(remote: &Remote, is_json: bool, token: &str) -> Result<(), Failure> {
    let answer = remote.get(PATH)?;
    let id = id_of(&answer, token, "API token", |record| {
        record["attributes"]["revoked_at"].is_null()
    })?;
    remote.call(Method::DELETE, &format!("{PATH}/{id}"), None)?;
    if is_json {
        return write_json(&json!({"data": {"revoked": id}}));
    }
    write(&format!("API token {token} is revoked.\n"))
}

/// The id of the client that a new record is for, if one was given.
pub(crate) fn client_of(remote: &Remote, client: Option<&str>) -> Result<Option<String>, Failure> {
    client.map(|client| client_id(remote, client)).transpose()
}

/// The id of a client given by id or name.
pub(crate) fn client_id(remote: &Remote, client: &str) -> Result<String, Failure> {
    let answer = remote.get("/api/v1/clients")?;
    id_of(&answer, client, "client", |_| true)
}

/// The id of the one record of a list that has this id or this name.
fn id_of(
    answer: &Value,
    wanted: &str,
    kind: &str,
    counts: impl Fn(&Value) -> bool,
) -> Result<String, Failure> {
    let records: Vec<&Value> = answer["data"].as_array().into_iter().flatten().collect();
    let id = |record: &Value| record["id"].as_str().unwrap_or_default().to_owned();
    if let Some(record) = records.iter().find(|record| record["id"] == wanted) {
        return Ok(id(record));
    }
    let named: Vec<String> = records
        .iter()
        .filter(|record| record["attributes"]["name"] == wanted && counts(record))
        .map(|record| id(record))
        .collect();
    match named.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let names: Vec<String> = records.iter().map(|record| cell(record, "name")).collect();
            Err(Failure::new(format!("There is no {kind} `{wanted}`"))
                .hint(format!("There are: {}.", names.join(", "))))
        }
        several => Err(Failure::new(format!("Several have the name `{wanted}`"))
            .hint(format!("Use one of the ids {}.", several.join(", ")))),
    }
}
