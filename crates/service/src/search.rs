//! Search: query text, sources and a range in; events, a cursor and the account of what was read out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordwood_event::{Event, SourceId, Timestamp};

use crate::{Access, Caller, Error, QueryProblem, Service};

/// Events in an answer unless asked otherwise.
pub const BATCH_SIZE_DEFAULT: usize = 100;
/// Events in an answer at most.
pub const BATCH_SIZE_MAX: usize = 1000;

/// The order of events in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// By time, falling.
    #[default]
    NewestFirst,
    /// By time, rising.
    OldestFirst,
}

/// A search.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// The query; empty matches everything.
    pub query: String,
    /// Ids, `src-` ids or names; empty for every source the caller sees.
    pub sources: Vec<String>,
    /// From when, inclusive: RFC 3339, a date, `now-1h`, a UNIX time. `None`: from the first event.
    pub from: Option<String>,
    /// Until when, exclusive. `None`: to the last event.
    pub to: Option<String>,
    /// The order.
    pub order: Order,
    /// Events wanted, 1 to [`BATCH_SIZE_MAX`]; [`BATCH_SIZE_DEFAULT`] when `None`.
    pub batch_size: Option<usize>,
    /// From [`SearchAnswer::next`], with everything else unchanged.
    pub cursor: Option<String>,
    /// Whether to count all matches.
    pub total: bool,
    /// How long it may take; what is found by then is answered as incomplete.
    pub deadline: Option<Duration>,
}

/// Stops a search whose caller has gone.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops the search soon.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchAnswer {
    /// In the order asked for.
    pub events: Vec<Event>,
    /// The names of the sources searched.
    pub source_names: HashMap<SourceId, String>,
    /// All matches, if they were to be counted.
    pub total: Option<u64>,
    /// A cursor to the events after these; `None` when there are none.
    pub next: Option<String>,
    /// What was read to answer.
    pub account: Account,
    /// When nothing matched: how many events of the range each clause matches alone.
    pub clauses: Vec<ClauseCount>,
    /// Remarks on the query text, such as a lower-case `and`.
    pub hints: Vec<QueryProblem>,
}

impl SearchAnswer {
    /// The name of a source in this answer.
    pub fn source_name(&self, source: SourceId) -> &str {
        self.source_names.get(&source).map_or("", String::as_str)
    }
}

/// What was searched, and whether that was everything.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The query as understood.
    pub query: String,
    /// Whether every event in the range was considered.
    pub complete: bool,
    /// Why not, if not.
    pub incomplete_reason: Option<String>,
    /// The range searched, inclusive; `None`: from the first event.
    pub from: Option<Timestamp>,
    /// The range searched, exclusive; `None`: to the last event.
    pub to: Option<Timestamp>,
    /// The sources searched.
    pub sources: Vec<SourceId>,
    /// Events looked at.
    pub rows_scanned: u64,
    /// Bytes read and decoded.
    pub bytes_scanned: u64,
    /// Blocks in the sources searched.
    pub blocks_total: u64,
    /// Blocks not read, because they could not match or were not needed.
    pub blocks_pruned: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// How many events of the range one clause matches on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseCount {
    /// The clause, in canonical text.
    pub clause: String,
    /// The events it matches alone.
    pub matches: u64,
}

impl Service {
    /// Searches; see [`SearchRequest`] and [`SearchAnswer`].
    pub fn search(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        _cancel: &Cancel,
    ) -> Result<SearchAnswer, Error> {
        caller.require(Access::Read)?;
        for source in &request.sources {
            self.find_source(caller, source)?;
        }
        Err(Error::internal(
            "searching",
            "there is no engine in this build",
        ))
    }
}
