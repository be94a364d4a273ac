//! The runs of a text, found many bytes at a time: every byte is looked at once, without a branch, and what it is becomes a bit.
//!
//! What a run is, [`runs`](super::runs) says character by character. This finds the same for a block of texts, and the words of ASCII
//! that runs are made of.

use std::ops::Range;

use cordwood_event::is_word;

use super::Run;

/// Bytes whose bits share a number.
const GROUP: usize = 64;

/// Bytes that are looked at together.
const LANES: usize = 16;

/// What a byte can be, as bits of its class.
const SLOT: u8 = 1;
const DIGIT: u8 = 2;
const WORD: u8 = 4;

/// How far each bit is from the highest of its byte.
const SLOT_SHIFT: i32 = 7;
const DIGIT_SHIFT: i32 = 6;
const WORD_SHIFT: i32 = 5;

/// What the bytes of one text are. Kept from text to text for its memory.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    groups: Vec<Marked>,
    is_ascii: bool,
}

/// What 64 bytes are, a bit for each, the first the lowest.
#[derive(Clone, Copy, Debug, Default)]
struct Marked {
    /// Of a slot character.
    slots: u64,
    /// A digit of ASCII.
    digits: u64,
    /// A letter or digit of ASCII, or `_`.
    words: u64,
}

/// A word of ASCII within a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MarkedWord {
    pub(crate) range: Range<usize>,
    pub(crate) has_digit: bool,
}

impl Marks {
    /// Marks the bytes of another text.
    pub(crate) fn mark(&mut self, text: &str) {
        self.groups.clear();
        self.groups
            .resize(text.len().div_ceil(GROUP), Marked::default());
        let (whole, rest) = text.as_bytes().as_chunks();
        for (bytes, start) in whole.iter().zip((0..).step_by(LANES)) {
            self.mark_lanes(bytes, start);
        }
        if !rest.is_empty() {
            // No byte past the end is part of anything.
            let mut padded = [0; LANES];
            if let Some(head) = padded.get_mut(..rest.len()) {
                head.copy_from_slice(rest);
            }
            self.mark_lanes(&padded, whole.len() * LANES);
        }
        self.is_ascii = text.is_ascii();
        if !self.is_ascii {
            self.mark_characters(text);
        }
    }

    #[inline]
    fn mark_lanes(&mut self, bytes: &[u8; LANES], start: usize) {
        let mut classes = [0; LANES];
        for (class, byte) in classes.iter_mut().zip(bytes) {
            *class = class_of(*byte);
        }
        if let Some(group) = self.groups.get_mut(start / GROUP) {
            let shift = start % GROUP;
            group.slots |= gathered::<SLOT_SHIFT>(&classes) << shift;
            group.digits |= gathered::<DIGIT_SHIFT>(&classes) << shift;
            group.words |= gathered::<WORD_SHIFT>(&classes) << shift;
        }
    }

    /// Marks the letters and digits beyond ASCII.
    fn mark_characters(&mut self, text: &str) {
        for (start, c) in text.char_indices() {
            if c.is_ascii() || !is_word(c) {
                continue;
            }
            for at in start..start + c.len_utf8() {
                if let Some(group) = self.groups.get_mut(at / GROUP) {
                    group.slots |= 1 << (at % GROUP);
                }
            }
        }
    }

    /// Whether the text is nothing but ASCII.
    pub(crate) fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Visits the runs of the text, in order.
    pub(crate) fn each_run(&self, mut visit: impl FnMut(Run)) {
        let mut start = 0;
        let mut last = 0;
        for (group, place) in self.with_end() {
            // A run begins or ends where a bit differs from the one before.
            let mut borders = group.slots ^ (group.slots << 1 | last);
            last = group.slots >> (GROUP - 1);
            while borders != 0 {
                let at = borders.trailing_zeros();
                borders &= borders - 1;
                let border = place + at as usize;
                if group.slots >> at & 1 == 1 {
                    start = border;
                    continue;
                }
                let range = start..border;
                let has_digit = self.has_digit(&range);
                visit(Run { range, has_digit });
            }
        }
    }

