//! `count_distinct`: different values, exactly up to a limit and by HyperLogLog beyond it.

use hashbrown::HashTable;

use super::Method;
use super::hyperloglog::HyperLogLog;
use crate::datum::Leaf;
use crate::key::KeyRef;

/// How many different values of a group are counted exactly. They are told apart by a hash of 64 bits: that two among
/// so many have the same one has a chance below 10^-9.
const EXACT_MAX: usize = 100_000;

/// The different values seen.
#[derive(Clone, Debug)]
pub(crate) enum CountDistinct {
    /// Hashes of values that hardly ever are equal, as a block's dictionary lists them.
    Listed(Vec<u64>),
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
        self.settle();
        match self {
            CountDistinct::Listed(_) => {}
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

    /// Adds a value that most likely is new: it is only noted, and told apart from others when these are merged.
    pub(crate) fn list(&mut self, hash: u64) {
        match self {
            CountDistinct::Listed(listed) if listed.len() < EXACT_MAX => listed.push(hash),
            CountDistinct::Exact(seen) if seen.is_empty() => {
                *self = CountDistinct::Listed(vec![hash]);
            }
            _ => self.add_hash(hash),
        }
    }

    /// Tells listed values apart.
    fn settle(&mut self) {
        if let CountDistinct::Listed(listed) = self {
            let listed = std::mem::take(listed);
            *self = CountDistinct::Exact(HashTable::with_capacity(listed.len()));
            listed.into_iter().for_each(|hash| self.add_hash(hash));
        }
    }

    pub(crate) fn merge(&mut self, other: CountDistinct) {
        self.settle();
        match other {
            CountDistinct::Listed(listed) => {
                listed.into_iter().for_each(|hash| self.add_hash(hash))
            }
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
        self.settle();
        if let CountDistinct::Exact(seen) = self {
            let mut sketch = Box::<HyperLogLog>::default();
            seen.iter().for_each(|hash| sketch.add(*hash));
            *self = CountDistinct::Sketch(sketch);
        }
    }

    pub(crate) fn count(mut self) -> u64 {
        self.settle();
        match self {
            CountDistinct::Listed(_) => 0,
            CountDistinct::Exact(seen) => seen.len() as u64,
            CountDistinct::Sketch(sketch) => sketch.count(),
        }
    }

    pub(crate) fn method(&self) -> Option<Method> {
        match self {
            CountDistinct::Listed(_) | CountDistinct::Exact(_) => None,
            CountDistinct::Sketch(_) => Some(Method::HyperLogLog {
                standard_error: HyperLogLog::STANDARD_ERROR,
            }),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            CountDistinct::Listed(listed) => (listed.capacity() * size_of::<u64>()) as u64,
            CountDistinct::Exact(seen) => (seen.capacity() * (size_of::<u64>() + 1)) as u64,
            CountDistinct::Sketch(_) => size_of::<HyperLogLog>() as u64,
        }
    }
}

/// The same for values that are equal, whatever their representation.
pub(crate) fn distinct_hash(leaf: Leaf<'_>) -> u64 {
    KeyRef::of(leaf).hash()
}

#[cfg(test)]
mod tests {
    use cordwood_event::Number;

    use super::{CountDistinct, distinct_hash};
    use crate::datum::Leaf;

    #[test]
    fn no_two_of_many_like_values_are_taken_for_one() {
        const VALUES: u32 = 90_000;
        let mut texts = CountDistinct::default();
        let mut integers = CountDistinct::default();
        let mut floats = CountDistinct::default();
        for number in 0..VALUES {
            texts.add_hash(distinct_hash(Leaf::Text(&format!(
                "u{}",
                u64::from(number) * 7919
            ))));
            integers.add(Leaf::Number(Number::Int(
                (i128::from(number) - 45_000) << (number % 70),
            )));
            floats.add(Leaf::Number(Number::Float(f64::from(number) + 0.25)));
        }
        assert_eq!(texts.count(), u64::from(VALUES));
        assert_eq!(floats.count(), u64::from(VALUES));
        let different: std::collections::HashSet<i128> = (0..VALUES)
            .map(|number| (i128::from(number) - 45_000) << (number % 70))
            .collect();
        assert_eq!(integers.count(), different.len() as u64);
    }

    fn listed(hashes: &[u64]) -> CountDistinct {
        let mut distinct = CountDistinct::default();
        hashes.iter().for_each(|hash| distinct.list(*hash));
        distinct
    }

    #[test]
    fn listed_values_are_told_apart() {
        let check = |own: &[u64], other: &[u64], expected: u64| {
            let mut distinct = listed(own);
            distinct.merge(listed(other));
            assert_eq!(distinct.count(), expected, "{own:?} {other:?}");
        };
        assert_eq!(listed(&[7, 8, 7]).count(), 2);
        check(&[], &[], 0);
        check(&[], &[1, 1], 1);
        check(&[1, 2], &[], 2);
        check(&[1, 2, 2], &[2, 3], 3);
    }
}
