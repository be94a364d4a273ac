//! The distinct values of a column in the order in which a dictionary lists them.

use std::cmp::Ordering;

use cordwood_event::Scalar;

use super::collected::Numbered;
use crate::column::ScalarKind;
use crate::value_key::text_head;

/// The distinct values, sorted, and the code of every value.
#[derive(Debug)]
pub(crate) struct Distinct<'a> {
    pub(crate) values: Vec<Scalar<'a>>,
    pub(crate) codes: Vec<u16>,
}

impl<'a> Distinct<'a> {
    /// Sorts the values and translates the codes.
    pub(crate) fn of_numbered(numbered: &Numbered<'a>) -> Distinct<'a> {
        let mut by_value: Vec<Headed<'a>> = (0..)
            .zip(&numbered.distinct)
            .map(|(number, value)| Headed::new(number, *value))
            .collect();
        by_value.sort_unstable_by(Headed::compare);
        let mut translated = vec![0u16; by_value.len()];
        for (new, headed) in (0..).zip(&by_value) {
            if let Some(code) = translated.get_mut(usize::from(headed.number)) {
                *code = new;
            }
        }
        let translate = |code: &u16| translated.get(usize::from(*code)).copied().unwrap_or(0);
        Distinct {
            codes: numbered.codes.iter().map(translate).collect(),
            values: by_value.into_iter().map(|headed| headed.value).collect(),
        }
    }

    /// How many rows have each code.
    pub(crate) fn rows_by_code(&self) -> Vec<u32> {
        let mut rows = vec![0; self.values.len()];
        for code in &self.codes {
            if let Some(rows) = rows.get_mut(usize::from(*code)) {
                *rows += 1;
            }
        }
        rows
    }
}

/// A value and its number, with what decides most comparisons.
#[derive(Clone, Copy, Debug)]
struct Headed<'a> {
    kind: ScalarKind,
    /// The head of a text; of texts that differ there it is enough.
    head: u64,
    value: Scalar<'a>,
    number: u16,
}

impl<'a> Headed<'a> {
    fn new(number: u16, value: Scalar<'a>) -> Headed<'a> {
        let head = match value {
            Scalar::Str(text) | Scalar::Json(text) => text_head(text),
            Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) | Scalar::Float(_) => 0,
        };
        Headed {
            kind: ScalarKind::of(value),
            head,
            value,
            number,
        }
    }

    fn compare(&self, other: &Headed<'_>) -> Ordering {
        let heads = (self.kind, self.head).cmp(&(other.kind, other.head));
        heads.then_with(|| compare(self.value, other.value))
    }
}

/// By kind, then by value; text by bytes.
pub(crate) fn compare(a: Scalar<'_>, b: Scalar<'_>) -> Ordering {
    match (a, b) {
        (Scalar::Bool(a), Scalar::Bool(b)) => a.cmp(&b),
        (Scalar::Int(a), Scalar::Int(b)) => a.cmp(&b),
        (Scalar::Float(a), Scalar::Float(b)) => a.total_cmp(&b),
        (Scalar::Str(a), Scalar::Str(b)) | (Scalar::Json(a), Scalar::Json(b)) => a.cmp(b),
        (a, b) => ScalarKind::of(a).cmp(&ScalarKind::of(b)),
    }
}
