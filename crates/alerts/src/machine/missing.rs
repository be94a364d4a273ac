//! What is remembered of a group so that it can be missed.

use cordwood_event::Timestamp;

use super::finding::Listening;
use super::judge;
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
    if group.phase != Phase::QUIET {
        return true;
    }
    match rule.on_missing {
        OnMissingData::DontFire => false,
        OnMissingData::TreatAsPrevious => group.last.is_some(),
        // The one group of a rule that does not group is judged at every check, remembered or not.
        OnMissingData::Fire => !rule.is_one_group(),
        OnMissingData::TreatAsZero => !rule.is_one_group() && is_zero_remarkable(rule),
    }
}

/// Whether a group without events would not be clear.
fn is_zero_remarkable(rule: &CheckedRule) -> bool {
    match &rule.rule.condition {
        Condition::Threshold(_) => {
            let zero = judge::zero(rule, None);
            judge::judged(rule, &zero, Listening::ToAll) != Verdict::Clear
        }
        // Whoever was there in an earlier window comes with that as a reference; absent members are on the roster.
        Condition::Matches {}
        | Condition::NewPattern(_)
        | Condition::Absence(_)
        | Condition::Relative(_)
        | Condition::Anomaly(_) => false,
    }
}
