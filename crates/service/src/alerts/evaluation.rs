//! A round of the evaluation: which rules are due, what each sees, what its machine makes of it, all of it written before it is believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_alerts::{IncidentPer, Outcome, step};
use cordwood_catalog::{self as catalog, IncidentId, RuleId, RuleMemory, RuleStep};
use cordwood_engine::Cancel;
use cordwood_event::Timestamp;

use super::asking::{Asking, Span};
use super::board::Board;
use super::observing::Observed;
use super::refusals::Refusals;
use super::telling::Checked;
use super::watched::Watched;
use crate::{Error, Service};

/// Steps that are written together: a transaction costs a sync of the disk, and holds up whoever wants to change the catalog.
const STEPS_PER_TRANSACTION: usize = 100;

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertRound {
    /// Checks made.
    pub checks: u64,
    /// Checks that failed.
    pub failed: u64,
    /// Questions that the engine was asked: fewer than checks where rules ask the same.
    pub questions: u64,
    /// Incidents opened.
    pub opened: u64,
    /// Milliseconds from the end of windows until what was found there was written, over all checks.
    pub lateness_ms: u64,
    /// The same of the latest check.
    pub lateness_max_ms: u64,
}

impl AlertRound {
    /// Counts how late a check is that was written now.
    fn count_lateness(&mut self, end: Timestamp, now: Timestamp) {
        let nanos = now.as_nanos().saturating_sub(end.as_nanos());
        let late_ms = u64::try_from(nanos / 1_000_000).unwrap_or(0);
        self.lateness_ms += late_ms;
        self.lateness_max_ms = self.lateness_max_ms.max(late_ms);
    }
}

/// What the evaluation knows between rounds.
#[derive(Debug, Default)]
pub(super) struct Evaluation {
    refusals: Refusals,
    pub(super) watched: BTreeMap<RuleId, Watched>,
    /// What the catalog knew when the server started, until the rule is seen.
    recalled: BTreeMap<RuleId, RuleMemory>,
}

impl Evaluation {
    /// What the catalog kept.
    pub(super) fn recall(service: &Service) -> Result<Evaluation, Error> {
        let reading = |error| Error::internal("reading what alerts knew", error);
        Ok(Evaluation {
            refusals: Refusals::default(),
            watched: BTreeMap::new(),
            recalled: service.catalog.rule_memories().map_err(reading)?,
        })
    }

    /// Checks whatever is due.
    pub(super) fn round(
        &mut self,
        service: &Service,
        board: &Board,
        cancel: &Cancel,
    ) -> Result<AlertRound, Error> {
        let now = service.now();
        self.refusals.look(service, now);
        self.watch(service, board, now);
        let mut round = AlertRound::default();
        if !service.catalog.has_rules() {
            return Ok(round);
        }
        let arrivals = service.alerts.marks.take(service, now)?;
        let Some(marked) = arrivals.last() else {
            return Ok(round);
        };
        let mut asking = Asking::new(service, (&arrivals, &self.refusals), cancel);
        let due: Vec<(RuleId, Timestamp)> = due(&self.watched, marked.at);
        for some in due.chunks(STEPS_PER_TRANSACTION) {
            if cancel.is_cancelled() {
                break;
            }
            let checked = check(&mut self.watched, service, &mut asking, some, &mut round)?;
            if cancel.is_cancelled() {
                // What a check did not see that was broken off is seen when the server is back; written, it would be a window that nobody looks at again.
                break;
            }
            round.opened += write(&mut self.watched, service, board, checked)?.len() as u64;
            let now = service.now();
            for (_, end) in some {
                round.count_lateness(*end, now);
            }
        }
        round.questions = asking.asked;
        Ok(round)
    }

    /// Takes notice of rules that were made, changed or deleted.
    pub(super) fn watch(&mut self, service: &Service, board: &Board, now: Timestamp) {
        let records = service.catalog.rules();
        let mut before = std::mem::take(&mut self.watched);
        for record in records {
            let known = before.remove(&record.id);
            let watched = match known {
                Some(known) if Arc::ptr_eq(&known.record, &record) => Ok(known),
                Some(known) => known.changed(Arc::clone(&record), now),
                None => {
                    let memory = self.recalled.remove(&record.id);
                    Watched::new(Arc::clone(&record), memory, now)
                }
            };
            match watched {
                Ok(watched) => drop(self.watched.insert(record.id, watched)),
                // Only checked rules are kept, so that this is a rule of another version of the server.
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(rule = record.id.0, error, "a rule cannot be read");
                }
            }
        }
        board.keep(&self.watched, now);
    }
}

/// The checks that are due, those of a rule in order of time.
fn due(watched: &BTreeMap<RuleId, Watched>, marked: Timestamp) -> Vec<(RuleId, Timestamp)> {
    let rules = watched.iter();
    rules
        .flat_map(|(id, rule)| rule.due(marked).into_iter().map(|end| (*id, end)))
        .collect()
}

