//! A trace: the events of all sources that carry an id, in order of time, with what each service did and where time went.
//!
//! Any value is an id here. It is looked for in every field, as a word without a field is.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, AnswerMemory, Cancel, Count, Incomplete, Order, Total};
use cordwood_event::{Event, EventId, Level, SourceId, Timestamp, path};
use cordwood_query::{Clause, EventRow, FieldName, Filter, Matcher, Target, Test};
use cordwood_store::Snapshot;

use super::context::{SERVICE_NAMES, value_of};
use super::identifiers::{Identifier, identifiers};
use super::{
    Account, DEADLINE_DEFAULT, DEADLINE_MAX, account_for, chosen_sources, names_of, searched,
};
use crate::ingest::RETRY_AFTER_BUSY;
use crate::range::range;
use crate::sources::within;
use crate::{Access, Caller, Error, Service};

/// Events of a trace unless asked otherwise.
pub const TRACE_EVENTS_DEFAULT: usize = 1000;
/// Events of a trace at most: as in a page of a search.
pub const TRACE_EVENTS_MAX: usize = 1000;
/// Bytes of an id at most; the longest in use have fewer than a hundred.
pub(super) const VALUE_BYTES_MAX: usize = 256;
/// Ids of one event that are followed together.
const IDENTIFIERS_MAX: usize = 4;
/// Pauses that are told, the longest ones.
const GAPS_MAX: usize = 5;

/// What a trace is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceSubject {
    /// A value, wherever it stands.
    Value(String),
    /// The ids of the event with this id.
    Event(String),
}

/// A question for a trace.
#[derive(Clone, Debug)]
pub struct TraceRequest {
    /// What is traced.
    pub subject: TraceSubject,
    /// Ids, `src-` ids or names; empty for every source the caller sees.
    pub sources: Vec<String>,
    /// From when; `None`: from the first event.
    pub from: Option<String>,
    /// Until when; `None`: to the last event.
    pub to: Option<String>,
    /// How many events, [`TRACE_EVENTS_DEFAULT`] when `None`, up to [`TRACE_EVENTS_MAX`]; the earliest.
    pub limit: Option<usize>,
    /// How long it may take.
    pub deadline: Option<Duration>,
}

/// The events that carry an id.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The ids that were followed.
    pub identifiers: Vec<Identifier>,
    /// Other ids of the event that was asked about.
    pub others: Vec<Identifier>,
    /// In order of time.
    pub events: Vec<TracedEvent>,
    /// How many there are with those beyond the limit.
    pub total: Count,
    /// Of the events given, what each service did, the earliest first.
    pub services: Vec<TracedService>,
    /// The longest pauses between one of them and the next, the longest first.
    pub gaps: Vec<Gap>,
    /// From the first of them to the last.
    pub duration: Duration,
    /// The names of the sources.
    pub source_names: HashMap<SourceId, String>,
    /// What was read to answer.
    pub account: Account,
    /// The memory the events take; to be kept as long as they are.
    pub held: AnswerMemory,
}

/// An event of a trace.
#[derive(Clone, Debug)]
pub struct TracedEvent {
    /// The event.
    pub event: Event,
    /// The fields in which the id stands.
    pub matched: Vec<String>,
    /// The service it is of: what the event says, else the name of its source.
    pub service: String,
}

/// What one service did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedService {
    /// Its name.
    pub name: String,
    /// Its first event.
    pub first: Timestamp,
    /// Its last event.
    pub last: Timestamp,
    /// How many events it has.
    pub events: u64,
    /// How many of them are errors or worse.
    pub errors: u64,
}

impl TracedService {
    /// From its first event to its last.
    pub fn duration(&self) -> Duration {
        let nanos = self.last.as_nanos().abs_diff(self.first.as_nanos());
        Duration::from_nanos(nanos)
    }
}

/// A pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last event before it.
    pub after: EventId,
    /// The first event after it.
    pub before: EventId,
    /// How long it is.
    pub duration: Duration,
}

