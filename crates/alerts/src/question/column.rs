//! The columns that a question computes, and how those of steps become those of a window.

use cordwood_query::{Aggregate, Filter, Function};

use crate::check::CheckedMeasure;

/// How the values of two steps become that of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    /// By adding.
    Sum,
    /// The lesser; a number before a text, as the language has it.
    Least,
    /// The greater.
    Greatest,
    /// That of the earlier step.
    First,
    /// That of the later.
    Last,
}

impl Fold {
    /// `None` where the values of steps do not tell that of both.
    pub(crate) fn of(function: &Function) -> Option<Fold> {
        match function {
            Function::Count(_) | Function::Sum(_) | Function::Rate => Some(Fold::Sum),
            Function::Min(_) => Some(Fold::Least),
            Function::Max(_) => Some(Fold::Greatest),
            Function::First(_) => Some(Fold::First),
            Function::Last(_) => Some(Fold::Last),
            Function::CountDistinct(_) | Function::Avg(_) | Function::Percentile(..) => None,
        }
    }
}

/// Where the value of a measure comes from, as indexes of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The column.
    Value(usize),
    /// The column, by the second of the window.
    PerSecond(usize),
    /// One column in percent of another.
    Percent { of: usize, to: usize },
}

/// Columns to compute, each once.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) aggregates: Vec<Aggregate>,
}

impl Columns {
    /// The place of a column, which is added if it is not there.
    pub(super) fn place(&mut self, function: Function, condition: Option<Filter>) -> usize {
        let same =
            |column: &Aggregate| column.function == function && column.condition == condition;
        if let Some(place) = self.aggregates.iter().position(same) {
            return place;
        }
        self.aggregates.push(Aggregate {
            function,
            condition,
            name: format!("_{}", self.aggregates.len() + 1),
        });
        self.aggregates.len() - 1
    }

    /// Where the value of a measure will be.
    pub(super) fn source(&mut self, measure: &CheckedMeasure) -> Source {
        match measure {
            // The language's own `rate()` is by the second of the range searched, which is not the window where that is of arrival.
            CheckedMeasure::Function {
                function: Function::Rate,
                condition,
            } => Source::PerSecond(self.place(Function::Count(None), condition.clone())),
            CheckedMeasure::Function {
                function,
                condition,
            } => Source::Value(self.place(function.clone(), condition.clone())),
            CheckedMeasure::Ratio { of, to } => Source::Percent {
                of: self.place(Function::Count(None), meant(of)),
                to: self.place(Function::Count(None), meant(to)),
            },
        }
    }
}

/// A condition, unless it holds for every event.
fn meant(filter: &Filter) -> Option<Filter> {
    (*filter != Filter::All).then(|| filter.clone())
}
