//! Queries with stages: which of them make a table, which can be read page by page, and running them.

use cordwood_engine::{
    self as engine, Account, AnswerMemory, Approximation, Position, Staged, StagedRequest, Table,
};
use cordwood_event::Event;
use cordwood_query::{Query, Stage};
use cordwood_store::Snapshot;

use super::{Question, SearchRequest};
use crate::{Error, Service};

/// What was found, by a search or by stages.
pub(super) struct Found {
    pub(super) events: Vec<Event>,
    pub(super) table: Option<Table>,
    pub(super) approximate: Vec<Approximation>,
    pub(super) has_more: bool,
    pub(super) total: Option<u64>,
    pub(super) next: Option<Position>,
    pub(super) up_to_sequence: u64,
    pub(super) account: Account,
    pub(super) memory: AnswerMemory,
}

impl Found {
    /// Whether there is neither an event nor a row.
    pub(super) fn is_empty(&self) -> bool {
        let has_rows = self
            .table
            .as_ref()
            .is_some_and(|table| !table.rows.is_empty());
        self.events.is_empty() && !has_rows
    }

    fn of_search(found: engine::SearchAnswer) -> Found {
        Found {
            events: found.events,
            table: None,
            approximate: Vec::new(),
            has_more: false,
            total: found.total,
            next: found.next,
            up_to_sequence: found.up_to_sequence,
            account: found.account,
            memory: found.memory,
        }
    }

    fn of_stages(found: engine::StagedAnswer, events_max: usize) -> Found {
        let mut outcome = Found {
            events: Vec::new(),
            table: None,
            approximate: found.approximate,
            has_more: false,
            total: None,
            next: None,
            up_to_sequence: found.up_to_sequence,
            account: found.account,
            memory: found.memory,
        };
        match found.result {
            Staged::Table(table) => outcome.table = Some(table),
            Staged::Events { mut events, next } => {
                outcome.has_more = events.len() > events_max;
                events.truncate(events_max);
                outcome.events = events;
                outcome.next = next;
            }
        }
        outcome
    }
}

impl Service {
    /// Runs the search, and the stages if there are any.
    pub(super) fn find(
        &self,
        question: &Question,
        snapshot: &Snapshot,
        asked: &engine::SearchRequest,
    ) -> Result<Found, Error> {
        let internal = |error| Error::internal("searching", error);
        if question.query.stages.is_empty() {
            let found = self.engine.search(snapshot, asked).map_err(internal)?;
            return Ok(Found::of_search(found));
        }
        let found = self
            .engine
            .run_stages(snapshot, &staged_request(question, asked))
            .map_err(internal)?;
        Ok(Found::of_stages(found, question.batch_size))
    }

    /// Whether the filter alone finds anything.
    pub(super) fn finds_any(
        &self,
        snapshot: &Snapshot,
        asked: &engine::SearchRequest,
    ) -> Result<bool, Error> {
        let first = engine::SearchRequest {
            limit: 1,
            ..asked.clone()
        };
        let found = self.engine.search(snapshot, &first);
        let found = found.map_err(|error| Error::internal("searching", error))?;
        Ok(!found.events.is_empty() || !found.account.is_complete())
    }
}

/// The search with the stages behind it, if there are any.
pub(super) fn staged_request(question: &Question, asked: &engine::SearchRequest) -> StagedRequest {
    // Where no cursor leads on, one more is asked for, to say that there is more.
    let one_more = match has_pages(&question.query.stages) || makes_table(&question.query.stages) {
        true => 0,
        false => 1,
    };
    StagedRequest {
        search: asked.clone(),
        stages: question.query.stages.clone(),
        rows_max: question.batch_size + one_more,
    }
}

/// Whether stages end in a table.
pub(crate) fn makes_table(stages: &[Stage]) -> bool {
    stages.iter().any(|stage| match stage {
        Stage::Stats { .. }
        | Stage::Timechart { .. }
        | Stage::Top { .. }
        | Stage::Patterns { .. }
        | Stage::Fields(_) => true,
        Stage::Where(_)
        | Stage::Sort(_)
        | Stage::Limit(_)
        | Stage::Dedup(_)
        | Stage::Parse { .. } => false,
    })
}

/// Whether a cursor can lead on: every stage looks at one event alone.
pub(crate) fn has_pages(stages: &[Stage]) -> bool {
    stages
        .iter()
        .all(|stage| matches!(stage, Stage::Where(_) | Stage::Parse { .. }))
}

/// Refuses what makes no sense together with the stages.
pub(super) fn check(query: &Query, request: &SearchRequest) -> Result<(), Error> {
    if request.cursor.is_some() && !has_pages(&query.stages) {
        return Err(Error::InvalidParameter {
            parameter: "cursor",
            message: "this query has no pages: its stages look at all rows together".to_owned(),
            hint: Some("leave `cursor` out, and ask for more with `batch_size`".to_owned()),
        });
    }
    if request.total && !query.stages.is_empty() {
        return Err(Error::InvalidParameter {
            parameter: "total",
            message: "`total` counts the events of a query without stages".to_owned(),
            hint: Some("to count, end the query with `| stats count()`".to_owned()),
        });
    }
    Ok(())
}
