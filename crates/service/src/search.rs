//! Search: query text, sources and a range in; events with a cursor, or a table, and the account of what was read out.

mod complete;
mod context;
mod correction;
mod event;
mod facets;
mod histogram;
mod identifiers;
mod notes;
mod plan;
mod staged;
mod trace;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, Emptiness, Incomplete, SearchedSource, Total};
use cordwood_event::{Event, SourceId, Timestamp};
use cordwood_query::{Diagnostic, Filter, Query, TimeBounds};
use cordwood_store::Snapshot;

use crate::caller::pick_source;
use crate::cursor::{Cursor, question_hash};
use crate::ingest::RETRY_AFTER_BUSY;
use crate::range::range;
use crate::retention::{cut_by_retention, kept_from};
use crate::sources::within;
use crate::{Access, Caller, Error, QueryProblem, Service};
use staged::Found;

pub use complete::{
    CompleteRequest, Completed, SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX, Suggestion, SuggestionKind,
};
pub use context::{CONTEXT_EVENTS_DEFAULT, CONTEXT_EVENTS_MAX, ContextRequest, EventContext, Same};
pub use correction::corrected_query;
pub(crate) use staged::{has_pages, makes_table};

pub use cordwood_engine::{
    AnswerMemory, Approximation, BlockCounts, Cancel, Cell, ClauseCount, Count, Explanation,
    Method, NearFields, Order, Progress, Table,
};
pub use event::{EventAbsence, FoundEvent};
pub use facets::{
    FACET_FIELDS_MAX, FACET_VALUES_DEFAULT, FACET_VALUES_MAX, FacetsAnswer, FacetsRequest,
};
pub use histogram::{
    HISTOGRAM_BUCKETS_DEFAULT, HISTOGRAM_BUCKETS_MAX, Histogram, HistogramRequest, LevelTotals,
    TimeBucket,
};
pub use identifiers::Identifier;
pub use plan::QueryExplained;
pub use trace::{
    Gap, TRACE_EVENTS_DEFAULT, TRACE_EVENTS_MAX, Trace, TraceRequest, TraceSubject, TracedEvent,
    TracedService,
};

/// Events in an answer unless asked otherwise.
pub const BATCH_SIZE_DEFAULT: usize = 100;
/// Events in an answer at most.
pub const BATCH_SIZE_MAX: usize = 1000;
/// Rows of a table in an answer unless asked otherwise: a table is looked at as a whole.
pub const TABLE_ROWS_DEFAULT: usize = 1000;
/// Rows of a table in an answer at most; they come in one piece, without a cursor.
pub const TABLE_ROWS_MAX: usize = 10_000;
/// How long a search may take unless asked otherwise.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
/// How long a search may take at most.
pub const DEADLINE_MAX: Duration = Duration::from_secs(600);
/// How long finding out why nothing matched may take.
const EXPLANATION_TIME: Duration = Duration::from_millis(300);

