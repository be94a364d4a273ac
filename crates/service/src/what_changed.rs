//! What changed: a window of time against a baseline, the values that explain the difference first.
//!
//! Counting is the engine's; which counts speak for a change, and how it is said, is here.

mod answer;
mod causes;
mod counts;
mod evidence;
mod fields;
mod kept;
mod outcome;
mod part;
mod patterns;
mod reading;
mod scene;
mod sentence;
mod services;
mod told;
mod values;
mod windows;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog as catalog;
use cordwood_engine::{Cell, Engine, SearchedSource};
use cordwood_event::Timestamp;
use cordwood_query::{
    Aggregate, FieldName, Filter, Function, Percentile, Query, Stage, TimeBounds,
};
use cordwood_store::Store;

use crate::patterns::Registry;
use crate::retention::kept_from;
use crate::search::{chosen_sources, problems_of};
use crate::{
    Access, Caller, Cancel, Clock, DEADLINE_DEFAULT, DEADLINE_MAX, Error, PatternId, QueryProblem,
    Service,
};
use causes::{Found, Search};
use fields::KnownFields;
use outcome::Outcome;
use reading::Reading;
use scene::{Expected, Scene};

pub use answer::{
    Cause, Change, Evidence, PatternChange, QuietService, ServiceChange, ValueChange, WhatChanged,
    WhatChangedAccount, WindowAccount,
};
pub use evidence::Direction;
pub use outcome::ChangeKind;
pub use part::FieldValue;
pub use services::Usual;
pub use windows::Both;

/// What a window is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Baseline {
    /// The window right before, of the same length.
    #[default]
    Previous,
    /// The same hours a day before.
    Yesterday,
    /// The same hours a week before.
    LastWeek,
    /// Another window, written as in a [`SearchRequest`](crate::SearchRequest).
    Between {
        /// From when, inclusive.
        from: String,
        /// Until when, inclusive.
        to: String,
    },
}

/// A comparison.
#[derive(Clone, Debug, Default)]
pub struct WhatChangedRequest {
    /// A filter for the events compared; empty compares all.
    pub query: String,
    /// Ids, `src-` ids or names; empty for every source the caller sees.
    pub sources: Vec<String>,
    /// From when the window lasts, inclusive. `None`: an hour before its end.
    pub from: Option<String>,
    /// Until when, inclusive. `None`: until now.
    pub to: Option<String>,
    /// What it is compared with.
    pub baseline: Baseline,
    /// A filter for the events whose rise is to be explained; `None` for errors, warnings, slowness and volume.
    pub explain: Option<String>,
    /// How long it may take, [`DEADLINE_DEFAULT`] when `None`, at most [`DEADLINE_MAX`].
    pub deadline: Option<Duration>,
}

/// A request understood.
struct Comparison {
    query: Query,
    explain: Option<Filter>,
    hints: Vec<QueryProblem>,
    sources: Vec<Arc<catalog::Source>>,
    windows: Both<TimeBounds>,
    now: Timestamp,
}

/// What a comparison is made with.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<Store>,
    pub(crate) patterns: Arc<Registry>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Service {
    /// Says what changed between two windows; see [`WhatChangedRequest`] and [`WhatChanged`].
    pub fn what_changed(
        &self,
        caller: &Caller,
        request: &WhatChangedRequest,
        cancel: &Cancel,
    ) -> Result<WhatChanged, Error> {
        caller.require(Access::Read)?;
        let sources = self.visible_sources(caller);
        self.means_of_comparing().compare(&sources, request, cancel)
    }

    pub(crate) fn means_of_comparing(&self) -> Means {
        Means {
            engine: Arc::clone(&self.engine),
            store: Arc::clone(&self.store),
            patterns: Arc::clone(self.patterns.registry()),
            clock: Arc::clone(&self.options.clock),
        }
    }
}

