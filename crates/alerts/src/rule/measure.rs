//! What a rule computes of the events of a window.

use serde::{Deserialize, Serialize};

/// A measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a function such as \"p95(duration_ms)\", or {\"ratio\": {\"of\": \"level:error\", \"to\": \"*\"}}"
)]
pub enum Measure {
    /// A function of `stats` as the language writes it, `count() if (level:error)` for instance; or the name of a column, where the query ends in
    /// `stats`.
    Function(String),
    /// How many of the events that one filter finds another finds.
    Ratio(RatioOf),
}

/// A ratio under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatioOf {
    /// The ratio.
    pub ratio: Ratio,
}

/// So many of a hundred: the events that `of` finds, in percent of those that `to` finds, both among the events of the query. There is no
/// value where `to` finds none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// A filter.
    pub of: String,
    /// A filter; all events unless it says otherwise.
    #[serde(default = "Ratio::default_to")]
    pub to: String,
}

impl Ratio {
    fn default_to() -> String {
        "*".to_owned()
    }
}
