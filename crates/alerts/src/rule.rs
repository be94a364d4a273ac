//! A rule as its author writes it: a query, a measure, groups and a condition, and how patient it is.
//!
//! Everything has a default but the query and the condition. What is written may be wrong in any way; [`Rule::check`] makes a
//! [`CheckedRule`](crate::CheckedRule) of it that cannot be.

mod condition;
mod measure;
mod operator;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{GroupMatcher, Severity};

pub use condition::{
    Absence, AbsenceOf, Against, Anomaly, AnomalyDirection, Condition, FurtherCondition,
    NewPattern, Relative, Threshold, ThresholdValue,
};
pub use measure::{Measure, Ratio, RatioOf};
pub use operator::{Operator, RelativeOperator};

/// A rule. In JSON, members are named as here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which events: a filter, `where` and `parse` behind it if need be, and `| stats …` at its end if the measure and the groups are
    /// to be written there.
    pub query: String,
    /// What is computed of them. `count()` unless the query ends in `stats`; then its last column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// The fields whose values are groups, each judged by itself. None: everything is one group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// When it is breached.
    pub condition: Condition,
    /// What must hold of the same group at the same time; at most four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_conditions: Vec<FurtherCondition>,
    /// How long the window is that a check looks at, in seconds: 300 unless it says otherwise.
    #[serde(default = "Rule::default_window_s")]
    pub window_s: u32,
    /// How often it is checked, in seconds: 60 unless it says otherwise.
    #[serde(default = "Rule::default_check_every_s")]
    pub check_every_s: u32,
    /// How much older than the window events may be that arrive in it, in seconds: 60 unless it says otherwise.
    #[serde(default = "Rule::default_lateness_s")]
    pub lateness_s: u32,
    /// For how long the condition must be breached before it fires, in seconds: 0, at once, unless it says otherwise.
    #[serde(default)]
    pub confirmation_s: u32,
    /// For how long the condition must be clear before it recovers, in seconds: 300 unless it says otherwise. Null: it recovers only by hand.
    #[serde(default = "Rule::default_recovery_s")]
    pub recovery_s: Option<u32>,
    /// For how long it does not fire again after it has recovered, in seconds: 0 unless it says otherwise.
    #[serde(default)]
    pub cooldown_s: u32,
    /// What a group counts as of which nothing was found. Unless it says otherwise `treat_as_zero` where events are counted or summed up, else `dont_fire`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_missing_data: Option<OnMissingData>,
    /// Whether there is an incident for each group, as is unless it says otherwise, or one for all.
    #[serde(default)]
    pub incident_per: IncidentPer,
    /// Only groups that one of these fits; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_groups: Vec<GroupMatcher>,
    /// No group that one of these fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except_groups: Vec<GroupMatcher>,
    /// How bad it is: `error` unless it says otherwise.
    #[serde(default)]
    pub severity: Severity,
    /// Names and values that say what it belongs to: a team, a service. Silences look at them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What is said when it fires, with names in braces, such as `{group.host} has {value} errors`. Unless it is given, a sentence for the kind of condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do then: a text or a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
}

impl Rule {
    /// A rule with the defaults.
    pub fn new(query: impl Into<String>, condition: Condition) -> Rule {
        Rule {
            query: query.into(),
            measure: None,
            group_by: Vec::new(),
            condition,
            further_conditions: Vec::new(),
            window_s: Rule::default_window_s(),
            check_every_s: Rule::default_check_every_s(),
            lateness_s: Rule::default_lateness_s(),
            confirmation_s: 0,
            recovery_s: Rule::default_recovery_s(),
            cooldown_s: 0,
            on_missing_data: None,
            incident_per: IncidentPer::default(),
            only_groups: Vec::new(),
            except_groups: Vec::new(),
            severity: Severity::default(),
            labels: BTreeMap::new(),
            cause: None,
            runbook: None,
        }
    }

    fn default_window_s() -> u32 {
        300
    }

    fn default_check_every_s() -> u32 {
        60
    }

    fn default_lateness_s() -> u32 {
        60
    }

    fn default_recovery_s() -> Option<u32> {
        Some(300)
    }
}

/// What a group counts as of which nothing was found in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissingData {
    /// As a value of zero.
    TreatAsZero,
    /// As clear.
    DontFire,
    /// As what it was when something was found last.
    TreatAsPrevious,
    /// As breached.
    #[serde(alias = "start_incident")]
    Fire,
}

/// What an incident is opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentPer {
    /// One for all groups: opened with the first that fires, over with the last.
    Rule,
    /// One for each group.
    #[default]
    Group,
}
