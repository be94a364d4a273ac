//! One export from its first event to a file that is whole: what is read, how it is held, and what keeps it from its end.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Duration;

use cordwood_engine::{
    self as engine, Account, Extent, Gather, Incomplete, ScanRequest, Total, Wanted, Window,
    WindowLimit,
};
use cordwood_event::path;
use cordwood_query::{PatternPart, Stage, Target};
use cordwood_store::{self as store, Reservation, Snapshot};

use super::cells::{FieldRows, RowStyle};
use super::directory::Directory;
use super::evidence::{self, Records};
use super::export::Export;
use super::format::ExportFormat;
use super::lines::EventLines;
#[cfg(feature = "parquet")]
use super::parquet::{self, ColumnRows, FieldColumns, ParquetFile};
use super::queue::{Means, Watch};
use super::rows::{self, Rows};
use super::sink::Sink;
use super::table;
use super::task::{Content, Task};
use crate::jobs::in_words;

/// A window holds so much of the memory of all, and never more than this: larger ones are no faster.
const SHARE_OF_MEMORY: u64 = 32;
const WINDOW_BYTES_MAX: u64 = 32 << 20;

/// Windows there are at once: one that is scanned, which may have twice its bytes, one that waits and one that is written.
const WINDOWS_HELD: u64 = 4;

/// How long counting for the estimate may take.
const ESTIMATE_TIME: Duration = Duration::from_secs(2);

/// How often it is asked again for memory.
const MEMORY_PATIENCE: Duration = Duration::from_millis(50);

/// Columns of CSV at most, when all fields are wanted. Spreadsheets take 16 384, but every event is as wide as all of them.
const COLUMNS_MAX: usize = 4096;

/// Where rows go, one by one in their order.
type WriteRow<'a> = dyn FnMut(&str) -> io::Result<()> + Send + 'a;

/// Where the parts of a window go, to be put in order; gives how many rows there are.
type WriteWindow<'a, T> = dyn FnMut(&[T]) -> io::Result<u64> + Send + 'a;

/// What is scanned, and how much of it at a time.
struct Scanned<'a> {
    snapshot: &'a Snapshot,
    window_bytes: u64,
    names: &'a [String],
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Events, or rows of a table.
    pub(super) events: u64,
    /// Why there may be more.
    reasons: Vec<String>,
}

