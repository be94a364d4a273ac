//! Where a decoder puts the keys and values of one event.
//!
//! Events go straight into the batch. Only one with a duplicate key is read a second time into a [`Tree`], where
//! the last of the values wins, as it does in `JSON.parse`.

use std::collections::HashMap;

use cordwood_event::{BatchBuilder, DuplicateKey, Scalar, Value};

/// The most bytes of a short text.
pub(crate) const SHORT_TEXT_BYTES: usize = BatchBuilder::SHORT_TEXT_BYTES;

/// Keys and values in the order of the document, as a [`BatchBuilder`] takes them.
pub(crate) trait Sink {
    fn key(&mut self, key: &str) -> Result<(), DuplicateKey>;
    /// Takes the key whose literal, with the colon behind, a JSON text begins with, if it is one expected; gives their length.
    fn spelled_key(&mut self, _json: &[u8]) -> Option<usize> {
        None
    }
    fn value(&mut self, value: Scalar<'_>);
    /// Takes the first `length` of these [`SHORT_TEXT_BYTES`] as a text; says whether it did.
    fn short_text(&mut self, _lanes: &str, _length: usize) -> bool {
        false
    }
    /// Takes the text that a JSON text spells, up to its closing quote, if the key had it last time; gives its length.
    fn repeated_text(&mut self, _text: &[u8]) -> Option<usize> {
        None
    }
    /// A text that JSON spells by nothing but itself.
    fn plain_text(&mut self, text: &str) {
        self.value(Scalar::Str(text));
    }
    fn begin_object(&mut self);
    fn end_object(&mut self);
}

impl Sink for BatchBuilder {
    fn key(&mut self, key: &str) -> Result<(), DuplicateKey> {
        BatchBuilder::key(self, key)
    }

    #[inline]
    fn spelled_key(&mut self, json: &[u8]) -> Option<usize> {
        BatchBuilder::spelled_key(self, json)
    }

    #[inline]
    fn value(&mut self, value: Scalar<'_>) {
        BatchBuilder::value(self, value);
    }

    #[inline]
    fn short_text(&mut self, lanes: &str, length: usize) -> bool {
        BatchBuilder::short_text(self, lanes, length);
        true
    }

    #[inline]
    fn repeated_text(&mut self, text: &[u8]) -> Option<usize> {
        BatchBuilder::repeated_text(self, text)
    }

    #[inline]
    fn plain_text(&mut self, text: &str) {
        BatchBuilder::plain_text(self, text);
    }

    fn begin_object(&mut self) {
        BatchBuilder::begin_object(self);
    }

    fn end_object(&mut self) {
        BatchBuilder::end_object(self);
    }
}

/// An event on its own, with one value per key.
#[derive(Debug)]
pub(crate) struct Tree {
    root: Object,
    /// The objects being filled, from the root's child to the innermost, each with its key.
    open: Vec<Object>,
}

/// Members in the order in which their keys were first met.
#[derive(Debug, Default)]
struct Object {
    members: Vec<(Box<str>, Member)>,
    places: HashMap<Box<str>, usize>,
    current: usize,
}

#[derive(Debug)]
enum Member {
    Value(Value),
    Object(Object),
}

impl Tree {
    pub(crate) fn new() -> Tree {
        Tree {
            root: Object::default(),
            open: Vec::new(),
        }
    }

    /// Puts the members into `builder`, where an event has begun.
    pub(crate) fn put(self, builder: &mut BatchBuilder) {
        self.root.put(builder);
    }

    fn innermost(&mut self) -> &mut Object {
        self.open.last_mut().unwrap_or(&mut self.root)
    }
}

impl Sink for Tree {
    fn key(&mut self, key: &str) -> Result<(), DuplicateKey> {
        self.innermost().enter(key);
        Ok(())
    }

    fn value(&mut self, value: Scalar<'_>) {
        self.innermost().set(Member::Value(value.to_value()));
    }

    fn begin_object(&mut self) {
        self.open.push(Object::default());
    }

    fn end_object(&mut self) {
        if let Some(closed) = self.open.pop() {
            self.innermost().set(Member::Object(closed));
        }
    }
}

impl Object {
    fn enter(&mut self, key: &str) {
        if let Some(place) = self.places.get(key) {
            self.current = *place;
            return;
        }
        self.current = self.members.len();
        self.places.insert(key.into(), self.current);
        self.members.push((key.into(), Member::Value(Value::Null)));
    }

    fn set(&mut self, value: Member) {
        if let Some((_, member)) = self.members.get_mut(self.current) {
            *member = value;
        }
    }

    fn put(self, builder: &mut BatchBuilder) {
        for (key, member) in self.members {
            let is_new = builder.key(&key).is_ok();
            debug_assert!(is_new, "one member per key");
            match member {
                Member::Value(value) => builder.value(value.as_scalar()),
                Member::Object(object) => {
                    builder.begin_object();
                    object.put(builder);
                    builder.end_object();
                }
            }
        }
    }
}
