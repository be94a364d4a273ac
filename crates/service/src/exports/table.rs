//! What stages make, written: a table at once, or events page by page where a cursor leads on.

use std::io::{self, Write};

use cordwood_engine::{Engine, Position, Staged, StagedRequest, Table};
use cordwood_event::{Event, json};
use cordwood_query::{FieldName, Stage};
use cordwood_store::Snapshot;

use super::cells::RowStyle;
use super::format::ExportFormat;
use super::run::{Failed, Written};
use super::task::Task;
use crate::search::{has_pages, makes_table};

/// Rows of a table at most, as many as a `limit` may ask for.
const ROWS_MAX: usize = 1_000_000;

/// Events made by stages at a time: they are in memory together.
const EVENTS_PER_PAGE: usize = 10_000;

/// Text is handed on when it has grown to this.
const PIECE_BYTES: usize = 256 << 10;

/// The stages of a task; behind those that give events, one that gives `columns` if the format needs them.
pub(super) fn stages_of(task: &Task, stages: &[Stage], columns: &[String]) -> Vec<Stage> {
    let mut stages = stages.to_vec();
    if task.format != ExportFormat::Ndjson && !makes_table(&stages) {
        let names = columns.iter().map(|name| FieldName::new(name.as_str()));
        stages.push(Stage::Fields(names.collect()));
    }
    stages
}

/// Writes what stages make of the events of a task.
pub(super) fn write(
    engine: &Engine,
    snapshot: &Snapshot,
    task: &Task,
    stages: Vec<Stage>,
    sink: &mut (dyn Write + Send),
) -> Result<Written, Failed> {
    let is_paged = has_pages(&stages);
    let mut request = StagedRequest {
        search: task.search.clone(),
        stages,
        rows_max: if is_paged { EVENTS_PER_PAGE } else { ROWS_MAX },
    };
    let mut written = Written::default();
    loop {
        let answer = engine.run_stages(snapshot, &request)?;
        written.take_account(&answer.account)?;
        let next = match answer.result {
            Staged::Table(table) => {
                write_table(task, &table, &mut written, sink)?;
                None
            }
            Staged::Events { events, next } => {
                write_events(task, &events, &mut written, sink)?;
                if !is_paged && events.len() == ROWS_MAX {
                    written.note(format!("there may be more than {ROWS_MAX} events"));
                }
                next.filter(|_| is_paged)
            }
        };
        match next {
            Some(next) if request.search.after != Some(next) => follow(&mut request, next),
            _ => return Ok(written),
        }
    }
}

fn follow(request: &mut StagedRequest, next: Position) {
    request.search.after = Some(next);
}

fn write_table(
    task: &Task,
    table: &Table,
    written: &mut Written,
    sink: &mut (dyn Write + Send),
) -> io::Result<()> {
    written.events += table.rows.len() as u64;
    if table.more {
        written.note(format!("the table has more than {ROWS_MAX} rows"));
    }
    #[cfg(feature = "parquet")]
    if task.format == ExportFormat::Parquet {
        return super::parquet::write_table(table, sink);
    }
    let style = match task.format {
        ExportFormat::Csv => RowStyle::csv(&table.columns, task.formulas),
        ExportFormat::Ndjson | ExportFormat::Parquet => RowStyle::json(&table.columns),
    };
    let mut out = style.heading().to_owned();
    for row in &table.rows {
        style.write_row(&mut out, row);
        hand_on_if_large(&mut out, sink)?;
    }
    sink.write_all(out.as_bytes())
}

fn write_events(
    task: &Task,
    events: &[Event],
    written: &mut Written,
    sink: &mut (dyn Write + Send),
) -> io::Result<()> {
    let mut out = String::new();
    for event in events {
        let mut sources = task.search.sources.iter();
        let source = sources.find(|source| source.id == event.source);
        json::write_event(&mut out, event, source.map_or("", |source| &source.name));
        out.push('\n');
        hand_on_if_large(&mut out, sink)?;
    }
    written.events += events.len() as u64;
    sink.write_all(out.as_bytes())
}

fn hand_on_if_large(out: &mut String, sink: &mut (dyn Write + Send)) -> io::Result<()> {
    if out.len() >= PIECE_BYTES {
        sink.write_all(out.as_bytes())?;
        out.clear();
    }
    Ok(())
}
