//! Percentiles by nearest rank: exact up to a limit, off a histogram beyond it.

use std::ops::Range;
use std::sync::Arc;

use cordwood_event::Number;
use cordwood_query::Percentile;

use super::Method;
use super::histogram::Histogram;
use super::pieces::Pieces;
use crate::Cell;

/// How many numbers of a group are kept as they are.
const EXACT_MAX: usize = 100_000;

/// The numbers so far.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    /// Floats among those of the other groups of a block: they are moved once, when groups are merged.
    Run(Arc<Vec<f64>>, Range<usize>),
    Exact(Numbers),
    Sketch(Box<Histogram>),
}

/// Numbers as they came, each kind by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    floats: Pieces<f64>,
    integers: Pieces<i64>,
    /// Integers beyond 64 bits.
    wide: Vec<i128>,
}

impl Default for Values {
    fn default() -> Values {
        Values::Exact(Numbers::default())
    }
}

impl Values {
    pub(crate) fn add(&mut self, number: Number) {
        match number {
            Number::Float(float) => self.add_floats(&[float]),
            Number::Int(integer) => match i64::try_from(integer) {
                Ok(integer) => self.add_integers(&[integer]),
                Err(_) => self.add_each(&Numbers {
                    wide: vec![integer],
                    ..Numbers::default()
                }),
            },
        }
    }

    /// Adds some of a list of floats, which is kept as it is if there are no others.
    pub(crate) fn add_run(&mut self, all: &Arc<Vec<f64>>, range: Range<usize>) {
        match self {
            Values::Exact(numbers) if numbers.len() == 0 => {
                *self = Values::Run(Arc::clone(all), range);
            }
            _ => self.add_floats(floats_in(all, &range)),
        }
    }

    /// Makes numbers of their own of a run, so that the list it is in can go.
    pub(crate) fn settle(&mut self) {
        if let Values::Run(all, range) = self {
            let floats = floats_in(all, range).to_vec();
            *self = Values::Exact(Numbers {
                floats: floats.into(),
                ..Numbers::default()
            });
            self.keep_within_limit();
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a histogram is far coarser than a float"
    )]
    pub(crate) fn add_integers(&mut self, integers: &[i64]) {
        self.settle();
        match self {
            Values::Run(..) => {}
            Values::Sketch(histogram) => histogram.add_each(integers, |integer| *integer as f64),
            Values::Exact(numbers) => {
                numbers.integers.extend_from_slice(integers);
                self.keep_within_limit();
            }
        }
    }

    pub(crate) fn add_floats(&mut self, floats: &[f64]) {
        self.settle();
        match self {
            Values::Run(..) => {}
            Values::Sketch(histogram) => histogram.add_all(floats),
            Values::Exact(numbers) => {
                numbers.floats.extend_from_slice(floats);
                self.keep_within_limit();
            }
        }
    }

    fn keep_within_limit(&mut self) {
        if let Values::Exact(numbers) = self
            && numbers.len() > EXACT_MAX
        {
            self.condense();
        }
    }

    pub(crate) fn merge(&mut self, other: Values) {
        match other {
            Values::Run(all, range) => self.add_floats(floats_in(&all, &range)),
            Values::Exact(numbers) => self.add_each(&numbers),
            Values::Sketch(other) => {
                self.condense();
                if let Values::Sketch(own) = self {
                    own.merge(&other);
                }
            }
        }
    }

    fn add_each(&mut self, more: &Numbers) {
        self.settle();
        match self {
            Values::Run(..) => {}
            Values::Sketch(histogram) => more.add_to(histogram),
            Values::Exact(numbers) => {
                for floats in more.floats.each() {
                    numbers.floats.extend_from_slice(floats);
                }
                for integers in more.integers.each() {
                    numbers.integers.extend_from_slice(integers);
                }
                numbers.wide.extend(&more.wide);
                self.keep_within_limit();
            }
        }
    }

    pub(crate) fn condense(&mut self) {
        self.settle();
        if let Values::Exact(numbers) = self {
            let mut histogram = Box::<Histogram>::default();
            numbers.add_to(&mut histogram);
            *self = Values::Sketch(histogram);
        }
    }

