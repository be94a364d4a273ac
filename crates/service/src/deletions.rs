//! Deletion by query: what would go, having it go, and how far that has come.
//!
//! A deletion is counted and hidden before it is answered. What comes later, while the store purges, is told by its record.

use std::sync::Arc;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, Cancel, Incomplete, SearchedSource, Total};
use cordwood_event::{SourceId, Timestamp};
use cordwood_query::{Filter, Query, Target, TimeBounds, parse};
use cordwood_store::{self as store, DeletedSource, DeletionId, DeletionRequest, Snapshot};

use crate::range::range;
use crate::retention::kept_from;
use crate::search::{DEADLINE_DEFAULT, chosen_sources, problems_of};
use crate::sources::{PER_PAGE_DEFAULT, PER_PAGE_MAX, within};
use crate::{Access, Caller, Error, QueryProblem, Scope, Service};

pub use cordwood_store::DeletionState;

/// Events to be deleted.
#[derive(Clone, Debug, Default)]
pub struct NewDeletion {
    /// The query that means them; it has no stages.
    pub query: String,
    /// The sources to delete from: ids, `src-` ids or names. At least one.
    pub sources: Vec<String>,
    /// From when, as in a search.
    pub from: Option<String>,
    /// Until when, as in a search.
    pub to: Option<String>,
    /// Whether it is meant that the query leaves nothing: one that means every event is refused otherwise.
    pub everything: bool,
}

/// What a deletion would hide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletionPreview {
    /// The query as understood.
    pub query: String,
    /// The sources.
    pub sources: Vec<SourceId>,
    /// The range, inclusive; `None`: from the first event.
    pub from: Option<Timestamp>,
    /// The same; `None`: to the last event.
    pub to: Option<Timestamp>,
    /// How many events.
    pub events: u64,
    /// Why there may be more, if there may be.
    pub incomplete_reason: Option<String>,
}

/// A deletion, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Its number; later ones have higher numbers.
    pub id: u64,
    /// The query as understood.
    pub query: String,
    /// The sources.
    pub sources: Vec<SourceId>,
    /// The range, inclusive; `None`: from the first event.
    pub from: Option<Timestamp>,
    /// The same; `None`: to the last event there was.
    pub to: Option<Timestamp>,
    /// When it was requested. Events that came later are not deleted.
    pub requested_at: Timestamp,
    /// How far it has come.
    pub state: DeletionState,
    /// How many events it hid; `None` if they could not all be counted.
    pub events_hidden: Option<u64>,
    /// How many of them were removed from the files so far. What retention removed is not among them.
    pub events_purged: u64,
    /// About how many bytes these had as sent.
    pub bytes_purged: u64,
}

/// One page of deletions, the newest first.
#[derive(Clone, Debug)]
pub struct DeletionPage {
    /// The deletions on it.
    pub deletions: Vec<Deletion>,
    /// This page; the first is 1.
    pub page: usize,
    /// The last page; at least 1.
    pub last_page: usize,
}

/// A deletion understood, and nothing done.
struct Understood {
    filter: Filter,
    sources: Vec<Arc<catalog::Source>>,
    range: TimeBounds,
    now: Timestamp,
}

impl Service {
    /// Counts what a deletion would hide; refuses what the deletion would be refused for.
    pub fn preview_deletion(
        &self,
        caller: &Caller,
        new: &NewDeletion,
        cancel: &Cancel,
    ) -> Result<DeletionPreview, Error> {
        caller.require(Access::Admin)?;
        let understood = self.understand_deletion(caller, new)?;
        let counted = self.count_deleted(&self.store.snapshot(), &understood, cancel)?;
        let reasons = counted.account.incomplete.iter().map(ToString::to_string);
        let reasons: Vec<String> = reasons.collect();
        let (from, to) = ends_of(understood.range.first, understood.range.last);
        Ok(DeletionPreview {
            query: understood.filter.to_string(),
            sources: understood.sources.iter().map(|source| source.id).collect(),
            from,
            to,
            events: counted.total.unwrap_or(0),
            incomplete_reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        })
    }

