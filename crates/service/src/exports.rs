//! Exports: all that matches, as a file to download, written by a job in the background.
//!
//! A job reads one snapshot in order and holds little of it at once. Jobs run one after the other, take turns with searches in the
//! engine, charge what they hold to the memory of all, and write no more than the directory of exports may take.

mod cells;
mod directory;
mod evidence;
mod export;
mod file;
mod format;
mod lines;
#[cfg(feature = "parquet")]
mod parquet;
mod queue;
mod rows;
mod run;
mod sink;
mod stored;
mod table;
mod task;

use std::collections::BTreeSet;

use cordwood_engine::{self as engine, Cancel, SearchedSource, Total};
use cordwood_query::{Filter, Query, Stage};

use crate::range::range;
use crate::retention::kept_from;
use crate::search::{chosen_sources, problems_of};
use crate::{Access, Caller, Error, InvalidValue, Service};
use export::Requester;
use task::{Content, Task};

pub use export::{Export, ExportState, NewExport};
pub use file::ExportFile;
pub use format::{Compression, ExportFormat, Formulas};
pub(crate) use queue::{Exports, Means};

/// Fields that one export may name, as many as a query.
const FIELDS_MAX: usize = 256;

impl Service {
    /// Has everything that matches written to a file, in the background.
    pub fn start_export(&self, caller: &Caller, new: &NewExport) -> Result<Export, Error> {
        caller.require(Access::Read)?;
        check(new)?;
        let task = self.understand_export(caller, new)?;
        let requester = Requester {
            token_id: caller.token_id(),
            token_name: caller.token_name().to_owned(),
        };
        let id = self.exports.new_id(&*self.options.random);
        let export = Export::new(id, new, &task, requester, self.now());
        self.exports.enqueue(export, task)
    }

    /// The exports that the caller may know of, the newest first.
    pub fn list_exports(&self, caller: &Caller) -> Result<Vec<Export>, Error> {
        caller.require(Access::Read)?;
        let mut exports = self.exports.all();
        exports.retain(|export| export.is_visible_to(caller));
        exports.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        Ok(exports)
    }

    /// One export.
    pub fn export(&self, caller: &Caller, id: &str) -> Result<Export, Error> {
        caller.require(Access::Read)?;
        let found = self.exports.find(id);
        found
            .filter(|export| export.is_visible_to(caller))
            .ok_or_else(|| not_found(id))
    }

    /// Cancels an export that waits or runs; removes one that is over, and its file. For who made it, and for admins.
    pub fn delete_export(&self, caller: &Caller, id: &str) -> Result<(), Error> {
        let export = self.export(caller, id)?;
        if export.requester.token_id != caller.token_id() {
            caller.require(Access::Admin)?;
        }
        match export.state.is_over() {
            true => self.exports.remove(id),
            false => self.exports.cancel(id),
        }
    }

    /// The file of an export that is done.
    pub fn export_file(&self, caller: &Caller, id: &str) -> Result<ExportFile, Error> {
        let export = self.export(caller, id)?;
        if export.state != ExportState::Done {
            return Err(Error::ExportNotReady {
                state: export.state.name(),
            });
        }
        self.exports.open(&export)
    }

    /// Removes exports whose time is over, as housekeeping does every minute.
    pub fn expire_exports(&self) {
        self.exports.expire();
    }

    fn understand_export(&self, caller: &Caller, new: &NewExport) -> Result<Task, Error> {
        let parsed = cordwood_query::parse(&new.query)
            .map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
        let now = self.now();
        let sources = chosen_sources(&self.visible_sources(caller), &new.sources)?;
        let (filter, content) = content_of(parsed.query.clone(), new)?;
        let search = engine::SearchRequest {
            sources: sources
                .iter()
                .map(|source| SearchedSource {
                    id: source.id,
                    name: source.name.clone(),
                    kept_from: kept_from(source, now),
                })
                .collect(),
            filter,
            range: range(new.from.as_deref(), new.to.as_deref(), now)?,
            order: new.order,
            limit: 0,
            after: None,
            up_to_sequence: None,
            after_sequence: None,
            total: Total::NotAsked,
            deadline: None,
            cancel: Cancel::default(),
            now,
        };
        let clients: BTreeSet<_> = sources.iter().map(|source| source.client).collect();
        Ok(Task {
            query: parsed.query.to_string(),
            clients,
            search,
            content,
            format: new.format,
            compression: new.compression,
            formulas: new.formulas,
            evidence: new.evidence,
        })
    }
}

/// Refuses what cannot be, all at once.
fn check(new: &NewExport) -> Result<(), Error> {
    if new.format == ExportFormat::Parquet && cfg!(not(feature = "parquet")) {
        return Err(Error::NotBuilt {
            what: "Parquet",
            code: "parquet_not_built",
            command: "cargo build --release --features parquet",
        });
    }
    let mut invalid = Vec::new();
    if new.format == ExportFormat::Parquet && new.compression != Compression::None {
        let message = "can't be chosen for parquet, whose pages are compressed already";
        invalid.push(InvalidValue::new("compression", message));
    }
    if new.fields.len() > FIELDS_MAX {
        let message = format!("are too many (maximum is {FIELDS_MAX})");
        invalid.push(InvalidValue::new("fields", message));
    }
    if new.fields.iter().any(|field| field.trim().is_empty()) {
        invalid.push(InvalidValue::new("fields", "can't be blank"));
    }
    if new.evidence && new.format != ExportFormat::Ndjson {
        invalid.push(InvalidValue::new("format", "must be ndjson for evidence"));
    }
    if new.evidence && !new.fields.is_empty() {
        let message = "can't be chosen for evidence, which holds whole events";
        invalid.push(InvalidValue::new("fields", message));
    }
    let mut names: Vec<&String> = new.fields.iter().collect();
    names.sort();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        invalid.push(InvalidValue::new("fields", "can't be chosen twice"));
    }
    match invalid.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidValues(invalid)),
    }
}

/// What is exported of what the filter finds. A `where` right behind the filter is a part of it, and a last `fields` names the
/// columns: neither needs all events at once.
fn content_of(query: Query, new: &NewExport) -> Result<(Filter, Content), Error> {
    let mut filters = vec![query.filter];
    let mut stages = query.stages;
    while let Some(Stage::Where(_)) = stages.first() {
        if let Stage::Where(filter) = stages.remove(0) {
            filters.push(filter);
        }
    }
    let filter = Filter::and(filters);
    if new.evidence && !stages.is_empty() {
        return Err(Error::InvalidParameter {
            parameter: "query",
            message: "evidence holds whole events: its query has no stages but `where`".to_owned(),
            hint: Some("leave out what stands behind the `|`".to_owned()),
        });
    }
    let mut fields = new.fields.clone();
    if let [Stage::Fields(names)] = stages.as_slice() {
        if fields.is_empty() {
            fields = names.iter().map(|name| name.as_str().to_owned()).collect();
        }
        stages.clear();
    }
    if stages.is_empty() {
        return Ok((filter, Content::Events { fields }));
    }
    if !fields.is_empty() {
        return Err(Error::InvalidParameter {
            parameter: "fields",
            message: "this query has stages, which say what comes out".to_owned(),
            hint: Some("end the query with `| fields …`".to_owned()),
        });
    }
    Ok((filter, Content::Stages(stages)))
}

fn not_found(id: &str) -> Error {
    Error::NotFound {
        kind: "export",
        name: id.to_owned(),
        near: Vec::new(),
    }
}
