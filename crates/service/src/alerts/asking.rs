//! Has the engine answer what rules ask, each question once however many rules ask it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cordwood_alerts::{Cell, Group, Question, Tally, Window};
use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, Cancel, SearchRequest, StagedRequest};
use cordwood_event::{SourceId, Timestamp};
use cordwood_query::{Filter, Stage, TimeBounds};
use cordwood_store::Snapshot;

use super::arrivals::Arrivals;
use super::refusals::Refusals;
use crate::Service;
use crate::retention::kept_from;
use crate::search::searched;

/// Rows that a question is answered with at most: the members of the longest roster, and as many again. A question with more
/// groups fails, since nobody could say of a group that is left out whether it was silent.
const ROWS_MAX: usize = 20_000;

/// How long one question may take. Rules wait for each other, so that a slow one must not hold up all.
const QUESTION_TIME: Duration = Duration::from_secs(10);

/// Which events a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Span {
    /// Those that arrived in a window and happened no longer before it than so many seconds.
    Arrived {
        /// The window.
        window: Window,
        /// The lateness.
        lateness_s: u32,
    },
    /// Those that happened in a window.
    Happened(Window),
}

/// What was found in a window, or in each of its steps.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// By the beginning of the step, then by group. A question that is not in steps has one, of its window's start.
    pub(super) steps: BTreeMap<Timestamp, BTreeMap<Group, Tally>>,
    /// Queries for the events of patterns, where these are the groups.
    pub(super) of_patterns: BTreeMap<Group, String>,
}

/// What a question was answered with, or why it was not.
pub(super) type Answer = Result<Arc<Answered>, String>;

