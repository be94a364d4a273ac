//! The events around an event, whatever they match: what a program said just before it failed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, AnswerMemory, Cancel, Incomplete, Order};
use cordwood_event::{Event, EventId, Scalar, SourceId, Timestamp, path};
use cordwood_query::{Clause, Filter, Interval, Target, Test, TimeBounds};
use cordwood_store::Snapshot;

use super::{Account, DEADLINE_DEFAULT, DEADLINE_MAX, account_for, names_of, searched};
use crate::{Access, Caller, Error, Service};

/// Events on each side unless asked otherwise.
pub const CONTEXT_EVENTS_DEFAULT: usize = 10;
/// Events on each side at most.
pub const CONTEXT_EVENTS_MAX: usize = 1000;

/// The names by which programs say on which machine they run, the commonest first.
const HOST_NAMES: [&str; 5] = ["host", "hostname", "host.name", "host.hostname", "server"];
/// The names by which they say what they are.
pub(super) const SERVICE_NAMES: [&str; 6] = [
    "service",
    "service.name",
    "service_name",
    "app",
    "application",
    "program",
];

/// A question for the events around an event.
#[derive(Clone, Debug, Default)]
pub struct ContextRequest {
    /// The id of the event.
    pub id: String,
    /// How many events before it, [`CONTEXT_EVENTS_DEFAULT`] when `None`; within a span of time, [`CONTEXT_EVENTS_MAX`].
    pub before: Option<usize>,
    /// How many after it, likewise.
    pub after: Option<usize>,
    /// How far from it in time at most, such as `5m`.
    pub within: Option<String>,
    /// What the events have in common with it: `source` when `None`, `host`, `service`, or the name of a field.
    pub same: Option<String>,
    /// How long it may take.
    pub deadline: Option<Duration>,
}

/// What all events of a context have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Same {
    /// The source.
    Source(SourceId),
    /// The value of a field.
    Field {
        /// The field, as the event names it.
        name: String,
        /// Its value, as a query writes it.
        value: String,
    },
}

/// An event and those around it.
#[derive(Clone, Debug)]
pub struct EventContext {
    /// The event itself.
    pub event: Event,
    /// Those before it, in order of time; of one instant, in order of arrival.
    pub before: Vec<Event>,
    /// Those after it.
    pub after: Vec<Event>,
    /// Whether there are more before these.
    pub has_more_before: bool,
    /// Whether there are more after these.
    pub has_more_after: bool,
    /// What they have in common.
    pub same: Same,
    /// The names of the sources.
    pub source_names: HashMap<SourceId, String>,
    /// What was read to answer.
    pub account: Account,
    /// The memory the events take; to be kept as long as they are.
    pub held: Vec<AnswerMemory>,
}

/// A context to be searched.
struct Surroundings<'a> {
    id: EventId,
    snapshot: &'a Snapshot,
    sources: Vec<Arc<catalog::Source>>,
    filter: Filter,
    within: Option<Interval>,
    /// Of both sides, but for order, range and limit.
    asked: engine::SearchRequest,
}

/// One side of a context.
struct Side {
    events: Vec<Event>,
    has_more: bool,
    account: engine::Account,
    held: AnswerMemory,
}

impl Service {
    /// The events around an event: of its source, or with the same host, service or value of a field in any source that the
    /// caller may read.
    pub fn event_context(
        &self,
        caller: &Caller,
        request: &ContextRequest,
        cancel: &Cancel,
    ) -> Result<EventContext, Error> {
        caller.require(Access::Read)?;
        let within = request.within.as_deref().map(span).transpose()?;
        let default = match within {
            Some(_) => CONTEXT_EVENTS_MAX,
            None => CONTEXT_EVENTS_DEFAULT,
        };
        let before_max = events_max("before", request.before, default)?;
        let after_max = events_max("after", request.after, default)?;
        let visible = self.visible_sources(caller);
        let snapshot = self.store.snapshot();
        let located = self.locate(caller, (&visible, &snapshot), &request.id, cancel)?;
        let (event, held) = (located.event, located.held);
        let (same, filter) = in_common(&event, request.same.as_deref())?;
        let sources = match same {
            Same::Source(id) => visible
                .into_iter()
                .filter(|source| source.id == id)
                .collect(),
            Same::Field { .. } => visible,
        };
        let (now, time) = (self.now(), request.deadline.unwrap_or(DEADLINE_DEFAULT));
        let surroundings = Surroundings {
            id: event.id,
            snapshot: &snapshot,
            within,
            asked: engine::SearchRequest {
                deadline: self
                    .options
                    .clock
                    .instant()
                    .checked_add(time.min(DEADLINE_MAX)),
                cancel: cancel.clone(),
                ..engine::SearchRequest::newest(searched(&sources, now), filter.clone(), 0, now)
            },
            sources,
            filter,
        };
        let mut before = self.side(&surroundings, Order::NewestFirst, before_max)?;
        let after = self.side(&surroundings, Order::OldestFirst, after_max)?;
        before.events.reverse();
        let mut account = before.account;
        account.include(&after.account);
        account.include(&located.account);
        account.range = surroundings.around();
        self.counters.count_search(&account);
        let query = (surroundings.filter.to_string(), now);
        Ok(EventContext {
            event,
            before: before.events,
            after: after.events,
            has_more_before: before.has_more,
            has_more_after: after.has_more,
            same,
            source_names: names_of(&surroundings.sources),
            account: account_for(query, &surroundings.sources, &account, &snapshot),
            held: vec![held, before.held, after.held],
        })
    }

