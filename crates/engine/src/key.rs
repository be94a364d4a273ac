//! A value as the key of a group: equal by value, whatever its representation.

mod list;

use std::hash::{Hash, Hasher};

use cordwood_event::{Number, Timestamp};
use rapidhash::v3::rapidhash_v3;

use crate::Cell;
use crate::datum::{Leaf, canonical};

pub(crate) use list::KeyList;

/// A key. Numbers equal by value are one key, text and numbers never are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Null,
    Bool(bool),
    Int(i128),
    /// The bits of a float that is no integer.
    Float(u64),
    Text(Box<str>),
    Time(Timestamp),
}

/// A key that lies somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRef<'a> {
    Null,
    Bool(bool),
    Int(i128),
    Float(u64),
    Text(&'a str),
    Time(Timestamp),
}

impl Key {
    pub(crate) fn of(leaf: Leaf<'_>) -> Key {
        Key::copy_of(KeyRef::of(leaf))
    }

    pub(crate) fn copy_of(key: KeyRef<'_>) -> Key {
        match key {
            KeyRef::Null => Key::Null,
            KeyRef::Bool(boolean) => Key::Bool(boolean),
            KeyRef::Int(integer) => Key::Int(integer),
            KeyRef::Float(bits) => Key::Float(bits),
            KeyRef::Text(text) => Key::Text(text.into()),
            KeyRef::Time(time) => Key::Time(time),
        }
    }

    pub(crate) fn as_ref(&self) -> KeyRef<'_> {
        match self {
            Key::Null => KeyRef::Null,
            Key::Bool(boolean) => KeyRef::Bool(*boolean),
            Key::Int(integer) => KeyRef::Int(*integer),
            Key::Float(bits) => KeyRef::Float(*bits),
            Key::Text(text) => KeyRef::Text(text),
            Key::Time(time) => KeyRef::Time(*time),
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let text = match self {
            Key::Text(text) => text.len(),
            _ => 0,
        };
        (size_of::<Key>() + text) as u64
    }
}

impl<'a> KeyRef<'a> {
    pub(crate) fn of(leaf: Leaf<'a>) -> KeyRef<'a> {
        match leaf {
            Leaf::Bool(boolean) => KeyRef::Bool(boolean),
            Leaf::Text(text) => KeyRef::Text(text),
            Leaf::Time(time) => KeyRef::Time(time),
            Leaf::Number(number) => match canonical(number) {
                Number::Int(integer) => KeyRef::Int(integer),
                Number::Float(float) => KeyRef::Float(float.to_bits()),
            },
        }
    }

    /// A hash, the same in every part of a question. All 64 bits tell keys apart: a hasher made for hash tables has
    /// collisions among a few ten thousand short texts.
    pub(crate) fn hash(self) -> u64 {
        /// What the bits of the kinds are mixed with, so that they do not meet.
        const KINDS: [u64; 5] = [1, 2, 3, 4, 5];
        let [null, boolean, integer, float, time] = KINDS;
        match self {
            KeyRef::Text(text) => rapidhash_v3(text.as_bytes()),
            KeyRef::Null => mixed(null),
            KeyRef::Bool(value) => mixed(mixed(boolean) ^ u64::from(value)),
            KeyRef::Int(value) => {
                let [low, high] = halves(value);
                mixed(low ^ mixed(mixed(integer) ^ high))
            }
            KeyRef::Float(bits) => mixed(mixed(float) ^ bits),
            KeyRef::Time(value) => mixed(mixed(time) ^ value.as_nanos().cast_unsigned()),
        }
    }

    pub(crate) fn to_cell(self) -> Cell {
        match self {
            KeyRef::Null => Cell::Null,
            KeyRef::Bool(boolean) => Cell::Bool(boolean),
            KeyRef::Int(integer) => Cell::Int(integer),
            KeyRef::Float(bits) => Cell::Float(f64::from_bits(bits)),
            KeyRef::Text(text) => Cell::Str(text.into()),
            KeyRef::Time(time) => Cell::Time(time),
        }
    }
}

/// The hash of several keys in their order; of one, its own.
pub(crate) fn hash_of_keys<'a>(keys: impl Iterator<Item = KeyRef<'a>>) -> u64 {
    let hashes = keys.map(KeyRef::hash);
    hashes
        .reduce(|before, hash| mixed(before.rotate_left(1) ^ hash))
        .unwrap_or(0)
}

/// The low and the high 64 bits.
fn halves(value: i128) -> [u64; 2] {
    let low = value & i128::from(u64::MAX);
    let high = (value >> u64::BITS) & i128::from(u64::MAX);
    [low, high].map(|half| u64::try_from(half).unwrap_or(0))
}

/// A hash of anything, the same in every part of a question.
pub(crate) fn hash_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = rapidhash::fast::RapidHasher::default();
    value.hash(&mut hasher);
    mixed(hasher.finish())
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood, 2014): every bit of a hash comes to depend on every other, which
/// the hasher does not promise and HyperLogLog needs.
pub(crate) fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}
