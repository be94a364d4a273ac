//! The back-test: the same machine over the past, to know before saving how often a rule would have fired.

use std::collections::BTreeMap;

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::limits::EPISODES_MAX;
use crate::window::nanos_between;
use crate::{
    CheckedRule, Closed, Condition, Effect, Group, Observation, Opened, Operator, Outcome, Reading,
    RuleState, ThresholdValue, Value, instant, step,
};

/// How a rule would have done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BackTest {
    /// When it would have fired, in the order in which it would have begun to.
    pub episodes: Vec<Episode>,
    /// How many episodes there were beyond those: as many as [`EPISODES_MAX`] are told one by one.
    pub episodes_left_out: u64,
    /// How many checks there were.
    pub checks: u64,
    /// How many of them failed.
    pub checks_failed: u64,
    /// For how long any group would have fired, in seconds.
    pub firing_s: f64,
    /// How many notices each channel would have got: of incidents that open and recover, and of checks that fail.
    pub notices: u64,
    /// The most groups that there was no room for at a check.
    pub groups_left_out: usize,
}

/// A stretch of time in which a group would have fired.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The group.
    pub group: Group,
    /// The number of the episode: with `incident_per: rule` groups that fire together have the same.
    pub episode: u64,
    /// Since when it was breached.
    #[serde(with = "instant")]
    pub since: Timestamp,
    /// When it would have fired.
    #[serde(with = "instant")]
    pub opened_at: Timestamp,
    /// When it would have recovered; `None` if it still fired at the end.
    #[serde(with = "instant::optional")]
    pub recovered_at: Option<Timestamp>,
    /// For how long it would have fired, in seconds.
    pub firing_s: f64,
    /// What was read when it was worst.
    pub peak: Reading,
    /// What that was held against, for people.
    pub limit: String,
}

/// Runs the machine over observations in the order of time. `beginning` is the state before the first: of a rule on absent members, with its roster filled.
pub fn back_test(
    rule: &CheckedRule,
    beginning: RuleState,
    observations: impl IntoIterator<Item = Observation>,
) -> BackTest {
    let mut run = Run {
        rule,
        state: beginning,
        open: BTreeMap::new(),
        told: BackTest::default(),
    };
    for observation in observations {
        run.take(&observation);
    }
    run.told
}

/// A back-test on its way.
#[derive(Debug)]
struct Run<'a> {
    rule: &'a CheckedRule,
    state: RuleState,
    /// Where the episodes that are open stand among those told.
    open: BTreeMap<Group, usize>,
    told: BackTest,
}

impl Run<'_> {
    fn take(&mut self, observation: &Observation) {
        let at = observation.window.end;
        let before = self.state.checked_until;
        let (state, effects) = step(self.rule, &self.state, observation, at);
        let fired = self
            .state
            .groups
            .values()
            .any(|group| group.phase.episode().is_some());
        self.state = state;
        self.told.checks += 1;
        self.told.groups_left_out = self.told.groups_left_out.max(self.state.groups_left_out);
        if let Some(before) = before.filter(|_| fired) {
            self.told.firing_s += seconds_between(before, at);
        }
        for effect in effects {
            self.tell(effect, at);
        }
        match &observation.outcome {
            Outcome::Failed(_) => self.told.checks_failed += 1,
            Outcome::Seen { readings, .. } => self.note_peaks(readings),
        }
        for index in self.open.values() {
            if let Some(episode) = self.told.episodes.get_mut(*index) {
                episode.firing_s = seconds_between(episode.opened_at, at);
            }
        }
    }

    fn tell(&mut self, effect: Effect, at: Timestamp) {
        match effect {
            Effect::Opened(opened) => {
                self.told.notices += 1;
                self.open(opened, at);
            }
            Effect::Joined(opened) => self.open(opened, at),
            Effect::Left(closed) => self.close(&closed, at),
            Effect::Recovered(closed) => {
                self.told.notices += 1;
                self.close(&closed, at);
            }
            Effect::Failing { .. } | Effect::Working { .. } => self.told.notices += 1,
        }
    }

    fn open(&mut self, opened: Opened, at: Timestamp) {
        if self.told.episodes.len() >= EPISODES_MAX {
            self.told.episodes_left_out += 1;
            return;
        }
        self.open
            .insert(opened.group.clone(), self.told.episodes.len());
        self.told.episodes.push(Episode {
            group: opened.group,
            episode: opened.episode,
            since: opened.since,
            opened_at: at,
            recovered_at: None,
            firing_s: 0.0,
            peak: opened.reading,
            limit: opened.limit,
        });
    }

    fn close(&mut self, closed: &Closed, at: Timestamp) {
        let index = self.open.remove(&closed.group);
        if let Some(episode) = index.and_then(|index| self.told.episodes.get_mut(index)) {
            episode.recovered_at = Some(at);
            episode.firing_s = seconds_between(episode.opened_at, at);
        }
    }

    fn note_peaks(&mut self, readings: &BTreeMap<Group, Reading>) {
        for (group, index) in &self.open {
            let reading = readings
                .get(group)
                .filter(|reading| reading.value.is_some());
            if let (Some(reading), Some(episode)) = (reading, self.told.episodes.get_mut(*index))
                && badness(self.rule, reading) > badness(self.rule, &episode.peak)
            {
                episode.peak = reading.clone();
                episode.limit = self.rule.limit_text(reading);
            }
        }
    }
}

/// How bad a reading is among those of the same rule; one without a value is the best, since there is nothing to show of it.
fn badness(rule: &CheckedRule, reading: &Reading) -> f64 {
    let Some(value) = reading.value.as_ref().and_then(Value::number) else {
        return f64::NEG_INFINITY;
    };
    match &rule.rule.condition {
        Condition::Threshold(threshold) => match threshold.operator {
            Operator::HigherThan | Operator::HigherThanOrEqual => value,
            Operator::LowerThan | Operator::LowerThanOrEqual => -value,
            Operator::Equal => 0.0,
            Operator::NotEqual => match &threshold.value {
                ThresholdValue::Number(target) => (value - target).abs(),
                ThresholdValue::Text(_) => 0.0,
            },
        },
        Condition::Matches {} | Condition::NewPattern(_) => value,
        Condition::Absence(_) => -value,
        Condition::Relative(_) | Condition::Anomaly(_) => {
            let center = reading.reference.map_or(0.0, |reference| reference.center);
            (value - center).abs()
        }
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a month of nanoseconds is far below what a float counts exactly"
    )]
    let nanos = nanos_between(from, to) as f64;
    nanos / 1e9
}
