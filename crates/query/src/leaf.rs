//! Arrays: the leaves a field name reaches inside a JSON text.
//!
//! Walked over the text itself: no tree is built, and a number that no 64-bit type holds keeps its digits.

use std::borrow::Cow;
use std::fmt;

use cordwood_event::Scalar;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Reach;

/// Which leaves of a JSON text are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaves<'a> {
    /// The elements of the array itself, those of arrays in it too.
    Elements,
    /// The members of this name (keys joined by dots) of the objects in the array.
    Named(&'a str),
    /// All leaves, whatever objects they are in.
    Everywhere,
}

impl Reach<'_> {
    /// Visits the values a field has that reaches into this one so: the value itself, arrays whole, or what lies
    /// inside its objects, one by one. Null is no value.
    pub fn each_value(self, value: Scalar<'_>, visit: &mut dyn FnMut(Scalar<'_>)) {
        match (self, value) {
            (_, Scalar::Null) => {}
            (Reach::Whole, _) => visit(value),
            (Reach::Inside(name), Scalar::Json(json)) if json.starts_with('[') => {
                any_leaf(json, Leaves::Named(name), &mut |leaf| {
                    visit(leaf);
                    false
                });
            }
            (Reach::Inside(_), _) => {}
        }
    }
}

/// Visits the elements of an array, those of arrays in it too, or else the value itself. Neither null nor an object
/// is an element.
pub fn each_element(value: Scalar<'_>, visit: &mut dyn FnMut(Scalar<'_>)) {
    match value {
        Scalar::Null => {}
        Scalar::Json(json) if json.starts_with(['[', '{']) => {
            any_leaf(json, Leaves::Elements, &mut |leaf| {
                visit(leaf);
                false
            });
        }
        _ => visit(value),
    }
}

/// Whether `visit` holds for any of the leaves of a JSON array or object. Null is no leaf.
pub(crate) fn any_leaf(
    json: &str,
    leaves: Leaves<'_>,
    visit: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    let json = json.trim_ascii_start();
    match json.bytes().next() {
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(json)
            .is_ok_and(|items| items.iter().any(|item| any_leaf(item.get(), leaves, visit))),
        Some(b'{') => match leaves {
            Leaves::Elements => false,
            Leaves::Named(_) | Leaves::Everywhere => serde_json::from_str::<Members<'_>>(json)
                .is_ok_and(|members| any_member(&members, leaves, visit)),
        },
        _ => match leaves {
            Leaves::Named(_) => false,
            Leaves::Elements | Leaves::Everywhere => visit_scalar(json, visit),
        },
    }
}

fn any_member(
    members: &Members<'_>,
    leaves: Leaves<'_>,
    visit: &mut dyn FnMut(Scalar<'_>) -> bool,
) -> bool {
    members.0.iter().any(|(key, member)| {
        let inner = match leaves {
            Leaves::Named(name) => below(name, &key.0),
            Leaves::Elements | Leaves::Everywhere => Some(leaves),
        };
        inner.is_some_and(|inner| any_leaf(member.get(), inner, visit))
    })
}

/// What is meant inside the member `key` when `name` is meant; a key may hold dots itself.
fn below<'a>(name: &'a str, key: &str) -> Option<Leaves<'a>> {
    let rest = name.strip_prefix(key)?;
    if rest.is_empty() {
        return Some(Leaves::Elements);
    }
    rest.strip_prefix('.').map(Leaves::Named)
}

fn visit_scalar(json: &str, visit: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match json.bytes().next() {
        Some(b'n') | None => false,
        Some(b't') => visit(Scalar::Bool(true)),
        Some(b'f') => visit(Scalar::Bool(false)),
        Some(b'"') => {
            serde_json::from_str::<Text<'_>>(json).is_ok_and(|text| visit(Scalar::Str(&text.0)))
        }
        Some(_) => visit(number(json)),
    }
}

/// A number as a decoder would have made it had it been a value of its own.
pub(crate) fn number(json: &str) -> Scalar<'_> {
    if let Ok(integer) = json.parse() {
        return Scalar::Int(integer);
    }
    let is_integer = !json.contains(['.', 'e', 'E']);
    match json.parse::<f64>() {
        Ok(float) if float.is_finite() && !is_integer => Scalar::Float(float),
        _ => Scalar::Json(json),
    }
}

/// The members of an object.
struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

/// A string, borrowed from the JSON text where nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}
