//! Why an answer may have fewer events than its reader expects: what is known beside the query itself, a sentence each.

use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, Cancel, Total};
use cordwood_event::Timestamp;
use cordwood_query::{Filter, Target, TimeBounds};
use cordwood_store::Snapshot;

use super::Question;
use super::staged::Found;
use crate::{Caller, Error, Refusal, Scope, Service};

/// How long looking for events with a time in the future may take.
const FUTURE_TIME: Duration = Duration::from_millis(100);

/// Sources that are told one by one; beyond, their number says enough.
const SOURCES_TOLD_MAX: usize = 5;

impl Service {
    /// What keeps events from an answer that is not full. A later page is the end of something, and needs no note.
    pub(super) fn notes(
        &self,
        caller: &Caller,
        question: &Question,
        snapshot: &Snapshot,
        (asked, found): (&engine::SearchRequest, &Found),
    ) -> Result<Vec<String>, Error> {
        let is_full = found.next.is_some() || found.events.len() >= question.batch_size;
        let has_rows = found
            .table
            .as_ref()
            .is_some_and(|table| !table.rows.is_empty());
        if question.cursor.is_some() || is_full || has_rows {
            return Ok(Vec::new());
        }
        let mut notes = Vec::new();
        self.note_refused(question, &mut notes);
        if question.is_about_all_sources && *caller.scope() != Scope::AllClients {
            notes.push(
                "This token reads the sources of some clients only; what others have is not searched."
                    .to_owned(),
            );
        }
        notes.extend(self.note_future(snapshot, asked)?);
        Ok(notes)
    }

    /// Sources that refuse what is sent to them.
    fn note_refused(&self, question: &Question, notes: &mut Vec<String>) {
        let paused = question
            .sources
            .iter()
            .filter(|source| source.ingesting_paused);
        let paused: Vec<&Arc<catalog::Source>> = paused.collect();
        if !paused.is_empty() {
            let sources = told(paused.iter().map(|source| source.name.as_str()));
            notes.push(format!("What is sent to {sources} is refused: paused."));
        }
        for source in &question.sources {
            let usage = self.catalog.usage(source.id);
            let refused = usage.map(|usage| usage.in_month_of(question.now).refused);
            let refused = refused.and_then(|refused| {
                let mut reasons = refused.into_iter();
                reasons.find(|(reason, _)| reason == Refusal::QuotaExceeded.code())
            });
            if let Some((_, count @ 1..)) = refused {
                let name = &source.name;
                notes.push(format!(
                    "The quota of source `{name}` is spent: {count} requests to it were refused this month."
                ));
            }
        }
    }

    /// Matches that a clock set wrong has put after now, where the range ends before them.
    fn note_future(
        &self,
        snapshot: &Snapshot,
        asked: &engine::SearchRequest,
    ) -> Result<Option<String>, Error> {
        let ends = asked
            .range
            .intersection(asked.filter.time_bounds(asked.now));
        let Some(first) = ends.last.max(asked.now).as_nanos().checked_add(1) else {
            return Ok(None);
        };
        let future = TimeBounds {
            first: Timestamp::from_nanos(first),
            last: Timestamp::MAX,
        };
        let deadline = self.options.clock.instant().checked_add(FUTURE_TIME);
        let later = engine::SearchRequest {
            range: future,
            limit: 0,
            after: None,
            total: Total::Count,
            deadline: match (asked.deadline, deadline) {
                (Some(asked), Some(own)) => Some(asked.min(own)),
                (_, own) => own,
            },
            cancel: Cancel::clone(&asked.cancel),
            filter: without_time(&asked.filter),
            ..asked.clone()
        };
        let counted = self.engine.search(snapshot, &later);
        let counted = counted.map_err(|error| Error::internal("counting events", error))?;
        Ok(match counted.total.unwrap_or(0) {
            0 => None,
            events => Some(format!(
                "{events} events that match lie in the future, after this range: a clock of who sent them is wrong."
            )),
        })
    }
}

/// The filter without the clauses that say when, at the outermost level.
fn without_time(filter: &Filter) -> Filter {
    let is_time = |term: &Filter| {
        let clauses = term.clauses();
        !clauses.is_empty() && clauses.iter().all(|clause| clause.target == Target::Time)
    };
    match filter {
        Filter::And(terms) => Filter::and(
            terms
                .iter()
                .filter(|term| !is_time(term))
                .cloned()
                .collect(),
        ),
        term if is_time(term) => Filter::All,
        term => term.clone(),
    }
}

/// `source `a``, or `sources `a`, `b` and 3 more`.
fn told<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let shown = names.take(SOURCES_TOLD_MAX).map(|name| format!("`{name}`"));
    let shown = shown.collect::<Vec<String>>().join(", ");
    let noun = if count == 1 { "source" } else { "sources" };
    match count.saturating_sub(SOURCES_TOLD_MAX) {
        0 => format!("{noun} {shown}"),
        more => format!("{noun} {shown} and {more} more"),
    }
}
