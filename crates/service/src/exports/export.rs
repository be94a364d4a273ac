//! An export, as it is asked for and as callers see it.

use std::collections::BTreeSet;
use std::time::Duration;

use cordwood_event::{SourceId, Timestamp};

use super::format::{Compression, ExportFormat, Formulas};
use super::task::Task;
use crate::{Caller, ClientId, Order};

/// How long a file is kept, from when it is done: over a weekend.
pub(super) const KEPT: Duration = Duration::from_secs(72 * 60 * 60);

/// An export to be made.
#[derive(Clone, Debug)]
pub struct NewExport {
    /// The query; empty means every event. With stages that make a table, the table is exported.
    pub query: String,
    /// Ids, `src-` ids or names; empty for every source the caller sees.
    pub sources: Vec<String>,
    /// From when, as in a search.
    pub from: Option<String>,
    /// Until when, as in a search.
    pub to: Option<String>,
    /// The order.
    pub order: Order,
    /// The format.
    pub format: ExportFormat,
    /// How the file is compressed.
    pub compression: Compression,
    /// The fields, in order; empty for all.
    pub fields: Vec<String>,
    /// What becomes of formulas in CSV.
    pub formulas: Formulas,
    /// Whether records are chained and signed, so that it can be shown later that nobody changed them.
    pub evidence: bool,
}

/// Every event as lines of JSON, the oldest first, as files of logs have it.
impl Default for NewExport {
    fn default() -> NewExport {
        NewExport {
            query: String::new(),
            sources: Vec::new(),
            from: None,
            to: None,
            order: Order::OldestFirst,
            format: ExportFormat::default(),
            compression: Compression::default(),
            fields: Vec::new(),
            formulas: Formulas::default(),
            evidence: false,
        }
    }
}

/// How far an export has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportState {
    /// Others come first.
    Queued,
    /// It is being written.
    Running,
    /// Its file is there.
    Done,
    /// It could not be finished; [`Export::error`] says why.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl ExportState {
    /// All of them.
    pub const ALL: [ExportState; 5] = [
        ExportState::Queued,
        ExportState::Running,
        ExportState::Done,
        ExportState::Failed,
        ExportState::Cancelled,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            ExportState::Queued => "queued",
            ExportState::Running => "running",
            ExportState::Done => "done",
            ExportState::Failed => "failed",
            ExportState::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will become of it.
    pub fn is_over(self) -> bool {
        !matches!(self, ExportState::Queued | ExportState::Running)
    }
}

/// Who asked for an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// The number of the API token.
    pub token_id: u64,
    /// Its name then.
    pub token_name: String,
}

/// An export, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// 32 hexadecimal digits, never given out twice.
    pub id: String,
    /// The query as understood.
    pub query: String,
    /// The sources.
    pub sources: Vec<SourceId>,
    /// Their clients.
    pub clients: BTreeSet<ClientId>,
    /// The range, inclusive; `None`: from the first event.
    pub from: Option<Timestamp>,
    /// The same; `None`: to the last event there is when it begins.
    pub to: Option<Timestamp>,
    /// The order.
    pub order: Order,
    /// The format.
    pub format: ExportFormat,
    /// The compression.
    pub compression: Compression,
    /// The fields chosen; empty for all.
    pub fields: Vec<String>,
    /// What becomes of formulas in CSV.
    pub formulas: Formulas,
    /// Whether it is evidence.
    pub evidence: bool,
    /// Who asked for it.
    pub requester: Requester,
    /// When.
    pub created_at: Timestamp,
    /// When it began to be written.
    pub started_at: Option<Timestamp>,
    /// When it ended, whichever way.
    pub finished_at: Option<Timestamp>,
    /// When it will be removed.
    pub expires_at: Option<Timestamp>,
    /// How far it has come.
    pub state: ExportState,
    /// Events, or rows of a table, written so far.
    pub events: u64,
    /// Bytes of the file so far.
    pub bytes: u64,
    /// About how many events there will be, once that is known.
    pub events_estimated: Option<u64>,
    /// How much of what is to be read has been: 0 to 1.
    pub progress: f64,
    /// Why events may be missing; `None` when none can be.
    pub incomplete_reason: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Export {
    pub(super) fn new(
        id: String,
        new: &NewExport,
        task: &Task,
        requester: Requester,
        now: Timestamp,
    ) -> Export {
        let range = task.search.range;
        Export {
            id,
            query: task.query.clone(),
            sources: task.search.sources.iter().map(|source| source.id).collect(),
            clients: task.clients.clone(),
            from: (range.first != Timestamp::MIN).then_some(range.first),
            to: (range.last != Timestamp::MAX).then_some(range.last),
            order: new.order,
            format: new.format,
            compression: new.compression,
            fields: new.fields.clone(),
            formulas: new.formulas,
            evidence: new.evidence,
            requester,
            created_at: now,
            started_at: None,
            finished_at: None,
            expires_at: None,
            state: ExportState::Queued,
            events: 0,
            bytes: 0,
            events_estimated: None,
            progress: 0.0,
            incomplete_reason: None,
            error: None,
        }
    }

    /// The name its file has when it is downloaded.
    pub fn file_name(&self) -> String {
        let short = self.id.get(..8).unwrap_or(&self.id);
        let kind = if self.evidence { "evidence" } else { "export" };
        let (format, suffix) = (self.format.name(), self.compression.suffix());
        format!("cordwood-{kind}-{short}.{format}{suffix}")
    }

    /// Who made it may know of it, and who sees all clients whose events may be in it.
    pub(super) fn is_visible_to(&self, caller: &Caller) -> bool {
        let sees_all = self.clients.iter().all(|client| caller.sees(*client));
        let is_own = self.requester.token_id == caller.token_id();
        sees_all && (is_own || !self.clients.is_empty())
    }

    /// Ends it.
    pub(super) fn end(&mut self, state: ExportState, now: Timestamp) {
        let kept = i64::try_from(KEPT.as_nanos()).unwrap_or(i64::MAX);
        self.state = state;
        self.finished_at = Some(now);
        self.expires_at = Some(Timestamp::from_nanos(now.as_nanos().saturating_add(kept)));
    }
}
