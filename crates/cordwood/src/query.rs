//! `cordwood query`: finds events and prints them, page after page up to the limit.

mod account;
mod caret;
mod csv;
mod fields;
mod lines;
mod table;

use std::io::{IsTerminal, stderr, stdout};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::args::{OutputFormat, QueryArguments, ResultOrder};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::write;
use crate::query::account::Account;
use crate::query::fields::Fields;
use crate::remote::Remote;
use crate::terminal::Colour;

/// The server gives no more at once.
const PAGE_EVENTS_MAX: u64 = 1000;

/// One answer of the server. Events are kept as it wrote them.
#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    meta: Value,
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Pagination {
    next_cursor: Option<String>,
}

/// Prints what is found; the account of it goes to standard error.
pub(crate) fn run(settings: &Settings, arguments: &QueryArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let mut printer = Printer::new(output_format(settings, arguments));
    let mut account = Account::default();
    let mut cursor = None;
    loop {
        let mut page = ask(&remote, arguments, cursor)?;
        let left = arguments.limit.saturating_sub(account.events());
        page.data
            .truncate(usize::try_from(left).unwrap_or(usize::MAX));
        printer.print(&page.data)?;
        cursor = page.pagination.next_cursor;
        account.add(page.data.len() as u64, &page.meta);
        if cursor.is_none() || account.events() >= arguments.limit {
            break;
        }
    }
    printer.finish()?;
    account.report(cursor.is_some(), settings.json, Colour::of(&stderr()));
    Ok(())
}

fn output_format(settings: &Settings, arguments: &QueryArguments) -> OutputFormat {
    match arguments.output {
        Some(format) => format,
        None if settings.json || !stdout().is_terminal() => OutputFormat::Json,
        None => OutputFormat::Lines,
    }
}

fn ask(
    remote: &Remote,
    arguments: &QueryArguments,
    cursor: Option<String>,
) -> Result<Page, Failure> {
    let is_first = cursor.is_none();
    let order = match arguments.order {
        ResultOrder::Newest => "newest_first",
        ResultOrder::Oldest => "oldest_first",
    };
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.sources,
        "from": arguments.from,
        "to": arguments.to,
        "order": order,
        "batch_size": arguments.limit.clamp(1, PAGE_EVENTS_MAX),
        "total": arguments.total && is_first,
        "cursor": cursor,
    });
    let body = Some(("application/json", body.to_string().into_bytes()));
    let answer = remote.send(Method::POST, "/api/v1/query", &[], body)?;
    let text = answer.into_success();
    let text = text.map_err(|failure| caret::point_out(failure, &arguments.query))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("The server's answer cannot be read: {error}"))
            .hint("Is it a Cordwood server that --url names?")
    })
}

/// Prints events in one format. Tables and CSV need all events before the first is printed.
struct Printer {
    format: OutputFormat,
    colour: Colour,
    held: Vec<Fields>,
}

impl Printer {
    fn new(format: OutputFormat) -> Printer {
        Printer {
            format,
            colour: Colour::of(&stdout()),
            held: Vec::new(),
        }
    }

    fn print(&mut self, events: &[Box<RawValue>]) -> Result<(), Failure> {
        let mut out = String::new();
        for event in events {
            match self.format {
                OutputFormat::Json => {
                    out.push_str(event.get());
                    out.push('\n');
                }
                OutputFormat::Lines => lines::write(&mut out, &fields(event)?, self.colour),
                OutputFormat::Table | OutputFormat::Csv => self.held.push(fields(event)?),
            }
        }
        write(&out)
    }

    fn finish(self) -> Result<(), Failure> {
        match self.format {
            OutputFormat::Table => write(&table::text(&self.held)),
            OutputFormat::Csv => write(&csv::text(&self.held)),
            OutputFormat::Json | OutputFormat::Lines => Ok(()),
        }
    }
}

fn fields(event: &RawValue) -> Result<Fields, Failure> {
    let fields = Fields::parse(event.get());
    fields.map_err(|error| Failure::new(format!("An event of the answer cannot be read: {error}")))
}