/// A search.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// The query; empty matches everything.
    pub query: String,
    /// Ids, `src-` ids or names; empty for every source the caller sees.
    pub sources: Vec<String>,
    /// From when, inclusive: RFC 3339, a date, `now-1h`, a UNIX time. `None`: from the first event.
    pub from: Option<String>,
    /// Until when, inclusive; a date is its whole day. `None`: to the last event.
    pub to: Option<String>,
    /// The order.
    pub order: Order,
    /// Events wanted, 1 to [`BATCH_SIZE_MAX`]; [`BATCH_SIZE_DEFAULT`] when `None`. Of a table, rows: 1 to
    /// [`TABLE_ROWS_MAX`], [`TABLE_ROWS_DEFAULT`] when `None`.
    pub batch_size: Option<usize>,
    /// From [`SearchAnswer::next`], with everything else unchanged.
    pub cursor: Option<String>,
    /// Whether to count all matches.
    pub total: bool,
    /// How long it may take, [`DEADLINE_DEFAULT`] when `None`, at most [`DEADLINE_MAX`]. What is found by then is
    /// answered as incomplete.
    pub deadline: Option<Duration>,
    /// The id or name of a saved query, instead of `query`. A range and sources that are given here come before those saved.
    pub saved_query: Option<String>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchAnswer {
    /// In the order asked for, or that of the stages. None when there is a table.
    pub events: Vec<Event>,
    /// What the stages made, if they made a table; it says itself whether it has more rows.
    pub table: Option<Table>,
    /// The columns of the table that are not exact.
    pub approximate: Vec<Approximation>,
    /// Whether stages gave more events than these, to which no cursor leads.
    pub has_more: bool,
    /// The names of the sources searched.
    pub source_names: HashMap<SourceId, String>,
    /// All matches, if they were to be counted.
    pub total: Option<u64>,
    /// A cursor to the events after these; `None` when there are none.
    pub next: Option<String>,
    /// What was read to answer.
    pub account: Account,
    /// When nothing matched: what each clause matches alone, and when the query would match.
    pub explanation: Option<Explanation>,
    /// Remarks on the query text, such as a lower-case `and`.
    pub hints: Vec<QueryProblem>,
    /// The memory the events or the table take; to be kept as long as they are.
    pub held: AnswerMemory,
    /// What a cursor to the events after any of these holds beside its position; `None` where no cursor leads on.
    pages: Option<Cursor>,
}

impl SearchAnswer {
    /// A cursor to what comes after the first `shown` of the events, for who has no room for all; `None` when these are the last.
    pub fn next_after(&self, shown: usize) -> Option<String> {
        if shown >= self.events.len() {
            return self.next.clone();
        }
        let last = self.events.get(shown.checked_sub(1)?)?;
        let cursor = Cursor {
            position: last.id,
            ..self.pages?
        };
        Some(cursor.to_string())
    }

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
    /// The range searched, inclusive, narrowed by the query's own clauses; `None`: from the first event.
    pub from: Option<Timestamp>,
    /// The same; `None`: to the last event.
    pub to: Option<Timestamp>,
    /// The sources searched.
    pub sources: Vec<SourceId>,
    /// The sources whose retention or size cuts off the start of the range: from when on their events are kept.
    pub kept_from: BTreeMap<SourceId, Timestamp>,
    /// What else keeps events from an answer that is not full, a sentence each: sources that refuse what is sent to them, a
    /// token that does not read everything, events with a time in the future.
    pub notes: Vec<String>,
    /// Events looked at.
    pub rows_scanned: u64,
    /// Bytes read and decoded.
    pub bytes_scanned: u64,
    /// What became of the blocks of the sources searched.
    pub blocks: BlockCounts,
    /// How long it took.
    pub elapsed: Duration,
}

/// A request understood: everything checked, nothing searched.
pub(crate) struct Question {
    pub(crate) query: Query,
    pub(crate) hints: Vec<QueryProblem>,
    pub(crate) sources: Vec<Arc<catalog::Source>>,
    /// Whether these are all that the caller sees, because none was named.
    is_about_all_sources: bool,
    range: TimeBounds,
    cursor: Option<Cursor>,
    pub(crate) now: Timestamp,
    hash: u64,
    batch_size: usize,
}

impl Question {
    /// The names of the sources searched.
    pub(crate) fn source_names(&self) -> HashMap<SourceId, String> {
        let sources = self.sources.iter();
        sources
            .map(|source| (source.id, source.name.clone()))
            .collect()
    }
}

