//! What tells values and words apart without a look at their text, mostly; and a table of such keys.

use std::hash::BuildHasher;

use cordwood_event::Scalar;

use crate::column::ScalarKind;
use crate::tokens::WordHash;

/// What tells values apart: all of a short one, a hash of a long text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueKey {
    head: u64,
    tail: u64,
    /// The length of a text in bytes, then the kind, then whether no other value has this key.
    form: u64,
}

/// Texts of up to here are in their key.
const EXACT_BYTES_MAX: usize = 2 * size_of::<u64>();

const IS_EXACT: u64 = 1 << 63;

/// No value has this form.
const IS_PAIR: u64 = 1 << 62;

/// The bit that sets lower case in each of eight letters. It makes no two of the letters and `_` the same.
const LOWER_CASE: u64 = 0x2020_2020_2020_2020;

impl ValueKey {
    #[inline]
    pub(crate) fn of(value: Scalar<'_>, hasher: &impl BuildHasher) -> ValueKey {
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
            form: form_of(0, kind) | IS_EXACT,
        }
    }

    /// The first bytes and the last, which overlap or meet in a short text.
    #[inline]
    pub(crate) fn of_text(text: &[u8], kind: ScalarKind, hasher: &impl BuildHasher) -> ValueKey {
        let form = form_of(text.len(), kind);
        let tail = last_bytes(text);
        if text.len() <= EXACT_BYTES_MAX {
            ValueKey {
                head: first_bytes(text),
                tail,
                form: form | IS_EXACT,
            }
        } else {
            ValueKey {
                head: hasher.hash_one(text),
                tail,
                form,
            }
        }
    }

    /// Of a word of nothing but letters of ASCII and `_`, whatever its case.
    #[inline]
    pub(crate) fn of_letters(word: &str) -> ValueKey {
        let text = word.as_bytes();
        let form = form_of(text.len(), ScalarKind::Str);
        let tail = last_bytes(text) | LOWER_CASE;
        if text.len() <= EXACT_BYTES_MAX {
            ValueKey {
                head: first_bytes(text) | LOWER_CASE,
                tail,
                form: form | IS_EXACT,
            }
        } else {
            ValueKey {
                head: WordHash::at(text, 0..text.len()).0.into(),
                tail,
                form,
            }
        }
    }

    /// Of two things by their numbers, with a character between them.
    #[inline]
    pub(crate) fn of_pair(first: u32, between: u8, second: u32) -> ValueKey {
        ValueKey {
            head: u64::from(first) << 32 | u64::from(second),
            tail: between.into(),
            form: IS_PAIR | IS_EXACT,
        }
    }

    #[inline]
    fn is_exact(self) -> bool {
        self.form & IS_EXACT != 0
    }

    #[inline]
    fn hash(self) -> u64 {
        /// 2^64 divided by the golden ratio (Knuth, TAOCP volume 3, section 6.4).
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let bits = self.head ^ self.tail.rotate_left(32) ^ self.form;
        let product = u128::from(bits) * u128::from(SPREAD);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the halves of the product are folded"
        )]
        let hash = (product >> 64) as u64 ^ product as u64;
        hash
    }
}

#[inline]
fn form_of(length: usize, kind: ScalarKind) -> u64 {
    length as u64 | (kind as u64) << 56
}

/// The first eight bytes of a text, zeros behind a shorter one, as a number: texts whose heads differ are in the order of these.
#[inline]
pub(crate) fn text_head(text: &str) -> u64 {
    if let Some(head) = text.as_bytes().first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; size_of::<u64>()];
    for (byte, of_text) in head.iter_mut().zip(text.bytes()) {
        *byte = of_text;
    }
    u64::from_be_bytes(head)
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

/// Numbers keys in the order in which they first come.
#[derive(Debug, Default)]
pub(crate) struct KeyNumbers {
    /// By the lowest bits of the hash and then what is free: one more than the number of a key, or 0. At most half full.
    slots: Vec<u32>,
    keys: Vec<ValueKey>,
}

/// Where a key that is not known belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vacant {
    key: ValueKey,
    slot: usize,
}

impl KeyNumbers {
    const SLOTS_MIN: usize = 32;

    /// With room for so many keys.
    pub(crate) fn with_capacity(keys: usize) -> KeyNumbers {
        let slots = (keys * 2).next_power_of_two();
        KeyNumbers {
            slots: vec![0; slots.max(KeyNumbers::SLOTS_MIN)],
            keys: Vec::with_capacity(keys),
        }
    }

