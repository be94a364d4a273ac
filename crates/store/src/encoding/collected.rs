//! The values of a column as they are collected, row by row: numbered while they repeat.
//!
//! A value is looked up once, while its text is in the cache of the core; all that asks afterwards whether values are equal,
//! how many there are or how often they occur asks their numbers.

use std::borrow::Cow;
use std::hash::BuildHasher;

use cordwood_event::Scalar;

use super::bitpack::{bit_width, packed_len};
use super::codes::run_count;
use crate::value_key::{KeyNumbers, ValueKey};

/// Most distinct values that are numbered, and so of a dictionary: their codes then take 12 bits at most, and a predicate is
/// evaluated on far fewer values than there are rows.
pub(crate) const DISTINCT_MAX: usize = 4096;

/// Most distinct values of a dictionary of so many: one must serve four rows on average.
pub(crate) fn dictionary_values_max(count: usize) -> usize {
    const ROWS_PER_VALUE: usize = 4;
    (count / ROWS_PER_VALUE).max(1)
}

/// A value as it comes, of which a key may be had for less than the value itself.
pub(crate) trait Collectible<'a>: Copy {
    fn key(&self, hasher: &impl BuildHasher) -> ValueKey;

    /// The value as it goes into a column.
    fn scalar_to_keep(self) -> Scalar<'a>;
}

impl<'a> Collectible<'a> for Scalar<'a> {
    #[inline]
    fn key(&self, hasher: &impl BuildHasher) -> ValueKey {
        ValueKey::of(*self, hasher)
    }

    #[inline]
    fn scalar_to_keep(self) -> Scalar<'a> {
        self
    }
}

/// The values of a column.
#[derive(Debug)]
pub(crate) enum Collected<'a> {
    /// As numbers of distinct values.
    Numbered(Numbered<'a>),
    /// One by one: too many of them differ.
    Each(Vec<Scalar<'a>>),
}

/// Distinct values in the order in which they first come, and by rank which of them it is.
#[derive(Debug)]
pub(crate) struct Numbered<'a> {
    pub(crate) distinct: Vec<Scalar<'a>>,
    pub(crate) codes: Vec<u16>,
    distinct_max: usize,
    known: KeyNumbers,
    hasher: rapidhash::fast::RandomState,
}

impl<'a> Collected<'a> {
    /// Room for so many values, which is all there will be. They are numbered as long as they may make a dictionary.
    pub(crate) fn with_capacity(count: usize) -> Collected<'a> {
        let distinct_max = DISTINCT_MAX.min(dictionary_values_max(count));
        Collected::Numbered(Numbered::new(count, distinct_max))
    }

    /// Adds the values of the next rows.
    #[inline]
    pub(crate) fn extend(&mut self, mut values: impl Iterator<Item = impl Collectible<'a>>) {
        if let Collected::Numbered(numbered) = self {
            let Some(value) = values.find(|value| !numbered.push(*value)) else {
                return;
            };
            let mut each = Vec::with_capacity(numbered.codes.capacity());
            each.extend(numbered.iter());
            each.push(value.scalar_to_keep());
            *self = Collected::Each(each);
        }
        if let Collected::Each(each) = self {
            each.extend(values.map(Collectible::scalar_to_keep));
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Collected::Numbered(numbered) => numbered.codes.len(),
            Collected::Each(each) => each.len(),
        }
    }

    pub(crate) fn numbered(&self) -> Option<&Numbered<'a>> {
        match self {
            Collected::Numbered(numbered) => Some(numbered),
            Collected::Each(_) => None,
        }
    }

    /// By rank, the number of the value among the [`listed`](Self::listed) ones; `None` if that is the rank.
    pub(crate) fn codes(&self) -> Option<&[u16]> {
        self.numbered().map(|numbered| &*numbered.codes)
    }

    /// Every value at least once, in the order in which they first come.
    pub(crate) fn listed(&self) -> &[Scalar<'a>] {
        match self {
            Collected::Numbered(numbered) => &numbered.distinct,
            Collected::Each(each) => each,
        }
    }

    /// By rank, the values.
    pub(crate) fn by_rank(&self) -> Cow<'_, [Scalar<'a>]> {
        match self {
            Collected::Numbered(numbered) => {
                let mut values = Vec::with_capacity(numbered.codes.len());
                values.extend(numbered.iter());
                values.into()
            }
            Collected::Each(each) => each.into(),
        }
    }
}

impl<'a> FromIterator<Scalar<'a>> for Collected<'a> {
    fn from_iter<I: IntoIterator<Item = Scalar<'a>>>(values: I) -> Collected<'a> {
        let values = values.into_iter();
        let numbered = Numbered::new(values.size_hint().0, DISTINCT_MAX);
        let mut collected = Collected::Numbered(numbered);
        collected.extend(values);
        collected
    }
}

impl<'a> Numbered<'a> {
    /// Room for so many values, of which at most `distinct_max` may differ.
    pub(crate) fn new(count: usize, distinct_max: usize) -> Numbered<'a> {
        Numbered {
            distinct: Vec::new(),
            codes: Vec::with_capacity(count),
            distinct_max,
            known: KeyNumbers::default(),
            hasher: rapidhash::fast::RandomState::new(),
        }
    }

    /// Adds a value, unless it would be one distinct value too many; says whether it has.
    #[inline]
    pub(crate) fn push(&mut self, value: impl Collectible<'a>) -> bool {
        let key = value.key(&self.hasher);
        let is_same = |number: usize| self.distinct.get(number) == Some(&value.scalar_to_keep());
        let number = match self.known.find(key, is_same) {
            Ok(number) => number as usize,
            Err(_) if self.distinct.len() == self.distinct_max => return false,
            Err(vacant) => {
                self.known.add(vacant);
                self.distinct.push(value.scalar_to_keep());
                self.distinct.len() - 1
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most DISTINCT_MAX values differ"
        )]
        self.codes.push(number as u16);
        true
    }

    fn iter(&self) -> impl Iterator<Item = Scalar<'a>> {
        let value = |code: &u16| self.distinct.get(usize::from(*code)).copied();
        self.codes.iter().filter_map(value)
    }

    /// About how many bytes the codes take in the best of their modes.
    pub(crate) fn code_bytes(&self) -> usize {
        let width = bit_width(self.distinct.len().saturating_sub(1) as u64);
        let runs = run_count(&self.codes);
        let run_bytes = packed_len(runs, width + 8);
        packed_len(self.codes.len(), width)
            .min(run_bytes)
            .min(self.entropy_bytes())
    }

    fn entropy_bytes(&self) -> usize {
        /// Entropy coding works on bytes.
        const CODES_MAX: usize = 256;
        if self.distinct.len() > CODES_MAX {
            return usize::MAX;
        }
        let mut counts = [0u32; CODES_MAX];
        for code in &self.codes {
            if let Some(count) = counts.get_mut(usize::from(*code)) {
                *count += 1;
            }
        }
        let total = f64::from(u32::try_from(self.codes.len()).unwrap_or(u32::MAX));
        let bits: f64 = counts
            .into_iter()
            .filter(|count| *count > 0)
            .map(|count| f64::from(count) * (total / f64::from(count)).log2().max(0.125))
            .sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, positive and below eight times the count"
        )]
        let bytes = (bits / 8.0) as usize;
        bytes
    }
}
