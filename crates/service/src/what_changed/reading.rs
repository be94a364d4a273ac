//! What is asked of the engine for a comparison, and the account of it all.

use std::time::{Duration, Instant};

use cordwood_engine::{
    self as engine, Engine, Grouping, Incomplete, Pattern, Patterns, PatternsRequest,
    SearchedSource, Table, TallyRequest,
};
use cordwood_event::Timestamp;
use cordwood_query::{FieldName, Filter, TimeBounds};
use cordwood_store::Snapshot;

use super::counts::Counts;
use super::fields::ComparedField;
use super::windows::Both;
use crate::{Cancel, Error};

/// More values of a field are not told apart. As many of each field fit in memory many times over.
const GROUPS_MAX: usize = 8192;

/// The field whose texts have patterns.
pub(super) const MESSAGE: &str = "message";

/// The events compared, and what was read of them so far.
pub(super) struct Reading<'a> {
    pub(super) engine: &'a Engine,
    pub(super) snapshot: &'a Snapshot,
    pub(super) sources: Vec<SearchedSource>,
    /// What all events compared match.
    pub(super) filter: Filter,
    pub(super) windows: Both<TimeBounds>,
    pub(super) deadline: Option<Instant>,
    pub(super) cancel: Cancel,
    pub(super) now: Timestamp,
    pub(super) account: ReadingAccount,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadingAccount {
    /// Why the answer may be wrong, each reason once.
    pub(super) incomplete: Vec<Incomplete>,
    pub(super) rows_scanned: u64,
    pub(super) bytes_scanned: u64,
    pub(super) questions: u64,
    pub(super) elapsed: Duration,
    /// What became of the blocks when all events of each window were counted.
    pub(super) blocks: Both<engine::BlockCounts>,
}

impl Reading<'_> {
    /// The search for the events of a window that match a filter too.
    pub(super) fn search(&self, window: TimeBounds, filter: Filter) -> engine::SearchRequest {
        let filter = Filter::and(vec![self.filter.clone(), filter]);
        engine::SearchRequest {
            range: window,
            deadline: self.deadline,
            cancel: self.cancel.clone(),
            ..engine::SearchRequest::newest(self.sources.clone(), filter, 0, self.now)
        }
    }

    /// Whether there is no time, no memory or nobody left to go on for.
    pub(super) fn is_cut(&self) -> bool {
        self.account.incomplete.iter().any(|incomplete| {
            matches!(
                incomplete,
                Incomplete::Deadline | Incomplete::Cancelled | Incomplete::Memory
            )
        })
    }

    /// How many events of a window that match each of some filters have each value of the fields.
    pub(super) fn count(
        &mut self,
        window: TimeBounds,
        filters: &[Filter],
        fields: &[ComparedField],
    ) -> Result<(Vec<Counts>, engine::BlockCounts), Error> {
        let mut groupings = vec![Grouping::by([])];
        groupings.extend(fields.iter().map(ComparedField::grouping));
        let request = TallyRequest {
            search: self.search(window, Filter::All),
            cases: filters.to_vec(),
            groupings,
            groups_max: GROUPS_MAX,
        };
        let tally = self
            .engine
            .tally(self.snapshot, &request)
            .map_err(|error| Error::internal("counting events", error))?;
        self.note(&tally.account)?;
        let counts = tally.cases.iter().map(|tables| Counts::of(tables, fields));
        Ok((counts.collect(), tally.account.blocks))
    }

    /// The same of both windows.
    pub(super) fn count_both(
        &mut self,
        filters: &[Filter],
        fields: &[ComparedField],
    ) -> Result<Vec<Both<Counts>>, Error> {
        let counted = self
            .windows
            .map(|window| self.count(window, filters, fields))
            .transpose()?;
        if filters.first() == Some(&Filter::All) {
            self.account.blocks = counted.as_ref().map(|(_, blocks)| *blocks);
        }
        let Both { current, baseline } = counted.map(|(counts, _)| counts);
        let both = current.into_iter().zip(baseline);
        Ok(both
            .map(|(current, baseline)| Both { current, baseline })
            .collect())
    }

    /// The table that stages make of the events of a window.
    pub(super) fn table(
        &mut self,
        window: TimeBounds,
        filter: Filter,
        stages: Vec<cordwood_query::Stage>,
    ) -> Result<Table, Error> {
        let request = engine::StagedRequest {
            search: self.search(window, filter),
            stages,
            rows_max: GROUPS_MAX,
        };
        let answer = self
            .engine
            .run_stages(self.snapshot, &request)
            .map_err(|error| Error::internal("counting events", error))?;
        self.note(&answer.account)?;
        Ok(match answer.result {
            engine::Staged::Table(table) => table,
            engine::Staged::Events { .. } => Table::default(),
        })
    }

    /// What the messages of a window say alike.
    pub(super) fn patterns(&mut self, window: TimeBounds) -> Result<Patterns, Error> {
        let request = self.patterns_request(window);
        let patterns = self
            .engine
            .patterns(self.snapshot, &request)
            .map_err(|error| Error::internal("counting patterns", error))?;
        self.note(&patterns.account)?;
        Ok(patterns)
    }

    /// A pattern of a window with its latest event, as far as that can be read.
    pub(super) fn with_example(
        &self,
        window: TimeBounds,
        mut pattern: Pattern,
    ) -> Result<Pattern, Error> {
        let request = self.patterns_request(window);
        self.engine
            .fetch_example(self.snapshot, &request, &mut pattern)
            .map_err(|error| Error::internal("reading an event", error))?;
        Ok(pattern)
    }

    fn patterns_request(&self, window: TimeBounds) -> PatternsRequest {
        PatternsRequest {
            search: self.search(window, Filter::All),
            field: FieldName::new(MESSAGE),
            buckets_max: 0,
            examples_max: 0,
        }
    }

    /// When the last event before the end of the current window was that matches a filter.
    pub(super) fn last_seen(&mut self, filter: Filter) -> Result<Option<Timestamp>, Error> {
        let until = TimeBounds {
            first: Timestamp::MIN,
            last: self.windows.current.last,
        };
        let request = engine::SearchRequest {
            limit: 1,
            ..self.search(until, filter)
        };
        let answer = self
            .engine
            .search(self.snapshot, &request)
            .map_err(|error| Error::internal("searching", error))?;
        self.note(&answer.account)?;
        Ok(answer.events.first().map(|event| event.id.timestamp))
    }

    fn note(&mut self, account: &engine::Account) -> Result<(), Error> {
        if account.incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        for incomplete in &account.incomplete {
            if !self.account.incomplete.contains(incomplete) {
                self.account.incomplete.push(incomplete.clone());
            }
        }
        self.account.rows_scanned += account.rows_scanned;
        self.account.bytes_scanned += account.bytes_scanned;
        self.account.elapsed += account.elapsed;
        self.account.questions += 1;
        Ok(())
    }
}
