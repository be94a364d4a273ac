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
    Exact(Numbers),
    Sketch(Box<Histogram>),
}

/// Numbers as they came, each kind by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    floats: Vec<f64>,
    integers: Vec<i64>,
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
            Number::Float(float) => self.add_float(float),
            Number::Int(integer) => match i64::try_from(integer) {
                Ok(integer) => self.add_integer(integer),
                Err(_) => self.add_each(&Numbers {
                    wide: vec![integer],
                    ..Numbers::default()
                }),
            },
        }
    }

    pub(crate) fn add_float(&mut self, float: f64) {
        match self {
            Values::Sketch(histogram) => histogram.add(float),
            Values::Exact(numbers) => {
                numbers.floats.push(float);
                self.keep_within_limit();
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a histogram is far coarser than a float"
    )]
    pub(crate) fn add_integer(&mut self, integer: i64) {
        match self {
            Values::Sketch(histogram) => histogram.add(integer as f64),
            Values::Exact(numbers) => {
                numbers.integers.push(integer);
                self.keep_within_limit();
            }
        }
    }

    pub(crate) fn add_floats(&mut self, floats: &[f64]) {
        match self {
            Values::Sketch(histogram) => histogram.add_all(floats),
            Values::Exact(numbers) => {
                numbers.floats.extend_from_slice(floats);
                self.keep_within_limit();
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a histogram is far coarser than a float"
    )]
    pub(crate) fn add_integers(&mut self, integers: &[i64]) {
        match self {
            Values::Sketch(histogram) => histogram.add_each(integers, |integer| *integer as f64),
            Values::Exact(numbers) => {
                numbers.integers.extend_from_slice(integers);
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
        match self {
            Values::Sketch(histogram) => more.add_to(histogram),
            Values::Exact(numbers) => {
                numbers.floats.extend(&more.floats);
                numbers.integers.extend(&more.integers);
                numbers.wide.extend(&more.wide);
                self.keep_within_limit();
            }
        }
    }

    pub(crate) fn condense(&mut self) {
        if let Values::Exact(numbers) = self {
            let mut histogram = Box::<Histogram>::default();
            numbers.add_to(&mut histogram);
            *self = Values::Sketch(histogram);
        }
    }

    /// Null of no number.
    pub(crate) fn percentile(self, percentile: Percentile) -> Cell {
        match self {
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
            Values::Exact(_) => None,
            Values::Sketch(_) => Some(Method::Histogram {
                relative_error: Histogram::RELATIVE_ERROR,
            }),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Values::Exact(numbers) => numbers.bytes(),
            Values::Sketch(histogram) => histogram.bytes(),
        }
    }
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
        histogram.add_all(&self.floats);
        histogram.add_each(&self.integers, |integer| *integer as f64);
        histogram.add_each(&self.wide, |integer| *integer as f64);
    }

    /// The number that so many come before in order.
    fn at_rank(mut self, rank: usize) -> Option<Number> {
        if rank >= self.len() {
            return None;
        }
        if self.floats.len() == self.len() {
            let (_, float, _) = self.floats.select_nth_unstable_by(rank, f64::total_cmp);
            return Some(Number::Float(*float));
        }
        let floats = self.floats.into_iter().map(Number::Float);
        let integers = self.integers.into_iter().map(i128::from);
        let integers = integers.chain(self.wide).map(Number::Int);
        let mut numbers: Vec<Number> = floats.chain(integers).collect();
        let (_, number, _) = numbers.select_nth_unstable_by(rank, |a, b| a.compare(*b));
        Some(*number)
    }

    fn bytes(&self) -> u64 {
        let narrow = (self.floats.capacity() + self.integers.capacity()) * size_of::<u64>();
        (narrow + self.wide.capacity() * size_of::<i128>()) as u64
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
