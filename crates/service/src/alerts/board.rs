//! How each rule stands, for those who ask while the evaluation is at work.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use cordwood_alerts::{Heard, Outcome};
use cordwood_catalog::RuleId;
use cordwood_event::Timestamp;

use super::alert::{AlertStatus, FailingChecks, FiringGroup, GROUPS_TOLD_MAX};
use super::observing::Observed;
use super::watched::Watched;

/// The status of all rules. Readers wait for nobody but each other.
#[derive(Debug, Default)]
pub(super) struct Board {
    by_rule: RwLock<BTreeMap<RuleId, AlertStatus>>,
}

impl Board {
    /// How a rule stands; nothing is known of one that was just made.
    pub(super) fn of(&self, rule: RuleId) -> AlertStatus {
        let known = self.by_rule.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.get(&rule).cloned().unwrap_or_default()
    }

    /// Forgets rules that are gone, and shows what is known of those that are new here.
    pub(super) fn keep(&self, watched: &BTreeMap<RuleId, Watched>, now: Timestamp) {
        let known = self.by_rule.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.retain(|rule, _| watched.contains_key(rule));
        for (rule, watched) in watched {
            let status = known.entry(*rule).or_insert_with(|| status_of(watched));
            let is_paused = watched.record.content.paused.is_some();
            status.next_check_at = (!is_paused).then(|| watched.next_due(now));
        }
    }

    /// Shows what the state of a rule says that changed between two checks.
    pub(super) fn show_state(&self, watched: &Watched) {
        let known = self.by_rule.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let before = known.remove(&watched.record.id).unwrap_or_default();
        let status = AlertStatus {
            partly_heard: before.partly_heard,
            next_check_at: before.next_check_at,
            ..status_of(watched)
        };
        known.insert(watched.record.id, status);
    }

    /// Shows what a check found.
    pub(super) fn show(&self, watched: &Watched, observed: &Observed) {
        let mut status = status_of(watched);
        let end = observed.observation.window.end;
        status.next_check_at = Some(watched.next_due(end));
        if let Outcome::Seen { readings, heard } = &observed.observation.outcome {
            if let Heard::Partly(reason) = heard {
                status.partly_heard = Some(reason.clone());
            }
            let groups = watched.state.groups().iter();
            let firing = groups.filter(|(_, state)| state.phase.episode().is_some());
            for (told, (group, _)) in status.firing.iter_mut().zip(firing) {
                let value = readings
                    .get(group)
                    .and_then(|reading| reading.value.as_ref());
                told.value = value.and_then(cordwood_alerts::Value::number);
            }
        }
        let known = self.by_rule.write();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.insert(watched.record.id, status);
    }
}

/// What the state of a rule says.
fn status_of(watched: &Watched) -> AlertStatus {
    let state = &watched.state;
    let groups = state.groups();
    let firing = groups.iter().filter_map(|(group, of_group)| {
        of_group.phase.episode()?;
        let fields = group.fields().iter();
        let fields = fields.map(|(name, value)| (name.clone(), value.clone().unwrap_or_default()));
        Some(FiringGroup {
            group: fields.collect(),
            since: of_group.phase.since()?,
            value: None,
        })
    });
    let firing: Vec<FiringGroup> = firing.collect();
    AlertStatus {
        is_firing: state.checked_until().map(|_| !firing.is_empty()),
        firing_count: firing.len(),
        firing: firing.into_iter().take(GROUPS_TOLD_MAX).collect(),
        group_count: groups.len().max(state.roster().members().len()),
        groups_left_out: (state.groups_left_out() + state.roster().left_out()) as u64,
        checked_at: state.checked_until(),
        failing: state.failing().map(|(reason, since)| FailingChecks {
            reason: reason.to_owned(),
            since,
        }),
        partly_heard: None,
        next_check_at: None,
    }
}