impl Service {
    /// Searches; see [`SearchRequest`] and [`SearchAnswer`].
    pub fn search(
        &self,
        caller: &Caller,
        request: &SearchRequest,
        cancel: &Cancel,
    ) -> Result<SearchAnswer, Error> {
        caller.require(Access::Read)?;
        let request = &self.resolved(caller, request)?;
        let question = self.understand(caller, request)?;
        let snapshot = self.store.snapshot();
        let asked = self.engine_request(&question, request, cancel);
        let found = self.find(&question, &snapshot, &asked)?;
        if found.account.incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        self.counters.count_search(&found.account);
        if found.is_empty() && found.account.incomplete.contains(&Incomplete::Memory) {
            return Err(Error::Busy {
                retry_after: RETRY_AFTER_BUSY,
            });
        }
        let explanation = self.explain(&question, &snapshot, &asked, &found)?;
        let mut account = account_of(&question, &found.account, &snapshot);
        account.notes = self.notes(caller, &question, &snapshot, (&asked, &found))?;
        Ok(answer_of(question, found, account, explanation))
    }

    pub(crate) fn understand(
        &self,
        caller: &Caller,
        request: &SearchRequest,
    ) -> Result<Question, Error> {
        let parsed = cordwood_query::parse(&request.query)
            .map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
        let (default, max) = match makes_table(&parsed.query.stages) {
            true => (TABLE_ROWS_DEFAULT, TABLE_ROWS_MAX),
            false => (BATCH_SIZE_DEFAULT, BATCH_SIZE_MAX),
        };
        let batch_size = within("batch_size", request.batch_size, default, max)?;
        staged::check(&parsed.query, request)?;
        let sources = chosen_sources(&self.visible_sources(caller), &request.sources)?;
        let cursor: Option<Cursor> = request.cursor.as_deref().map(str::parse).transpose()?;
        let now = cursor.map_or_else(|| self.now(), |cursor| cursor.now);
        let range = range(request.from.as_deref(), request.to.as_deref(), now)?;
        let named: Option<Vec<SourceId>> =
            (!request.sources.is_empty()).then(|| sources.iter().map(|source| source.id).collect());
        let ends = (range.first.as_nanos(), range.last.as_nanos());
        let is_newest_first = request.order == Order::NewestFirst;
        let hash = question_hash(&(parsed.query.to_string(), named, ends, is_newest_first));
        if cursor.is_some_and(|cursor| cursor.question != hash) {
            return Err(Error::InvalidCursor {
                message: "the cursor belongs to another query, other sources, another range or order",
            });
        }
        Ok(Question {
            query: parsed.query,
            hints: problems_of(parsed.hints),
            sources,
            is_about_all_sources: request.sources.is_empty(),
            range,
            cursor,
            now,
            hash,
            batch_size,
        })
    }

    pub(crate) fn engine_request(
        &self,
        question: &Question,
        request: &SearchRequest,
        cancel: &Cancel,
    ) -> engine::SearchRequest {
        let time = request
            .deadline
            .unwrap_or(DEADLINE_DEFAULT)
            .min(DEADLINE_MAX);
        engine::SearchRequest {
            sources: searched(&question.sources, question.now),
            filter: question.query.filter.clone(),
            range: question.range,
            order: request.order,
            limit: question.batch_size,
            after: question.cursor.map(|cursor| cursor.position),
            up_to_sequence: question.cursor.map(|cursor| cursor.up_to_sequence),
            after_sequence: None,
            total: if request.total {
                Total::Count
            } else {
                Total::NotAsked
            },
            deadline: self.options.clock.instant().checked_add(time),
            cancel: cancel.clone(),
            now: question.now,
        }
    }

    /// Why a first page is empty: what [`SearchAnswer::explanation`] holds. A later one is the end of something, and needs no explanation.
    fn explain(
        &self,
        question: &Question,
        snapshot: &Snapshot,
        asked: &engine::SearchRequest,
        found: &Found,
    ) -> Result<Option<Explanation>, Error> {
        let is_empty = found.is_empty() && question.cursor.is_none();
        if !is_empty || question.query.filter == Filter::All {
            return Ok(None);
        }
        // What the stages took away is not explained by the clauses of the filter.
        if !question.query.stages.is_empty() && self.finds_any(snapshot, asked)? {
            return Ok(None);
        }
        let emptiness = match found.account.is_complete() {
            true => Emptiness::Certain,
            false => Emptiness::SoFar,
        };
        self.engine
            .explain_empty(snapshot, asked, emptiness, EXPLANATION_TIME)
            .map(Some)
            .map_err(|error| Error::internal("explaining an empty answer", error))
    }
}

