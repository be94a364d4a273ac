//! Which groups a rule is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Group, wildcard};

/// Says of a group whether it is meant. Case does not matter; `*` stands for any run of characters, `?` for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a value such as \"web-*\", or values by field such as {\"host\": \"web-*\"}"
)]
pub enum GroupMatcher {
    /// `"web-*"`: one of the group's values, or all of them with commas between.
    Value(String),
    /// `{"host": "web-*", "service": "api"}`: each of these fields.
    Fields(BTreeMap<String, String>),
}

impl GroupMatcher {
    /// Whether it means this group.
    pub fn fits(&self, group: &Group) -> bool {
        match self {
            GroupMatcher::Value(pattern) => {
                let mut values = group.fields().iter();
                let fits_value = |value: &Option<String>| {
                    value
                        .as_deref()
                        .is_some_and(|value| wildcard::fits(pattern, value))
                };
                values.any(|(_, value)| fits_value(value)) || wildcard::fits(pattern, &group.name())
            }
            GroupMatcher::Fields(patterns) => patterns.iter().all(|(field, pattern)| {
                let value = group.value(field);
                value.is_some_and(|value| wildcard::fits(pattern, value))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_means_values_or_fields() {
        let field = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let group = Group::new(vec![field("service", "api"), field("host", "web-3")]);
        for (json, expected) in [
            (r#""web-3""#, true),
            (r#""API""#, true),
            (r#""api, web-*""#, true),
            (r#""db-*""#, false),
            (r#"{"host": "web-?"}"#, true),
            (r#"{"host": "web-?", "service": "shop"}"#, false),
            (r#"{"pod": "*"}"#, false),
        ] {
            let matcher: GroupMatcher = serde_json::from_str(json).unwrap();
            assert_eq!(matcher.fits(&group), expected, "{json}");
        }
    }
}