impl Means {
    /// Says what changed in the sources that a request names of those that may be read.
    pub(crate) fn compare(
        &self,
        visible: &[Arc<catalog::Source>],
        request: &WhatChangedRequest,
        cancel: &Cancel,
    ) -> Result<WhatChanged, Error> {
        let started = self.clock.instant();
        let comparison = understand(request, visible, self.clock.now())?;
        let snapshot = self.store.snapshot();
        let time = request.deadline.unwrap_or(DEADLINE_DEFAULT);
        let sources = comparison.sources.iter().map(|source| SearchedSource {
            id: source.id,
            name: source.name.clone(),
            kept_from: kept_from(source, comparison.now),
        });
        let mut reading = Reading {
            engine: &self.engine,
            snapshot: &snapshot,
            sources: sources.collect(),
            filter: comparison.query.filter.clone(),
            windows: comparison.windows,
            deadline: started.checked_add(time.min(DEADLINE_MAX)),
            cancel: cancel.clone(),
            now: comparison.now,
            account: reading::ReadingAccount::default(),
        };
        let mut compared = compare(&mut reading, comparison.explain.as_ref())?;
        if compared.notes.is_empty() && !reading.is_cut() {
            let kept = || Ok(self.kept_patterns(&comparison.sources));
            let events = &compared.whole.events;
            compared.patterns = patterns::compare(&mut reading, events, kept)?;
        }
        let elapsed = self.clock.instant().saturating_duration_since(started);
        Ok(compared.into_answer(&reading, comparison, elapsed))
    }

    /// What is kept of the patterns of the sources.
    fn kept_patterns(&self, sources: &[Arc<catalog::Source>]) -> patterns::KeptPatterns {
        let mut first_seen: HashMap<PatternId, Timestamp> = HashMap::new();
        for pattern in self.patterns.new_since(sources, Timestamp::MIN) {
            let time = first_seen.entry(pattern.id).or_insert(pattern.first_seen);
            *time = (*time).min(pattern.first_seen);
        }
        patterns::KeptPatterns {
            first_seen,
            forgotten: self.patterns.forgotten(sources),
        }
    }
}

fn understand(
    request: &WhatChangedRequest,
    visible: &[Arc<catalog::Source>],
    now: Timestamp,
) -> Result<Comparison, Error> {
    let (query, mut hints) = filter_of("query", &request.query)?;
    let explain = request.explain.as_deref();
    let explain = explain.map(|text| filter_of("explain", text)).transpose()?;
    let explain = explain.map(|(explain, more)| {
        hints.extend(more);
        explain.filter
    });
    Ok(Comparison {
        query,
        explain,
        hints,
        sources: chosen_sources(visible, &request.sources)?,
        windows: windows::windows(request, now)?,
        now,
    })
}

/// A query that is a filter and says nothing of time.
fn filter_of(parameter: &'static str, text: &str) -> Result<(Query, Vec<QueryProblem>), Error> {
    let parsed = cordwood_query::parse(text)
        .map_err(|diagnostics| Error::Query(problems_of(diagnostics.0)))?;
    let refused = |message: &str, hint: &str| {
        Err(Error::InvalidParameter {
            parameter,
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        })
    };
    if !parsed.query.stages.is_empty() {
        return refused(
            "what changed is asked of events, not of a table: there can be no stages",
            "leave out the stages, from the `|` on",
        );
    }
    let clauses = parsed.query.filter.clauses();
    if clauses
        .iter()
        .any(|clause| clause.target == cordwood_query::Target::Time)
    {
        return refused(
            "a clause on `dt` would cut both windows to the same times",
            "say when with `from`, `to` and the baseline",
        );
    }
    Ok((parsed.query, problems_of(parsed.hints)))
}

/// What came of comparing.
struct Compared {
    outcomes: Vec<Outcome>,
    whole: Scene,
    /// For each outcome, by how much its events went up or down alike in all parts.
    drifts: Vec<f64>,
    causes: Vec<Found>,
    services: services::ServicesSeen,
    patterns: patterns::PatternsCompared,
    notes: Vec<String>,
    errors: Outcome,
}

