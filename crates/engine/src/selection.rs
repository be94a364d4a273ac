//! The rows of one block that are still in the running, as one bit each.
//!
//! Clauses of a conjunction are evaluated one after another, each only on the rows the ones before left.

use std::ops::Range;

const BITS: usize = u64::BITS as usize;

/// A set of the rows `0..rows` of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    words: Vec<u64>,
    rows: usize,
}

impl Selection {
    pub(crate) fn none(rows: usize) -> Selection {
        Selection {
            words: vec![0; rows.div_ceil(BITS)],
            rows,
        }
    }

    pub(crate) fn all(rows: usize) -> Selection {
        let mut all = Selection {
            words: vec![u64::MAX; rows.div_ceil(BITS)],
            rows,
        };
        all.clear_tail();
        all
    }

    /// 64 rows a word, the first in the lowest bit; bits past the last row are dropped.
    pub(crate) fn of_words(rows: usize, words: Vec<u64>) -> Selection {
        debug_assert_eq!(words.len(), rows.div_ceil(BITS), "one bit for each row");
        let mut selection = Selection { words, rows };
        selection.clear_tail();
        selection
    }

    /// The rows of `range`, which may reach past the end.
    pub(crate) fn range(rows: usize, range: Range<usize>) -> Selection {
        let mut selection = Selection::all(rows);
        selection.keep_range(range);
        selection
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// 64 rows a word, the first in the lowest bit; bits past the last row are zero.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(crate) fn contains(&self, row: usize) -> bool {
        let word = self.words.get(row / BITS);
        word.is_some_and(|word| word >> (row % BITS) & 1 == 1)
    }

    pub(crate) fn insert(&mut self, row: usize) {
        self.words[row / BITS] |= 1 << (row % BITS);
    }

    /// Adds the rows from `start` on whose bits are set in the low `width` bits of `bits`.
    pub(crate) fn insert_bits(&mut self, start: usize, bits: u64, width: usize) {
        let (index, shift) = (start / BITS, start % BITS);
        if let Some(word) = self.words.get_mut(index) {
            *word |= bits << shift;
        }
        if shift + width > BITS
            && let Some(word) = self.words.get_mut(index + 1)
        {
            *word |= bits >> (BITS - shift);
        }
    }

    /// The `width` rows from `start` on, at most 64, as the low bits of a word.
    pub(crate) fn bits(&self, start: usize, width: usize) -> u64 {
        let (index, shift) = (start / BITS, start % BITS);
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        let mut bits = word(index) >> shift;
        if shift + width > BITS {
            bits |= word(index + 1) << (BITS - shift);
        }
        match width {
            0 => 0,
            _ => bits & (u64::MAX >> (BITS - width)),
        }
    }

    /// Those rows for which `holds`.
    pub(crate) fn filter(&self, mut holds: impl FnMut(usize) -> bool) -> Selection {
        let words = self.words.iter().enumerate().map(|(index, word)| {
            let first = index * BITS;
            if *word == u64::MAX {
                // Every row is asked for: no branch on the bits, so that simple tests become vector code.
                return (0..BITS).fold(0, |held, bit| held | u64::from(holds(first + bit)) << bit);
            }
            let mut open = *word;
            let mut held = 0;
            while open != 0 {
                let bit = open.trailing_zeros() as usize;
                held |= u64::from(holds(first + bit)) << bit;
                open &= open - 1;
            }
            held
        });
        Selection {
            words: words.collect(),
            rows: self.rows,
        }
    }

    /// Those rows for whose code `holds` says so; there is a code for every row.
    pub(crate) fn filter_codes<C: Copy + Into<u16>>(
        &self,
        codes: &[C],
        holds: &[bool],
    ) -> Selection {
        let first = holds.iter().position(|holds| *holds).unwrap_or(0);
        let run = holds[first..].iter().take_while(|holds| **holds).count();
        let are_others = holds[first + run..].contains(&true);
        match (u16::try_from(first), u16::try_from(run)) {
            // A comparison, and not a look into a table, becomes vector code.
            (Ok(first), Ok(run)) if !are_others => {
                self.filter_values(codes, |code| code.into().wrapping_sub(first) < run)
            }
            _ => self.filter_values(codes, |code| {
                holds.get(usize::from(code.into())) == Some(&true)
            }),
        }
    }

