//! `cordwood alerts templates`: alerts that a provider gives to its clients, and in what these have drifted from them.

use serde_json::{Map, Value, json};
use ureq::http::Method;

use super::{body_of, new_body_of, plain, show};
use crate::args::{TemplateArguments, TemplateClientArguments, TemplatesVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::remote::{Remote, path_segment};
use crate::token::client_id;

const PATH: &str = "/api/v1/rule-templates";

/// Does what was asked.
pub(super) fn run(settings: &Settings, verb: TemplatesVerb) -> Result<(), Failure> {
    match verb {
        TemplatesVerb::List => list(settings),
        TemplatesVerb::Show { name } => {
            let answer = Remote::new(settings)?.get(&path_to(&name))?;
            show(settings, &answer, "TEMPLATE")
        }
        TemplatesVerb::Add {
            name,
            rule,
            template,
        } => {
            let body = body(Some(&name), new_body_of(&rule)?, &template);
            let answer = Remote::new(settings)?.call(Method::POST, PATH, Some(&body))?;
            match settings.json {
                true => write_json(&answer),
                false => write(&format!(
                    "Template {} is made. `cordwood alerts templates apply {} --all` gives it to all clients.\n",
                    plain(&answer["data"]["id"]),
                    plain(&answer["data"]["id"]),
                )),
            }
        }
        TemplatesVerb::Change {
            name,
            new_name,
            rule,
            template,
            carry_to_drifted,
        } => {
            let mut body = body(new_name.as_deref(), body_of(&rule)?, &template);
            body["carry_to_drifted"] = json!(carry_to_drifted);
            let answer =
                Remote::new(settings)?.call(Method::PATCH, &path_to(&name), Some(&body))?;
            tell(settings, &answer, &answer["clients"])
        }
        TemplatesVerb::Clients { name } => {
            let answer = Remote::new(settings)?.get(&format!("{}/clients", path_to(&name)))?;
            tell(settings, &answer, &answer["data"])
        }
        TemplatesVerb::Apply { name, clients } => act(settings, &name, "apply", &clients),
        TemplatesVerb::PutBack { name, clients } => act(settings, &name, "put-back", &clients),
        TemplatesVerb::Remove { name } => {
            Remote::new(settings)?.call(Method::DELETE, &path_to(&name), None)?;
            match settings.json {
                true => Ok(()),
                false => write(&format!(
                    "Deleted {name}. Its alerts stay, as their clients' own.\n"
                )),
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
    let rows = records.map(|record| {
        let attributes = ["name", "version", "alert_count", "drifted_count", "query"];
        let cells = attributes.map(|attribute| cell(record, attribute));
        std::iter::once(plain(&record["id"])).chain(cells).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    match rows.is_empty() {
        true => write(
            "There are no templates. `cordwood alerts templates add --help` says how to make one.\n",
        ),
        false => write(&columns(
            &["ID", "NAME", "VERSION", "CLIENTS", "DRIFTED", "QUERY"],
            &rows,
        )),
    }
}

/// What options say of a template; members that are not given are left out, so that they stay as they are.
fn body(name: Option<&str>, mut body: Map<String, Value>, template: &TemplateArguments) -> Value {
    let mut put = |member: &str, value: Value| {
        if !value.is_null() && value != json!([]) {
            body.insert(member.to_owned(), value);
        }
    };
    put("name", json!(name));
    put("description", json!(template.description));
    put("source_names", json!(template.sources));
    put("channels", json!(template.channels));
    let for_new_clients = match (template.for_new_clients, template.not_for_new_clients) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    };
    put("for_new_clients", json!(for_new_clients));
    Value::Object(body)
}

fn act(
    settings: &Settings,
    name: &str,
    verb: &str,
    clients: &TemplateClientArguments,
) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let body = match clients.all {
        true => json!({ "all_clients": true }),
        false => {
            let ids = clients.clients.iter();
            let ids = ids.map(|client| client_id(&remote, client));
            json!({ "client_id": ids.collect::<Result<Vec<String>, Failure>>()? })
        }
    };
    let path = format!("{}/{verb}", path_to(name));
    let answer = remote.call(Method::POST, &path, Some(&body))?;
    tell(settings, &answer, &answer["data"])
}

/// A line for each client, and below it a line for each attribute that has drifted.
fn tell(settings: &Settings, answer: &Value, clients: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(answer);
    }
    let mut rows = Vec::new();
    for client in clients.as_array().into_iter().flatten() {
        rows.extend(rows_of(client));
    }
    match rows.is_empty() {
        true => write("No client has an alert of it.\n"),
        false => write(&columns(
            &["CLIENT", "STATE", "DONE", "ALERT", "VERSION", ""],
            &rows,
        )),
    }
}

fn rows_of(client: &Value) -> Vec<Vec<String>> {
    let attributes = [
        "client_name",
        "state",
        "done",
        "alert_id",
        "template_version",
    ];
    let mut first: Vec<String> = attributes.map(|name| cell(client, name)).to_vec();
    first.push(plain(&client["attributes"]["obstacle"]));
    let differences = client["attributes"]["differences"].as_array();
    let differences = differences.into_iter().flatten().map(|of| {
        let said = format!(
            "{}: {} → {}",
            plain(&of["attribute"]),
            said(&of["template"]),
            said(&of["alert"])
        );
        let mut row = vec![String::new(); 5];
        row.push(said);
        row
    });
    std::iter::once(first).chain(differences).collect()
}

/// A value of an attribute; nothing where there is none.
fn said(value: &Value) -> String {
    match value.is_null() {
        true => "nothing".to_owned(),
        false => plain(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_shown_below_its_client() {
        let client = json!({ "attributes": {
            "client_name": "acme", "state": "drifted", "done": "left_alone", "alert_id": "7", "template_version": 1,
            "obstacle": null,
            "differences": [
                { "attribute": "condition.value", "template": 5.0, "alert": 9.0 },
                { "attribute": "labels.team", "template": "db", "alert": null },
            ],
        }});
        let rows = rows_of(&client);
        assert_eq!(rows[0], ["acme", "drifted", "left_alone", "7", "1", ""]);
        assert_eq!(rows[1][5], "condition.value: 5.0 → 9.0");
        assert_eq!(rows[2][5], "labels.team: db → nothing");
    }
}
