//! The engine: its threads, and the two questions it answers.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cordwood_event::SourceId;
use cordwood_query::Filter;
use cordwood_store::{MemoryBudget, Snapshot};

use crate::answer_memory::AnswerBudget;
use crate::budget::Budget;
use crate::deletions::{DeletedRows, Deletions};
use crate::fields::KnownKinds;
use crate::pattern::{KnownPatterns, PatternForms};
use crate::plan::{Asked, Plan, Planned, RuledOut};
use crate::pool::Pool;
use crate::run::Means;
use crate::search::{self, Outcome};
use crate::{
    Clock, Emptiness, Error, Explanation, SearchAnswer, SearchRequest, SearchedSource, Total,
    explain,
};

/// How an engine works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that evaluate blocks, at least one. All searches share them and take turns, block by block: who has used little
    /// goes first.
    pub threads: usize,
    /// The budget that blocks being evaluated are charged to, and what is made of them; answers, until they are dropped, to a
    /// quarter of it.
    pub memory: MemoryBudget,
    /// The clock of deadlines and of the time a search took.
    pub clock: Clock,
}

/// Answers searches over snapshots. Shared by all who ask.
#[derive(Debug)]
pub struct Engine {
    pool: Pool,
    memory: MemoryBudget,
    answers: AnswerBudget,
    clock: Clock,
    deletions: Deletions,
    known_kinds: Arc<KnownKinds>,
    known_patterns: RwLock<KnownPatterns>,
}

impl Engine {
    /// Starts the threads.
    pub fn new(options: Options) -> Result<Engine, Error> {
        Ok(Engine {
            pool: Pool::new(options.threads, options.clock.clone())?,
            answers: AnswerBudget::new(&options.memory),
            memory: options.memory,
            clock: options.clock,
            deletions: Deletions::default(),
            known_kinds: Arc::default(),
            known_patterns: RwLock::default(),
        })
    }

    /// Finds the first events of `snapshot` that match, and counts all when asked. Blocks the caller until the
    /// answer is there, the deadline has passed or the caller cancels; whatever cuts a search short is said in
    /// the account, and what was found is given back.
    pub fn search(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
    ) -> Result<SearchAnswer, Error> {
        let started = self.clock.now();
        let means = self.means(request);
        let planned = self.plan(snapshot, request, &means.budget);
        let up_to_sequence = planned.0.up_to_sequence;
        let Outcome {
            events,
            matches,
            next,
            mut account,
            memory,
        } = search::search(&means, planned, request.limit)?;
        account.elapsed = self.clock.now().saturating_duration_since(started);
        Ok(SearchAnswer {
            events,
            total: (request.total == Total::Count).then_some(matches),
            next,
            up_to_sequence,
            account,
            memory: memory.into(),
        })
    }

    /// Says why a search found nothing: what each clause of its filter finds alone, and which of them empties the
    /// whole. Takes about `time` at most, and no longer than the request's deadline.
    pub fn explain_empty(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        emptiness: Emptiness,
        time: Duration,
    ) -> Result<Explanation, Error> {
        explain::explain_empty(self, snapshot, request, emptiness, time)
    }

    /// What tells the store which rows deletions mean.
    pub fn deleted_rows(&self) -> DeletedRows {
        DeletedRows::new(self.clock.clone())
    }

    pub(crate) fn plan(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest,
        budget: &Budget,
    ) -> (Plan, Planned) {
        self.plan_cases(snapshot, request, &[], budget)
    }

    /// The same, of events that are told apart by cases.
    pub(crate) fn plan_cases(
        &self,
        snapshot: &Snapshot,
        search: &SearchRequest,
        cases: &[Filter],
        budget: &Budget,
    ) -> (Plan, Planned) {
        let asked = Asked { search, cases };
        let deletions = self.deletions.of(snapshot);
        Plan::new(snapshot, asked, deletions, budget, &mut |_| {})
    }

    /// A plan made before a witness of each block that is ruled out.
    pub(crate) fn plan_before(
        &self,
        snapshot: &Snapshot,
        search: &SearchRequest,
        budget: &Budget,
        witness: &mut dyn FnMut(RuledOut<'_>),
    ) -> (Plan, Planned) {
        let asked = Asked { search, cases: &[] };
        let deletions = self.deletions.of(snapshot);
        Plan::new(snapshot, asked, deletions, budget, witness)
    }

    pub(crate) fn means(&self, request: &SearchRequest) -> Means<'_> {
        Means {
            share: self.pool.share(),
            memory: &self.memory,
            answers: &self.answers,
            budget: self.budget(request),
        }
    }

    pub(crate) fn budget(&self, request: &SearchRequest) -> Budget {
        Budget::new(self.clock.clone(), request.deadline, request.cancel.clone())
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn known_kinds(&self) -> &Arc<KnownKinds> {
        &self.known_kinds
    }

    /// Says which forms the texts of a source have had so far, so that they are of the same patterns in every range.
    pub fn know_patterns(&self, source: SourceId, forms: Arc<PatternForms>) {
        let known = self.known_patterns.write();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .insert(source, forms);
    }

    /// What is known of the patterns of some sources.
    pub(crate) fn known_patterns(&self, sources: &[SearchedSource]) -> KnownPatterns {
        let known = self.known_patterns.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let of = |source: &SearchedSource| Some((source.id, Arc::clone(known.get(&source.id)?)));
        sources.iter().filter_map(of).collect()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}