    /// The events on one side, from the event on.
    fn side(
        &self,
        surroundings: &Surroundings<'_>,
        order: Order,
        events_max: usize,
    ) -> Result<Side, Error> {
        let around = surroundings.around();
        let range = match order {
            Order::NewestFirst => TimeBounds {
                last: surroundings.id.timestamp,
                ..around
            },
            Order::OldestFirst => TimeBounds {
                first: surroundings.id.timestamp,
                ..around
            },
        };
        let asked = engine::SearchRequest {
            order,
            range,
            after: Some(surroundings.id),
            // Where none is asked for, one tells whether there are any.
            limit: events_max.max(1),
            ..surroundings.asked.clone()
        };
        let answer = self.engine.search(surroundings.snapshot, &asked);
        let answer = answer.map_err(|error| Error::internal("finding events", error))?;
        if answer.account.incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        let mut events = answer.events;
        let has_more = answer.next.is_some() || events.len() > events_max;
        events.truncate(events_max);
        Ok(Side {
            events,
            has_more,
            account: answer.account,
            held: answer.memory,
        })
    }
}

impl Surroundings<'_> {
    /// The times around the event in which others are looked for.
    fn around(&self) -> TimeBounds {
        let Some(within) = self.within else {
            return TimeBounds::ALL;
        };
        let time = self.id.timestamp.as_nanos();
        TimeBounds {
            first: Timestamp::from_nanos(time.saturating_sub(within.nanos)),
            last: Timestamp::from_nanos(time.saturating_add(within.nanos)),
        }
    }
}

fn span(text: &str) -> Result<Interval, Error> {
    Interval::parse(text.trim()).ok_or_else(|| Error::InvalidParameter {
        parameter: "within",
        message: format!("`within` is `{text}` and has to be a length of time"),
        hint: Some("write a whole number and a unit: ms, s, m, h, d or w, as in `5m`".to_owned()),
    })
}

/// None is a number here: one side may be enough.
fn events_max(
    parameter: &'static str,
    asked: Option<usize>,
    default: usize,
) -> Result<usize, Error> {
    match asked.unwrap_or(default) {
        events if events <= CONTEXT_EVENTS_MAX => Ok(events),
        events => Err(Error::InvalidParameter {
            parameter,
            message: format!(
                "`{parameter}` is {events} and has to be at most {CONTEXT_EVENTS_MAX}"
            ),
            hint: None,
        }),
    }
}

/// What a context has in common with its event, and the filter for it.
fn in_common(event: &Event, same: Option<&str>) -> Result<(Same, Filter), Error> {
    let names: Vec<&str> = match same.map(str::trim) {
        None | Some("" | "source") => return Ok((Same::Source(event.source), Filter::All)),
        Some("host") => HOST_NAMES.to_vec(),
        Some("service") => SERVICE_NAMES.to_vec(),
        Some(field) => vec![field],
    };
    let found = names
        .iter()
        .find_map(|name| Some((*name, value_of(event, name)?)));
    let Some((name, value)) = found else {
        return Err(Error::InvalidParameter {
            parameter: "same",
            message: format!("the event has no field {}", names.join(" or ")),
            hint: Some("name a field that it has, or `source`".to_owned()),
        });
    };
    // Programs on one host may name it differently.
    let clauses = names.iter().map(|name| {
        Filter::Clause(Clause {
            target: Target::named(name),
            test: Test::Equals(value.clone()),
        })
    });
    let filter = Filter::or(clauses.collect());
    let name = name.to_owned();
    Ok((Same::Field { name, value }, filter))
}

/// The value of a field of an event, as a query for exactly it writes it; of an array, its first element.
pub(super) fn value_of(event: &Event, name: &str) -> Option<String> {
    if let (Target::Level, Some(level)) = (Target::named(name), event.level) {
        return Some(level.name().to_owned());
    }
    let mut fields = event.fields.iter();
    let (_, value) = fields.find(|(stored, _)| path::name(stored) == name)?;
    let mut first = None;
    cordwood_query::each_element(value.as_scalar(), &mut |element| {
        if first.is_none() {
            first = written(element);
        }
    });
    first
}

fn written(value: Scalar<'_>) -> Option<String> {
    match value {
        Scalar::Null => None,
        Scalar::Str("") => None,
        Scalar::Str(text) | Scalar::Json(text) => Some(text.to_owned()),
        Scalar::Bool(boolean) => Some(boolean.to_string()),
        Scalar::Int(integer) => Some(integer.to_string()),
        Scalar::Float(float) => Some(float.to_string()),
    }
}
