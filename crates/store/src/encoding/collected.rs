//! The values of a column as they are collected, row by row: numbered while they repeat.
//!
//! A value is looked up once, while its text is in the cache of the core; all that asks afterwards whether values are equal,
//! how many there are or how often they occur asks their numbers.

use std::borrow::Cow;
use std::hash::BuildHasher;

use cordwood_event::Scalar;
use hashbrown::HashTable;

use super::bitpack::{bit_width, packed_len};
use crate::column::ScalarKind;

/// Most distinct values that are numbered, and so of a dictionary: their codes then take 12 bits at most, and a predicate is
/// evaluated on far fewer values than there are rows.
pub(crate) const DISTINCT_MAX: usize = 4096;

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
    known: HashTable<(ValueKey, u16)>,
    hasher: rapidhash::fast::RandomState,
}

impl<'a> Collected<'a> {
    /// Room for so many values.
    pub(crate) fn with_capacity(count: usize) -> Collected<'a> {
        Collected::Numbered(Numbered::new(count, DISTINCT_MAX))
    }

    /// Adds the value of the next row.
    #[inline]
    pub(crate) fn push(&mut self, value: Scalar<'a>) {
        match self {
            Collected::Numbered(numbered) => {
                if !numbered.push(value) {
                    let mut each = Vec::with_capacity(numbered.codes.capacity());
                    each.extend(numbered.iter());
                    each.push(value);
                    *self = Collected::Each(each);
                }
            }
            Collected::Each(each) => each.push(value),
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
            Collected::Numbered(numbered) => numbered.iter().collect(),
            Collected::Each(each) => each.into(),
        }
    }
}

impl<'a> FromIterator<Scalar<'a>> for Collected<'a> {
    fn from_iter<I: IntoIterator<Item = Scalar<'a>>>(values: I) -> Collected<'a> {
        let values = values.into_iter();
        let mut collected = Collected::with_capacity(values.size_hint().0);
        values.for_each(|value| collected.push(value));
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
            known: HashTable::new(),
            hasher: rapidhash::fast::RandomState::new(),
        }
    }

    /// Adds a value, unless it would be one distinct value too many; says whether it has.
    #[inline]
    pub(crate) fn push(&mut self, value: Scalar<'a>) -> bool {
        let key = ValueKey::of(value, &self.hasher);
        let is_known = |(other, code): &(ValueKey, u16)| {
            *other == key && (key.is_exact || self.distinct.get(usize::from(*code)) == Some(&value))
        };
        let known = self.known.find(key.hash(), is_known);
        let code = known
            .map(|(_, code)| *code)
            .or_else(|| self.add(value, key));
        self.codes.extend(code);
        code.is_some()
    }

    fn add(&mut self, value: Scalar<'a>, key: ValueKey) -> Option<u16> {
        if self.distinct.len() == self.distinct_max {
            return None;
        }
        let code = u16::try_from(self.distinct.len()).ok()?;
        self.distinct.push(value);
        let hash = |(key, _): &(ValueKey, u16)| key.hash();
        self.known.insert_unique(key.hash(), (key, code), hash);
        Some(code)
    }

    fn iter(&self) -> impl Iterator<Item = Scalar<'a>> {
        let value = |code: &u16| self.distinct.get(usize::from(*code)).copied();
        self.codes.iter().filter_map(value)
    }

    /// About how many bytes the codes take in the best of their modes.
    pub(crate) fn code_bytes(&self) -> usize {
        let width = bit_width(self.distinct.len().saturating_sub(1) as u64);
        let runs = self.codes.chunk_by(|a, b| a == b).count();
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

/// What tells values apart: all of a short one, a hash of a long text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ValueKey {
    head: u64,
    tail: u64,
    /// Of a text in bytes.
    length: u32,
    kind: ScalarKind,
    /// Whether no other value has this key.
    is_exact: bool,
}

impl ValueKey {
    #[inline]
    fn of(value: Scalar<'_>, hasher: &impl BuildHasher) -> ValueKey {
        let kind = ScalarKind::of(value);
        match value {
            Scalar::Null => ValueKey::of_bits(0, kind),
            Scalar::Bool(boolean) => ValueKey::of_bits(boolean.into(), kind),
            Scalar::Int(integer) => ValueKey::of_bits(integer.cast_unsigned(), kind),
            // `0.0` and `-0.0` differ.
            Scalar::Float(float) => ValueKey::of_bits(float.to_bits(), kind),
            Scalar::Str(text) | Scalar::Json(text) => {
                ValueKey::of_text(text.as_bytes(), kind, hasher)
            }
        }
    }

    fn of_bits(bits: u64, kind: ScalarKind) -> ValueKey {
        ValueKey {
            head: bits,
            tail: 0,
            length: 0,
            kind,
            is_exact: true,
        }
    }

    /// The first bytes and the last, which overlap or meet in a short text.
    #[inline]
    fn of_text(text: &[u8], kind: ScalarKind, hasher: &impl BuildHasher) -> ValueKey {
        let is_exact = text.len() <= 2 * size_of::<u64>();
        let head = if is_exact {
            first_bytes(text)
        } else {
            hasher.hash_one(text)
        };
        ValueKey {
            head,
            tail: last_bytes(text),
            length: u32::try_from(text.len()).unwrap_or(u32::MAX),
            kind,
            is_exact,
        }
    }

    #[inline]
    fn hash(self) -> u64 {
        /// 2^64 divided by the golden ratio (Knuth, TAOCP volume 3, section 6.4).
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = self.head ^ self.tail.rotate_left(32) ^ u64::from(self.length);
        let product = u128::from(bits) * u128::from(SPREAD);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the halves of the product are folded"
        )]
        let hash = (product >> 64) as u64 ^ product as u64;
        hash
    }
}

/// The first eight bytes of a text, or the most of four, two and one that it has.
#[inline]
fn first_bytes(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk() {
        u64::from_le_bytes(*first)
    } else if let Some(first) = text.first_chunk() {
        u32::from_le_bytes(*first).into()
    } else if let Some(first) = text.first_chunk() {
        u16::from_le_bytes(*first).into()
    } else {
        text.first().copied().unwrap_or(0).into()
    }
}

/// The last ones in the same way.
#[inline]
fn last_bytes(text: &[u8]) -> u64 {
    if let Some(last) = text.last_chunk() {
        u64::from_le_bytes(*last)
    } else if let Some(last) = text.last_chunk() {
        u32::from_le_bytes(*last).into()
    } else if let Some(last) = text.last_chunk() {
        u16::from_le_bytes(*last).into()
    } else {
        text.last().copied().unwrap_or(0).into()
    }
}
