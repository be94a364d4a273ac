//! Of whom a silence is.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::{Severity, wildcard};

/// Says of a subject whether it is meant. Texts are compared as a whole and ignoring case; `*` stands for any run of characters, `?` for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case", deny_unknown_fields)]
pub enum SilenceMatcher {
    /// `{"on": "label", "name": "team", "is": "pay*"}`: it has the label with such a value.
    Label {
        /// The name of the label.
        name: String,
        /// Its value.
        is: String,
    },
    /// `{"on": "group", "field": "host", "is": "web-*"}`: such a value of the field it is grouped by.
    Group {
        /// The field.
        field: String,
        /// Its value.
        is: String,
    },
    /// `{"on": "rule", "is": "disk full"}`: the name of the rule.
    Rule {
        /// The name.
        is: String,
    },
    /// `{"on": "rule_id", "is": 12}`: this very rule.
    RuleId {
        /// Its number.
        is: u64,
    },
    /// `{"on": "severity", "is": "info"}`: just as bad.
    Severity {
        /// The severity.
        is: Severity,
    },
}

impl SilenceMatcher {
    /// Whether it means the subject.
    pub fn fits(&self, subject: &Subject<'_>) -> bool {
        match self {
            SilenceMatcher::Label { name, is } => {
                let value = subject.labels.get(name);
                value.is_some_and(|value| wildcard::fits(is, value))
            }
            SilenceMatcher::Group { field, is } => {
                let value = subject.group.value(field);
                value.is_some_and(|value| wildcard::fits(is, value))
            }
            SilenceMatcher::Rule { is } => subject
                .rule_name
                .is_some_and(|name| wildcard::fits(is, name)),
            SilenceMatcher::RuleId { is } => subject.rule_id == Some(*is),
            SilenceMatcher::Severity { is } => subject.severity == *is,
        }
    }
}
