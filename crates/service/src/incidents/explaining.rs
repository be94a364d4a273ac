//! What changed when an incident began: found out once, by a thread of its own, and kept with it.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cordwood_catalog::{self as catalog, Catalog, IncidentFilter};
use cordwood_event::Timestamp;
use cordwood_query::{Target, TimeBounds};
use serde::{Deserialize, Serialize};

use super::{Incident, IncidentEvidence, of_catalog};
use crate::jobs::in_words;
use crate::what_changed;
use crate::{Access, Baseline, Caller, Cancel, Error, Service, WhatChanged, WhatChangedRequest};

/// How long one comparison may take: it is nobody's question yet, and those of people come first.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long the thread waits for somebody to wake it: rules open incidents without doing so.
const INTERVAL: Duration = Duration::from_secs(5);
/// Incidents that are read at once.
const BATCH: u32 = 16;
/// What an incident is compared with is at least an hour long, and what led to it at least a quarter: of less, chance cannot be told.
const BASELINE_NANOS_MIN: i64 = 3_600_000_000_000;
const WINDOW_NANOS_MIN: i64 = 900_000_000_000;
/// A longer window is a matter of trends, and takes too long.
const WINDOW_NANOS_MAX: i64 = 24 * 3_600_000_000_000;
/// Bytes of an explanation that are kept at most; usually there are some thousands.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// Incidents looked through at once for what a deletion may mean.
const PAGE: usize = 100;

/// What is known of what changed when an incident began.
#[derive(Clone, Debug)]
pub enum IncidentExplanation {
    /// It is being found out.
    NotYet,
    /// This.
    Known(Box<WhatChanged>),
    /// It could not be found out.
    Failed(String),
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    answer: Option<Box<WhatChanged>>,
    failure: Option<String>,
}

impl IncidentExplanation {
    /// What is kept with an incident.
    pub(super) fn of(incident: &Incident) -> IncidentExplanation {
        let Some(text) = &incident.what_changed else {
            return IncidentExplanation::NotYet;
        };
        match serde_json::from_str::<Kept>(text) {
            Ok(Kept {
                answer: Some(answer),
                ..
            }) => IncidentExplanation::Known(answer),
            Ok(Kept { failure, .. }) => {
                IncidentExplanation::Failed(failure.unwrap_or_else(|| "it is not known".to_owned()))
            }
            Err(error) => IncidentExplanation::Failed(format!("what is kept is damaged: {error}")),
        }
    }
}

/// What incidents are explained with.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) comparing: what_changed::Means,
    pub(crate) catalog: Arc<Catalog>,
}

/// The thread, stopped and joined when this is dropped.
#[derive(Debug)]
pub(crate) struct Explaining {
    cancel: Cancel,
    running: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Explaining {
    pub(crate) fn start(means: Means) -> Result<Explaining, Error> {
        let cancel = Cancel::default();
        let cancelled = cancel.clone();
        let (wake, wakes) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("incidents".to_owned())
            .spawn(move || {
                let mut is_failing = false;
                while wakes.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Disconnected) {
                    let explained = means.explain_all(&cancelled);
                    if let (Err(error), false) = (&explained, is_failing) {
                        let error: &dyn std::error::Error = error;
                        tracing::warn!(error, "incidents could not be explained, will try again");
                    }
                    is_failing = explained.is_err();
                }
            })
            .map_err(|error| Error::internal("starting a thread", error))?;
        Ok(Explaining {
            cancel,
            running: Mutex::new(Some((wake, thread))),
        })
    }

    /// Has the thread look at once.
    pub(super) fn wake(&self) {
        let running = self.running.lock();
        let running = running.unwrap_or_else(PoisonError::into_inner);
        if let Some((wake, _)) = &*running {
            // A thread that is gone was stopped, or has said why.
            let _ = wake.send(());
        }
    }

    /// Stops the thread and waits for it.
    pub(crate) fn stop(&self) {
        self.cancel.cancel();
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((wake, thread)) = running {
            drop(wake);
            if thread.join().is_err() {
                tracing::error!("the thread that explains incidents panicked");
            }
        }
    }
}

impl Drop for Explaining {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Means {
    /// Explains what is not explained yet, the latest first.
    fn explain_all(&self, cancel: &Cancel) -> Result<(), Error> {
        loop {
            let waiting = self.catalog.unexplained_incidents(BATCH);
            let waiting = waiting.map_err(of_catalog)?;
            if waiting.is_empty() {
                return Ok(());
            }
            for incident in waiting {
                let text = self.explain(&incident, cancel);
                if cancel.is_cancelled() {
                    return Ok(());
                }
                let kept = self.catalog.explain_incident(incident.id, &text);
                kept.map_err(of_catalog)?;
            }
        }
    }