    /// Null of no number.
    pub(crate) fn percentile(mut self, percentile: Percentile) -> Cell {
        self.settle();
        match self {
            Values::Run(..) => Cell::Null,
            Values::Exact(numbers) => {
                let rank = rank_of(percentile, numbers.len() as u64);
                let number = rank.and_then(|rank| numbers.at_rank(usize::try_from(rank).ok()?));
                number.map_or(Cell::Null, Cell::of_number)
            }
            Values::Sketch(histogram) => rank_of(percentile, histogram.count())
                .and_then(|rank| histogram.value_at(rank))
                .map_or(Cell::Null, Cell::Float),
        }
    }

    pub(crate) fn method(&self) -> Option<Method> {
        match self {
            Values::Run(..) | Values::Exact(_) => None,
            Values::Sketch(_) => Some(Method::Histogram {
                relative_error: Histogram::RELATIVE_ERROR,
            }),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Values::Run(_, range) => (range.len() * size_of::<f64>()) as u64,
            Values::Exact(numbers) => numbers.bytes(),
            Values::Sketch(histogram) => histogram.bytes(),
        }
    }
}

fn floats_in<'a>(all: &'a [f64], range: &Range<usize>) -> &'a [f64] {
    all.get(range.clone()).unwrap_or_default()
}

impl Numbers {
    fn len(&self) -> usize {
        self.floats.len() + self.integers.len() + self.wide.len()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a histogram is far coarser than a float"
    )]
    fn add_to(&self, histogram: &mut Histogram) {
        for floats in self.floats.each() {
            histogram.add_all(floats);
        }
        for integers in self.integers.each() {
            histogram.add_each(integers, |integer| *integer as f64);
        }
        histogram.add_each(&self.wide, |integer| *integer as f64);
    }

    /// The number that so many come before in order.
    fn at_rank(self, rank: usize) -> Option<Number> {
        if rank >= self.len() {
            return None;
        }
        if self.floats.len() == self.len() {
            let mut floats = self.floats.into_vec();
            let (_, float, _) = floats.select_nth_unstable_by(rank, f64::total_cmp);
            return Some(Number::Float(*float));
        }
        let floats = self.floats.into_vec().into_iter().map(Number::Float);
        let integers = self.integers.into_vec().into_iter().map(i128::from);
        let integers = integers.chain(self.wide).map(Number::Int);
        let mut numbers: Vec<Number> = floats.chain(integers).collect();
        let (_, number, _) = numbers.select_nth_unstable_by(rank, |a, b| a.compare(*b));
        Some(*number)
    }

    fn bytes(&self) -> u64 {
        let wide = self.wide.capacity() * size_of::<i128>();
        self.floats.bytes() + self.integers.bytes() + wide as u64
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cordwood_event::Number;
    use cordwood_query::Percentile;
    use proptest::prelude::*;

    use super::{EXACT_MAX, Values};
    use crate::Cell;

    /// The median of floats that come in runs of a list, among them one that is added by itself.
    fn median(floats: &[f64], ends: &[usize]) -> Cell {
        let all = Arc::new(floats.to_vec());
        let mut merged = Values::default();
        let mut start = 0;
        for end in ends
            .iter()
            .map(|end| (*end).min(floats.len()))
            .chain([floats.len()])
        {
            let mut values = Values::default();
            let end = end.max(start);
            let middle = start.midpoint(end);
            values.add_run(&all, start..middle);
            values.add_run(&all, middle..end);
            merged.merge(values);
            start = end;
        }
        merged.add(Number::Float(0.5));
        merged.percentile(Percentile(50_000))
    }

    proptest! {
        #[test]
        fn runs_are_the_numbers_in_them(
            floats in proptest::collection::vec(-9.0f64..9.0, 0..40),
            mut ends in proptest::collection::vec(0usize..40, 0..5),
        ) {
            ends.sort_unstable();
            let mut sorted = floats.clone();
            sorted.push(0.5);
            sorted.sort_by(f64::total_cmp);
            let expected = sorted[sorted.len().div_ceil(2) - 1];
            prop_assert_eq!(median(&floats, &ends), Cell::Float(expected));
        }
    }

    #[test]
    fn a_run_of_too_many_is_estimated() {
        let mut values = Values::default();
        values.add_run(&Arc::new(vec![3.0; EXACT_MAX + 1]), 0..EXACT_MAX + 1);
        values.settle();
        assert!(values.method().is_some());
        assert_eq!(values.percentile(Percentile(50_000)), Cell::Float(3.0));
    }
}