/// A rule after a check, not written yet.
struct Stepped {
    watched: Watched,
    step: RuleStep,
    observed: Observed,
}

/// Makes some checks. Of a rule that is checked several times, each begins where the one before ended.
fn check(
    watched: &mut BTreeMap<RuleId, Watched>,
    service: &Service,
    asking: &mut Asking<'_>,
    due: &[(RuleId, Timestamp)],
    round: &mut AlertRound,
) -> Result<Vec<Stepped>, Error> {
    let mut stepped: Vec<Stepped> = Vec::new();
    for (id, end) in due {
        let latest = stepped
            .iter()
            .rev()
            .find(|stepped| stepped.step.rule == *id);
        let Some(before) = latest.map_or_else(|| watched.get(id), |latest| Some(&latest.watched))
        else {
            continue;
        };
        let after = check_one(before.clone(), service, asking, *end)?;
        round.checks += 1;
        round.failed += u64::from(after.observed.failure().is_some());
        stepped.push(after);
    }
    Ok(stepped)
}

fn check_one(
    mut watched: Watched,
    service: &Service,
    asking: &mut Asking<'_>,
    end: Timestamp,
) -> Result<Stepped, Error> {
    resolve_by_hand(&mut watched, service, end)?;
    let sources = service.sources_of_rule(&watched.record);
    let observed = asking.observe(&mut watched, &sources, end);
    let (state, effects) = step(&watched.rule, &watched.state, &observed.observation, end);
    watched.state = state;
    let checked = Checked {
        watched: &watched,
        sources: &sources,
        span: Span::Arrived {
            window: observed.observation.window,
            lateness_s: watched.rule.rule().lateness_s,
        },
        window: observed.observation.window,
        of_patterns: &observed.of_patterns,
    };
    let deeds: Vec<_> = effects
        .iter()
        .map(|effect| service.deed(asking, &checked, effect))
        .collect();
    let memory = watched.memory();
    let is_new = watched.written.as_ref() != Some(&memory);
    let step = RuleStep {
        rule: watched.record.id,
        at: end,
        state: is_new.then_some(memory),
        evaluation: (!effects.is_empty() || observed.failure().is_some())
            .then(|| observed.summary(&effects)),
        deeds,
    };
    Ok(Stepped {
        watched,
        step,
        observed,
    })
}

/// Groups whose incident somebody resolved are quiet. What the catalog says is what counts, so that nobody has to tell the evaluation.
fn resolve_by_hand(watched: &mut Watched, service: &Service, now: Timestamp) -> Result<(), Error> {
    let firing: Vec<(Option<String>, u64)> = watched
        .state
        .groups()
        .iter()
        .filter_map(|(group, state)| {
            let key = match watched.rule.rule().incident_per {
                IncidentPer::Group => Some(group.key()),
                IncidentPer::Rule => None,
            };
            Some((key, state.phase.episode()?))
        })
        .collect();
    if firing.is_empty() {
        return Ok(());
    }
    let open = service.catalog.open_incidents_of(watched.record.id);
    let open = open.map_err(|error| Error::internal("reading incidents", error))?;
    for (group, episode) in firing {
        let is_open = open
            .iter()
            .any(|incident| incident.episode == Some(episode) && incident.group == group);
        if !is_open {
            watched.state.resolve_by_hand(episode, now);
        }
    }
    Ok(())
}

/// Writes checks, and believes them then.
fn write(
    watched: &mut BTreeMap<RuleId, Watched>,
    service: &Service,
    board: &Board,
    stepped: Vec<Stepped>,
) -> Result<Vec<IncidentId>, Error> {
    let worth_writing = |step: &RuleStep| {
        step.state.is_some() || step.evaluation.is_some() || !step.deeds.is_empty()
    };
    let steps: Vec<RuleStep> = stepped
        .iter()
        .map(|stepped| stepped.step.clone())
        .filter(worth_writing)
        .collect();
    let opened = match steps.is_empty() {
        true => Vec::new(),
        false => service
            .catalog
            .write_rule_steps(&steps, service.now())
            .map_err(|error| Error::internal("writing the checks of alerts", error))?,
    };
    for after in stepped {
        let Stepped {
            watched: mut known,
            step,
            observed,
        } = after;
        known.written = step.state.or(known.written);
        board.show(&known, &observed);
        watched.insert(known.record.id, known);
    }
    Ok(opened)
}

impl Service {
    /// The sources that a rule looks at.
    pub(super) fn sources_of_rule(&self, record: &catalog::Rule) -> Vec<Arc<catalog::Source>> {
        let mut sources = self.catalog.sources();
        let named = &record.content.sources;
        sources.retain(|source| {
            source.client == record.client && (named.is_empty() || named.contains(&source.id))
        });
        sources
    }
}

impl Observed {
    /// Why the check failed.
    pub(super) fn failure(&self) -> Option<&str> {
        match &self.observation.outcome {
            Outcome::Failed(reason) => Some(reason),
            Outcome::Seen { .. } => None,
        }
    }
}
