//! One test on the values of one column, on their encoded form as far as that goes.

use std::cell::{Cell, RefCell};

use cordwood_event::Scalar;
use cordwood_query::{NumberInterval, Predicate, Reach, TextTest};
use cordwood_store::column::{
    Column, DictCodes, Dictionary, PackedTexts, ScalarKind, StrValues, Values,
};

use crate::budget::Budget;
use crate::evaluate::{Failure, packed, ranks};
use crate::selection::Selection;

/// Of a frame with at least one wanted text in so many, all texts are searched in one pass; of others, the wanted ones
/// alone. A pass over a frame costs about as much as this share of its texts looked up one by one.
const SPARSE_SHARE: usize = 8;

/// Of codes with at least one wanted in so many, all are looked at; of others, the wanted ones alone.
pub(crate) const CODES_SPARSE_SHARE: usize = 16;

/// How many values are tested one by one between two looks at the budget: a JSON array of the size of a log line
/// takes about a microsecond.
const VALUES_PER_CHECK: usize = 1024;

/// How a clause looks at the values of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading<'a> {
    /// As a field that reaches the column so.
    Field(Reach<'a>),
    /// As any field: whatever lies inside an array or object counts.
    Anywhere,
}

impl Reading<'_> {
    /// Whether the predicate holds for a value, looked at so.
    pub(crate) fn matches(self, predicate: &Predicate, value: Scalar<'_>) -> bool {
        match self {
            Reading::Field(reach) => predicate.matches_at(reach, value),
            Reading::Anywhere => predicate.matches_anywhere(value),
        }
    }
}

/// A test of the values of one column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueTest<'a> {
    pub(crate) predicate: &'a Predicate,
    pub(crate) reading: Reading<'a>,
    /// Whether other clauses may come back to the same texts, so that they stay decompressed.
    pub(crate) keeps_frames: bool,
    pub(crate) budget: &'a Budget,
    /// Set once values are tested by rank; constants and dictionaries are not.
    pub(crate) has_tested_rows: &'a Cell<bool>,
}

