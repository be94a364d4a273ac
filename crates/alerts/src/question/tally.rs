//! The values that a row has computed for a group, before they are a reading.

use cordwood_event::Timestamp;

use super::Fold;
use crate::Value;

/// Values by column. Those of steps are added up to those of a window with [`CheckedRule::add_up`](crate::CheckedRule::add_up).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    values: Vec<Option<Value>>,
    /// What a pattern reads.
    text: Option<String>,
}

impl Tally {
    pub(super) fn new(values: Vec<Option<Value>>, text: Option<String>) -> Tally {
        Tally { values, text }
    }

    pub(crate) fn value(&self, column: usize) -> Option<&Value> {
        self.values.get(column)?.as_ref()
    }

    pub(crate) fn number(&self, column: usize) -> Option<f64> {
        self.value(column)?.number()
    }

    /// The time that the first column is: of [`CheckedRule::roster_question`](crate::CheckedRule::roster_question).
    pub fn time(&self) -> Option<Timestamp> {
        match self.value(0)? {
            Value::Number(_) => None,
            Value::Text(text) => Timestamp::parse_rfc3339(text),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Adds the values of a later step, each column by its fold.
    pub(crate) fn add(&mut self, later: &Tally, folds: &[Fold]) {
        self.values.resize(folds.len(), None);
        for ((fold, value), later) in folds.iter().zip(&mut self.values).zip(&later.values) {
            let both = match (value.take(), later.clone()) {
                (Some(earlier), Some(later)) => Some(fold.both(earlier, later)),
                (earlier, later) => earlier.or(later),
            };
            *value = both;
        }
        if later.text.is_some() {
            self.text.clone_from(&later.text);
        }
    }
}

impl Fold {
    fn both(self, earlier: Value, later: Value) -> Value {
        use Value::{Number, Text};
        match (self, earlier, later) {
            (Fold::First, earlier, _) => earlier,
            (Fold::Last, _, later) => later,
            (Fold::Sum, Number(a), Number(b)) => Number(a + b),
            (Fold::Least, Number(a), Number(b)) => Number(a.min(b)),
            (Fold::Greatest, Number(a), Number(b)) => Number(a.max(b)),
            (_, Number(number), Text(_)) | (_, Text(_), Number(number)) => Number(number),
            (Fold::Greatest, Text(a), Text(b)) => Text(a.max(b)),
            (_, Text(a), Text(b)) => Text(a.min(b)),
        }
    }
}
