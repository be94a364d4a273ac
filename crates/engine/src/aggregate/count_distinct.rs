//! `count_distinct`: different values, exactly up to a limit and by HyperLogLog beyond it.

use hashbrown::HashTable;

use super::Method;
use super::hyperloglog::HyperLogLog;
use crate::datum::Leaf;
use crate::key::{Key, hash_of};

/// How many different values of a group are counted exactly. They are told apart by a hash of 64 bits: that two among
/// so many have the same one has a chance below 10^-9.
const EXACT_MAX: usize = 100_000;

/// The different values seen.
#[derive(Clone, Debug)]
pub(crate) enum CountDistinct {
    Exact(HashTable<u64>),
    Sketch(Box<HyperLogLog>),
}

impl Default for CountDistinct {
    fn default() -> CountDistinct {
        CountDistinct::Exact(HashTable::new())
    }
}

impl CountDistinct {
    pub(crate) fn add(&mut self, leaf: Leaf<'_>) {
        self.add_hash(distinct_hash(leaf));
    }

    pub(crate) fn add_hash(&mut self, hash: u64) {
        match self {
            CountDistinct::Sketch(sketch) => sketch.add(hash),
            CountDistinct::Exact(seen) => {
                seen.entry(hash, |other| *other == hash, |hash| *hash)
                    .or_insert(hash);
                if seen.len() > EXACT_MAX {
                    self.condense();
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: CountDistinct) {
        match other {
            CountDistinct::Exact(seen) => seen.into_iter().for_each(|hash| self.add_hash(hash)),
            CountDistinct::Sketch(other) => {
                self.condense();
                if let CountDistinct::Sketch(own) = self {
                    own.merge(&other);
                }
            }
        }
    }

    pub(crate) fn condense(&mut self) {
        if let CountDistinct::Exact(seen) = self {
            let mut sketch = Box::<HyperLogLog>::default();
            seen.iter().for_each(|hash| sketch.add(*hash));
            *self = CountDistinct::Sketch(sketch);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        match self {
            CountDistinct::Exact(seen) => seen.len() as u64,
            CountDistinct::Sketch(sketch) => sketch.count(),
        }
    }

    pub(crate) fn method(&self) -> Option<Method> {
        match self {
            CountDistinct::Exact(_) => None,
            CountDistinct::Sketch(_) => Some(Method::HyperLogLog {
                standard_error: HyperLogLog::STANDARD_ERROR,
            }),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            CountDistinct::Exact(seen) => (seen.capacity() * (size_of::<u64>() + 1)) as u64,
            CountDistinct::Sketch(_) => size_of::<HyperLogLog>() as u64,
        }
    }
}

/// The same for values that are equal, whatever their representation.
pub(crate) fn distinct_hash(leaf: Leaf<'_>) -> u64 {
    match leaf {
        // As the key of the text would hash, without making one.
        Leaf::Text(text) => hash_of(text),
        leaf => hash_of(&Key::of(leaf)),
    }
}
