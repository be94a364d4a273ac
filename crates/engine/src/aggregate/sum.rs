//! `sum` and `avg`: exact, and rounded once at the end.

use cordwood_event::Number;

use super::exact_sum::ExactSum;
use crate::Cell;

/// Integers from here on are added with the floats: 2^47 of those below fit 128 bits.
const INTEGER_END: u128 = 1 << 80;

/// The numbers so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    count: u64,
    integers: i128,
    /// Made with the first float.
    floats: Option<Box<ExactSum>>,
}

impl Sum {
    pub(crate) fn add(&mut self, number: Number) {
        match number {
            Number::Int(integer) if integer.unsigned_abs() < INTEGER_END => {
                self.add_integers(1, integer);
            }
            Number::Int(integer) => {
                self.count += 1;
                self.floats.get_or_insert_default().add_integer(integer);
            }
            Number::Float(float) => {
                self.count += 1;
                self.floats.get_or_insert_default().add(float);
            }
        }
    }

    /// Adds `count` integers of 64 bits that come to `total`.
    pub(crate) fn add_integers(&mut self, count: u64, total: i128) {
        self.count += count;
        self.integers += total;
    }

    pub(crate) fn add_floats(&mut self, floats: &[f64]) {
        if !floats.is_empty() {
            self.count += floats.len() as u64;
            self.floats.get_or_insert_default().add_all(floats);
        }
    }

    pub(crate) fn merge(&mut self, other: Sum) {
        self.count += other.count;
        self.integers += other.integers;
        match (&mut self.floats, other.floats) {
            (Some(own), Some(other)) => own.merge(&other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
    }

    /// Null of no number, and where the sum is beyond the range of a float.
    pub(crate) fn total(&self) -> Cell {
        match self.floats {
            _ if self.count == 0 => Cell::Null,
            None => Cell::Int(self.integers),
            Some(_) => finite(self.as_f64()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an average is a float")]
    pub(crate) fn average(&self) -> Cell {
        match self.count {
            0 => Cell::Null,
            count => finite(self.as_f64() / count as f64),
        }
    }

    fn as_f64(&self) -> f64 {
        let mut sum = self.floats.clone().unwrap_or_default();
        sum.add_integer(self.integers);
        sum.to_f64()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.floats
            .as_ref()
            .map_or(0, |_| size_of::<ExactSum>() as u64)
    }
}

fn finite(float: f64) -> Cell {
    if float.is_finite() {
        Cell::Float(float)
    } else {
        Cell::Null
    }
}
