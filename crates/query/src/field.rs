//! The name of a field in a query, and which stored paths it reaches.

use std::borrow::Cow;

use cordwood_event::path;

/// A field as a reader names it: its keys joined by dots, nothing escaped. `a.b` means `{"a":{"b":…}}`
/// and `{"a.b":…}` alike, and inside an array of objects `{"a":[{"b":…}]}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(Box<str>);

/// How a field name reaches into a stored path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach<'a> {
    /// The path is the field.
    Whole,
    /// The field lies inside the objects of an array stored at the path, under this name.
    Inside(&'a str),
}

impl FieldName {
    /// The field of this name.
    pub fn new(name: impl Into<Box<str>>) -> FieldName {
        FieldName(name.into())
    }

    /// The name, keys joined by dots.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether and how the field reaches values stored at `path` (escaped form, as in a batch).
    /// [`Reach::Inside`] can only hold for a value that is a JSON array.
    pub fn reach(&self, path: &str) -> Option<Reach<'_>> {
        // Most paths begin with another byte, and only a backslash may stand for one.
        if let Some(first) = path.as_bytes().first()
            && *first != b'\\'
            && self.0.as_bytes().first() != Some(first)
        {
            return None;
        }
        let name: Cow<'_, str> = path::name(path);
        let rest = self.0.strip_prefix(&*name)?;
        if rest.is_empty() {
            return Some(Reach::Whole);
        }
        rest.strip_prefix('.').map(Reach::Inside)
    }
}
