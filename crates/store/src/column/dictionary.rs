//! The distinct values of a column, sorted, in one allocation per kind.

use std::cmp::Ordering;
use std::ops::Range;

use cordwood_event::Scalar;

use super::ScalarKind;

/// Distinct scalars of any kind, sorted by kind and then by value; a value's index is its code.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// The first code of each kind, then the end.
    starts: [usize; ScalarKind::ALL.len() + 1],
    bools: Vec<bool>,
    ints: Vec<i64>,
    floats: Vec<f64>,
    /// Str values, then Json values, one after the other.
    text: String,
    /// Where each of them ends.
    text_ends: Vec<u32>,
}

impl Dictionary {
    /// A dictionary from its parts, or `None` if they do not fit together.
    pub(crate) fn new(
        counts: [usize; ScalarKind::ALL.len()],
        (bools, ints, floats): (Vec<bool>, Vec<i64>, Vec<f64>),
        text: String,
        text_ends: Vec<u32>,
    ) -> Option<Dictionary> {
        let mut starts = [0; ScalarKind::ALL.len() + 1];
        let mut end = 0;
        for (start, count) in starts.iter_mut().skip(1).zip(counts) {
            end += count;
            *start = end;
        }
        let lengths = [bools.len(), ints.len(), floats.len(), text_ends.len()];
        let [_, bool_count, int_count, float_count, str_count, json_count] = counts;
        if lengths != [bool_count, int_count, float_count, str_count + json_count] {
            return None;
        }
        let mut start = 0usize;
        for end in &text_ends {
            text.get(start..*end as usize)?;
            start = *end as usize;
        }
        let dictionary = Dictionary {
            starts,
            bools,
            ints,
            floats,
            text,
            text_ends,
        };
        (start == dictionary.text.len()).then_some(dictionary)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        let [.., end] = self.starts;
        end
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The codes of the values of one kind.
    pub fn codes_of(&self, kind: ScalarKind) -> Range<usize> {
        let start = self.starts.get(kind as usize).copied();
        let end = self.starts.get(kind as usize + 1).copied();
        start.unwrap_or(0)..end.unwrap_or(0)
    }

    /// The value of a code.
    pub fn get(&self, code: usize) -> Option<Scalar<'_>> {
        // Most values are texts.
        if self.codes_of(ScalarKind::Str).contains(&code) {
            return self.text_at(code).map(Scalar::Str);
        }
        let kind = *ScalarKind::ALL
            .iter()
            .find(|kind| self.codes_of(**kind).contains(&code))?;
        let slot = code - self.codes_of(kind).start;
        match kind {
            ScalarKind::Null => Some(Scalar::Null),
            ScalarKind::Bool => self.bools.get(slot).map(|v| Scalar::Bool(*v)),
            ScalarKind::Int => self.ints.get(slot).map(|v| Scalar::Int(*v)),
            ScalarKind::Float => self.floats.get(slot).map(|v| Scalar::Float(*v)),
            ScalarKind::Str => self.text_at(code).map(Scalar::Str),
            ScalarKind::Json => self.text_at(code).map(Scalar::Json),
        }
    }

    /// The code of a text, if it is one of the values.
    pub fn code_of_text(&self, text: &str) -> Option<usize> {
        let codes = self.codes_of(ScalarKind::Str);
        let (mut start, mut end) = (codes.start, codes.end);
        while start < end {
            let middle = start.midpoint(end);
            match self.text_at(middle)?.cmp(text) {
                Ordering::Less => start = middle + 1,
                Ordering::Equal => return Some(middle),
                Ordering::Greater => end = middle,
            }
        }
        None
    }

    /// About the memory it takes.
    pub fn bytes(&self) -> u64 {
        let numbers = (self.ints.len() + self.floats.len()) * size_of::<u64>();
        let ends = self.text_ends.len() * size_of::<u32>();
        (self.text.len() + ends + numbers + self.bools.len() + size_of::<Dictionary>()) as u64
    }

    /// The values in code order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Scalar<'_>> {
        (0..self.len()).map(|code| self.get(code).unwrap_or(Scalar::Null))
    }

    fn text_at(&self, code: usize) -> Option<&str> {
        let index = code.checked_sub(self.codes_of(ScalarKind::Str).start)?;
        let start = match index.checked_sub(1) {
            Some(previous) => *self.text_ends.get(previous)? as usize,
            None => 0,
        };
        self.text.get(start..*self.text_ends.get(index)? as usize)
    }
}