    /// Visits the runs with a digit, in order.
    #[inline]
    pub(crate) fn each_number(&self, mut visit: impl FnMut(Range<usize>)) {
        let mut start = 0;
        let mut last = 0;
        let mut carry = false;
        for (group, place) in self.with_end() {
            // Where a digit is added to the run it is in, a bit is carried to the end of the run.
            let (sum, carried) = group.slots.overflowing_add(group.digits);
            let (sum, carried_on) = sum.overflowing_add(carry.into());
            carry = carried | carried_on;
            let mut ends = sum & !group.slots;
            let starts = group.slots & !(group.slots << 1 | last);
            last = group.slots >> (GROUP - 1);
            while ends != 0 {
                let end = ends.trailing_zeros();
                ends &= ends - 1;
                let before = starts & ((1u64 << end) - 1);
                if before != 0 {
                    start = place + before.ilog2() as usize;
                }
                visit(start..place + end as usize);
            }
            if starts != 0 {
                start = place + starts.ilog2() as usize;
            }
        }
    }

    /// The groups and where they begin; and one in which nothing is marked, so that all runs end.
    #[inline]
    fn with_end(&self) -> impl Iterator<Item = (Marked, usize)> {
        let end = std::iter::once(Marked::default());
        self.groups
            .iter()
            .copied()
            .chain(end)
            .zip((0..).step_by(GROUP))
    }

    #[inline]
    fn has_digit(&self, range: &Range<usize>) -> bool {
        let mut at = range.start;
        loop {
            let digits = self.window(at, |group| group.digits);
            if digits & lowest(range.end - at) != 0 {
                return true;
            }
            at += GROUP;
            if at >= range.end {
                return false;
            }
        }
    }

    /// Visits the words of ASCII in a run.
    #[inline]
    pub(crate) fn each_word(&self, run: &Range<usize>, mut visit: impl FnMut(MarkedWord)) {
        let mut at = run.start;
        while at < run.end {
            let within = lowest(run.end - at);
            let mut words = self.window(at, |group| group.words) & within;
            let digits = self.window(at, |group| group.digits);
            let mut next = at + GROUP;
            while words != 0 {
                let before = words.trailing_zeros();
                let length = (words >> before).trailing_ones();
                let start = at + before as usize;
                let mut range = start..start + length as usize;
                let word = lowest(range.len()) << before;
                let mut has_digit = digits & word != 0;
                words &= !word;
                if before + length == u64::BITS {
                    // It may go on beyond what is in hand.
                    range.end = self.end(range.end, |group| group.words);
                    has_digit = self.has_digit(&range);
                    next = range.end;
                }
                visit(MarkedWord { range, has_digit });
            }
            at = next;
        }
    }

    /// The first byte at or after a place that is not marked.
    fn end(&self, mut at: usize, mask: impl Fn(&Marked) -> u64 + Copy) -> usize {
        loop {
            let marked = self.window(at, mask).trailing_ones() as usize;
            at += marked;
            if marked < GROUP {
                return at;
            }
        }
    }

    /// The bits of 64 bytes from a place on.
    #[inline]
    fn window(&self, at: usize, mask: impl Fn(&Marked) -> u64) -> u64 {
        let (index, shift) = (at / GROUP, at % GROUP);
        let low = self.groups.get(index).map_or(0, &mask) >> shift;
        if shift == 0 {
            return low;
        }
        let high = self.groups.get(index + 1).map_or(0, &mask);
        low | high << (GROUP - shift)
    }
}

/// So many of the lowest bits set, at least one; all from 64 on.
#[inline]
fn lowest(count: usize) -> u64 {
    u64::MAX >> (GROUP - count.clamp(1, GROUP))
}

/// Comparisons only, so that the compiler has sixteen bytes in hand at once.
#[inline]
fn class_of(byte: u8) -> u8 {
    let is_within = |first: u8, count: u8| byte.wrapping_sub(first) < count;
    let is_digit = is_within(b'0', 10);
    let is_word = ((byte | 0x20).wrapping_sub(b'a') < 26) | is_digit | (byte == b'_');
    // From `-` to `:` are `-./`, the digits and `:`.
    let joins = is_within(b'-', 14) | (byte == b'%') | (byte == b'@') | (byte == b'+');
    let class = |is_so: bool, bit: u8| if is_so { bit } else { 0 };
    class(is_word | joins, SLOT) | class(is_digit, DIGIT) | class(is_word, WORD)
}