    /// Those rows for whose value `holds`; there is a value for every row. A cheap test of many rows becomes vector code.
    pub(crate) fn filter_values<T: Copy>(
        &self,
        values: &[T],
        holds: impl Fn(T) -> bool,
    ) -> Selection {
        /// Of fewer rows of a word, each is tested by itself.
        const ROWS_MIN: u32 = 8;
        let words = self
            .words
            .iter()
            .zip(values.chunks(BITS))
            .map(|(word, values)| {
                if word.count_ones() >= ROWS_MIN
                    && let Some(values) = values.first_chunk::<BITS>()
                {
                    let mut held = [0; BITS];
                    for (held, value) in held.iter_mut().zip(values) {
                        *held = u8::from(holds(*value));
                    }
                    return word & bits_of(&held);
                }
                let mut open = *word;
                let mut held = 0;
                while open != 0 {
                    let bit = open.trailing_zeros();
                    let value = values.get(bit as usize);
                    held |= u64::from(value.is_some_and(|value| holds(*value))) << bit;
                    open &= open - 1;
                }
                held
            });
        let mut words: Vec<u64> = words.collect();
        words.resize(self.words.len(), 0);
        Selection {
            words,
            rows: self.rows,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Whether every row is selected.
    pub(crate) fn is_all(&self) -> bool {
        self.count() == self.rows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn intersect(&mut self, other: &Selection) {
        self.combine(other, |a, b| a & b);
    }

    pub(crate) fn union(&mut self, other: &Selection) {
        self.combine(other, |a, b| a | b);
    }

    pub(crate) fn subtract(&mut self, other: &Selection) {
        self.combine(other, |a, b| a & !b);
    }

    fn combine(&mut self, other: &Selection, with: impl Fn(u64, u64) -> u64) {
        debug_assert_eq!(self.rows, other.rows, "selections of one block");
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word = with(*word, *other);
        }
    }

    /// Drops every row outside `range`.
    pub(crate) fn keep_range(&mut self, range: Range<usize>) {
        for (index, word) in self.words.iter_mut().enumerate() {
            *word &= range_mask(index * BITS, &range);
        }
    }

    /// How many rows of `range` are selected.
    pub(crate) fn count_in(&self, range: Range<usize>) -> usize {
        let first = range.start / BITS;
        let last = range.end.div_ceil(BITS).min(self.words.len());
        (first..last)
            .map(|index| (self.words[index] & range_mask(index * BITS, &range)).count_ones())
            .sum::<u32>() as usize
    }

    /// The rows, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter_in(0..self.rows)
    }

    /// The rows of `range`, rising.
    pub(crate) fn iter_in(&self, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let first = range.start / BITS;
        let last = range.end.div_ceil(BITS).min(self.words.len());
        (first..last).flat_map(move |index| {
            let mut rest = self.words[index] & range_mask(index * BITS, &range);
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    index * BITS + bit
                })
            })
        })
    }

    /// The rows, falling.
    pub(crate) fn iter_backwards(&self) -> impl Iterator<Item = usize> + '_ {
        let words = self.words.iter().enumerate().rev();
        words.flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = BITS - 1 - rest.leading_zeros() as usize;
                    rest &= !(1 << bit);
                    index * BITS + bit
                })
            })
        })
    }

    fn clear_tail(&mut self) {
        let used = self.rows % BITS;
        if used != 0
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << used) - 1;
        }
    }
}

/// The bytes, each 0 or 1, as bits: vector code writes bytes side by side, but shifts no bit to a place of its own.
fn bits_of(bytes: &[u8; BITS]) -> u64 {
    /// Moves the lowest bits of eight bytes together in the highest byte; no two products meet.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let eights = bytes.as_chunks::<8>().0.iter().enumerate();
    eights.fold(0, |bits, (index, eight)| {
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56;
        bits | gathered << (index * 8)
    })
}

/// The bits of the word whose first row is `base` that lie in `range`.
fn range_mask(base: usize, range: &Range<usize>) -> u64 {
    let start = range.start.saturating_sub(base).min(BITS);
    let end = range.end.saturating_sub(base).min(BITS);
    if start >= end {
        return 0;
    }
    (u64::MAX >> (BITS - (end - start))) << start
}

#[cfg(test)]
mod tests;
