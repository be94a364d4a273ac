//! The distinct words of a block in the making.

use cordwood_event::{Number, Scalar};

use super::leaves::{Leaf, each_leaf};
use super::words::{WordHash, each_word};

/// Collects the words of the values of a block. Every value that a test of text may find must be added, at least once; what
/// is added beyond that costs an answer nothing but a block read in vain.
#[derive(Debug)]
pub struct BlockTokens {
    /// Open addressing by the highest bits; 0 is free. At most half full.
    slots: Vec<u32>,
    slot_bits: u32,
    used: usize,
}

/// Enough for most blocks of a few rows.
const SLOT_BITS_MIN: u32 = 10;

impl Default for BlockTokens {
    fn default() -> BlockTokens {
        BlockTokens {
            slots: vec![0; 1 << SLOT_BITS_MIN],
            slot_bits: SLOT_BITS_MIN,
            used: 0,
        }
    }
}

impl BlockTokens {
    /// Adds a value: the words of a text, `true` and `false`, the digits of a whole number, and all leaves of a JSON text.
    /// A number with a fraction leaves nothing.
    pub fn add_value(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Null => {}
            Scalar::Bool(true) => self.add_text("true"),
            Scalar::Bool(false) => self.add_text("false"),
            Scalar::Int(integer) => self.add_integer(integer.into()),
            Scalar::Float(float) => self.add_number(Number::Float(float)),
            Scalar::Str(text) => self.add_text(text),
            Scalar::Json(text) => self.add_json(text),
        }
    }

    /// Adds the words of a text.
    #[inline]
    pub fn add_text(&mut self, text: &str) {
        each_word(text.as_bytes(), |hash| self.add_word(hash));
    }

    /// Adds a word.
    #[inline]
    pub fn add_word(&mut self, hash: WordHash) {
        let mut index = (hash.0 >> (u32::BITS - self.slot_bits)) as usize;
        loop {
            let Some(slot) = self.slots.get_mut(index) else {
                index = 0;
                continue;
            };
            if *slot == hash.0 {
                return;
            }
            if *slot == 0 {
                *slot = hash.0;
                self.used += 1;
                if self.used * 2 > self.slots.len() {
                    self.grow();
                }
                return;
            }
            index += 1;
        }
    }

    /// The hashes, rising. Where a hash lies follows from its highest bits, so that only neighbours can be out of order, and
    /// the few that went round the end.
    pub fn into_sorted(mut self) -> Vec<u32> {
        for neighbours in self.slots.split_mut(|slot| *slot == 0) {
            neighbours.sort_unstable();
        }
        let mut hashes: Vec<u32> = self.slots.into_iter().filter(|slot| *slot != 0).collect();
        // Finds the two runs and merges them.
        hashes.sort();
        hashes
    }

    fn grow(&mut self) {
        let mut larger = BlockTokens {
            slots: vec![0; self.slots.len() * 2],
            slot_bits: self.slot_bits + 1,
            used: 0,
        };
        for slot in self.slots.iter().filter(|slot| **slot != 0) {
            larger.add_word(WordHash(*slot));
        }
        *self = larger;
    }

    fn add_number(&mut self, number: Number) {
        if let Some(integer) = number.as_integer() {
            self.add_integer(integer);
        }
    }

    /// The sign is no part of a word.
    fn add_integer(&mut self, integer: i128) {
        /// 2^127 has 39 digits.
        const DIGITS_MAX: usize = 39;
        let mut digits = [0u8; DIGITS_MAX];
        let mut rest = integer.unsigned_abs();
        let mut start = DIGITS_MAX;
        for slot in digits.iter_mut().rev() {
            *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            start -= 1;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let digits = digits.get(start..).unwrap_or_default();
        each_word(digits, |hash| self.add_word(hash));
    }

    fn add_json(&mut self, json: &str) {
        if !json.starts_with(['[', '{']) {
            // A number that no 64-bit type holds, as it was written.
            self.add_text(json);
        }
        each_leaf(json, |leaf| match leaf {
            Leaf::Text(text) => each_word(text, |hash| self.add_word(hash)),
            Leaf::Other(text) => match Number::parse(text) {
                Some(number) => self.add_number(number),
                None => self.add_text(text),
            },
        });
    }
}