/// The bit of each class that is so far from the highest, the first the lowest.
#[cfg(target_arch = "x86_64")]
#[inline]
fn gathered<const SHIFT: i32>(classes: &[u8; LANES]) -> u64 {
    use safe_arch::{load_unaligned_m128i, move_mask_i8_m128i, shl_imm_u64_m128i};
    let shifted = shl_imm_u64_m128i::<SHIFT>(load_unaligned_m128i(classes));
    move_mask_i8_m128i(shifted).cast_unsigned().into()
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn gathered<const SHIFT: i32>(classes: &[u8; LANES]) -> u64 {
    portable::<SHIFT>(classes)
}

/// The product brings bit 8·i of eight bytes to 56 + i.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable<const SHIFT: i32>(classes: &[u8; LANES]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TO_THE_TOP: u64 = 0x0102_0408_1020_4080;
    let bits_of = |classes: &[u8; 8]| {
        let bits = u64::from_le_bytes(*classes) >> (7 - SHIFT) & ONES;
        bits.wrapping_mul(TO_THE_TOP) >> 56
    };
    match classes.as_chunks().0 {
        [first, second] => bits_of(first) | bits_of(second) << 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::runs;
    use super::*;

    fn runs_of(text: &str) -> Vec<Run> {
        let mut marks = Marks::default();
        // What was marked before must leave nothing behind.
        marks.mark(&"x1 ".repeat(90));
        marks.mark(text);
        let mut found = Vec::new();
        marks.each_run(|run| found.push(run));
        found
    }

    /// The words of ASCII in the runs of a text, byte by byte.
    fn words_of(text: &str) -> Vec<MarkedWord> {
        let mut words: Vec<MarkedWord> = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            if !byte.is_ascii_alphanumeric() && byte != b'_' {
                continue;
            }
            let has_digit = byte.is_ascii_digit();
            match words.last_mut() {
                Some(word) if word.range.end == at => {
                    word.range.end += 1;
                    word.has_digit |= has_digit;
                }
                _ => words.push(MarkedWord {
                    range: at..at + 1,
                    has_digit,
                }),
            }
        }
        words
    }

    fn check(text: &str) {
        let expected: Vec<Run> = runs(text).collect();
        assert_eq!(runs_of(text), expected, "{text:?}");
        let mut marks = Marks::default();
        marks.mark(text);
        assert_eq!(marks.is_ascii(), text.is_ascii());
        let mut numbers = Vec::new();
        marks.each_number(|number| numbers.push(number));
        let with_digit = expected.into_iter().filter(|run| run.has_digit);
        let expected: Vec<Range<usize>> = with_digit.map(|run| run.range).collect();
        assert_eq!(numbers, expected, "{text:?}");
        let mut words = Vec::new();
        marks.each_run(|run| marks.each_word(&run.range, |word| words.push(word)));
        assert_eq!(words, words_of(text), "{text:?}");
    }

    #[test]
    fn every_byte_of_ascii_is_what_it_is() {
        for byte in 0..=0x7f {
            check(&format!("a{}1", char::from(byte)));
        }
    }

    #[test]
    fn runs_and_words_reach_over_groups() {
        for length in [0, 1, 62, 63, 64, 65, 127, 128, 129, 200] {
            for pieces in [
                ["x", "7"],
                ["=", "x"],
                ["7", " "],
                ["\u{e9}", ","],
                ["/", "\u{2192}"],
            ] {
                let [piece, end] = pieces;
                check(&piece.repeat(length));
                check(&(piece.repeat(length) + end));
                check(&(end.to_owned() + &piece.repeat(length) + end + piece));
            }
        }
    }

    proptest! {
        #[test]
        fn bits_are_gathered_from_all_classes(classes: [u8; LANES]) {
            let bits = |bit: u8| {
                let set = (0..).zip(classes).filter(|(_, class)| class & bit != 0);
                set.fold(0u64, |bits, (place, _)| bits | 1 << place)
            };
            for (bit, found) in [
                (SLOT, [gathered::<SLOT_SHIFT>(&classes), portable::<SLOT_SHIFT>(&classes)]),
                (DIGIT, [gathered::<DIGIT_SHIFT>(&classes), portable::<DIGIT_SHIFT>(&classes)]),
                (WORD, [gathered::<WORD_SHIFT>(&classes), portable::<WORD_SHIFT>(&classes)]),
            ] {
                prop_assert_eq!(found, [bits(bit); 2]);
            }
        }

        #[test]
        fn any_text_is_taken_apart_as_by_characters(
            text in "([a-c_]{0,30}|[0-9.:/%@+-]{0,9}|[ ,=\\[\\{`^~\n]{0,70}|\u{e9}|\u{2192}|\u{663}|\u{65e5}|.){0,24}"
        ) {
            check(&text);
        }
    }
}
