//! Patterns: what many events say alike, how many of each there are, and since when there are any.

mod learning;
mod reach;
mod registry;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, Incomplete};
use cordwood_event::{Event, SourceId, Timestamp};
use cordwood_query::{FieldName, Interval, Query};

use crate::ingest::RETRY_AFTER_BUSY;
use crate::sources::within;
use crate::{Access, Account, Caller, Cancel, Error, QueryProblem, SearchRequest, Service};

pub use cordwood_engine::pattern::{NoPatternId, PatternId};
pub(crate) use learning::Learning;
use reach::Waiting;
pub(crate) use registry::Registry;

/// Patterns in an answer unless asked otherwise: what somebody reads.
pub const PATTERNS_DEFAULT: usize = 50;
/// Patterns in an answer at most: each comes with an event.
pub const PATTERNS_MAX: usize = 1000;
/// Buckets of the trend unless asked otherwise: a sparkline.
pub const PATTERN_BUCKETS_DEFAULT: usize = 30;
/// Buckets at most.
pub const PATTERN_BUCKETS_MAX: usize = 200;

/// A question for patterns.
#[derive(Clone, Debug, Default)]
pub struct PatternsRequest {
    /// Which events: the query is a filter. Of the rest, sources, range and deadline count.
    pub search: SearchRequest,
    /// The field whose texts are looked at; `message` when `None`.
    pub field: Option<String>,
    /// Patterns wanted, the commonest first, 1 to [`PATTERNS_MAX`]; [`PATTERNS_DEFAULT`] when `None`.
    pub limit: Option<usize>,
    /// Buckets of the trend at most, 1 to [`PATTERN_BUCKETS_MAX`]; [`PATTERN_BUCKETS_DEFAULT`] when `None`.
    pub buckets: Option<usize>,
    /// Only patterns that none of the sources had before this time, such as `now-1h`.
    pub new_since: Option<String>,
}

/// The patterns of some events.
#[derive(Clone, Debug)]
pub struct PatternsAnswer {
    /// The commonest first.
    pub patterns: Vec<PatternFound>,
    /// Whether there are more than these.
    pub has_more: bool,
    /// How many patterns there are.
    pub patterns_total: u64,
    /// How many events match.
    pub events: u64,
    /// How many of these do not have the field.
    pub without_field: u64,
    /// How many have texts of too many kinds to be told apart.
    pub other: u64,
    /// How long a bucket is; `None` where there are no events.
    pub interval: Option<Interval>,
    /// When each bucket begins.
    pub buckets: Vec<Timestamp>,
    /// How many patterns of these sources were forgotten, because there were too many: they may seem to be new.
    pub forgotten: u64,
    /// The names of the sources searched.
    pub source_names: HashMap<SourceId, String>,
    /// What was read to answer.
    pub account: Account,
    /// Remarks on the query text.
    pub hints: Vec<QueryProblem>,
}

/// A pattern, and how often it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternFound {
    /// Names it, for good.
    pub id: PatternId,
    /// What people read: `took <num>ms for <uuid>`.
    pub text: String,
    /// A query for its events, which may find a few of others besides.
    pub query: String,
    /// How many of the events that match have it.
    pub count: u64,
    /// Which share that is of all that match.
    pub share: f64,
    /// How many of each level, by name, `none` for those without.
    pub levels: Vec<(&'static str, u64)>,
    /// How many in each bucket.
    pub trend: Vec<u64>,
    /// How many in each source.
    pub sources: BTreeMap<SourceId, u64>,
    /// The earliest of the events that match.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// When any of the sources had it first, whatever is asked for and kept.
    pub first_seen: Timestamp,
    /// When one of them had it last.
    pub last_seen: Timestamp,
    /// How many events of these sources have had it.
    pub seen: u64,
    /// The latest event.
    pub example: Option<Event>,
}

/// A pattern that a source has not had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPattern {
    /// Which source.
    pub source: SourceId,
    /// Names it.
    pub id: PatternId,
    /// What people read.
    pub text: String,
    /// A query for its events.
    pub query: String,
    /// When it came first.
    pub first_seen: Timestamp,
    /// When it came last.
    pub last_seen: Timestamp,
    /// How many events have had it.
    pub seen: u64,
}

