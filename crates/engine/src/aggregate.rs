//! What is computed over the rows of a group: one file per function, each an accumulator that rows are added to and
//! others are merged into, in any order, with the same outcome.

mod count_distinct;
mod exact_sum;
mod first_last;
mod histogram;
mod hyperloglog;
mod min_max;
mod percentile;
mod pieces;
mod sum;

use cordwood_event::{EventId, Scalar};
use cordwood_query::Function;

pub(crate) use count_distinct::{CountDistinct, distinct_hash};
pub(crate) use first_last::Edge;
pub(crate) use min_max::Extreme;
pub(crate) use percentile::Values;
pub(crate) use sum::Sum;

use crate::Cell;
use crate::datum::{Datum, Leaf};

/// How a column of the answer was approximated.
#[derive(Clone, Debug, PartialEq)]
pub struct Approximation {
    /// The column.
    pub column: String,
    /// How.
    pub method: Method,
}

/// A way to approximate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Different values counted by HyperLogLog.
    HyperLogLog {
        /// The standard error, as a share of the count.
        standard_error: f64,
    },
    /// Values read off a histogram whose buckets grow with the values.
    Histogram {
        /// The most a value can be off, as a share of itself.
        relative_error: f64,
    },
}

/// Visits the values that a field has in a row.
pub(crate) type EachValue<'a> = dyn FnMut(&mut dyn FnMut(Datum<'_>)) + 'a;

/// What a group holds for one column.
#[derive(Clone, Debug)]
pub(crate) enum Accumulator {
    CountDistinct(CountDistinct),
    Sum(Sum),
    Extreme(Extreme),
    Values(Values),
    Edge(Edge),
}

impl Accumulator {
    /// `None` for functions that count rows, for which a number does.
    pub(crate) fn new(function: &Function) -> Option<Accumulator> {
        Some(match function {
            Function::Count(_) | Function::Rate => return None,
            Function::CountDistinct(_) => Accumulator::CountDistinct(CountDistinct::default()),
            Function::Sum(_) | Function::Avg(_) => Accumulator::Sum(Sum::default()),
            Function::Min(_) => Accumulator::Extreme(Extreme::least()),
            Function::Max(_) => Accumulator::Extreme(Extreme::greatest()),
            Function::Percentile(..) => Accumulator::Values(Values::default()),
            Function::First(_) => Accumulator::Edge(Edge::first()),
            Function::Last(_) => Accumulator::Edge(Edge::last()),
        })
    }

    /// Adds one row, whose field has these values.
    pub(crate) fn add(&mut self, id: EventId, each: &mut EachValue<'_>) {
        match self {
            Accumulator::Edge(edge) => each(&mut |datum| edge.add(id, datum)),
            Accumulator::CountDistinct(distinct) => add_leaves(each, |leaf| distinct.add(leaf)),
            Accumulator::Sum(sum) => add_leaves(each, |leaf| {
                leaf.as_number()
                    .into_iter()
                    .for_each(|number| sum.add(number));
            }),
            Accumulator::Values(values) => add_leaves(each, |leaf| {
                leaf.as_number()
                    .into_iter()
                    .for_each(|number| values.add(number));
            }),
            Accumulator::Extreme(extreme) => add_leaves(each, |leaf| extreme.add(leaf)),
        }
    }

    /// Adds one row, whose field has its id for a value.
    pub(crate) fn add_id(&mut self, id: EventId) {
        match self {
            Accumulator::Edge(edge) => edge.add_id(id),
            other => other.add(id, &mut |visit| {
                visit(Datum::Scalar(Scalar::Str(&id.to_string())));
            }),
        }
    }

    /// Adds what another holds. Both are of the same function.
    pub(crate) fn merge(&mut self, other: Accumulator) {
        match (self, other) {
            (Accumulator::CountDistinct(own), Accumulator::CountDistinct(other)) => {
                own.merge(other);
            }
            (Accumulator::Sum(own), Accumulator::Sum(other)) => own.merge(other),
            (Accumulator::Extreme(own), Accumulator::Extreme(other)) => own.merge(other),
            (Accumulator::Values(own), Accumulator::Values(other)) => own.merge(other),
            (Accumulator::Edge(own), Accumulator::Edge(other)) => own.merge(other),
            _ => debug_assert!(false, "accumulators of one column are of one kind"),
        }
    }

    /// The value of the column.
    pub(crate) fn finish(self, function: &Function) -> Cell {
        match (self, function) {
            (Accumulator::CountDistinct(distinct), _) => Cell::Int(distinct.count().into()),
            (Accumulator::Sum(sum), Function::Avg(_)) => sum.average(),
            (Accumulator::Sum(sum), _) => sum.total(),
            (Accumulator::Extreme(extreme), _) => extreme.into_cell(),
            (Accumulator::Values(values), Function::Percentile(percentile, _)) => {
                values.percentile(*percentile)
            }
            (Accumulator::Values(_), _) => Cell::Null,
            (Accumulator::Edge(edge), _) => edge.into_cell(),
        }
    }

    /// How it approximates, if it does.
    pub(crate) fn method(&self) -> Option<Method> {
        match self {
            Accumulator::CountDistinct(distinct) => distinct.method(),
            Accumulator::Values(values) => values.method(),
            _ => None,
        }
    }

    /// Approximates from now on, to take less memory.
    pub(crate) fn condense(&mut self) {
        match self {
            Accumulator::CountDistinct(distinct) => distinct.condense(),
            Accumulator::Values(values) => values.condense(),
            _ => {}
        }
    }

    /// Lets go of what it shares with others of its block.
    pub(crate) fn detach(&mut self) {
        if let Accumulator::Values(values) = self {
            values.settle();
        }
    }

    /// The memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let held = match self {
            Accumulator::CountDistinct(distinct) => distinct.bytes(),
            Accumulator::Sum(sum) => sum.bytes(),
            Accumulator::Extreme(extreme) => extreme.bytes(),
            Accumulator::Values(values) => values.bytes(),
            Accumulator::Edge(edge) => edge.bytes(),
        };
        size_of::<Accumulator>() as u64 + held
    }
}

fn add_leaves(each: &mut EachValue<'_>, mut add: impl FnMut(Leaf<'_>)) {
    each(&mut |datum| datum.each_leaf(&mut add));
}
