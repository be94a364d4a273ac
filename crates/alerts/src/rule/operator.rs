//! How a value is compared.

use serde::{Deserialize, Serialize};

/// How a value is compared with another that stands in the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// It is the same.
    Equal,
    /// It is another.
    NotEqual,
    /// It is greater.
    HigherThan,
    /// It is greater or the same.
    HigherThanOrEqual,
    /// It is less.
    LowerThan,
    /// It is less or the same.
    LowerThanOrEqual,
}

impl Operator {
    /// Whether a number compares so with another.
    pub fn holds(self, value: f64, target: f64) -> bool {
        match self {
            Operator::Equal => value == target,
            Operator::NotEqual => value != target,
            Operator::HigherThan => value > target,
            Operator::HigherThanOrEqual => value >= target,
            Operator::LowerThan => value < target,
            Operator::LowerThanOrEqual => value <= target,
        }
    }

    /// What stands between a value and what it is compared with when it does so: `above`.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Operator::Equal => "equal to",
            Operator::NotEqual => "not equal to",
            Operator::HigherThan => "above",
            Operator::HigherThanOrEqual => "at or above",
            Operator::LowerThan => "below",
            Operator::LowerThanOrEqual => "at or below",
        }
    }

    /// The name it has in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operator::Equal => "equal",
            Operator::NotEqual => "not_equal",
            Operator::HigherThan => "higher_than",
            Operator::HigherThanOrEqual => "higher_than_or_equal",
            Operator::LowerThan => "lower_than",
            Operator::LowerThanOrEqual => "lower_than_or_equal",
        }
    }
}

/// Which way a value must have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelativeOperator {
    /// Up.
    IncreasesBy,
    /// Down.
    DecreasesBy,
    /// Either way.
    ChangesBy,
}

impl RelativeOperator {
    /// The name it has in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            RelativeOperator::IncreasesBy => "increases_by",
            RelativeOperator::DecreasesBy => "decreases_by",
            RelativeOperator::ChangesBy => "changes_by",
        }
    }
}
