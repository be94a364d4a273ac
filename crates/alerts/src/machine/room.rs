//! The room for groups: at most so many are followed at a time.

use crate::limits::GROUPS_MAX;
use crate::{Group, Phase, RuleState};

/// The room for groups that are not remembered yet.
#[derive(Debug)]
pub(super) struct Room {
    /// Quiet groups, remembered only for what they count as when they are missing: these make room for one that is not quiet.
    spare: Vec<Group>,
    /// How many there was no room for.
    pub(super) left_out: usize,
}

impl Room {
    pub(super) fn of(state: &RuleState) -> Room {
        let quiet = state
            .groups
            .iter()
            .filter(|(_, group)| group.phase == Phase::QUIET);
        Room {
            spare: quiet.map(|(group, _)| group.clone()).collect(),
            left_out: 0,
        }
    }

    /// Whether there is room for a group in this phase, made if need be.
    pub(super) fn is_made(&mut self, state: &mut RuleState, phase: Phase) -> bool {
        while state.groups.len() >= GROUPS_MAX {
            let spare = match phase == Phase::QUIET {
                true => None,
                false => self.spare.pop(),
            };
            let Some(spare) = spare else {
                return false;
            };
            // It may have fired in the meantime.
            let is_quiet = state
                .groups
                .get(&spare)
                .is_some_and(|group| group.phase == Phase::QUIET);
            if is_quiet {
                state.groups.remove(&spare);
            }
        }
        true
    }
}
