//! Keys one after the other, without an allocation for each.

use cordwood_event::Timestamp;

use super::KeyRef;

/// Keys by their places. Short texts are places themselves: of many groups, one more place to look would be one more that no
/// cache holds. Longer ones lie in one run of bytes, integers beyond 64 bits in a list of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyList {
    places: Vec<Place>,
    texts: String,
    wide: Vec<i128>,
}

/// As many bytes of a text as a place has room for.
const SHORT_MAX: usize = 22;

/// A key, or where it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Null,
    Bool(bool),
    Int(i64),
    /// An index into the wide integers.
    Wide(u32),
    Float(u64),
    Time(Timestamp),
    /// A text of at most [`SHORT_MAX`] bytes, and zeros.
    Short {
        length: u8,
        bytes: [u8; SHORT_MAX],
    },
    /// A longer one.
    Text {
        length: u32,
        start: usize,
    },
}

impl Place {
    fn short(text: &str) -> Option<Place> {
        let mut bytes = [0; SHORT_MAX];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).ok()?;
        Some(Place::Short { length, bytes })
    }
}

impl KeyList {
    pub(crate) fn of(key: KeyRef<'_>) -> KeyList {
        let mut list = KeyList::default();
        list.push(key);
        list
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Makes room for so many more keys.
    pub(crate) fn reserve(&mut self, keys: usize) {
        self.places.reserve(keys);
    }

    pub(crate) fn push(&mut self, key: KeyRef<'_>) {
        self.places.push(match key {
            KeyRef::Null => Place::Null,
            KeyRef::Bool(boolean) => Place::Bool(boolean),
            KeyRef::Float(bits) => Place::Float(bits),
            KeyRef::Time(time) => Place::Time(time),
            KeyRef::Int(integer) => match i64::try_from(integer) {
                Ok(integer) => Place::Int(integer),
                Err(_) => {
                    self.wide.push(integer);
                    Place::Wide(narrow(self.wide.len() - 1))
                }
            },
            KeyRef::Text(text) => Place::short(text).unwrap_or_else(|| {
                let start = self.texts.len();
                self.texts.push_str(text);
                Place::Text {
                    length: narrow(text.len()),
                    start,
                }
            }),
        });
    }

    /// Appends a key of another list.
    pub(crate) fn push_from(&mut self, other: &KeyList, index: usize) {
        match other.places.get(index) {
            Some(Place::Text { .. } | Place::Wide(_)) | None => self.push(other.get(index)),
            Some(place) => self.places.push(*place),
        }
    }

    /// Whether the key at an index is this one.
    pub(crate) fn is(&self, index: usize, key: KeyRef<'_>) -> bool {
        match (self.places.get(index), key) {
            (Some(Place::Short { length, bytes }), KeyRef::Text(text)) => {
                bytes.get(..usize::from(*length)) == Some(text.as_bytes())
            }
            _ => self.get(index) == key,
        }
    }

    /// Whether a key is the same as one of another list.
    pub(crate) fn is_same(&self, index: usize, other: &KeyList, other_index: usize) -> bool {
        match (self.places.get(index), other.places.get(other_index)) {
            (Some(Place::Text { .. }), Some(Place::Text { .. }))
            | (Some(Place::Wide(_)), Some(Place::Wide(_))) => {
                self.get(index) == other.get(other_index)
            }
            (own, other) => own == other,
        }
    }

    /// The key at an index; null past the last.
    pub(crate) fn get(&self, index: usize) -> KeyRef<'_> {
        match self.places.get(index) {
            None | Some(Place::Null) => KeyRef::Null,
            Some(Place::Bool(boolean)) => KeyRef::Bool(*boolean),
            Some(Place::Int(integer)) => KeyRef::Int((*integer).into()),
            Some(Place::Wide(index)) => {
                KeyRef::Int(self.wide.get(*index as usize).copied().unwrap_or(0))
            }
            Some(Place::Float(bits)) => KeyRef::Float(*bits),
            Some(Place::Time(time)) => KeyRef::Time(*time),
            Some(Place::Short { length, bytes }) => {
                let bytes = bytes.get(..usize::from(*length)).unwrap_or_default();
                KeyRef::Text(str::from_utf8(bytes).unwrap_or_default())
            }
            Some(Place::Text { length, start }) => {
                let text = self.texts.get(*start..start + *length as usize);
                KeyRef::Text(text.unwrap_or_default())
            }
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let places = self.places.len() * size_of::<Place>();
        (places + self.texts.len() + self.wide.len() * size_of::<i128>()) as u64
    }
}

/// A text is part of an event, and there are fewer keys than fit in memory.
fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("an event has less than 4 GiB")
}

#[cfg(test)]
mod tests {
    use cordwood_event::Timestamp;

    use super::{KeyList, KeyRef};

    #[test]
    fn every_key_comes_back() {
        let keys = [
            KeyRef::Text("one"),
            KeyRef::Null,
            KeyRef::Text(""),
            KeyRef::Int(-7),
            KeyRef::Int(i128::from(i64::MAX) + 1),
            KeyRef::Text("zwölf"),
            KeyRef::Text("as many bytes as fit in"),
            KeyRef::Text("as many bytes as are in"),
            KeyRef::Text("as many bytes as fit i"),
            KeyRef::Int(i128::MIN),
            KeyRef::Float(1.5f64.to_bits()),
            KeyRef::Bool(true),
            KeyRef::Time(Timestamp::from_nanos(-1)),
        ];
        let mut list = KeyList::default();
        keys.into_iter().for_each(|key| list.push(key));
        let back: Vec<KeyRef<'_>> = (0..list.len()).map(|index| list.get(index)).collect();
        assert_eq!(back, keys);
        assert_eq!(list.get(keys.len()), KeyRef::Null);

        let mut backwards = KeyList::default();
        let indices = (0..keys.len()).rev();
        indices.for_each(|index| backwards.push_from(&list, index));
        for (index, key) in keys.iter().enumerate() {
            for (other, other_key) in keys.iter().rev().enumerate() {
                assert_eq!(list.is_same(index, &backwards, other), key == other_key);
                assert_eq!(list.is(index, *other_key), key == other_key);
            }
        }
    }
}
