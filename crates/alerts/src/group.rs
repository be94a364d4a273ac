//! A group: the values that a rule judges by themselves.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::excerpt::excerpt;
use crate::limits::GROUP_VALUE_BYTES_MAX;

/// The fields a rule groups by, with their values; no field for a rule that does not group. In JSON, and wherever records name a group, it is
/// one text: see [`Group::key`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    fields: Vec<(String, Option<String>)>,
}

impl Group {
    /// Everything: the one group of a rule that does not group.
    pub fn whole() -> Group {
        Group::default()
    }

    /// The group of these values; `None` where events do not have the field. Of what is too long there is the beginning, and a hash.
    pub fn new(fields: Vec<(String, Option<String>)>) -> Group {
        let fields = fields.into_iter();
        Group {
            fields: fields
                .map(|(name, value)| (name, value.map(cut_off)))
                .collect(),
        }
    }

    /// The fields and their values.
    pub fn fields(&self) -> &[(String, Option<String>)] {
        &self.fields
    }

    /// The value of a field.
    pub fn value(&self, field: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(name, _)| name == field)?.1.as_deref()
    }

    /// A text that no other group has: a list of fields and values in JSON, `[["host","web-3"]]`.
    pub fn key(&self) -> String {
        serde_json::to_string(&self.fields).expect("a list of texts can be written as JSON")
    }

    /// The group that has this key.
    pub fn from_key(key: &str) -> Option<Group> {
        let fields = serde_json::from_str(key).ok()?;
        Some(Group { fields })
    }

    /// The values as one name, as a chart labels its series: `checkout-api, web-3`.
    pub fn name(&self) -> String {
        let values = self.fields.iter().map(|(_, value)| named(value));
        values.collect::<Vec<_>>().join(", ")
    }
}

/// For people: `host web-3, service checkout-api`; empty for the whole.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.fields.iter().enumerate() {
            let separator = if index > 0 { ", " } else { "" };
            write!(f, "{separator}{name} {}", named(value))?;
        }
        Ok(())
    }
}

fn named(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("(none)")
}

/// The beginning of a value that is too long, and a hash of all of it, so that two values stay two.
fn cut_off(value: String) -> String {
    if value.len() <= GROUP_VALUE_BYTES_MAX {
        return value;
    }
    let rest = format!("…{:016x}", fnv1a(value.as_bytes()));
    excerpt(&value, GROUP_VALUE_BYTES_MAX, &rest)
}

/// FNV-1a, 64 bits (G. Fowler, L. C. Noll, K.-P. Vo): the same in every version, as keys of groups are kept.
fn fnv1a(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.key())
    }
}

impl<'de> Deserialize<'de> for Group {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Group, D::Error> {
        let key = String::deserialize(deserializer)?;
        Group::from_key(&key).ok_or_else(|| D::Error::custom(format!("`{key}` is not a group")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_is_of_one_group(fields in prop::collection::vec((".{0,9}", prop::option::of(".{0,300}")), 0..4)) {
            let group = Group::new(fields);
            prop_assert_eq!(Group::from_key(&group.key()), Some(group.clone()));
            let json = serde_json::to_string(&group).unwrap();
            prop_assert_eq!(serde_json::from_str::<Group>(&json).unwrap(), group);
        }
    }

    #[test]
    fn a_group_names_its_values() {
        let group = Group::new(vec![
            ("host".to_owned(), Some("web-3".to_owned())),
            ("service".to_owned(), None),
        ]);
        assert_eq!(group.to_string(), "host web-3, service (none)");
        assert_eq!(group.name(), "web-3, (none)");
        assert_eq!(Group::whole().to_string(), "");
        assert_eq!(Group::from_key("{}"), None);
    }

    #[test]
    fn long_values_are_cut_and_stay_different() {
        let of = |value: String| Group::new(vec![("path".to_owned(), Some(value))]);
        let long = "ü".repeat(500);
        let (one, other) = (of(format!("{long}1")), of(format!("{long}2")));
        assert_ne!(one, other);
        assert!(one.name().len() < 300);
        let short = "x".repeat(GROUP_VALUE_BYTES_MAX);
        assert_eq!(of(short.clone()).name(), short);
        assert_eq!(
            fnv1a(b"foobar"),
            0x8594_4171_f739_67e8,
            "a published vector"
        );
    }
}