impl Service {
    /// Looks at all messages that have come, and keeps what patterns they have.
    pub fn learn_patterns(&self) -> Result<(), Error> {
        self.patterns.learner.learn(&Cancel::default())
    }

    /// Does the same for those that have come to lie in blocks or have been open since this was done last, if they are not too many.
    /// A thread does that every few seconds. Returns the sequence number up to which all have been looked at.
    pub fn learn_sealed_patterns(&self) -> Result<u64, Error> {
        self.patterns.learner.learn_sealed(&Cancel::default())
    }

    /// Counts the events that match by pattern.
    pub fn patterns(
        &self,
        caller: &Caller,
        request: &PatternsRequest,
        cancel: &Cancel,
    ) -> Result<PatternsAnswer, Error> {
        caller.require(Access::Read)?;
        let limit = within("limit", request.limit, PATTERNS_DEFAULT, PATTERNS_MAX)?;
        let buckets_max = within(
            "buckets",
            request.buckets,
            PATTERN_BUCKETS_DEFAULT,
            PATTERN_BUCKETS_MAX,
        )?;
        let question = self.understand(caller, &request.search)?;
        refuse_stages(&question.query)?;
        let new_since =
            crate::range::range(request.new_since.as_deref(), None, question.now)?.first;
        let field = FieldName::new(request.field.as_deref().unwrap_or("message"));
        let snapshot = self.store.snapshot();
        let asked = engine::PatternsRequest {
            search: self.engine_request(&question, &request.search, cancel),
            field,
            buckets_max,
            examples_max: 0,
        };
        let internal = |error| Error::internal("counting patterns", error);
        let mut found = self.engine.patterns(&snapshot, &asked).map_err(internal)?;
        if found.account.incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        self.counters.count_search(&found.account);
        if found.patterns.is_empty() && found.account.incomplete.contains(&Incomplete::Memory) {
            return Err(Error::Busy {
                retry_after: RETRY_AFTER_BUSY,
            });
        }
        let seen = self.patterns.learner.registry.seen_in(&question.sources);
        let is_new =
            |pattern: &engine::Pattern| seen.first_seen(&asked.field, pattern) >= new_since;
        found.patterns.retain(is_new);
        let patterns_total = found.patterns.len() as u64;
        found.patterns.truncate(limit);
        for pattern in &mut found.patterns {
            let fetched = self.engine.fetch_example(&snapshot, &asked, pattern);
            fetched.map_err(internal)?;
        }
        let account = crate::search::account_of(&question, &found.account, &snapshot);
        let patterns = found.patterns.into_iter();
        let patterns = patterns.map(|pattern| seen.told(&asked.field, pattern, found.events));
        Ok(PatternsAnswer {
            patterns: patterns.collect(),
            has_more: patterns_total > limit as u64,
            patterns_total,
            events: found.events,
            without_field: found.without_field,
            other: found.other,
            interval: found.interval,
            buckets: found.buckets,
            forgotten: seen.forgotten(),
            source_names: question.source_names(),
            account,
            hints: question.hints,
        })
    }

    /// When sources have had the patterns of a field first, by id: of messages, as far as they have been looked at; nothing is kept of others.
    pub(crate) fn first_seen(
        &self,
        field: &str,
        sources: &[Arc<catalog::Source>],
    ) -> BTreeMap<String, Timestamp> {
        match field == registry::MESSAGE {
            true => self.patterns.learner.registry.first_seen(sources),
            false => BTreeMap::new(),
        }
    }

    /// The patterns of messages that sources have had for the first time since an instant, as far as their events have been looked
    /// at, which takes some seconds: the latest first.
    pub fn new_patterns(
        &self,
        caller: &Caller,
        sources: &[String],
        since: Timestamp,
    ) -> Result<Vec<NewPattern>, Error> {
        caller.require(Access::Read)?;
        let sources = crate::search::chosen_sources(&self.visible_sources(caller), sources)?;
        Ok(self.patterns.learner.registry.new_since(&sources, since))
    }
}

fn refuse_stages(query: &Query) -> Result<(), Error> {
    match query.stages.first() {
        None => Ok(()),
        Some(stage) => Err(Error::InvalidParameter {
            parameter: "query",
            message: format!("patterns are counted of a filter, and `{stage}` is a stage"),
            hint: Some("leave the stages out, or query with `| patterns` after them".to_owned()),
        }),
    }
}
