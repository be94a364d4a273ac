//! A value as the key of a group: equal by value, whatever its representation.

use std::hash::{Hash, Hasher};

use cordwood_event::{Number, Timestamp};

use crate::Cell;
use crate::datum::{Leaf, canonical};

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

impl Key {
    pub(crate) fn of(leaf: Leaf<'_>) -> Key {
        match leaf {
            Leaf::Bool(boolean) => Key::Bool(boolean),
            Leaf::Text(text) => Key::Text(text.into()),
            Leaf::Time(time) => Key::Time(time),
            Leaf::Number(number) => match canonical(number) {
                Number::Int(integer) => Key::Int(integer),
                Number::Float(float) => Key::Float(float.to_bits()),
            },
        }
    }

    pub(crate) fn into_cell(self) -> Cell {
        match self {
            Key::Null => Cell::Null,
            Key::Bool(boolean) => Cell::Bool(boolean),
            Key::Int(integer) => Cell::Int(integer),
            Key::Float(bits) => Cell::Float(f64::from_bits(bits)),
            Key::Text(text) => Cell::Str(text),
            Key::Time(time) => Cell::Time(time),
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