/// Sources as the engine knows them.
pub(crate) fn searched(sources: &[Arc<catalog::Source>], now: Timestamp) -> Vec<SearchedSource> {
    let sources = sources.iter().map(|source| SearchedSource {
        id: source.id,
        name: source.name.clone(),
        kept_from: kept_from(source, now),
    });
    sources.collect()
}

fn source_of(sources: &[Arc<catalog::Source>], id: SourceId) -> Option<&Arc<catalog::Source>> {
    sources.iter().find(|source| source.id == id)
}

fn names_of(sources: &[Arc<catalog::Source>]) -> HashMap<SourceId, String> {
    let names = sources
        .iter()
        .map(|source| (source.id, source.name.clone()));
    names.collect()
}

/// The sources named, each once, by id; all visible ones when none is named.
pub(crate) fn chosen_sources(
    visible: &[Arc<catalog::Source>],
    names: &[String],
) -> Result<Vec<Arc<catalog::Source>>, Error> {
    if names.is_empty() {
        return Ok(visible.to_vec());
    }
    let mut chosen = BTreeMap::new();
    for name in names {
        let source = pick_source(visible, name)?;
        chosen.insert(source.id, source);
    }
    Ok(chosen.into_values().collect())
}

fn answer_of(
    question: Question,
    found: Found,
    account: Account,
    explanation: Option<Explanation>,
) -> SearchAnswer {
    let at = |position| Cursor {
        position,
        up_to_sequence: found.up_to_sequence,
        now: question.now,
        question: question.hash,
    };
    let next = found.next.map(at);
    let last = found.events.last().map(|event| event.id);
    let pages = last.filter(|_| has_pages(&question.query.stages)).map(at);
    SearchAnswer {
        events: found.events,
        table: found.table,
        approximate: found.approximate,
        has_more: found.has_more,
        source_names: question.source_names(),
        total: found.total,
        next: next.map(|cursor| cursor.to_string()),
        account,
        explanation,
        hints: question.hints,
        held: found.memory,
        pages,
    }
}

pub(crate) fn account_of(
    question: &Question,
    account: &engine::Account,
    snapshot: &Snapshot,
) -> Account {
    account_for(
        (question.query.to_string(), question.now),
        &question.sources,
        account,
        snapshot,
    )
}

/// The account of a query, as understood, at a time.
fn account_for(
    (query, now): (String, Timestamp),
    sources: &[Arc<catalog::Source>],
    account: &engine::Account,
    snapshot: &Snapshot,
) -> Account {
    let reasons: Vec<String> = account.incomplete.iter().map(ToString::to_string).collect();
    let TimeBounds { first, last } = account.range;
    Account {
        query,
        complete: account.is_complete(),
        incomplete_reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        from: (first != Timestamp::MIN).then_some(first),
        to: (last != Timestamp::MAX).then_some(last),
        sources: sources.iter().map(|source| source.id).collect(),
        kept_from: cut_by_retention(sources, account.range, snapshot, now),
        notes: Vec::new(),
        rows_scanned: account.rows_scanned,
        bytes_scanned: account.bytes_scanned,
        blocks: account.blocks,
        elapsed: account.elapsed,
    }
}

pub(crate) fn problems_of(diagnostics: Vec<Diagnostic>) -> Vec<QueryProblem> {
    let problems = diagnostics.into_iter().map(|diagnostic| QueryProblem {
        message: diagnostic.message,
        position: diagnostic.span,
        hint: diagnostic.hint,
    });
    problems.collect()
}
