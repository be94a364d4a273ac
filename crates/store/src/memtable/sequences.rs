//! The sequence numbers of rows: rising, and mostly consecutive, so kept as runs.

use std::sync::Arc;

/// Rising sequence numbers by row. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
    rows: usize,
    runs: Runs,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Runs {
    One(u64),
    Many(Arc<[Run]>),
}

/// Consecutive numbers from a row on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first_row: usize,
    first_sequence: u64,
}

impl Sequences {
    /// Consecutive numbers.
    pub(crate) fn consecutive(first: u64, rows: usize) -> Sequences {
        Sequences {
            rows,
            runs: Runs::One(first),
        }
    }

    /// The numbers of one set of rows after those of another.
    pub(crate) fn concatenated<'a>(parts: impl IntoIterator<Item = &'a Sequences>) -> Sequences {
        let mut runs: Vec<Run> = Vec::new();
        let mut rows = 0;
        for part in parts {
            for run in part.runs().iter() {
                let run = Run {
                    first_row: rows + run.first_row,
                    ..*run
                };
                let continues = runs.last().is_some_and(|last| {
                    last.first_sequence + (run.first_row - last.first_row) as u64
                        == run.first_sequence
                });
                if !continues {
                    runs.push(run);
                }
            }
            rows += part.rows;
        }
        let runs = match *runs {
            [only] => Runs::One(only.first_sequence),
            _ => Runs::Many(runs.into()),
        };
        Sequences { rows, runs }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The number of a row; past the last row it means nothing.
    pub fn at(&self, row: usize) -> u64 {
        match &self.runs {
            Runs::One(first) => first + row as u64,
            Runs::Many(runs) => {
                let index = runs.partition_point(|run| run.first_row <= row);
                let run = index.checked_sub(1).and_then(|index| runs.get(index));
                run.map_or(0, |run| run.first_sequence + (row - run.first_row) as u64)
            }
        }
    }

    fn runs(&self) -> std::borrow::Cow<'_, [Run]> {
        match &self.runs {
            Runs::One(first_sequence) => vec![Run {
                first_row: 0,
                first_sequence: *first_sequence,
            }]
            .into(),
            Runs::Many(runs) => (&**runs).into(),
        }
    }
}
