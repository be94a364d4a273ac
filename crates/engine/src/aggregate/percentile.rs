//! Percentiles by nearest rank: exact up to a limit, off a histogram beyond it.

use cordwood_event::Number;
use cordwood_query::Percentile;

use super::Method;
use super::histogram::Histogram;
use crate::Cell;

/// How many numbers of a group are kept as they are.
const EXACT_MAX: usize = 100_000;

/// The numbers so far.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Exact(Vec<Number>),
    Sketch(Box<Histogram>),
}

impl Default for Values {
    fn default() -> Values {
        Values::Exact(Vec::new())
    }
}

impl Values {
    pub(crate) fn add(&mut self, number: Number) {
        match self {
            Values::Sketch(histogram) => histogram.add(number.as_f64()),
            Values::Exact(numbers) => {
                numbers.push(number);
                if numbers.len() > EXACT_MAX {
                    self.condense();
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: Values) {
        match other {
            Values::Exact(numbers) => numbers.into_iter().for_each(|number| self.add(number)),
            Values::Sketch(other) => {
                self.condense();
                if let Values::Sketch(own) = self {
                    own.merge(&other);
                }
            }
        }
    }

    pub(crate) fn condense(&mut self) {
        if let Values::Exact(numbers) = self {
            let mut histogram = Box::<Histogram>::default();
            numbers
                .iter()
                .for_each(|number| histogram.add(number.as_f64()));
            *self = Values::Sketch(histogram);
        }
    }

    /// Null of no number.
    pub(crate) fn percentile(self, percentile: Percentile) -> Cell {
        match self {
            Values::Exact(mut numbers) => {
                numbers.sort_by(|a, b| a.compare(*b));
                let rank = rank_of(percentile, numbers.len() as u64);
                let number = rank.and_then(|rank| numbers.get(usize::try_from(rank).ok()?));
                number.map_or(Cell::Null, |number| Cell::of_number(*number))
            }
            Values::Sketch(histogram) => rank_of(percentile, histogram.count())
                .and_then(|rank| histogram.value_at(rank))
                .map_or(Cell::Null, Cell::Float),
        }
    }

    pub(crate) fn method(&self) -> Option<Method> {
        match self {
            Values::Exact(_) => None,
            Values::Sketch(_) => Some(Method::Histogram {
                relative_error: Histogram::RELATIVE_ERROR,
            }),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Values::Exact(numbers) => (numbers.capacity() * size_of::<Number>()) as u64,
            Values::Sketch(histogram) => histogram.bytes(),
        }
    }
}

/// The index of the value at the nearest rank among `count` sorted ones.
fn rank_of(Percentile(thousandths): Percentile, count: u64) -> Option<u64> {
    /// A hundred percent.
    const WHOLE: u128 = 100_000;
    let rank = (u128::from(thousandths) * u128::from(count)).div_ceil(WHOLE);
    let last = count.checked_sub(1)?;
    Some(
        u64::try_from(rank)
            .unwrap_or(u64::MAX)
            .saturating_sub(1)
            .min(last),
    )
}
