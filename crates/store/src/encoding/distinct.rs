//! The distinct values of a column in the order in which a dictionary lists them.

use std::cmp::Ordering;

use cordwood_event::Scalar;

use super::collected::Numbered;
use crate::column::ScalarKind;

/// The distinct values, sorted, and the code of every value.
#[derive(Debug)]
pub(crate) struct Distinct<'a> {
    pub(crate) values: Vec<Scalar<'a>>,
    pub(crate) codes: Vec<u16>,
}

impl<'a> Distinct<'a> {
    /// Sorts the values and translates the codes.
    pub(crate) fn of_numbered(numbered: &Numbered<'a>) -> Distinct<'a> {
        let values = numbered.distinct.iter().copied();
        let mut by_value: Vec<(u16, Scalar<'a>)> = (0..).zip(values).collect();
        by_value.sort_unstable_by(|(_, a), (_, b)| compare(*a, *b));
        let mut translated = vec![0u16; by_value.len()];
        for (new, (old, _)) in (0..).zip(&by_value) {
            if let Some(code) = translated.get_mut(usize::from(*old)) {
                *code = new;
            }
        }
        let translate = |code: &u16| translated.get(usize::from(*code)).copied().unwrap_or(0);
        Distinct {
            codes: numbered.codes.iter().map(translate).collect(),
            values: by_value.into_iter().map(|(_, value)| value).collect(),
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
