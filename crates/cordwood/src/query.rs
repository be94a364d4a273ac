//! `cordwood query`: finds events and prints them, page after page up to the limit; or prints the table that the stages
//! of the query make.

pub(crate) mod account;
pub(crate) mod caret;
mod csv;
mod explain;
pub(crate) mod fields;
mod histogram;
pub(crate) mod lines;
mod progress;
mod table;
pub(crate) mod tabular;

use std::io::{IsTerminal, Write as _, stderr, stdout};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::args::{OutputFormat, QueryArguments, ResultOrder};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{write, write_json};
use crate::query::account::Account;
use crate::query::fields::Fields;
use crate::remote::Remote;
use crate::terminal::Colour;

/// Events unless asked otherwise. Of a table the server chooses, which gives more rows than that.
const LIMIT_DEFAULT: u64 = 100;
/// The server gives no more events at once.
const PAGE_EVENTS_MAX: u64 = 1000;
/// Nor more rows of a table.
const TABLE_ROWS_MAX: u64 = 10_000;

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

impl Page {
    /// The columns in their order, if the answer is a table.
    fn columns(&self) -> Option<Vec<String>> {
        let columns = self.meta["columns"].as_array()?;
        let names = columns.iter().map(|name| name.as_str().unwrap_or_default());
        Some(names.map(str::to_owned).collect())
    }

    fn has_more(&self) -> bool {
        self.pagination.next_cursor.is_some() || self.meta["more"] == true
    }
}

/// Prints what is found; the account of it goes to standard error.
pub(crate) fn run(settings: &Settings, arguments: &QueryArguments) -> Result<(), Failure> {
    let remote = Remote::new(settings)?;
    let page_size = limit_of(arguments).map(|limit| limit.clamp(1, PAGE_EVENTS_MAX));
    if arguments.explain {
        let answer = send(&remote, "/api/v1/query/explain", arguments, page_size, None)?;
        return match settings.json {
            true => write_json(&answer),
            false => write(&explain::text(&answer)),
        };
    }
    if arguments.histogram {
        return histogram::run(settings, arguments, &remote);
    }
    let first = ask(&remote, arguments, page_size, None)?;
    match first.columns() {
        Some(columns) => run_table(settings, arguments, &remote, first, &columns),
        None => run_events(settings, arguments, &remote, first),
    }
}

fn run_events(
    settings: &Settings,
    arguments: &QueryArguments,
    remote: &Remote,
    mut page: Page,
) -> Result<(), Failure> {
    let limit = limit_of(arguments).unwrap_or(LIMIT_DEFAULT);
    let format = output_format(settings, arguments, OutputFormat::Lines);
    if arguments.all && matches!(format, OutputFormat::Table | OutputFormat::Csv) {
        return Err(Failure::new("All events are printed as json or lines")
            .hint("`cordwood export QUERY -o FILE.csv` writes all of them as CSV."));
    }
    let mut printer = Printer::new(format);
    let progress = Progress::new(settings, arguments);
    let mut account = Account::default();
    loop {
        let left = limit.saturating_sub(account.events());
        page.data
            .truncate(usize::try_from(left).unwrap_or(usize::MAX));
        printer.print(&page.data)?;
        account.add(page.data.len() as u64, &page.meta);
        progress.show(account.events());
        let cursor = page.pagination.next_cursor.take();
        if cursor.is_none() || account.events() >= limit {
            page.pagination.next_cursor = cursor;
            break;
        }
        let page_size = limit.clamp(1, PAGE_EVENTS_MAX);
        page = ask(remote, arguments, Some(page_size), cursor)?;
    }
    printer.finish()?;
    progress.finish();
    account.report(page.has_more(), settings.json, Colour::of(&stderr()));
    Ok(())
}

/// How many events are wanted, if that was said.
fn limit_of(arguments: &QueryArguments) -> Option<u64> {
    match arguments.all {
        true => Some(u64::MAX),
        false => arguments.limit,
    }
}

/// How many events there are by now, for whoever watches while they go elsewhere.
struct Progress {
    is_shown: bool,
}

impl Progress {
    fn new(settings: &Settings, arguments: &QueryArguments) -> Progress {
        let is_watched = stderr().is_terminal() && !stdout().is_terminal();
        Progress {
            is_shown: arguments.all && is_watched && !settings.json,
        }
    }

    fn show(&self, events: u64) {
        if self.is_shown {
            // Where standard error is gone, there is nobody to tell.
            let _ = write!(stderr(), "\r{events} events\x1b[K");
        }
    }

    fn finish(&self) {
        if self.is_shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

fn run_table(
    settings: &Settings,
    arguments: &QueryArguments,
    remote: &Remote,
    mut page: Page,
    columns: &[String],
) -> Result<(), Failure> {
    let is_cut_early = page.has_more() && limit_of(arguments) > Some(PAGE_EVENTS_MAX);
    if is_cut_early {
        let rows = limit_of(arguments).map(|limit| limit.min(TABLE_ROWS_MAX));
        page = ask(remote, arguments, rows, None)?;
    }
    let text = match output_format(settings, arguments, OutputFormat::Table) {
        OutputFormat::Json => page.data.iter().map(|row| format!("{row}\n")).collect(),
        OutputFormat::Lines => tabular::lines(columns, &rows(&page)?, Colour::of(&stdout())),
        OutputFormat::Table => tabular::text(columns, &rows(&page)?),
        OutputFormat::Csv => tabular::csv(columns, &rows(&page)?),
    };
    write(&text)?;
    let mut account = Account::of_table();
    account.add(page.data.len() as u64, &page.meta);
    account.report(page.has_more(), settings.json, Colour::of(&stderr()));
    Ok(())
}

fn rows(page: &Page) -> Result<Vec<tabular::Row>, Failure> {
    let rows = page.data.iter().map(|row| serde_json::from_str(row.get()));
    let rows: Result<Vec<tabular::Row>, _> = rows.collect();
    rows.map_err(|error| Failure::new(format!("A row of the answer cannot be read: {error}")))
}

fn output_format(
    settings: &Settings,
    arguments: &QueryArguments,
    on_terminal: OutputFormat,
) -> OutputFormat {
    match arguments.output {
        Some(format) => format,
        None if settings.json || !stdout().is_terminal() => OutputFormat::Json,
        None => on_terminal,
    }
}

fn ask(
    remote: &Remote,
    arguments: &QueryArguments,
    page_size: Option<u64>,
    cursor: Option<String>,
) -> Result<Page, Failure> {
    send(remote, "/api/v1/query", arguments, page_size, cursor)
}

/// Asks with the parameters of a query, which all its paths take.
fn send<T: DeserializeOwned>(
    remote: &Remote,
    path: &str,
    arguments: &QueryArguments,
    page_size: Option<u64>,
    cursor: Option<String>,
) -> Result<T, Failure> {
    let is_first = cursor.is_none();
    let order = match arguments.order {
        ResultOrder::Newest => "newest_first",
        ResultOrder::Oldest => "oldest_first",
    };
    let body = json!({
        "query": arguments.query,
        "source_id": arguments.scope.sources,
        "from": arguments.scope.from,
        "to": arguments.scope.to,
        "order": order,
        "batch_size": page_size,
        "total": arguments.total && is_first,
        "cursor": cursor,
        "saved_query": arguments.saved,
    });
    let text = progress::asked(remote, path, body.to_string().into_bytes());
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
