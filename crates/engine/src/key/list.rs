//! Keys one after the other, without an allocation for each.

use cordwood_event::Timestamp;

use super::KeyRef;

/// Keys by their places. Texts lie in one run of bytes, integers beyond 64 bits in a list of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyList {
    places: Vec<Place>,
    texts: String,
    wide: Vec<i128>,
}

/// A key, or where it lies.
#[derive(Clone, Copy, Debug)]
enum Place {
    Null,
    Bool(bool),
    Int(i64),
    /// An index into the wide integers.
    Wide(u32),
    Float(u64),
    Time(Timestamp),
    Text {
        length: u32,
        start: usize,
    },
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
            KeyRef::Text(text) => {
                let start = self.texts.len();
                self.texts.push_str(text);
                Place::Text {
                    length: narrow(text.len()),
                    start,
                }
            }
        });
    }

    /// The key at an index; null past the last.
    pub(crate) fn get(&self, index: usize) -> KeyRef<'_> {
        match self.places.get(index).copied() {
            None | Some(Place::Null) => KeyRef::Null,
            Some(Place::Bool(boolean)) => KeyRef::Bool(boolean),
            Some(Place::Int(integer)) => KeyRef::Int(integer.into()),
            Some(Place::Wide(index)) => {
                KeyRef::Int(self.wide.get(index as usize).copied().unwrap_or(0))
            }
            Some(Place::Float(bits)) => KeyRef::Float(bits),
            Some(Place::Time(time)) => KeyRef::Time(time),
            Some(Place::Text { length, start }) => {
                let text = self.texts.get(start..start + length as usize);
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
    }
}