fn compare(reading: &mut Reading<'_>, explain: Option<&Filter>) -> Result<Compared, Error> {
    let known = known_fields(reading);
    let errors = outcome::errors(&known.statuses);
    let outcomes = match explain {
        Some(filter) => vec![Outcome {
            kind: ChangeKind::Asked,
            filter: filter.clone(),
        }],
        None => outcomes(reading, &known, &errors)?,
    };
    let whole = Scene::count(reading, &Filter::All, &outcomes, &known.compared)?;
    let telling = telling(&known, explain);
    let kinds = outcomes.iter().enumerate();
    let expected = kinds.map(|(index, kind)| whole.expected((kind, index), &telling, reading));
    let expected: Vec<Expected> = expected.collect();
    let drifts = expected.iter().map(|of_kind| of_kind.expectation.drift);
    let mut compared = Compared {
        notes: notes(&whole),
        drifts: drifts.collect(),
        whole,
        causes: Vec::new(),
        services: services::ServicesSeen::default(),
        patterns: patterns::PatternsCompared::default(),
        outcomes,
        errors,
    };
    if compared.notes.is_empty() && !reading.is_cut() {
        let mut search = Search {
            reading: &mut *reading,
            outcomes: &compared.outcomes,
            fields: &known.compared,
            telling: &telling,
        };
        compared.causes = search.causes(&compared.whole, &expected)?;
    }
    let service = known.service.as_deref();
    let service = known
        .compared
        .iter()
        .find(|field| Some(field.name.as_str()) == service);
    if let Some(service) = service
        && !reading.is_cut()
    {
        compared.services = services::compare(reading, service, &compared.errors)?;
    }
    Ok(compared)
}

/// The fields that make an event an error or a warning. What is asked to be explained may be about them too, or not.
fn telling(known: &KnownFields, explain: Option<&Filter>) -> Vec<String> {
    match explain {
        None => {
            let statuses = known.statuses.iter().cloned();
            statuses.chain(["level".to_owned()]).collect()
        }
        Some(filter) => {
            let clauses = filter.clauses().into_iter();
            clauses
                .map(|clause| clause.target.name().to_owned())
                .collect()
        }
    }
}

/// What there is to know before the answer is believed.
fn notes(whole: &Scene) -> Vec<String> {
    let totals = whole.events.as_ref().map(|counts| counts.total);
    match (totals.current, totals.baseline) {
        (0, 0) => vec!["neither window has any events".to_owned()],
        (0, _) => vec!["the window has no events: everything of the baseline has gone".to_owned()],
        (_, 0) => vec!["the baseline has no events: there is nothing to compare with".to_owned()],
        _ => Vec::new(),
    }
}

fn known_fields(reading: &Reading<'_>) -> KnownFields {
    let of_window = |window| {
        let request = reading.search(window, Filter::All);
        reading.engine.varieties(reading.snapshot, &request)
    };
    let windows = reading.windows.map(of_window);
    let mut varieties = windows.current;
    for (name, variety) in windows.baseline {
        varieties
            .entry(name)
            .and_modify(|known| *known = known.with(variety))
            .or_insert(variety);
    }
    KnownFields::of(&varieties, reading.sources.len())
}

/// Errors, warnings, what is slower than in the baseline, and all the rest.
fn outcomes(
    reading: &mut Reading<'_>,
    known: &KnownFields,
    errors: &Outcome,
) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = vec![errors.clone(), outcome::warnings(&known.statuses)];
    if !known.durations.is_empty() {
        for (field, threshold) in known.durations.iter().zip(usually_below(reading, known)?) {
            outcomes.extend(threshold.map(|threshold| outcome::slowness(field, threshold)));
        }
    }
    outcomes.push(Outcome {
        kind: ChangeKind::Volume,
        filter: Filter::All,
    });
    Ok(outcomes)
}

/// What nineteen of twenty durations of the baseline stay below, for each field that holds durations.
fn usually_below(
    reading: &mut Reading<'_>,
    known: &KnownFields,
) -> Result<Vec<Option<f64>>, Error> {
    const NINETEEN_OF_TWENTY: Percentile = Percentile(95_000);
    let aggregates = known.durations.iter().enumerate();
    let stage = Stage::Stats {
        aggregates: aggregates
            .map(|(index, field)| Aggregate {
                function: Function::Percentile(NINETEEN_OF_TWENTY, FieldName::new(field.clone())),
                condition: None,
                name: index.to_string(),
            })
            .collect(),
        by: Vec::new(),
    };
    let table = reading.table(reading.windows.baseline, Filter::All, vec![stage])?;
    let row = table.rows.into_iter().next().unwrap_or_default();
    let thresholds = row.into_iter().map(|cell| match cell {
        #[expect(clippy::cast_precision_loss, reason = "a threshold need not be exact")]
        Cell::Int(integer) => Some(integer as f64),
        Cell::Float(float) => Some(float),
        _ => None,
    });
    Ok(thresholds.collect())
}