    /// Forgets all keys.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.keys.clear();
    }

    /// The number of a value; `is_same` is asked whether that of a number is the same, where the key does not tell.
    #[inline]
    pub(crate) fn find(
        &self,
        key: ValueKey,
        is_same: impl Fn(usize) -> bool,
    ) -> Result<u32, Vacant> {
        let mask = self.slots.len().wrapping_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lowest bits are all that is asked for"
        )]
        let mut slot = key.hash() as usize & mask;
        while let Some(number) = self.slots.get(slot)
            && let Some(number) = number.checked_sub(1)
        {
            let index = number as usize;
            if self.keys.get(index) == Some(&key) && (key.is_exact() || is_same(index)) {
                return Ok(number);
            }
            slot = (slot + 1) & mask;
        }
        Err(Vacant { key, slot })
    }

    /// Gives the next number to a key.
    pub(crate) fn add(&mut self, vacant: Vacant) {
        self.keys.push(vacant.key);
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        } else {
            self.put(vacant.slot, self.keys.len());
        }
    }

    fn put(&mut self, slot: usize, count: usize) {
        if let (Some(slot), Ok(count)) = (self.slots.get_mut(slot), u32::try_from(count)) {
            *slot = count;
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 4).max(KeyNumbers::SLOTS_MIN);
        self.slots.clear();
        self.slots.resize(slots, 0);
        for index in 0..self.keys.len() {
            if let Some(key) = self.keys.get(index).copied()
                && let Err(vacant) = self.find(key, |_| false)
            {
                self.put(vacant.slot, index + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Short and long, of equal ends; the same numbers as a map by the whole text gives, before and after it is cleared.
        #[test]
        fn texts_are_numbered_as_they_first_come(
            texts in vec("[ab]{0,3}|[a-h]{7,9}|(x|y)[z]{14,18}(x|y)|é{4,9}", 0..300),
        ) {
            let hasher = rapidhash::fast::RandomState::new();
            let mut numbers = KeyNumbers::default();
            for _ in 0..2 {
                numbers.clear();
                let mut expected: HashMap<&str, u32> = HashMap::new();
                let mut known: Vec<&str> = Vec::new();
                for text in &texts {
                    let next = u32::try_from(expected.len()).expect("few");
                    let key = ValueKey::of_text(text.as_bytes(), ScalarKind::Str, &hasher);
                    let found = numbers.find(key, |number| known[number] == text);
                    let number = found.unwrap_or_else(|vacant| {
                        numbers.add(vacant);
                        known.push(text);
                        next
                    });
                    prop_assert_eq!(number, *expected.entry(text).or_insert(next));
                }
            }
        }
    }

    proptest! {
        /// As a map by the spelling in lower case does.
        #[test]
        fn words_are_the_same_in_either_case(
            words in vec("[ab_z]{1,3}|[A-Z_]{7,9}|[a-zA-Z]{1,2}x{14,17}[yY]", 0..300),
        ) {
            let mut numbers = KeyNumbers::with_capacity(4);
            let mut expected: HashMap<String, u32> = HashMap::new();
            let mut known: Vec<&str> = Vec::new();
            for word in &words {
                let next = u32::try_from(expected.len()).expect("few");
                let key = ValueKey::of_letters(word);
                let found = numbers.find(key, |number| known[number].eq_ignore_ascii_case(word));
                let number = found.unwrap_or_else(|vacant| {
                    numbers.add(vacant);
                    known.push(word);
                    next
                });
                prop_assert_eq!(number, *expected.entry(word.to_lowercase()).or_insert(next));
            }
        }
    }

    proptest! {
        #[test]
        fn heads_that_differ_are_in_the_order_of_their_texts(a in "[a\0é]{0,12}", b in "[a\0é]{0,12}") {
            let heads = text_head(&a).cmp(&text_head(&b));
            prop_assert!(heads.is_eq() || heads == a.cmp(&b));
        }
    }

    #[test]
    fn pairs_are_told_apart_by_all_of_their_parts() {
        let pairs = [(1, b' ', 2), (2, b' ', 1), (1, b'-', 2), (0, b' ', 0)];
        let mut keys: Vec<ValueKey> = pairs
            .iter()
            .map(|(first, between, second)| ValueKey::of_pair(*first, *between, *second))
            .collect();
        keys.push(ValueKey::of_letters(" "));
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(index));
        }
    }

    #[test]
    fn kinds_and_lengths_tell_values_apart() {
        let hasher = rapidhash::fast::RandomState::new();
        let values = [
            Scalar::Null,
            Scalar::Bool(false),
            Scalar::Int(0),
            Scalar::Float(0.0),
            Scalar::Float(-0.0),
            Scalar::Str(""),
            Scalar::Str("\0"),
            Scalar::Str("\0\0"),
            Scalar::Json(""),
        ];
        let keys = values.map(|value| ValueKey::of(value, &hasher));
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(index));
        }
    }
}
