//! How a rule differs from the template it was made from.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Rule;

/// An attribute that is not as in the template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The attribute as JSON names it, `condition.value` for instance.
    pub attribute: String,
    /// What the template says; null if it says nothing.
    pub template: Json,
    /// What the rule says.
    pub rule: Json,
}

/// All attributes in which a rule is not as the template, by their names. What is left out and what is written as its default are the same.
pub fn drift(template: &Rule, rule: &Rule) -> Vec<Difference> {
    let (template, rule) = (attributes(template), attributes(rule));
    let names = template.keys().chain(rule.keys());
    let names: BTreeSet<&String> = names.collect();
    let value = |of: &BTreeMap<String, Json>, name: &str| of.get(name).cloned().unwrap_or_default();
    let differences = names.into_iter().map(|name| Difference {
        attribute: name.clone(),
        template: value(&template, name),
        rule: value(&rule, name),
    });
    differences.filter(|of| of.template != of.rule).collect()
}

/// The attributes of a rule: members of objects one by one, lists as a whole.
fn attributes(rule: &Rule) -> BTreeMap<String, Json> {
    let json =
        serde_json::to_value(rule).expect("a rule is texts and numbers, which JSON can be made of");
    let mut attributes = BTreeMap::new();
    collect(String::new(), json, &mut attributes);
    attributes
}

fn collect(name: String, json: Json, attributes: &mut BTreeMap<String, Json>) {
    match json {
        Json::Object(members) => {
            for (member, json) in members {
                let name = if name.is_empty() {
                    member
                } else {
                    format!("{name}.{member}")
                };
                collect(name, json, attributes);
            }
        }
        json => {
            attributes.insert(name, json);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let rule = |json: &str| serde_json::from_str::<Rule>(json).unwrap();
        let template = rule(
            r#"{"query": "level:error", "condition": {"type": "threshold", "operator": "higher_than", "value": 5},
                "labels": {"team": "a"}, "window_s": 300}"#,
        );
        assert_eq!(drift(&template, &template), vec![]);
        let changed = rule(
            r#"{"query": "level:error", "condition": {"type": "threshold", "operator": "higher_than", "value": 9, "recovery_value": 3},
                "labels": {"tier": "1"}, "recovery_s": null}"#,
        );
        let differences = drift(&template, &changed);
        let told: Vec<String> = differences
            .iter()
            .map(|of| format!("{} {} {}", of.attribute, of.template, of.rule))
            .collect();
        assert_eq!(
            told,
            [
                "condition.recovery_value null 3.0",
                "condition.value 5.0 9.0",
                "labels.team \"a\" null",
                "labels.tier null \"1\"",
                "recovery_s 300 null",
            ]
        );
        let infinite = Rule::new(
            "*",
            crate::Condition::Threshold(crate::Threshold {
                operator: crate::Operator::Equal,
                value: crate::ThresholdValue::Number(f64::INFINITY),
                recovery_value: None,
            }),
        );
        assert_eq!(
            drift(&infinite, &infinite),
            vec![],
            "JSON has no such number"
        );
    }
}