/// What is looked for, and where.
struct Following<'a> {
    snapshot: &'a Snapshot,
    sources: Vec<Arc<catalog::Source>>,
    identifiers: Vec<Identifier>,
    others: Vec<Identifier>,
    request: engine::SearchRequest,
}

impl Service {
    /// Follows an id, or those of an event, through all sources.
    pub fn trace(
        &self,
        caller: &Caller,
        request: &TraceRequest,
        cancel: &Cancel,
    ) -> Result<Trace, Error> {
        caller.require(Access::Read)?;
        let limit = within(
            "limit",
            request.limit,
            TRACE_EVENTS_DEFAULT,
            TRACE_EVENTS_MAX,
        )?;
        let visible = self.visible_sources(caller);
        let sources = chosen_sources(&visible, &request.sources)?;
        let now = self.now();
        let range = range(request.from.as_deref(), request.to.as_deref(), now)?;
        let snapshot = self.store.snapshot();
        let (identifiers, others) = match &request.subject {
            TraceSubject::Value(value) => (vec![given(value)?], Vec::new()),
            TraceSubject::Event(id) => {
                let located = self.locate(caller, (&visible, &snapshot), id, cancel)?;
                followed(&located.event)?
            }
        };
        let clauses = identifiers
            .iter()
            .map(|identifier| Filter::Clause(carries(Target::AnyField, identifier)));
        let filter = Filter::or(clauses.collect());
        let time = request
            .deadline
            .unwrap_or(DEADLINE_DEFAULT)
            .min(DEADLINE_MAX);
        let following = Following {
            snapshot: &snapshot,
            request: engine::SearchRequest {
                range,
                order: Order::OldestFirst,
                total: Total::Count,
                deadline: self.options.clock.instant().checked_add(time),
                cancel: cancel.clone(),
                ..engine::SearchRequest::newest(searched(&sources, now), filter, limit, now)
            },
            sources,
            identifiers,
            others,
        };
        self.follow(following)
    }

    fn follow(&self, following: Following<'_>) -> Result<Trace, Error> {
        let (snapshot, request) = (following.snapshot, &following.request);
        let answer = self.engine.search(snapshot, request);
        let answer = answer.map_err(|error| Error::internal("finding events", error))?;
        let incomplete = &answer.account.incomplete;
        if incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        if answer.events.is_empty() && incomplete.contains(&Incomplete::Memory) {
            return Err(Error::Busy {
                retry_after: RETRY_AFTER_BUSY,
            });
        }
        self.counters.count_search(&answer.account);
        let total = answer.total.unwrap_or(0);
        let query = (request.filter.to_string(), request.now);
        let account = account_for(query, &following.sources, &answer.account, snapshot);
        let source_names = names_of(&following.sources);
        let mut matched = MatchedFields::new(&following.identifiers, request.now);
        let events = answer.events.into_iter().map(|event| {
            let source_name = source_names.get(&event.source).map_or("", String::as_str);
            TracedEvent {
                matched: matched.of(&event, source_name),
                service: service_of(&event).unwrap_or_else(|| source_name.to_owned()),
                event,
            }
        });
        let events: Vec<TracedEvent> = events.collect();
        Ok(Trace {
            total: match answer.account.is_complete() {
                true => Count::Exactly(total),
                false => Count::AtLeast(total),
            },
            services: services_of(&events),
            gaps: gaps_of(&events),
            duration: match (events.first(), events.last()) {
                (Some(first), Some(last)) => between(first, last),
                _ => Duration::ZERO,
            },
            identifiers: following.identifiers,
            others: following.others,
            events,
            source_names,
            account,
            held: answer.memory,
        })
    }
}