/// Why an export has no file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("it was cancelled")]
    Cancelled,
    #[error("its file could not be written")]
    Write(#[from] io::Error),
    #[error("the search failed")]
    Engine(#[from] engine::Error),
    #[error("the store failed")]
    Store(#[from] store::Error),
    #[error("{0}")]
    Impossible(String),
}

impl Written {
    /// Takes note that something may be missing.
    pub(super) fn note(&mut self, reason: String) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// Why there may be more, if there may be.
    pub(super) fn incomplete_reason(&self) -> Option<String> {
        (!self.reasons.is_empty()).then(|| self.reasons.join("; "))
    }

    /// Takes note of what a search says of itself; fails if it ended before its time.
    pub(super) fn take_account(&mut self, account: &Account) -> Result<(), Failed> {
        for reason in &account.incomplete {
            match reason {
                Incomplete::Cancelled => return Err(Failed::Cancelled),
                Incomplete::Memory | Incomplete::Deadline => {
                    return Err(Failed::Impossible(reason.to_string()));
                }
                reason => self.note(reason.to_string()),
            }
        }
        Ok(())
    }
}

impl Failed {
    /// For whoever asked.
    pub(super) fn in_words(&self) -> String {
        match self {
            Failed::Write(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                "exports take all the disk they may; delete some, ask for less, or compress it"
                    .to_owned()
            }
            Failed::Write(error) if error.kind() == io::ErrorKind::StorageFull => {
                "the disk is nearly full; what is left is kept for events that arrive".to_owned()
            }
            error => in_words(error),
        }
    }
}

/// An export under way.
pub(super) struct Running<'a> {
    pub(super) means: &'a Means,
    pub(super) directory: &'a Directory,
    pub(super) export: &'a Export,
    pub(super) task: &'a Task,
    pub(super) watch: &'a Watch,
    /// How large the file may become.
    pub(super) bytes_max: u64,
}

impl Running<'_> {
    /// Writes the file and gives it its name.
    pub(super) fn run(&self) -> Result<Written, Failed> {
        // The snapshot then holds files rather than the memory of those who write.
        self.means.store.flush()?;
        let snapshot = self.means.store.snapshot();
        self.estimate(&snapshot)?;
        let window_bytes = self.window_bytes();
        let _held = self.reserve(window_bytes.saturating_mul(WINDOWS_HELD))?;
        let file = self.directory.draft(&self.export.id)?;
        let bytes = self.watch.bytes.clone();
        let bytes_max = self.bytes_max.min(self.directory.bytes_free()?);
        let mut sink = Sink::new(file, self.task.compression, bytes, bytes_max)?;
        let written = self.write(&snapshot, window_bytes, &mut sink)?;
        sink.finish()?;
        self.directory.publish(&self.export.id)?;
        Ok(written)
    }

    fn write(
        &self,
        snapshot: &Snapshot,
        window_bytes: u64,
        sink: &mut Sink,
    ) -> Result<Written, Failed> {
        match &self.task.content {
            Content::Stages(stages) => {
                let columns = self.columns(snapshot, stages)?;
                let stages = table::stages_of(self.task, stages, &columns);
                table::write(&self.means.engine, snapshot, self.task, stages, sink)
            }
            Content::Events { fields }
                if fields.is_empty() && self.task.format == ExportFormat::Ndjson =>
            {
                match self.task.evidence {
                    true => self.write_evidence(snapshot, window_bytes, sink),
                    false => {
                        let write = &mut |row: &str| sink.write_all(row.as_bytes());
                        self.write_rows(snapshot, window_bytes, Vec::new(), EventLines, write)
                    }
                }
            }
            Content::Events { fields } => {
                let names = match fields.is_empty() {
                    true => self.columns(snapshot, &[])?,
                    false => fields.clone(),
                };
                #[cfg(feature = "parquet")]
                if self.task.format == ExportFormat::Parquet {
                    return self.write_parquet(snapshot, window_bytes, &names, sink);
                }
                let style = match self.task.format {
                    ExportFormat::Csv => RowStyle::csv(&names, self.task.formulas),
                    ExportFormat::Ndjson | ExportFormat::Parquet => RowStyle::json(&names),
                };
                sink.write_all(style.heading().as_bytes())?;
                let rows = FieldRows { style };
                let write = &mut |row: &str| sink.write_all(row.as_bytes());
                self.write_rows(snapshot, window_bytes, names, rows, write)
            }
        }
    }

    /// Events as records of evidence, and the manifest behind the last.
    fn write_evidence(
        &self,
        snapshot: &Snapshot,
        window_bytes: u64,
        sink: &mut Sink,
    ) -> Result<Written, Failed> {
        let key = evidence::signing_key(&self.means.data_dir, &*self.means.random)?;
        let mut records = Records::begin(self.export, self.task, &key, sink);
        let write = &mut |row: &str| records.write(row);
        let written = self.write_rows(snapshot, window_bytes, Vec::new(), EventLines, write)?;
        records.finish(self.means.clock.now(), written.incomplete_reason())?;
        Ok(written)
    }

    /// Events as columns.
    #[cfg(feature = "parquet")]
    fn write_parquet(
        &self,
        snapshot: &Snapshot,
        window_bytes: u64,
        names: &[String],
        sink: &mut Sink,
    ) -> Result<Written, Failed> {
        let (engine, order) = (&self.means.engine, self.task.search.order);
        let fields = engine.fields(snapshot, &self.task.search, &Wanted::All)?;
        let columns = parquet::columns_of(names, &fields);
        let mut file = ParquetFile::begin(&mut *sink, columns.clone())?;
        let scanned = Scanned {
            snapshot,
            window_bytes,
            names,
        };
        let write = &mut |parts: &[ColumnRows]| file.write(parts, order);
        let written = self.scan(scanned, FieldColumns { columns }, ColumnRows::bytes, write)?;
        file.finish()?;
        Ok(written)
    }

    /// Writes rows one by one in their order.
    fn write_rows<G: Gather<Gathered = Rows>>(
        &self,
        snapshot: &Snapshot,
        window_bytes: u64,
        names: Vec<String>,
        gather: G,
        write: &mut WriteRow<'_>,
    ) -> Result<Written, Failed> {
        let order = self.task.search.order;
        let scanned = Scanned {
            snapshot,
            window_bytes,
            names: &names,
        };
        self.scan(scanned, gather, Rows::bytes, &mut |parts: &[Rows]| {
            let mut rows = 0;
            rows::each_in_order(parts, order, &mut |row| {
                rows += 1;
                write(row)
            })?;
            Ok(rows)
        })
    }

    /// Scans in order, and writes on a thread beside it.
    fn scan<G: Gather>(
        &self,
        scanned: Scanned<'_>,
        gather: G,
        bytes_of: fn(&G::Gathered) -> u64,
        write: &mut WriteWindow<'_, G::Gathered>,
    ) -> Result<Written, Failed> {
        let request = ScanRequest {
            search: self.task.search.clone(),
            extent: Extent::All,
            fields: scanned
                .names
                .iter()
                .map(|name| Target::named(name))
                .collect(),
        };
        let limit = WindowLimit {
            bytes_max: scanned.window_bytes,
            bytes_of,
        };
        let (account, written) = thread::scope(|scope| {
            let (sender, windows) = sync_channel::<Window<G::Gathered>>(1);
            let writer = thread::Builder::new()
                .name("export-writer".to_owned())
                .spawn_scoped(scope, || self.write_windows(windows, write))?;
            let account = self.means.engine.scan_in_order(
                scanned.snapshot,
                &request,
                &gather.into(),
                limit,
                &mut |window| match sender.send(window) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                },
            );
            drop(sender);
            let written = writer.join();
            let written = written.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")));
            Ok::<_, io::Error>((account, written))
        })?;
        let mut outcome = Written {
            events: written?,
            ..Written::default()
        };
        outcome.take_account(&account?)?;
        Ok(outcome)
    }

    /// Writes windows as they come; how many rows that were.
    fn write_windows<T>(
        &self,
        windows: Receiver<Window<T>>,
        write: &mut WriteWindow<'_, T>,
    ) -> io::Result<u64> {
        let mut rows = 0;
        for window in windows {
            if self.directory.bytes_free()? == 0 {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            rows += write(&window.gathered)?;
            self.watch.set(rows, window.progress);
        }
        Ok(rows)
    }

    /// The names of all fields in the range, as columns: those every event has first, in the order an event is written.
    fn columns(&self, snapshot: &Snapshot, stages: &[Stage]) -> Result<Vec<String>, Failed> {
        if self.task.format == ExportFormat::Ndjson {
            return Ok(Vec::new());
        }
        let search = &self.task.search;
        let fields = self
            .means
            .engine
            .fields(snapshot, search, &Wanted::All)?
            .paths;
        let mut names: BTreeSet<String> = fields
            .keys()
            .map(|path| path::name(path).into_owned())
            .collect();
        names.extend(stages.iter().flat_map(captured));
        for name in ["dt", "level", "message", "_id", "_source"] {
            names.remove(name);
        }
        if names.len() > COLUMNS_MAX {
            return Err(Failed::Impossible(format!(
                "the events have {} fields, more than {COLUMNS_MAX} columns; say which with `fields`",
                names.len()
            )));
        }
        let first = ["dt", "level", "message"].map(str::to_owned);
        let last = ["_id", "_source"].map(str::to_owned);
        Ok(first.into_iter().chain(names).chain(last).collect())
    }

    /// How many events there will be, unless counting them takes long or stages make something else of them.
    fn estimate(&self, snapshot: &Snapshot) -> Result<(), Failed> {
        if let Content::Stages(_) = self.task.content {
            return Ok(());
        }
        let clock = &self.means.clock;
        let request = engine::SearchRequest {
            total: Total::Count,
            deadline: clock.instant().checked_add(ESTIMATE_TIME),
            ..self.task.search.clone()
        };
        let answer = self.means.engine.search(snapshot, &request)?;
        if answer.account.is_complete() {
            self.watch.set_estimate(answer.total);
        }
        match answer.account.incomplete.contains(&Incomplete::Cancelled) {
            true => Err(Failed::Cancelled),
            false => Ok(()),
        }
    }

    fn window_bytes(&self) -> u64 {
        let share = self.means.memory.ceiling_bytes() / SHARE_OF_MEMORY;
        share.min(WINDOW_BYTES_MAX)
    }

    /// Waits until there is memory for all windows.
    fn reserve(&self, bytes: u64) -> Result<Reservation, Failed> {
        loop {
            if let Some(reserved) = self.means.memory.try_reserve(bytes) {
                return Ok(reserved);
            }
            if self.task.search.cancel.is_cancelled() {
                return Err(Failed::Cancelled);
            }
            thread::sleep(MEMORY_PATIENCE);
        }
    }
}

/// The names of the fields that a stage takes out of texts.
fn captured(stage: &Stage) -> Vec<String> {
    let Stage::Parse { pattern, .. } = stage else {
        return Vec::new();
    };
    let captures = pattern.parts.iter().filter_map(|part| match part {
        PatternPart::Capture(capture) => Some(capture.name.clone()),
        PatternPart::Literal(_) => None,
    });
    captures.collect()
}