    /// Deletes events. On return they are hidden for good, and the store begins to purge them.
    pub fn delete_events(
        &self,
        caller: &Caller,
        new: &NewDeletion,
        cancel: &Cancel,
    ) -> Result<Deletion, Error> {
        caller.require(Access::Admin)?;
        let understood = self.understand_deletion(caller, new)?;
        let snapshot = self.store.snapshot();
        let counted = self.count_deleted(&snapshot, &understood, cancel)?;
        let is_exact = counted.account.is_complete();
        let request = request_of(&understood, snapshot.last_sequence());
        let deletion = self
            .store
            .delete(request, counted.total.filter(|_| is_exact))
            .map_err(of_store)?;
        self.delete_kept_events(
            caller,
            &understood.sources,
            &understood.filter,
            understood.range,
        )?;
        // Not the query: it may name what is deleted because it must not be kept.
        tracing::info!(
            deletion = %deletion.id,
            events = deletion.events_hidden,
            token = caller.token_name(),
            "events are deleted"
        );
        Ok(Deletion::from(deletion))
    }

    /// The deletions from the caller's sources, a page at a time.
    pub fn list_deletions(
        &self,
        caller: &Caller,
        page: Option<usize>,
        per_page: Option<usize>,
    ) -> Result<DeletionPage, Error> {
        caller.require(Access::Read)?;
        let per_page = within("per_page", per_page, PER_PAGE_DEFAULT, PER_PAGE_MAX)?;
        let page = within("page", page, 1, usize::MAX)?;
        let visible = self.visible_deletions(caller);
        let last_page = visible.len().div_ceil(per_page).max(1);
        let newest_first = visible.into_iter().rev();
        let on_page = newest_first.skip((page - 1).saturating_mul(per_page));
        Ok(DeletionPage {
            deletions: on_page.take(per_page).map(Deletion::from).collect(),
            page,
            last_page,
        })
    }

    /// One deletion, by its number.
    pub fn deletion(&self, caller: &Caller, id: &str) -> Result<Deletion, Error> {
        caller.require(Access::Read)?;
        let number = id.parse().ok().map(DeletionId);
        let mut visible = self.visible_deletions(caller).into_iter();
        let found = visible.find(|deletion| Some(deletion.id) == number);
        let found = found.ok_or_else(|| Error::NotFound {
            kind: "deletion",
            name: id.to_owned(),
            near: Vec::new(),
        })?;
        Ok(Deletion::from(found))
    }

    /// Those whose sources the caller sees, all of them; who sees all clients sees those from sources that are gone too.
    pub(crate) fn visible_deletions(&self, caller: &Caller) -> Vec<store::Deletion> {
        let sources = self.visible_sources(caller);
        let is_visible = |deleted: &DeletedSource| {
            *caller.scope() == Scope::AllClients
                || sources.iter().any(|source| source.id == deleted.id)
        };
        let mut deletions = self.store.deletions();
        deletions.retain(|deletion| deletion.request.sources.iter().all(is_visible));
        deletions
    }

    fn understand_deletion(&self, caller: &Caller, new: &NewDeletion) -> Result<Understood, Error> {
        let parsed =
            parse(&new.query).map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
        if !parsed.query.stages.is_empty() {
            return Err(stages_refused(&new.query, &parsed.query));
        }
        if !new.everything && means_everything(&parsed.query.filter) {
            return Err(everything_refused());
        }
        if new.sources.is_empty() {
            return Err(Error::InvalidParameter {
                parameter: "source_id",
                message: "a deletion needs the sources to delete from".to_owned(),
                hint: Some("name them by id or name in `source_id`".to_owned()),
            });
        }
        let now = self.now();
        Ok(Understood {
            filter: parsed.query.filter,
            sources: chosen_sources(&self.visible_sources(caller), &new.sources)?,
            range: range(new.from.as_deref(), new.to.as_deref(), now)?,
            now,
        })
    }

