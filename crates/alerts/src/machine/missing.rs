//! What is remembered of a group so that it can be missed.

use cordwood_event::Timestamp;

use super::judge::{self, Listening};
use super::verdict::Verdict;
use crate::{CheckedRule, Condition, GroupState, OnMissingData, Phase, Reading};

/// What of a group is remembered besides its phase.
pub(super) fn remembered(
    rule: &CheckedRule,
    before: &GroupState,
    reading: Option<&Reading>,
    at: Timestamp,
) -> GroupState {
    let found = reading.filter(|reading| reading.value.is_some());
    let last = match rule.on_missing {
        OnMissingData::TreatAsPrevious => found.cloned().or_else(|| before.last.clone()),
        OnMissingData::TreatAsZero | OnMissingData::DontFire | OnMissingData::Fire => None,
    };
    GroupState {
        phase: before.phase,
        last,
        missing_since: match found {
            Some(_) => None,
            None => before.missing_since.or(Some(at)),
        },
    }
}

/// Whether the group has to be remembered: it is not simply quiet, or being missing would mean something.
pub(super) fn is_worth_remembering(rule: &CheckedRule, group: &GroupState) -> bool {
    let is_missed = match &rule.rule.condition {
        Condition::Matches {} | Condition::NewPattern(_) | Condition::Absence(_) => false,
        Condition::Threshold(_) => match rule.on_missing {
            OnMissingData::DontFire => false,
            OnMissingData::TreatAsZero => {
                let zero = judge::zero(rule, None);
                judge::judged(rule, &zero, Listening::ToAll) != Verdict::Clear
            }
            OnMissingData::TreatAsPrevious => group.last.is_some(),
            OnMissingData::Fire => true,
        },
        Condition::Relative(_) | Condition::Anomaly(_) => match rule.on_missing {
            // A group that was there in the window compared with comes with that as its reference.
            OnMissingData::DontFire | OnMissingData::TreatAsZero => false,
            OnMissingData::TreatAsPrevious => group.last.is_some(),
            OnMissingData::Fire => true,
        },
    };
    group.phase != Phase::QUIET
        || (is_missed && !rule.is_one_group())
        || (rule.is_one_group() && group.last.is_some())
}
