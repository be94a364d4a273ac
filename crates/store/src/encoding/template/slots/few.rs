//! The distinct values of a slot, as long as they are few.

use crate::column::ScalarKind;
use crate::value_key::{KeyNumbers, ValueKey};

/// Numbers the values of one slot after the other; kept for its memory.
#[derive(Debug, Default)]
pub(super) struct FewValues<'a> {
    known: KeyNumbers,
    hasher: rapidhash::fast::RandomState,
    values: Vec<&'a [u8]>,
    codes: Vec<u16>,
}

impl<'a> FewValues<'a> {
    /// Sorts the distinct ones among these values and gives the code of every value; `None` if there are more than `distinct_max`.
    pub(super) fn of(
        &mut self,
        values: &[&'a [u8]],
        distinct_max: usize,
    ) -> Option<(&[&'a [u8]], &[u16])> {
        self.known.clear();
        self.values.clear();
        self.codes.clear();
        for value in values {
            let number = self.number(value, distinct_max)?;
            self.codes.push(number);
        }
        self.sort();
        Some((&self.values, &self.codes))
    }

    fn number(&mut self, value: &'a [u8], distinct_max: usize) -> Option<u16> {
        let key = ValueKey::of_text(value, ScalarKind::Str, &self.hasher);
        let is_same = |number: usize| self.values.get(number) == Some(&value);
        match self.known.find(key, is_same) {
            Ok(number) => u16::try_from(number).ok(),
            Err(_) if self.values.len() == distinct_max => None,
            Err(vacant) => {
                self.known.add(vacant);
                self.values.push(value);
                u16::try_from(self.values.len() - 1).ok()
            }
        }
    }

    fn sort(&mut self) {
        let values = self.values.iter().copied();
        let mut by_value: Vec<(&[u8], u16)> = values.zip(0..).collect();
        by_value.sort_unstable();
        let mut translated = vec![0; by_value.len()];
        for ((_, old), new) in by_value.iter().zip(0..) {
            if let Some(code) = translated.get_mut(usize::from(*old)) {
                *code = new;
            }
        }
        for code in &mut self.codes {
            *code = translated.get(usize::from(*code)).copied().unwrap_or(0);
        }
        self.values.sort_unstable();
    }
}
