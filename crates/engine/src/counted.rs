//! What the counts of values in the directory of a block tell about a filter.
//!
//! A predicate is asked once for each value of a segment, however many blocks have it.

use std::collections::HashMap;
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cordwood_event::Scalar;
use cordwood_query::{CompiledClause, FieldName, Predicate, Reach};
use cordwood_store::block::{BlockDirectory, ColumnEntry, ValueCounts};
use cordwood_store::column::Dictionary;

use crate::condition::{ClauseId, Condition};
use crate::evaluate::Reading;

/// For which values of the lists of segments the predicates of a question hold, as far as that was asked.
#[derive(Debug, Default)]
pub(crate) struct ValueVerdicts {
    /// By the addresses of a list and a predicate, both of which the question keeps.
    known: Mutex<HashMap<(usize, usize), KnownVerdicts>>,
}

/// By the index of a value: nothing, or one of the constants below.
type KnownVerdicts = Arc<[AtomicU8]>;

/// The same for one predicate and one list.
struct OfList<'a> {
    predicate: &'a Predicate,
    reading: Reading<'a>,
    list: &'a Dictionary,
    known: KnownVerdicts,
}

const HOLDS: u8 = 1;
const HOLDS_NOT: u8 = 2;

impl ValueVerdicts {
    fn of<'a>(
        &self,
        predicate: &'a Predicate,
        reading: Reading<'a>,
        counts: &'a ValueCounts,
    ) -> OfList<'a> {
        let list = counts.list();
        let key = (Arc::as_ptr(list).addr(), ptr::from_ref(predicate).addr());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let none = || list.iter().map(|_| AtomicU8::new(0)).collect();
        OfList {
            predicate,
            reading,
            list,
            known: Arc::clone(known.entry(key).or_insert_with(none)),
        }
    }

    /// Whether the predicate holds for any value of a column; `None` when these are not counted.
    pub(crate) fn holds_for_any(
        &self,
        predicate: &Predicate,
        reading: Reading<'_>,
        entry: &ColumnEntry,
    ) -> Option<bool> {
        let counts = entry.values.as_deref()?;
        let verdicts = self.of(predicate, reading, counts);
        Some(counts.iter().any(|counted| verdicts.holds(counted.value)))
    }

    /// Whether it holds for all.
    pub(crate) fn holds_for_all(
        &self,
        predicate: &Predicate,
        reading: Reading<'_>,
        entry: &ColumnEntry,
    ) -> Option<bool> {
        let counts = entry.values.as_deref()?;
        let verdicts = self.of(predicate, reading, counts);
        Some(counts.iter().all(|counted| verdicts.holds(counted.value)))
    }
}

impl OfList<'_> {
    fn holds(&self, value: u32) -> bool {
        let index = value as usize;
        let known = self.known.get(index);
        match known.map_or(0, |known| known.load(Ordering::Relaxed)) {
            HOLDS => true,
            HOLDS_NOT => false,
            _ => {
                let value = self.list.get(index).unwrap_or(Scalar::Null);
                let holds = self.reading.matches(self.predicate, value);
                if let Some(known) = known {
                    known.store(if holds { HOLDS } else { HOLDS_NOT }, Ordering::Relaxed);
                }
                holds
            }
        }
    }
}

/// The one column of a block that a field reaches, if its values are counted; `None` as well where the field may lie
/// somewhere else.
pub(crate) fn counted_column(directory: &BlockDirectory, field: &FieldName) -> Option<usize> {
    let mut reached = columns_of(directory, field)?;
    match (reached.next(), reached.next()) {
        (Some((index, Reach::Whole)), None) => {
            let entry = directory.columns.get(index)?;
            entry.values.is_some().then_some(index)
        }
        _ => None,
    }
}

/// The columns that a field reaches; `None` where it may lie among the rare fields.
pub(crate) fn columns_of<'d>(
    directory: &'d BlockDirectory,
    field: &'d FieldName,
) -> Option<impl Iterator<Item = (usize, Reach<'d>)>> {
    let columns = directory.columns.iter().enumerate();
    let reached = columns.filter_map(|(index, entry)| Some((index, field.reach(&entry.path)?)));
    directory.rest.is_none().then_some(reached)
}

