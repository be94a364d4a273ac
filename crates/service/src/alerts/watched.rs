//! A rule as the evaluation has it: checked, with what its machine knows.

use std::sync::Arc;

use cordwood_alerts::{CheckedRule, Group, IncidentPer, RuleState};
use cordwood_catalog::{self as catalog, RuleMemory};
use cordwood_event::Timestamp;

use super::arrivals::MARK_NANOS;
use super::rules::checked;
use crate::Error;

/// Of the checks that were missed the first so many are made up for: what had come when the server went down, and was not looked at, is news however long it
/// was down.
const FIRST_MADE_UP_MAX: i64 = 10;
/// And so many of the last; what is between them is nobody's news any more.
const LAST_MADE_UP_MAX: i64 = 5;

/// A rule that is evaluated, or would be if it were not paused.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) record: Arc<catalog::Rule>,
    pub(super) rule: CheckedRule,
    pub(super) state: RuleState,
    /// What the catalog has of it.
    pub(super) written: Option<RuleMemory>,
    /// What it asks, by which a rule that asks something else is told apart.
    question: String,
}

impl Watched {
    /// A rule and what the catalog knows of it. What was learnt by another question is no use to this one.
    ///
    /// One that was not checked since it was made or changed listens since then, and not since it is seen here: between the two the server may have been killed,
    /// and what it had acknowledged by then is news. A state that cannot be read says nothing of when it was checked last, so that such a rule begins now.
    pub(super) fn new(
        record: Arc<catalog::Rule>,
        written: Option<RuleMemory>,
        now: Timestamp,
    ) -> Result<Watched, Error> {
        let rule = checked(&record.content.rule)?;
        let question = question_of(&rule, &record);
        let known = written
            .as_ref()
            .and_then(|memory| serde_json::from_str::<RuleState>(&memory.state).ok());
        let mut state = match (known, &written) {
            (Some(state), Some(memory)) if memory.question == question => state,
            (Some(mut state), _) => {
                // A question that another version of the server words otherwise is not younger than the last check.
                let checked = state.checked_until().unwrap_or(record.updated_at);
                state.begin_anew(checked.max(record.updated_at));
                state
            }
            (None, Some(_)) => RuleState::new(now),
            (None, None) => RuleState::new(record.updated_at),
        };
        if let Some(resumed_at) = record.resumed_at
            && resumed_at > state.listens_since()
        {
            state.listen_anew(resumed_at);
        }
        Ok(Watched {
            record,
            rule,
            state,
            written,
            question,
        })
    }

    /// The same rule after a change.
    pub(super) fn changed(
        self,
        record: Arc<catalog::Rule>,
        now: Timestamp,
    ) -> Result<Watched, Error> {
        let changed = Watched::new(record, Some(self.memory()), now)?;
        Ok(Watched {
            written: self.written,
            ..changed
        })
    }

    /// What is to be kept of it.
    pub(super) fn memory(&self) -> RuleMemory {
        RuleMemory {
            question: self.question.clone(),
            state: serde_json::to_string(&self.state).expect("a state is JSON"),
        }
    }

    /// The group that an incident is about; none for one of the whole rule.
    pub(super) fn incident_group(&self, group: &Group) -> Option<String> {
        match self.rule.rule().incident_per {
            IncidentPer::Group => Some(group.key()),
            IncidentPer::Rule => None,
        }
    }

    /// When it is to be checked: the ends of windows that are due by `now`, oldest first.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Timestamp> {
        if self.record.content.paused.is_some() {
            return Vec::new();
        }
        let every = self.every_nanos();
        let last = self.last_due(now);
        let listens = self.state.listens_since();
        let from = self.state.checked_until().unwrap_or(listens).max(listens);
        let unchecked = last.saturating_sub(from.as_nanos()).max(0);
        let missed = unchecked.saturating_add(every - 1).div_euclid(every);
        let first = 0..missed.min(FIRST_MADE_UP_MAX);
        let rest = first.end.max(missed.saturating_sub(LAST_MADE_UP_MAX))..missed;
        first
            .chain(rest)
            .map(|index| last.saturating_sub(every.saturating_mul(missed - 1 - index)))
            .map(Timestamp::from_nanos)
            .collect()
    }

    /// When it is checked next after `now`.
    pub(super) fn next_due(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_nanos(self.last_due(now).saturating_add(self.every_nanos()))
    }

    /// The last time up to `now` at which it was to be checked. Rules that ask the same are checked at the same time, so that they are
    /// asked once, others at different ones, so that no second has all the work.
    fn last_due(&self, now: Timestamp) -> i64 {
        let every = self.every_nanos();
        let slots = u64::try_from(every / MARK_NANOS).unwrap_or(1).max(1);
        let slot = i64::try_from(hash(&self.question) % slots).unwrap_or(0);
        let offset = slot * MARK_NANOS;
        (now.as_nanos() - offset).div_euclid(every) * every + offset
    }

    fn every_nanos(&self) -> i64 {
        i64::from(self.rule.rule().check_every_s)
            .saturating_mul(1_000_000_000)
            .max(MARK_NANOS)
    }
}

/// What a rule asks, of which sources, and what it makes of it, as a text.
fn question_of(rule: &CheckedRule, record: &catalog::Rule) -> String {
    let written = rule.rule();
    let sources: Vec<String> = record
        .content
        .sources
        .iter()
        .map(|source| source.0.to_string())
        .collect();
    format!(
        "{} | {} | {} | {:?}",
        sources.join(","),
        rule.question().key(),
        written.condition.name(),
        written.incident_per
    )
}

/// FNV-1a: spreads rules over time, and is the same after a restart.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