fn given(value: &str) -> Result<Identifier, Error> {
    let value = value.trim();
    let wrong = |message: String| Error::InvalidParameter {
        parameter: "value",
        message,
        hint: Some("give an id that the events carry, such as a request id".to_owned()),
    };
    match value.len() {
        0 => Err(wrong("`value` is empty".to_owned())),
        bytes if bytes > VALUE_BYTES_MAX => Err(wrong(format!(
            "`value` has {bytes} bytes, and an id at most {VALUE_BYTES_MAX}"
        ))),
        _ => Ok(Identifier {
            field: None,
            value: value.to_owned(),
        }),
    }
}

fn followed(event: &Event) -> Result<(Vec<Identifier>, Vec<Identifier>), Error> {
    let (mut followed, mut others) = identifiers(event);
    if followed.is_empty() {
        return Err(Error::InvalidParameter {
            parameter: "id",
            message: "the event has no field that looks like an id".to_owned(),
            hint: Some("follow a value of it with `value` instead".to_owned()),
        });
    }
    others.splice(
        0..0,
        followed.split_off(followed.len().min(IDENTIFIERS_MAX)),
    );
    Ok((followed, others))
}

/// The clause for a field that carries an id.
fn carries(target: Target, identifier: &Identifier) -> Clause {
    Clause {
        target,
        test: Test::Contains(identifier.value.clone()),
    }
}

/// Finds the fields in which ids stand, by the matcher itself; one for each field that was met.
struct MatchedFields<'a> {
    identifiers: &'a [Identifier],
    now: Timestamp,
    matchers: HashMap<String, Vec<Matcher>>,
}

impl MatchedFields<'_> {
    fn new(identifiers: &[Identifier], now: Timestamp) -> MatchedFields<'_> {
        MatchedFields {
            identifiers,
            now,
            matchers: HashMap::new(),
        }
    }

    fn of(&mut self, event: &Event, source_name: &str) -> Vec<String> {
        let row = EventRow { event, source_name };
        let names: BTreeSet<String> = event
            .fields
            .iter()
            .map(|(stored, _)| path::name(stored).into_owned())
            .collect();
        let (identifiers, now) = (self.identifiers, self.now);
        let carrying = names.into_iter().filter(|name| {
            let matchers = self.matchers.entry(name.clone());
            let matchers = matchers.or_insert_with(|| {
                let target = || Target::Field(FieldName::new(name.as_str()));
                let clauses = identifiers.iter().map(|id| carries(target(), id));
                clauses
                    .map(|clause| Matcher::of_clause(&clause, now))
                    .collect()
            });
            matchers.iter().any(|matcher| matcher.matches_row(&row))
        });
        carrying.collect()
    }
}

fn service_of(event: &Event) -> Option<String> {
    SERVICE_NAMES.iter().find_map(|name| value_of(event, name))
}

fn services_of(events: &[TracedEvent]) -> Vec<TracedService> {
    let mut services: Vec<TracedService> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for traced in events {
        let time = traced.event.id.timestamp;
        let place = *places.entry(&traced.service).or_insert_with(|| {
            services.push(TracedService {
                name: traced.service.clone(),
                first: time,
                last: time,
                events: 0,
                errors: 0,
            });
            services.len() - 1
        });
        if let Some(service) = services.get_mut(place) {
            service.last = time;
            service.events += 1;
            service.errors += u64::from(traced.event.level >= Some(Level::Error));
        }
    }
    services
}

fn gaps_of(events: &[TracedEvent]) -> Vec<Gap> {
    let pairs = events.iter().zip(events.iter().skip(1));
    let gaps = pairs.map(|(before, after)| Gap {
        after: before.event.id,
        before: after.event.id,
        duration: between(before, after),
    });
    let mut gaps: Vec<Gap> = gaps.filter(|gap| gap.duration > Duration::ZERO).collect();
    // Of equal ones, the earlier stays first.
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.duration));
    gaps.truncate(GAPS_MAX);
    gaps
}

fn between(first: &TracedEvent, last: &TracedEvent) -> Duration {
    let nanos = |traced: &TracedEvent| traced.event.id.timestamp.as_nanos();
    let nanos = nanos(last).abs_diff(nanos(first));
    Duration::from_nanos(nanos)
}