/// One round of questions over one snapshot.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) service: &'a Service,
    pub(super) snapshot: Snapshot,
    pub(super) arrivals: &'a Arrivals,
    pub(super) refusals: &'a Refusals,
    /// The times of the first events of sources.
    began: BTreeMap<SourceId, Timestamp>,
    cancel: Cancel,
    answers: HashMap<(Question, Vec<SourceId>, Span), Answer>,
    /// How many questions the engine was asked.
    pub(super) asked: u64,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        service: &'a Service,
        (arrivals, refusals): (&'a Arrivals, &'a Refusals),
        cancel: &Cancel,
    ) -> Asking<'a> {
        let snapshot = service.store.snapshot();
        let sources = snapshot.sources().into_iter();
        Asking {
            service,
            began: sources
                .map(|(source, totals)| (source, totals.time_min))
                .collect(),
            snapshot,
            arrivals,
            refusals,
            cancel: cancel.clone(),
            answers: HashMap::new(),
            asked: 0,
        }
    }

    /// Asks, unless that was asked before.
    pub(super) fn ask(
        &mut self,
        question: &Question,
        sources: &[Arc<catalog::Source>],
        span: Span,
    ) -> Answer {
        let ids = sources.iter().map(|source| source.id).collect();
        let key = (question.clone(), ids, span);
        if let Some(known) = self.answers.get(&key) {
            return known.clone();
        }
        self.asked += 1;
        let answer = self.answer(question, sources, span).map(Arc::new);
        self.answers.insert(key, answer.clone());
        answer
    }

    /// Forgets what was asked, where it will not be asked again.
    pub(super) fn forget(&mut self) {
        self.answers.clear();
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Whether the events of a time are kept, and there were some by then.
    pub(super) fn is_kept(&self, sources: &[Arc<catalog::Source>], window: Window) -> bool {
        let had_begun = |source: &Arc<catalog::Source>| {
            let began = self.began.get(&source.id);
            began.is_some_and(|began| *began <= window.start)
        };
        let now = self.service.now();
        let is_whole = |source: &Arc<catalog::Source>| {
            kept_from(source, now).is_none_or(|kept_from| kept_from <= window.start)
        };
        sources.iter().any(had_begun) && sources.iter().all(is_whole)
    }

    /// The search for the events of a span.
    pub(super) fn search(
        &self,
        filter: Filter,
        sources: &[Arc<catalog::Source>],
        span: Span,
    ) -> SearchRequest {
        let (window, arrived, from) = match span {
            Span::Arrived { window, lateness_s } => {
                let late = i64::from(lateness_s) * 1_000_000_000;
                let from = window.start.as_nanos().saturating_sub(late);
                (
                    window,
                    self.arrivals.of(window),
                    Timestamp::from_nanos(from),
                )
            }
            Span::Happened(window) => (window, None, window.start),
        };
        let happened = TimeBounds {
            first: window.start,
            last: Timestamp::from_nanos(window.end.as_nanos().saturating_sub(1)),
        };
        let range = match arrived {
            // A clock that is ahead makes no event of the future out of what has come.
            Some(_) => TimeBounds {
                first: from,
                last: Timestamp::MAX,
            },
            None => happened,
        };
        let clock = &self.service.options.clock;
        SearchRequest {
            range,
            after_sequence: arrived.map(|arrived| arrived.after),
            up_to_sequence: arrived.map(|arrived| arrived.up_to),
            deadline: clock.instant().checked_add(QUESTION_TIME),
            cancel: self.cancel.clone(),
            ..SearchRequest::newest(searched(sources, window.end), filter, 0, window.end)
        }
    }

    /// The search for what happened before the end of a window, however long ago: the last that was heard of what is silent in it.
    pub(super) fn search_before(
        &self,
        filter: Filter,
        sources: &[Arc<catalog::Source>],
        span: Span,
    ) -> SearchRequest {
        let before = span.window().end.as_nanos().saturating_sub(1);
        SearchRequest {
            range: TimeBounds {
                first: Timestamp::MIN,
                last: Timestamp::from_nanos(before),
            },
            after_sequence: None,
            ..self.search(filter, sources, span)
        }
    }

    fn answer(
        &self,
        question: &Question,
        sources: &[Arc<catalog::Source>],
        span: Span,
    ) -> Result<Answered, String> {
        let query = question.query();
        let search = self.search(query.filter.clone(), sources, span);
        match query.stages.as_slice() {
            [Stage::Patterns { field }] => {
                let request = engine::PatternsRequest {
                    search,
                    field: field.clone(),
                    buckets_max: 0,
                    examples_max: 0,
                };
                self.count_patterns(question, &request, span)
            }
            stages => {
                let request = StagedRequest {
                    search,
                    stages: stages.to_vec(),
                    rows_max: ROWS_MAX,
                };
                self.run_stages(question, &request, span)
            }
        }
    }

    fn run_stages(
        &self,
        question: &Question,
        request: &StagedRequest,
        span: Span,
    ) -> Result<Answered, String> {
        let found = self.service.engine.run_stages(&self.snapshot, request);
        let found = found.map_err(|error| failed(&error))?;
        complete(&found.account)?;
        let engine::Staged::Table(table) = found.result else {
            return Err("the query makes no table".to_owned());
        };
        if table.more {
            return Err(format!(
                "there are more than {ROWS_MAX} groups: group by a field with fewer values, or narrow the query"
            ));
        }
        let mut answered = Answered::default();
        for row in &table.rows {
            let cells: Vec<Cell<'_>> = row.iter().map(cell).collect();
            if let Some(found) = question.read(&cells) {
                let step = found.step.unwrap_or(span.window().start);
                let groups = answered.steps.entry(step).or_default();
                groups.insert(found.group, found.tally);
            }
        }
        Ok(answered)
    }

    fn count_patterns(
        &self,
        question: &Question,
        request: &engine::PatternsRequest,
        span: Span,
    ) -> Result<Answered, String> {
        let found = self.service.engine.patterns(&self.snapshot, request);
        let found = found.map_err(|error| failed(&error))?;
        complete(&found.account)?;
        let mut answered = Answered::default();
        let groups = answered.steps.entry(span.window().start).or_default();
        for pattern in found.patterns {
            let id = pattern.id.to_string();
            let cells = [
                Cell::Text(&pattern.text),
                Cell::Text(&id),
                Cell::Integer(pattern.count.into()),
            ];
            if let Some(found) = question.read(&cells) {
                groups.insert(found.group.clone(), found.tally);
                answered.of_patterns.insert(found.group, pattern.query);
            }
        }
        Ok(answered)
    }
}

/// An answer that is not complete tells nothing: what was not read may hold what is looked for, or a member that seems to be silent.
fn complete(account: &engine::Account) -> Result<(), String> {
    if account.is_complete() {
        return Ok(());
    }
    let reasons: Vec<String> = account.incomplete.iter().map(ToString::to_string).collect();
    Err(format!(
        "the answer is not complete: {}",
        reasons.join("; ")
    ))
}

fn failed(error: &engine::Error) -> String {
    let error: &dyn std::error::Error = error;
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn cell(cell: &engine::Cell) -> Cell<'_> {
    match cell {
        engine::Cell::Null => Cell::Null,
        engine::Cell::Bool(boolean) => Cell::Bool(*boolean),
        engine::Cell::Int(integer) => Cell::Integer(*integer),
        engine::Cell::Float(float) => Cell::Float(*float),
        engine::Cell::Str(text) | engine::Cell::Json(text) => Cell::Text(text),
        engine::Cell::Time(time) => Cell::Time(*time),
    }
}