    /// Counts the events of a snapshot that a deletion means, as a search does.
    fn count_deleted(
        &self,
        snapshot: &Snapshot,
        understood: &Understood,
        cancel: &Cancel,
    ) -> Result<engine::SearchAnswer, Error> {
        let sources = understood.sources.iter().map(|source| SearchedSource {
            id: source.id,
            name: source.name.clone(),
            kept_from: kept_from(source, understood.now),
        });
        let filter = understood.filter.clone();
        let request = engine::SearchRequest {
            range: understood.range,
            total: Total::Count,
            deadline: self.options.clock.instant().checked_add(DEADLINE_DEFAULT),
            cancel: cancel.clone(),
            ..engine::SearchRequest::newest(sources.collect(), filter, 0, understood.now)
        };
        let counted = self.engine.search(snapshot, &request);
        let counted = counted.map_err(|error| Error::internal("counting events", error))?;
        match counted.account.incomplete.contains(&Incomplete::Cancelled) {
            true => Err(Error::Cancelled),
            false => Ok(counted),
        }
    }
}

fn request_of(understood: &Understood, last_sequence: u64) -> DeletionRequest {
    let sources = understood.sources.iter().map(|source| DeletedSource {
        id: source.id,
        name: source.name.clone(),
    });
    DeletionRequest {
        sources: sources.collect(),
        first: understood.range.first,
        last: understood.range.last,
        query: understood.filter.to_string(),
        requested_at: understood.now,
        up_to_sequence: last_sequence,
    }
}

/// Whether a filter asks nothing of an event but its source.
fn means_everything(filter: &Filter) -> bool {
    let clauses = filter.clauses();
    clauses.iter().all(|clause| clause.target == Target::Source)
}

fn everything_refused() -> Error {
    Error::InvalidParameter {
        parameter: "query",
        message: "the query means every event of these sources; nothing was deleted".to_owned(),
        hint: Some("if that is meant, confirm it with `everything`".to_owned()),
    }
}

/// Stages make something of events; what that would delete is not to be told.
fn stages_refused(text: &str, query: &Query) -> Error {
    let bars = text.match_indices('|').map(|(bar, _)| bar);
    let is_filter = |bar: &usize| {
        let before = text.get(..*bar).map(parse);
        let before = before.and_then(Result::ok).map(|parsed| parsed.query);
        before.is_some_and(|before| before.stages.is_empty() && before.filter == query.filter)
    };
    let start = bars.into_iter().find(is_filter).unwrap_or(0);
    Error::Query(vec![QueryProblem {
        message: "a deletion takes a filter only, no stages".to_owned(),
        position: start..text.len(),
        hint: Some("leave out everything from the `|` on".to_owned()),
    }])
}

fn of_store(error: store::Error) -> Error {
    match error {
        store::Error::TooManyDeletions { standing } => Error::TooManyDeletions { standing },
        error => Error::internal("deleting events", error),
    }
}

/// The ends of a range, where it has any.
fn ends_of(first: Timestamp, last: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let from = (first != Timestamp::MIN).then_some(first);
    (from, (last != Timestamp::MAX).then_some(last))
}

impl From<store::Deletion> for Deletion {
    fn from(deletion: store::Deletion) -> Deletion {
        let request = &deletion.request;
        let (from, to) = ends_of(request.first, request.last);
        Deletion {
            id: deletion.id.0,
            query: request.query.clone(),
            sources: request.sources.iter().map(|source| source.id).collect(),
            from,
            to,
            requested_at: request.requested_at,
            state: deletion.state,
            events_hidden: deletion.events_hidden,
            events_purged: deletion.events_purged,
            bytes_purged: deletion.bytes_purged,
        }
    }
}
