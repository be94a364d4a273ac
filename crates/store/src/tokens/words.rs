//! Words and their hashes.

use std::ops::Range;

/// Known instead of a word. Never 0. The function is part of the format on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WordHash(pub u32);

/// Odd, with bits set at random: the fractional parts of the square roots of 2 and 3.
const SEED: u64 = 0x6a09_e667_f3bc_c909;
const FACTOR: u64 = 0xbb67_ae85_84ca_a73b;

const LANES: usize = 8;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

impl WordHash {
    /// The hash of one word, whatever its case; of a text of several, that of the first. `None` when there is none.
    pub fn of(word: &str) -> Option<WordHash> {
        let mut first = None;
        each_word(word.as_bytes(), |hash| {
            first.get_or_insert(hash);
        });
        first
    }

    /// The hash of the word at a place in a text, which is known to be one.
    #[inline]
    pub(crate) fn at(text: &[u8], range: Range<usize>) -> WordHash {
        let mut at = range.start;
        let mut state = SEED;
        while at < range.end {
            let lowered = lowered_word(bytes_at(text, at));
            state = mix(state, first_of(lowered, range.end - at));
            at += LANES;
        }
        finish(state)
    }
}

/// Calls `visit` with the hash of every word of a text, eight bytes at a time.
#[inline]
pub(super) fn each_word(text: &[u8], mut visit: impl FnMut(WordHash)) {
    let mut at = 0;
    while at < text.len() {
        let lanes = Lanes::load(text, at);
        if lanes.words == 0 {
            at += LANES;
            continue;
        }
        let start = lanes.words.trailing_zeros() / 8;
        let lanes = lanes.skip(start);
        let length = lanes.leading();
        if start as usize + length < LANES {
            visit(finish(mix(SEED, lanes.first(length))));
            at += start as usize + length + 1;
            continue;
        }
        // The word may go on beyond what was loaded.
        let (hash, end) = long_word(text, at + start as usize);
        visit(hash);
        at = end + 1;
    }
}

/// The hash of the word at `at`, and where it ends.
fn long_word(text: &[u8], mut at: usize) -> (WordHash, usize) {
    let mut state = SEED;
    loop {
        let lanes = Lanes::load(text, at);
        let length = lanes.leading();
        if length > 0 {
            state = mix(state, lanes.first(length));
        }
        at += length;
        if length < LANES {
            return (finish(state), at);
        }
    }
}

/// Eight bytes of a text, the first in the lowest byte; zeros past its end.
#[derive(Clone, Copy)]
struct Lanes {
    /// Letters in lower case.
    lowered: u64,
    /// The highest bit of every byte that belongs to a word.
    words: u64,
}

impl Lanes {
    #[inline]
    fn load(text: &[u8], at: usize) -> Lanes {
        let bytes = bytes_at(text, at);
        let ascii = !bytes & HIGH;
        let low = bytes & !HIGH;
        let upper = between(low, b'A', b'Z');
        let letters = upper | between(low, b'a', b'z');
        let others = between(low, b'0', b'9') | between(low, b'_', b'_');
        Lanes {
            lowered: low | (upper & ascii) >> 2,
            words: (letters | others) & ascii,
        }
    }

    /// Without the first `count` bytes, fewer than eight.
    #[inline]
    fn skip(self, count: u32) -> Lanes {
        Lanes {
            lowered: self.lowered >> (8 * count),
            words: self.words >> (8 * count),
        }
    }

    /// How many bytes from the first on belong to words.
    #[inline]
    fn leading(self) -> usize {
        ((!self.words & HIGH).trailing_zeros() / 8) as usize
    }

    /// The first `count` bytes, at least one; zeros after them.
    #[inline]
    fn first(self, count: usize) -> u64 {
        first_of(self.lowered, count)
    }
}

/// Eight bytes of a text, the first in the lowest byte; zeros past its end.
#[inline]
fn bytes_at(text: &[u8], at: usize) -> u64 {
    let tail = text.get(at..).unwrap_or_default();
    match tail.first_chunk() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => last_bytes(text, tail.len()),
    }
}

/// The bytes of a word with its letters in lower case. What does not belong to it becomes anything.
#[inline]
fn lowered_word(bytes: u64) -> u64 {
    bytes | between(bytes & !HIGH, b'A', b'Z') >> 2
}

/// The first `count` bytes, at least one; zeros after them.
#[inline]
fn first_of(bytes: u64, count: usize) -> u64 {
    bytes & (u64::MAX >> (8 * (LANES - count.clamp(1, LANES))))
}

/// The last `count` bytes of a text, fewer than eight, the first in the lowest byte.
#[inline]
fn last_bytes(text: &[u8], count: usize) -> u64 {
    if count == 0 {
        return 0;
    }
    if let Some(last) = text.last_chunk() {
        return u64::from_le_bytes(*last) >> (8 * (LANES - count));
    }
    let tail = text.get(text.len() - count..).unwrap_or_default();
    match (tail.first_chunk(), tail.last_chunk()) {
        (Some(first), Some(last)) => {
            // Two halves that overlap or meet.
            let first = u64::from(u32::from_le_bytes(*first));
            let last = u64::from(u32::from_le_bytes(*last));
            first | last << (8 * (count - size_of::<u32>()))
        }
        _ => {
            let bytes = tail.iter().rev();
            bytes.fold(0, |bytes, byte| bytes << 8 | u64::from(*byte))
        }
    }
}

/// The highest bit of every byte, each below 128, that lies between two bytes.
#[inline]
fn between(low: u64, first: u8, last: u8) -> u64 {
    let from = low + ONES * u64::from(128 - first);
    let beyond = low + ONES * u64::from(127 - last);
    from & !beyond & HIGH
}

#[inline]
fn mix(state: u64, bytes: u64) -> u64 {
    let product = u128::from(state ^ bytes) * u128::from(FACTOR);
    let [low, high] = [product, product >> 64].map(|half| half & u128::from(u64::MAX));
    u64::try_from(low ^ high).unwrap_or(0)
}

#[inline]
fn finish(state: u64) -> WordHash {
    let mixed = mix(state, SEED) >> 32;
    WordHash(u32::try_from(mixed).unwrap_or(0).max(1))
}
