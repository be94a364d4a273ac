//! `cordwood sql`: runs a statement and prints its rows, or writes them in the format asked for.

use std::io::{IsTerminal, stderr, stdout};

use serde_json::value::RawValue;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{SqlArguments, SqlFormat};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::write_bytes;
use crate::query::account::Account;
use crate::query::{caret, tabular};
use crate::remote::Remote;
use crate::terminal::Colour;

/// The answer as JSON. Rows are kept as the server wrote them.
#[derive(serde::Deserialize)]
struct Rows {
    data: Vec<Box<RawValue>>,
    meta: Value,
}

/// Prints the rows; the account of them goes to standard error.
pub(crate) fn run(settings: &Settings, arguments: &SqlArguments) -> Result<(), Failure> {
    let format = arguments.format.unwrap_or_else(|| default_format(settings));
    let body = json!({
        "query": arguments.statement,
        "source_id": arguments.scope.sources,
        "from": arguments.scope.from,
        "to": arguments.scope.to,
        "limit": arguments.limit,
        "format": name_of(format),
    });
    let body = Some(("application/json", body.to_string().into_bytes()));
    let answer = Remote::new(settings)?.send_for_bytes(Method::POST, "/api/v1/sql", body)?;
    let written = answer.into_success();
    let written = written.map_err(|failure| caret::point_at(failure, &arguments.statement))?;
    if format != SqlFormat::Table {
        return write_bytes(&written);
    }
    let rows: Rows = serde_json::from_slice(&written).map_err(|error| {
        Failure::new(format!("The server's answer cannot be read: {error}"))
            .hint("Is it a Cordwood server that --url names?")
    })?;
    print(settings, &rows)
}

/// The rows in columns, and what the answer says of itself.
fn print(settings: &Settings, answer: &Rows) -> Result<(), Failure> {
    let columns = answer.meta["columns"].as_array().into_iter().flatten();
    let names = columns.filter_map(|column| column["name"].as_str());
    let names: Vec<String> = names.map(str::to_owned).collect();
    let rows = answer
        .data
        .iter()
        .map(|row| serde_json::from_str(row.get()));
    let rows: Result<Vec<tabular::Row>, _> = rows.collect();
    let rows =
        rows.map_err(|error| Failure::new(format!("A row of the answer cannot be read: {error}")))?;
    write_bytes(tabular::text(&names, &rows).as_bytes())?;
    let mut account = Account::of_table();
    account.add(rows.len() as u64, &answer.meta);
    let has_more = answer.meta["more"] == true;
    account.report(has_more, settings.json, Colour::of(&stderr()));
    Ok(())
}

fn default_format(settings: &Settings) -> SqlFormat {
    if settings.json {
        SqlFormat::Json
    } else if stdout().is_terminal() {
        SqlFormat::Table
    } else {
        SqlFormat::Ndjson
    }
}

/// The server makes JSON for a table.
fn name_of(format: SqlFormat) -> &'static str {
    match format {
        SqlFormat::Table | SqlFormat::Json => "json",
        SqlFormat::Ndjson => "ndjson",
        SqlFormat::Csv => "csv",
        SqlFormat::Arrow => "arrow",
        SqlFormat::Parquet => "parquet",
    }
}