impl ValueTest<'_> {
    fn matches(&self, value: Scalar<'_>) -> bool {
        self.reading.matches(self.predicate, value)
    }

    /// Whether only values inside arrays are meant, which no text and no number is.
    pub(crate) fn is_inside_arrays(&self) -> bool {
        matches!(self.reading, Reading::Field(Reach::Inside(_)))
    }

    /// Those rows of `among` whose value matches.
    pub(crate) fn select(&self, column: &Column, among: &Selection) -> Result<Selection, Failure> {
        let wanted = || ranks::to_ranks(&column.presence, among);
        let held = match &column.values {
            Values::Const(value) if self.matches(value.as_scalar()) => wanted(),
            Values::Const(_) => return Ok(Selection::none(among.rows())),
            Values::Dict { values, codes } => {
                let holds = self.select_values(values);
                if !holds.contains(&true) {
                    return Ok(Selection::none(among.rows()));
                }
                self.select_dictionary(&holds, codes, &wanted())?
            }
            Values::Int(_)
            | Values::Float(_)
            | Values::Str(_)
            | Values::Packed(_)
            | Values::Text(_)
                if self.is_inside_arrays() =>
            {
                return Ok(Selection::none(among.rows()));
            }
            Values::Int(integers) => self.select_integers(integers, &wanted()),
            Values::Float(floats) => self.select_floats(floats, &wanted()),
            Values::Str(texts) => self.select_texts(texts, &wanted())?,
            Values::Packed(packed) => self.select_packed(packed, &wanted())?,
            Values::Text(texts) => {
                self.select_each(&wanted(), |rank| Ok(texts.get(rank).map(Scalar::Str)?))?
            }
            Values::Mixed(mixed) => self.select_each(&wanted(), |rank| Ok(mixed.get(rank)?))?,
        };
        Ok(ranks::to_rows(&column.presence, held))
    }

    /// By code, whether the value matches.
    fn select_values(&self, values: &Dictionary) -> Vec<bool> {
        if self.predicate.is_presence() && !self.is_inside_arrays() {
            let mut holds = vec![true; values.len()];
            let nulls = holds.get_mut(values.codes_of(ScalarKind::Null));
            nulls.into_iter().for_each(|nulls| nulls.fill(false));
            return holds;
        }
        values.iter().map(|value| self.matches(value)).collect()
    }

    fn select_dictionary(
        &self,
        holds: &[bool],
        codes: &DictCodes,
        wanted: &Selection,
    ) -> Result<Selection, Failure> {
        if !holds.contains(&false) {
            return Ok(wanted.clone());
        }
        self.has_tested_rows.set(true);
        select_codes(holds, codes, wanted)
    }

    fn select_slots(&self, holds: &[bool], codes: &[u16], wanted: &Selection) -> Selection {
        if !holds.contains(&false) {
            return wanted.clone();
        }
        self.has_tested_rows.set(true);
        wanted.filter_codes(codes, holds)
    }

    fn select_integers(&self, integers: &[i64], wanted: &Selection) -> Selection {
        self.has_tested_rows.set(true);
        let Some(intervals) = self.predicate.number_intervals() else {
            return wanted.filter(|rank| {
                integers
                    .get(rank)
                    .is_some_and(|integer| self.matches(Scalar::Int(*integer)))
            });
        };
        let within = intervals.iter().filter_map(NumberInterval::integers);
        union(wanted, within, |(least, greatest)| {
            // Without an early end, which becomes vector code.
            wanted.filter_values(integers, move |integer| {
                (least <= integer) & (integer <= greatest)
            })
        })
    }

    fn select_floats(&self, floats: &[f64], wanted: &Selection) -> Selection {
        self.has_tested_rows.set(true);
        let Some(intervals) = self.predicate.number_intervals() else {
            return wanted.filter(|rank| {
                floats
                    .get(rank)
                    .is_some_and(|float| self.matches(Scalar::Float(*float)))
            });
        };
        let within = intervals.iter().filter_map(NumberInterval::floats);
        union(wanted, within, |(least, greatest)| {
            wanted.filter_values(floats, move |float| (least <= float) & (float <= greatest))
        })
    }

    fn select_texts(&self, texts: &StrValues, wanted: &Selection) -> Result<Selection, Failure> {
        match self.predicate.text_test() {
            TextTest::Never => return Ok(Selection::none(wanted.rows())),
            TextTest::Always => return Ok(wanted.clone()),
            _ => self.has_tested_rows.set(true),
        }
        let mut held = Selection::none(wanted.rows());
        for index in 0..texts.frame_count() {
            self.budget.check()?;
            let ranks = texts.frame_ranks(index);
            let count = wanted.count_in(ranks.clone());
            if count == 0 {
                continue;
            }
            if self.keeps_frames {
                texts.get(ranks.start)?;
            }
            let frame = texts.frame(index)?;
            if count * SPARSE_SHARE < ranks.len() {
                for rank in wanted.iter_in(ranks) {
                    let text = frame.get(rank - frame.first_rank);
                    if text.is_some_and(|text| self.predicate.matches_text(text)) {
                        held.insert(rank);
                    }
                }
            } else {
                let first_rank = frame.first_rank;
                self.predicate
                    .select_texts(frame.text.as_bytes(), frame.ends, &mut |index| {
                        held.insert(first_rank + index);
                    });
            }
        }
        held.intersect(wanted);
        Ok(held)
    }

    fn select_packed(
        &self,
        packed: &PackedTexts,
        wanted: &Selection,
    ) -> Result<Selection, Failure> {
        let slots = match packed.codes() {
            Some(_) => &Selection::all(packed.slots()),
            None => wanted,
        };
        let held = match packed::select(self.predicate.text_test(), packed, slots) {
            Some(held) => held,
            None => self.select_texts(packed.texts(), slots)?,
        };
        let Some(codes) = packed.codes() else {
            self.has_tested_rows.set(true);
            return Ok(held);
        };
        if held.is_empty() {
            return Ok(Selection::none(wanted.rows()));
        }
        let holds: Vec<bool> = (0..held.rows()).map(|slot| held.contains(slot)).collect();
        Ok(self.select_slots(&holds, codes, wanted))
    }

    fn select_each<'v>(
        &self,
        wanted: &Selection,
        value_of: impl Fn(usize) -> Result<Scalar<'v>, Failure>,
    ) -> Result<Selection, Failure> {
        self.has_tested_rows.set(true);
        let failure = RefCell::new(None);
        let mut tested = 0usize;
        let held = wanted.filter(|rank| {
            if failure.borrow().is_some() {
                return false;
            }
            tested += 1;
            let value = self.pause(tested).and_then(|()| value_of(rank));
            match value {
                Ok(value) => self.matches(value),
                Err(stopped) => {
                    failure.replace(Some(stopped));
                    false
                }
            }
        });
        failure.into_inner().map_or(Ok(held), Err)
    }

    fn pause(&self, tested: usize) -> Result<(), Failure> {
        if tested.is_multiple_of(VALUES_PER_CHECK) {
            self.budget.check()?;
        }
        Ok(())
    }
}

/// Those of `wanted` whose code is one that `holds`.
pub(super) fn select_codes(
    holds: &[bool],
    codes: &DictCodes,
    wanted: &Selection,
) -> Result<Selection, Failure> {
    if wanted.count() * CODES_SPARSE_SHARE >= codes.len() {
        let mut held = Selection::of_words(wanted.rows(), codes.select(holds)?);
        held.intersect(wanted);
        return Ok(held);
    }
    let ranks: Vec<usize> = wanted.iter().collect();
    let mut held = Selection::none(wanted.rows());
    for (code, rank) in codes.of_ranks(&ranks)?.into_iter().zip(ranks) {
        if holds.get(usize::from(code)) == Some(&true) {
            held.insert(rank);
        }
    }
    Ok(held)
}

/// Those of `wanted` for which any of `alternatives` holds.
fn union<A>(
    wanted: &Selection,
    alternatives: impl Iterator<Item = A>,
    select: impl Fn(A) -> Selection,
) -> Selection {
    let mut held = Selection::none(wanted.rows());
    alternatives.for_each(|alternative| held.union(&select(alternative)));
    held
}
