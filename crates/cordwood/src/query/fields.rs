//! An event of an answer as fields in the order sent: nested objects become dotted names.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Names and values; a value is the text of a string, or else JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, Option<String>)>);

impl Fields {
    /// Reads an event.
    pub(crate) fn parse(json: &str) -> Result<Fields, serde_json::Error> {
        let mut fields = Fields::default();
        fields.add_members("", json)?;
        Ok(fields)
    }

    /// The value of a field; `None` when it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(other, _)| other == name);
        field.and_then(|(_, value)| value.as_deref())
    }

    /// All fields; the value is `None` for null.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(name, value)| (&**name, value.as_deref()))
    }

    /// Those that stand beside the time, level, source and message of an event.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        const SHOWN_APART: [&str; 5] = ["dt", "level", "message", "_source", "_id"];
        self.iter().filter(|(name, _)| !SHOWN_APART.contains(name))
    }

    fn add_members(&mut self, prefix: &str, json: &str) -> Result<(), serde_json::Error> {
        let members: Members = serde_json::from_str(json)?;
        for (key, value) in members.0 {
            let name = if prefix.is_empty() {
                key
            } else {
                format!("{prefix}.{key}")
            };
            match value.get() {
                "null" => self.0.push((name, None)),
                "{}" => self.0.push((name, Some("{}".into()))),
                object if object.starts_with('{') => self.add_members(&name, object)?,
                text if text.starts_with('"') => {
                    self.0.push((name, Some(serde_json::from_str(text)?)));
                }
                other => self.0.push((name, Some(other.into()))),
            }
        }
        Ok(())
    }
}

/// The members of an object in their order, which a map would lose.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_flattened_in_their_order() {
        let event = r#"{"dt":"t","z":1,"a":{"c":"x\ny","b":[1,{"k":2}],"e":{}},"n":null}"#;
        let fields = Fields::parse(event).expect("an object");
        let expected = [
            ("dt", Some("t")),
            ("z", Some("1")),
            ("a.c", Some("x\ny")),
            ("a.b", Some("[1,{\"k\":2}]")),
            ("a.e", Some("{}")),
            ("n", None),
        ];
        assert_eq!(fields.iter().collect::<Vec<_>>(), expected);
    }
}