    /// What changed, or why that is not known, as it is kept.
    fn explain(&self, incident: &Incident, cancel: &Cancel) -> String {
        let mut sources = self.catalog.sources();
        sources.retain(|source| source.client == incident.client);
        let request = request_of(incident, &sources, self.comparing.clock.now());
        let kept = match self.comparing.compare(&sources, &request, cancel) {
            Ok(answer) => Kept {
                answer: Some(Box::new(answer)),
                failure: None,
            },
            Err(error) => Kept::failed(in_words(&error)),
        };
        let text = kept.text();
        match text.len() > KEPT_BYTES_MAX {
            true => Kept::failed("there is more than can be kept".to_owned()).text(),
            false => text,
        }
    }
}

impl Kept {
    fn failed(failure: String) -> Kept {
        Kept {
            answer: None,
            failure: Some(failure),
        }
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("an answer of texts and numbers is JSON")
    }
}

/// The comparison that explains an incident: the window that shows it, with the quarter of an hour before, against the hour before that. Its
/// query is what is to be explained; an incident without one is about errors, warnings, slowness and volume.
fn request_of(
    incident: &Incident,
    sources: &[Arc<catalog::Source>],
    now: Timestamp,
) -> WhatChangedRequest {
    let evidence = IncidentEvidence::of(incident);
    let ago =
        |time: Timestamp, nanos: i64| Timestamp::from_nanos(time.as_nanos().saturating_sub(nanos));
    let to = evidence.to.unwrap_or(incident.started_at).min(now);
    let from = evidence.from.unwrap_or(to).min(ago(to, WINDOW_NANOS_MIN));
    let from = from.max(ago(to, WINDOW_NANOS_MAX));
    let length = to.as_nanos().saturating_sub(from.as_nanos());
    let baseline = Baseline::Between {
        from: ago(from, length.max(BASELINE_NANOS_MIN)).to_string(),
        to: ago(from, 1).to_string(),
    };
    let is_there = |id: &u64| sources.iter().any(|source| source.id.0 == *id);
    let named = evidence.sources.iter().filter(|id| is_there(id));
    WhatChangedRequest {
        query: String::new(),
        sources: named.map(u64::to_string).collect(),
        from: Some(from.to_string()),
        to: Some(to.to_string()),
        baseline,
        explain: evidence.query.as_deref().and_then(filter_alone),
        deadline: Some(DEADLINE),
    }
}

/// The filter of a query, without its stages; `None` if it means everything, or says when.
fn filter_alone(query: &str) -> Option<String> {
    let filter = cordwood_query::parse(query).ok()?.query.filter;
    let clauses = filter.clauses();
    let says_when = clauses.iter().any(|clause| clause.target == Target::Time);
    (!clauses.is_empty() && !says_when).then(|| filter.to_string())
}

impl Service {
    /// What changed when an incident began.
    pub fn incident_explanation(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<IncidentExplanation, Error> {
        caller.require(Access::Read)?;
        let incident = self.find_incident(caller, id)?;
        Ok(IncidentExplanation::of(&incident))
    }

    /// Explains what is not explained yet, as the thread does every few seconds.
    pub fn explain_incidents(&self) -> Result<(), Error> {
        self.means_of_explaining().explain_all(&Cancel::default())
    }

    pub(crate) fn means_of_explaining(&self) -> Means {
        Means {
            comparing: self.means_of_comparing(),
            catalog: Arc::clone(&self.catalog),
        }
    }

    /// Forgets what changed where it may tell of events of these sources and this range, and has it found out again: after a deletion.
    pub(super) fn explain_anew(
        &self,
        sources: &[Arc<catalog::Source>],
        range: TimeBounds,
    ) -> Result<(), Error> {
        let clients = sources.iter().map(|source| source.client);
        let filter = IncidentFilter {
            clients: Some(clients.collect()),
            from: (range.first != Timestamp::MIN).then_some(range.first),
            ..IncidentFilter::default()
        };
        let mut left_out = 0;
        loop {
            let incidents = self.catalog.incidents(&filter, left_out, PAGE);
            let incidents = incidents.map_err(of_catalog)?;
            for incident in &incidents {
                if may_tell_of(incident, sources, range) {
                    let forgotten = self.catalog.forget_explanation(incident.id);
                    forgotten.map_err(of_catalog)?;
                }
            }
            if incidents.len() < PAGE {
                break;
            }
            left_out += PAGE;
        }
        self.explaining.wake();
        Ok(())
    }
}

/// Whether what changed at the start of an incident was found out from events of these sources and this range.
fn may_tell_of(incident: &Incident, sources: &[Arc<catalog::Source>], range: TimeBounds) -> bool {
    let IncidentExplanation::Known(answer) = IncidentExplanation::of(incident) else {
        return false;
    };
    let windows = &answer.account.windows;
    let mut compared = answer.account.sources.iter();
    windows.baseline.from <= range.last
        && windows.current.to >= range.first
        && compared.any(|compared| sources.iter().any(|source| source.id == *compared))
}
