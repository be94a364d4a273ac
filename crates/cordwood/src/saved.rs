//! `cordwood saved`: queries under a name. `run` asks one, as `cordwood query --saved` does.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{QueryArguments, ResultOrder, SaveArguments, SavedVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{cell, columns, write, write_json};
use crate::query;
use crate::query::caret::point_out;
use crate::remote::{Remote, path_segment};
use crate::token::client_of;

const PATH: &str = "/api/v1/saved-queries";

/// Does what was asked.
pub(crate) fn run(settings: &Settings, verb: SavedVerb) -> Result<(), Failure> {
    match verb {
        SavedVerb::List => list(settings),
        SavedVerb::Show { name } => {
            let answer = Remote::new(settings)?.get(&path_to(&name))?;
            show(settings, &answer)
        }
        SavedVerb::Save(arguments) => save(settings, &arguments),
        SavedVerb::Delete { name } => {
            let remote = Remote::new(settings)?;
            remote.call(Method::DELETE, &path_to(&name), None)?;
            match settings.json {
                true => Ok(()),
                false => write(&format!("Deleted {name}.\n")),
            }
        }
        SavedVerb::Run { name, query } => query::run(
            settings,
            &QueryArguments {
                saved: Some(name),
                ..query
            },
        ),
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
        let id = record["id"].as_str().unwrap_or_default().to_owned();
        let attributes = ["name", "visibility", "from", "query"];
        let cells = attributes.map(|attribute| cell(record, attribute));
        std::iter::once(id).chain(cells).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    write(&columns(
        &["ID", "NAME", "VISIBILITY", "FROM", "QUERY"],
        &rows,
    ))
}

fn show(settings: &Settings, answer: &Value) -> Result<(), Failure> {
    if settings.json {
        return write_json(answer);
    }
    let record = &answer["data"];
    let listed = |attribute: &str| {
        let entries = record["attributes"][attribute].as_array();
        let entries = entries.into_iter().flatten().filter_map(Value::as_str);
        entries.collect::<Vec<_>>().join(", ")
    };
    let mut rows = vec![vec![
        "id".to_owned(),
        record["id"].as_str().unwrap_or_default().to_owned(),
    ]];
    for attribute in [
        "name",
        "description",
        "query",
        "from",
        "to",
        "order",
        "visibility",
    ] {
        rows.push(vec![attribute.to_owned(), cell(record, attribute)]);
    }
    for (heading, attribute) in [
        ("sources", "source_id"),
        ("columns", "columns"),
        ("tags", "tags"),
    ] {
        rows.push(vec![heading.to_owned(), listed(attribute)]);
    }
    write(&columns(&["SAVED QUERY", ""], &rows))
}

/// Saves a query, or changes the one that has the name if that is wanted.
fn save(settings: &Settings, arguments: &SaveArguments) -> Result<(), Failure> {
    let order = arguments.order.map(|order| match order {
        ResultOrder::Newest => "newest_first",
        ResultOrder::Oldest => "oldest_first",
    });
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let mut body = json!({
        "name": arguments.name,
        "query": arguments.query,
        "description": arguments.description,
        "from": arguments.from,
        "to": arguments.to,
        "order": order,
        "source_id": some(&arguments.sources),
        "columns": some(&arguments.columns),
        "tags": some(&arguments.tags),
        "visibility": arguments.shared.then_some("shared"),
    });
    let remote = Remote::new(settings)?;
    let answer = match arguments.replace {
        true => remote.call(Method::PATCH, &path_to(&arguments.name), Some(&body)),
        false => {
            body["client_id"] = json!(client_of(&remote, arguments.client.as_deref())?);
            remote.call(Method::POST, PATH, Some(&body))
        }
    };
    let answer = answer.map_err(|failure| point_out(failure, &arguments.query))?;
    if settings.json {
        return write_json(&answer);
    }
    write(&format!(
        "Saved. `cordwood saved run {:?}` asks it.\n",
        arguments.name
    ))
}
