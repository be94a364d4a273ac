//! What a check found of a group: values, and what they are held against.

use cordwood_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instant;

/// A value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number; finite.
    Number(f64),
    /// A text, from `last(status)` for instance.
    Text(String),
}

impl Value {
    /// The number it is.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        }
    }
}

/// What was found of a group in a window. [`Question`](crate::Question) makes it of rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What the rule measures; `None` where there was nothing to compute it from.
    pub value: Option<Value>,
    /// What its further conditions measure, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Option<Value>>,
    /// How many events it was computed from, where the condition asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<f64>,
    /// What was to be expected, of a relative condition and an anomaly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What the group's id stands for: the text of a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When the pattern was seen first in any of the sources, if that is known from elsewhere: the question does not tell.
    #[serde(
        default,
        with = "instant::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_seen: Option<Timestamp>,
}

impl Reading {
    /// One value.
    pub fn of(value: Value) -> Reading {
        Reading {
            value: Some(value),
            ..Reading::default()
        }
    }
}

/// What earlier windows let expect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The value.
    pub center: f64,
    /// By how much such values vary, as a standard deviation.
    pub spread: f64,
    /// How many events there were in the window compared with; of several, in the middle one.
    pub events: f64,
}

impl Reference {
    /// That of a group of which there was nothing.
    pub(crate) const NONE: Reference = Reference {
        center: 0.0,
        spread: 0.0,
        events: 0.0,
    };
}
