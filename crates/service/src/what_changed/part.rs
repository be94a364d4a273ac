//! A part of the events: those with a value of a field, or with two.

use std::fmt;

use cordwood_engine::Cell;
use cordwood_query::{Clause, Filter, Target, Test};
use serde::{Deserialize, Serialize};

/// A field and a value of it, as a query writes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldValue {
    /// The name of the field.
    pub field: String,
    /// The value as text.
    pub value: String,
}

impl FieldValue {
    pub(super) fn filter(&self) -> Filter {
        Filter::Clause(Clause {
            target: Target::named(&self.field),
            test: Test::Equals(self.value.clone()),
        })
    }
}

/// Reads as the clause of a query.
impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter().fmt(f)
    }
}

/// Events that have all of some values, one or two, sorted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Part(Vec<FieldValue>);

impl Part {
    pub(super) fn of(value: FieldValue) -> Part {
        Part(vec![value])
    }

    /// Those that have one more value.
    pub(super) fn with(&self, value: FieldValue) -> Part {
        let mut values = self.0.clone();
        values.push(value);
        values.sort();
        Part(values)
    }

    pub(super) fn values(&self) -> &[FieldValue] {
        &self.0
    }

    pub(super) fn has_field(&self, field: &str) -> bool {
        self.0.iter().any(|value| value.field == field)
    }

    pub(super) fn filter(&self) -> Filter {
        Filter::and(self.0.iter().map(FieldValue::filter).collect())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, value) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            value.fmt(f)?;
        }
        Ok(())
    }
}

/// The value of a group as a query writes it; `None` where no exact value finds it: it is absent, or an array or object.
pub(super) fn text_of(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null | Cell::Json(_) | Cell::Time(_) => None,
        Cell::Bool(boolean) => Some(boolean.to_string()),
        Cell::Int(integer) => Some(integer.to_string()),
        Cell::Float(float) => Some(float.to_string()),
        Cell::Str(text) => Some(text.to_string()),
    }
}
