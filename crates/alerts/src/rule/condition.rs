//! When a rule is breached.

use serde::{Deserialize, Serialize};

use super::{Measure, Operator, RelativeOperator};

/// A condition; in JSON `type` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Condition {
    /// The measure compares so with a value.
    Threshold(Threshold),
    /// There is an event.
    Matches {},
    /// There are events of a pattern that was never seen before.
    NewPattern(NewPattern),
    /// There is no event.
    Absence(Absence),
    /// The measure is another than it was.
    Relative(Relative),
    /// The measure is not what is usual at this time of day.
    Anomaly(Anomaly),
}

impl Condition {
    /// The name it has in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Condition::Threshold(_) => "threshold",
            Condition::Matches {} => "matches",
            Condition::NewPattern(_) => "new_pattern",
            Condition::Absence(_) => "absence",
            Condition::Relative(_) => "relative",
            Condition::Anomaly(_) => "anomaly",
        }
    }
}

/// `{"type": "threshold", "operator": "higher_than", "value": 5, "recovery_value": 3}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// How the measure is compared.
    pub operator: Operator,
    /// With what.
    pub value: ThresholdValue,
    /// It is clear again only when the measure has come back to this value or beyond. Unless it is given, as soon as it is not breached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_value: Option<f64>,
}

/// What a measure is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a number, or a text for `equal` and `not_equal`"
)]
pub enum ThresholdValue {
    /// A number.
    Number(f64),
    /// A text, with [`Operator::Equal`] and [`Operator::NotEqual`] alone.
    Text(String),
}

/// A condition of the threshold kind that must hold besides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherCondition {
    /// What is computed; the measure of the rule unless it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: ThresholdValue,
    /// As in [`Threshold`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_value: Option<f64>,
}

/// `{"type": "new_pattern"}`: the groups are the patterns of the texts of a field, and each is told once ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPattern {
    /// The field whose text has the pattern; `message` unless it says otherwise.
    #[serde(default = "NewPattern::default_field")]
    pub field: String,
    /// How many events of it in one window are news; 1 unless it says otherwise.
    #[serde(default = "NewPattern::default_events")]
    pub events: u32,
}

impl NewPattern {
    fn default_field() -> String {
        "message".to_owned()
    }

    fn default_events() -> u32 {
        1
    }
}

/// `{"type": "absence", "of": "members"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    /// Of what; `query` unless it says otherwise.
    #[serde(default)]
    pub of: AbsenceOf,
    /// For how many days a member is known after its last event, from 1 to 30; 7 unless it says otherwise.
    #[serde(default = "Absence::default_roster_days")]
    pub roster_days: u32,
}

impl Absence {
    fn default_roster_days() -> u32 {
        7
    }
}

/// Whose silence is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceOf {
    /// There is no event at all.
    #[default]
    Query,
    /// There is none of a group of which there were some in the last days.
    Members,
}

/// `{"type": "relative", "operator": "increases_by", "by_percent": 50, "against": "yesterday"}`. Where both percent and spread are given, both
/// must be exceeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relative {
    /// Which way.
    pub operator: RelativeOperator,
    /// By at least so many percent of what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_percent: Option<f64>,
    /// By at least so many times what it varies by between such windows anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_spread: Option<f64>,
    /// What it is compared with; `previous` unless it says otherwise.
    #[serde(default)]
    pub against: Against,
    /// How many events there must be in the one window or the other, so that three after one are no news; 10 unless it says otherwise.
    #[serde(default = "Relative::default_events_min")]
    pub events_min: u32,
}

impl Relative {
    fn default_events_min() -> u32 {
        10
    }
}

/// The window that another is compared with; as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The one right before.
    #[default]
    Previous,
    /// The same time a day before.
    Yesterday,
    /// The same time a week before.
    LastWeek,
}

/// `{"type": "anomaly", "sensitivity": 50}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// From 0 to 100, lower is more sensitive; 50 unless it says otherwise.
    #[serde(default = "Anomaly::default_sensitivity")]
    pub sensitivity: u8,
    /// Which way it must be off; either unless it says otherwise.
    #[serde(default)]
    pub direction: AnomalyDirection,
    /// The same time of so many days before says what is usual, from 1 to 30; 14 unless it says otherwise.
    #[serde(default = "Anomaly::default_training_days")]
    pub training_days: u32,
}

impl Anomaly {
    fn default_sensitivity() -> u8 {
        50
    }

    fn default_training_days() -> u32 {
        14
    }
}

/// Which way a value must be off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyDirection {
    /// Either way.
    #[default]
    Any,
    /// Greater.
    Higher,
    /// Less.
    Lower,
}