/// A block, one column of which has its values counted.
#[derive(Clone, Copy)]
pub(crate) struct CountedColumn<'a> {
    pub(crate) directory: &'a BlockDirectory,
    /// Of the column in the directory.
    pub(crate) index: usize,
    pub(crate) verdicts: &'a ValueVerdicts,
}

/// The rows that a condition selects, which looks at one column only: by value, in the order of its counts, and at last
/// those that do not have the field.
pub(crate) struct ValueSet {
    selects: Vec<bool>,
}

impl<'a> CountedColumn<'a> {
    /// The column that the clauses of a condition are about, if they are about one that is counted.
    pub(crate) fn of_condition(
        condition: &Condition,
        clauses: &[CompiledClause],
        directory: &'a BlockDirectory,
        verdicts: &'a ValueVerdicts,
    ) -> Option<CountedColumn<'a>> {
        match condition {
            Condition::Constant(_) => None,
            Condition::Not(term) => CountedColumn::of_condition(term, clauses, directory, verdicts),
            Condition::And(terms) | Condition::Or(terms) => {
                CountedColumn::of_condition(terms.first()?, clauses, directory, verdicts)
            }
            Condition::Clause(ClauseId(index)) => match clauses.get(*index)? {
                CompiledClause::Field(field, _) => Some(CountedColumn {
                    directory,
                    index: counted_column(directory, field)?,
                    verdicts,
                }),
                _ => None,
            },
        }
    }

    pub(crate) fn counts(&self) -> Option<&'a ValueCounts> {
        self.directory.columns.get(self.index)?.values.as_deref()
    }

    /// How many rows have each value, and at last how many do not have the field.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u64> {
        let present = self.directory.columns.get(self.index);
        let present = present.map_or(0, |entry| entry.present);
        let counted = self.counts().into_iter().flat_map(ValueCounts::iter);
        let absent = self.directory.rows.saturating_sub(present);
        counted
            .map(|counted| counted.rows)
            .chain([absent])
            .map(u64::from)
    }

    /// The rows that a condition selects; `None` when it looks at more than this column.
    pub(crate) fn select(
        &self,
        condition: &Condition,
        clauses: &[CompiledClause],
    ) -> Option<ValueSet> {
        let of_terms = |terms: &[Condition]| -> Option<Vec<ValueSet>> {
            terms
                .iter()
                .map(|term| self.select(term, clauses))
                .collect()
        };
        match condition {
            Condition::Constant(held) => Some(self.set(|_| *held)),
            Condition::Not(term) => {
                let term = self.select(term, clauses)?;
                Some(self.set(|value| !term.contains(value)))
            }
            Condition::And(terms) => {
                let terms = of_terms(terms)?;
                Some(self.set(|value| terms.iter().all(|term| term.contains(value))))
            }
            Condition::Or(terms) => {
                let terms = of_terms(terms)?;
                Some(self.set(|value| terms.iter().any(|term| term.contains(value))))
            }
            Condition::Clause(ClauseId(index)) => {
                let CompiledClause::Field(field, predicate) = clauses.get(*index)? else {
                    return None;
                };
                if counted_column(self.directory, field) != Some(self.index) {
                    return None;
                }
                let counts = self.counts()?;
                let reading = Reading::Field(Reach::Whole);
                let verdicts = self.verdicts.of(predicate, reading, counts);
                let held = counts.iter().map(|counted| verdicts.holds(counted.value));
                Some(ValueSet {
                    selects: held.chain([false]).collect(),
                })
            }
        }
    }

    fn set(&self, selects: impl Fn(usize) -> bool) -> ValueSet {
        let values = self.counts().map_or(0, |counts| counts.iter().len());
        ValueSet {
            selects: (0..=values).map(selects).collect(),
        }
    }
}

impl ValueSet {
    /// Whether the rows with the value at an index, or those without the field, are selected.
    pub(crate) fn contains(&self, index: usize) -> bool {
        self.selects.get(index) == Some(&true)
    }
}
