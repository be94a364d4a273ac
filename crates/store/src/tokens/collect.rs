//! The distinct words of a block in the making.

use cordwood_event::{Number, Scalar};

use super::leaves::{Leaf, each_leaf};
use super::words::{WordHash, each_word};

/// Collects the words of the values of a block. Every value that a test of text may find must be added, at least once; what
/// is added beyond that costs an answer nothing but a block read in vain.
#[derive(Debug)]
pub struct BlockTokens {
    /// Words that are not in the table yet.
    fresh: Vec<u32>,
    /// Open addressing by the highest bits; 0 is free. At most three quarters full.
    slots: Vec<u32>,
    slot_bits: u32,
    used: usize,
}

/// The table is larger than the cache of a core, and what a word waits for is its place in it: those of so many words are fetched
/// at the same time.
const WORDS_AT_ONCE: usize = 128;

/// How much of the table is used before it grows: three quarters.
const FULL: (usize, usize) = (3, 4);

/// Enough for most blocks of a few rows.
const SLOT_BITS_MIN: u32 = 10;

impl Default for BlockTokens {
    fn default() -> BlockTokens {
        BlockTokens::with_slots(SLOT_BITS_MIN)
    }
}

impl BlockTokens {
    /// With room for the words of so many rows, as many as they usually have.
    pub fn of_rows(rows: usize) -> BlockTokens {
        /// A row of the reference corpus brings a little more than two words. A table of twice as many slots is less often in the
        /// cache, and took three quarters longer on its own.
        const SLOTS_PER_ROW: usize = 4;
        /// 1 MiB: what a block of the greatest number of rows takes.
        const SLOT_BITS_MAX: u32 = 18;
        let slots = (rows * SLOTS_PER_ROW).next_power_of_two();
        BlockTokens::with_slots(slots.trailing_zeros().clamp(SLOT_BITS_MIN, SLOT_BITS_MAX))
    }

    fn with_slots(slot_bits: u32) -> BlockTokens {
        BlockTokens {
            fresh: Vec::with_capacity(WORDS_AT_ONCE),
            slots: vec![0; 1 << slot_bits],
            slot_bits,
            used: 0,
        }
    }

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
        self.fresh.push(hash.0);
        if self.fresh.len() == WORDS_AT_ONCE {
            self.settle();
        }
    }

    /// Puts the fresh words into the table.
    fn settle(&mut self) {
        let (numerator, denominator) = FULL;
        if (self.used + WORDS_AT_ONCE) * denominator > self.slots.len() * numerator {
            self.grow();
        }
        let fresh = std::mem::take(&mut self.fresh);
        let slots = fresh.iter().map(|hash| self.slots.get(self.home(*hash)));
        std::hint::black_box(slots.flatten().fold(0, |all, slot| all ^ slot));
        for hash in &fresh {
            self.insert(*hash);
        }
        self.fresh = fresh;
        self.fresh.clear();
    }

    /// Where a hash belongs.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        (hash >> (u32::BITS - self.slot_bits)) as usize
    }

    /// Puts a word into the table, in which there is room.
    #[inline]
    fn insert(&mut self, hash: u32) {
        let last = self.slots.len() - 1;
        let mut index = self.home(hash);
        while let Some(slot) = self.slots.get_mut(index) {
            if *slot == hash {
                return;
            }
            if *slot == 0 {
                *slot = hash;
                self.used += 1;
                return;
            }
            index = (index + 1) & last;
        }
    }

    /// The hashes, rising. Where a hash lies follows from its highest bits, so that only neighbours can be out of order, and
    /// the few that went round the end.
    pub fn into_sorted(mut self) -> Vec<u32> {
        self.settle();
        let mut hashes = Vec::with_capacity(self.used);
        let (first, others) = self.first_neighbours();
        let (went_round, stayed): (Vec<u32>, Vec<u32>) =
            first.iter().partition(|hash| self.went_round(**hash));
        let others = others.iter().copied().filter(|hash| *hash != 0);
        for hash in stayed.into_iter().chain(others).chain(went_round) {
            push_sorted(&mut hashes, hash);
        }
        hashes
    }

    /// The hashes before the first free slot, and all slots from there on.
    fn first_neighbours(&self) -> (&[u32], &[u32]) {
        let free = self.slots.iter().position(|slot| *slot == 0);
        self.slots.split_at(free.unwrap_or(self.slots.len()))
    }

    /// Of a hash before the first free slot, whether it belongs at the end.
    fn went_round(&self, hash: u32) -> bool {
        self.home(hash) > self.slots.len() / 2
    }

    fn grow(&mut self) {
        let mut larger = BlockTokens::with_slots(self.slot_bits + 1);
        for slot in self.slots.iter().filter(|slot| **slot != 0) {
            larger.insert(*slot);
        }
        self.slots = larger.slots;
        self.slot_bits = larger.slot_bits;
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
            let digit;
            (rest, digit) = match u64::try_from(rest) {
                // Dividing 128 bits takes several times as long.
                Ok(rest) => (u128::from(rest / 10), u128::from(rest % 10)),
                Err(_) => (rest / 10, rest % 10),
            };
            *slot = b'0' + u8::try_from(digit).unwrap_or(0);
            start -= 1;
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

/// Appends to numbers that rise, before the few that are greater.
#[inline]
fn push_sorted(hashes: &mut Vec<u32>, hash: u32) {
    let mut at = hashes.len();
    hashes.push(hash);
    while let Some(before) = at.checked_sub(1)
        && hashes.get(before).is_some_and(|other| *other > hash)
    {
        hashes.swap(before, at);
        at = before;
    }
}
