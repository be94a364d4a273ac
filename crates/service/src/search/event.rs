//! One event by its id: the link to it that stays good wherever the event has moved to.

use std::fmt;
use std::sync::Arc;

use cordwood_catalog as catalog;
use cordwood_engine::{self as engine, AnswerMemory, Cancel, Incomplete};
use cordwood_event::{Event, EventId, Timestamp};
use cordwood_query::{Clause, Filter, Target, Test, TimeBounds};
use cordwood_store::Snapshot;

use super::{Account, DEADLINE_DEFAULT, account_for, searched, source_of};
use crate::ingest::RETRY_AFTER_BUSY;
use crate::retention::kept_from;
use crate::{Access, Caller, Error, Service};

/// An event found by its id.
#[derive(Clone, Debug)]
pub struct FoundEvent {
    /// The event.
    pub event: Event,
    /// The name of its source.
    pub source_name: String,
    /// What was read to answer.
    pub account: Account,
    /// The memory it takes; to be kept as long as it is.
    pub held: AnswerMemory,
}

/// Why an event is not there, as far as its reader may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventAbsence {
    /// What was asked for is no id.
    NoId,
    /// A source that the caller may read keeps no events of that time any more.
    Expired {
        /// Its name.
        source: String,
        /// From when on it does.
        kept_from: Timestamp,
    },
    /// A deletion was about events of that time.
    Deleted {
        /// Which.
        deletion: u64,
    },
    /// A part of the events of that time could not be read.
    Unread {
        /// Why.
        reason: String,
    },
    /// There is none among those that the caller may read.
    Unknown,
}

impl fmt::Display for EventAbsence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventAbsence::NoId => f.write_str(
                "an id is the `_id` of an event found: 16 hexadecimal digits, a hyphen and more of them",
            ),
            EventAbsence::Expired { source, kept_from } => write!(
                f,
                "it may have expired: source `{source}` keeps no events of before {kept_from}"
            ),
            EventAbsence::Deleted { deletion } => write!(
                f,
                "deletion {deletion} was about events of that time, and this one may have been among them"
            ),
            EventAbsence::Unread { reason } => {
                write!(f, "it may be among events that could not be read: {reason}")
            }
            EventAbsence::Unknown => {
                f.write_str("no source that you may read has an event of this id")
            }
        }
    }
}

/// An event that was found, and what that took.
pub(super) struct Located {
    pub(super) event: Event,
    pub(super) source_name: String,
    pub(super) account: engine::Account,
    pub(super) held: AnswerMemory,
}

impl Service {
    /// The event of an id, wherever it lies, if the caller may read its source.
    pub fn event(&self, caller: &Caller, id: &str, cancel: &Cancel) -> Result<FoundEvent, Error> {
        caller.require(Access::Read)?;
        let sources = self.visible_sources(caller);
        let snapshot = self.store.snapshot();
        let located = self.locate(caller, (&sources, &snapshot), id, cancel)?;
        self.counters.count_search(&located.account);
        let query = (format!("_id:{}", located.event.id), self.now());
        Ok(FoundEvent {
            account: account_for(query, &sources, &located.account, &snapshot),
            event: located.event,
            source_name: located.source_name,
            held: located.held,
        })
    }

    /// Finds an event among those of some sources.
    pub(super) fn locate(
        &self,
        caller: &Caller,
        (sources, snapshot): (&[Arc<catalog::Source>], &Snapshot),
        id_text: &str,
        cancel: &Cancel,
    ) -> Result<Located, Error> {
        let absent = |absence| Error::EventNotFound {
            id: id_text.to_owned(),
            absence,
        };
        let id: EventId = id_text
            .trim()
            .parse()
            .map_err(|_| absent(EventAbsence::NoId))?;
        let now = self.now();
        let this = Filter::Clause(Clause {
            target: Target::Id,
            test: Test::Id(id),
        });
        let request = engine::SearchRequest {
            range: TimeBounds {
                first: id.timestamp,
                last: id.timestamp,
            },
            deadline: self.options.clock.instant().checked_add(DEADLINE_DEFAULT),
            cancel: cancel.clone(),
            ..engine::SearchRequest::newest(searched(sources, now), this, 1, now)
        };
        let answer = self.engine.search(snapshot, &request);
        let answer = answer.map_err(|error| Error::internal("finding an event", error))?;
        if let Some(event) = answer.events.into_iter().next() {
            let name = source_of(sources, event.source);
            return Ok(Located {
                source_name: name.map_or_else(String::new, |source| source.name.clone()),
                event,
                account: answer.account,
                held: answer.memory,
            });
        }
        let incomplete = &answer.account.incomplete;
        if incomplete.contains(&Incomplete::Cancelled) {
            return Err(Error::Cancelled);
        }
        if incomplete.contains(&Incomplete::Memory) {
            return Err(Error::Busy {
                retry_after: RETRY_AFTER_BUSY,
            });
        }
        if let Some(reason) = incomplete.first() {
            let reason = reason.to_string();
            return Err(absent(EventAbsence::Unread { reason }));
        }
        let absence = self
            .expired(sources, snapshot, id)
            .or_else(|| self.deleted(caller, sources, id))
            .unwrap_or(EventAbsence::Unknown);
        Err(absent(absence))
    }

    /// The source that keeps the least, if it has let events of that time go.
    fn expired(
        &self,
        sources: &[Arc<catalog::Source>],
        snapshot: &Snapshot,
        id: EventId,
    ) -> Option<EventAbsence> {
        let evictions = snapshot.evictions();
        let cuts = sources.iter().filter_map(|source| {
            let evicted = evictions.get(&source.id).map(|eviction| eviction.before);
            let kept_from = kept_from(source, self.now()).max(evicted)?;
            (id.timestamp < kept_from).then(|| (kept_from, source.name.clone()))
        });
        let (kept_from, source) = cuts.max()?;
        Some(EventAbsence::Expired { source, kept_from })
    }

    /// The newest deletion that the caller may know of and that may have meant the event.
    fn deleted(
        &self,
        caller: &Caller,
        sources: &[Arc<catalog::Source>],
        id: EventId,
    ) -> Option<EventAbsence> {
        let deletions = self.visible_deletions(caller).into_iter();
        let mut may_mean = deletions.filter(|deletion| {
            let request = &deletion.request;
            let mut of_sources = request.sources.iter();
            (request.first..=request.last).contains(&id.timestamp)
                && id.sequence <= request.up_to_sequence
                && of_sources.any(|deleted| source_of(sources, deleted.id).is_some())
        });
        may_mean.next_back().map(|deletion| EventAbsence::Deleted {
            deletion: deletion.id.0,
        })
    }
}
