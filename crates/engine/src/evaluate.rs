//! Clauses on the encoded columns of one block.
//!
//! Must agree with [`cordwood_query::Matcher`] on every event: a column is only ever a faster way to ask the
//! same question of many values.

mod frames;
mod listed;
mod outcomes;
mod packed;
pub(crate) mod ranks;
mod templates;
mod texts;
mod values;

use std::cell::Cell;

use cordwood_event::{EventId, Level, Timestamp};
use cordwood_query::{
    CompiledClause, IdPredicate, LevelPredicate, Predicate, Reach, TimePredicate,
};
use cordwood_store::block::ColumnEntry;
use cordwood_store::{Encoding, ReadError, ReadFailure};

use crate::block::OpenBlock;
use crate::budget::{Budget, Cut};
use crate::clauses::Clauses;
use crate::condition::{ClauseId, EvaluateClause};
use crate::narrow::may_match;
use crate::selection::Selection;
pub(crate) use outcomes::{Outcome, TextOutcomes};
pub(crate) use templates::TemplateTest;
pub(crate) use texts::TextColumnTest;
pub(crate) use values::Reading;
use values::ValueTest;

/// Why a block was not evaluated to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The search must stop.
    Cut(Cut),
    /// The block cannot be read; the text says why.
    Unreadable(String),
    /// The same, because the bucket that holds it cannot be reached.
    OutOfReach(String),
}

impl From<Cut> for Failure {
    fn from(cut: Cut) -> Failure {
        Failure::Cut(cut)
    }
}

/// Names an error and what caused it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        let detail = with_causes(&error);
        match error.source {
            ReadFailure::Bucket(_) => Failure::OutOfReach(detail),
            _ => Failure::Unreadable(detail),
        }
    }
}

impl From<cordwood_store::Corrupt> for Failure {
    fn from(error: cordwood_store::Corrupt) -> Failure {
        Failure::Unreadable(with_causes(&error))
    }
}

/// The clauses of a filter on the rows of one block.
#[derive(Debug)]
pub(crate) struct BlockClauses<'a> {
    block: &'a OpenBlock,
    clauses: &'a Clauses,
    budget: &'a Budget,
    /// Whether rows were looked at one by one, or constants and dictionaries were enough.
    has_tested_rows: Cell<bool>,
}

impl EvaluateClause for BlockClauses<'_> {
    type Error = Failure;

    fn cost(&self, clause: ClauseId, rows: usize) -> u64 {
        let rows = rows as u64;
        match &self.clauses[clause.0] {
            CompiledClause::Source(_) => 0,
            CompiledClause::Time(_) | CompiledClause::Id(_) => rows / 8,
            CompiledClause::Level(level) => {
                let raw = level
                    .raw()
                    .map_or(0, |_| self.cost_of_columns(is_raw_level, rows));
                rows / 4 + raw
            }
            CompiledClause::Field(field, _) => {
                self.cost_of_columns(|path| field.reach(path).is_some(), rows)
            }
            CompiledClause::AnyField(..) => self.cost_of_columns(|_| true, rows),
        }
    }

    fn evaluate(&self, clause: ClauseId, among: &Selection) -> Result<Selection, Failure> {
        self.budget.check()?;
        match &self.clauses[clause.0] {
            CompiledClause::AnyField(predicate, level) => {
                self.select_anywhere(clause, (predicate, level), among)
            }
            CompiledClause::Field(field, predicate) => {
                let reading = |path: &str| field.reach(path).map(Reading::Field);
                self.select_in_columns(clause, predicate, among, reading)
            }
            CompiledClause::Level(level) => self.select_level(clause, level, among),
            CompiledClause::Time(time) => self.select_time(time, among),
            CompiledClause::Id(id) => self.select_id(id, among),
            // The plan decided these for each source; a block has one source.
            CompiledClause::Source(_) => Ok(Selection::none(among.rows())),
        }
    }
}

impl<'a> BlockClauses<'a> {
    pub(crate) fn new(
        block: &'a OpenBlock,
        clauses: &'a Clauses,
        budget: &'a Budget,
    ) -> BlockClauses<'a> {
        BlockClauses {
            block,
            clauses,
            budget,
            has_tested_rows: Cell::new(false),
        }
    }

    /// Whether any clause had to look at rows one by one.
    pub(crate) fn has_tested_rows(&self) -> bool {
        self.has_tested_rows.get()
    }

    fn select_anywhere(
        &self,
        clause: ClauseId,
        (predicate, level): (&Predicate, &LevelPredicate),
        among: &Selection,
    ) -> Result<Selection, Failure> {
        let mut held = self.select_level_name(level, among)?;
        let mut open = among.clone();
        open.subtract(&held);
        held.union(&self.select_in_columns(clause, predicate, &open, |_| Some(Reading::Anywhere))?);
        Ok(held)
    }

    fn select_level(
        &self,
        clause: ClauseId,
        level: &LevelPredicate,
        among: &Selection,
    ) -> Result<Selection, Failure> {
        let mut held = self.select_level_name(level, among)?;
        if let Some(raw) = level.raw() {
            let mut open = among.clone();
            open.subtract(&held);
            let reading = |path: &str| is_raw_level(path).then_some(Reading::Field(Reach::Whole));
            held.union(&self.select_in_columns(clause, raw, &open, reading)?);
        }
        Ok(held)
    }

    fn select_level_name(
        &self,
        level: &LevelPredicate,
        among: &Selection,
    ) -> Result<Selection, Failure> {
        let mut holds = [false; Level::ALL.len() + 1];
        for known in Level::ALL {
            holds[usize::from(known.code())] = level.holds(known);
        }
        if !holds.contains(&true) || among.is_empty() {
            return Ok(Selection::none(among.rows()));
        }
        self.has_tested_rows.set(true);
        values::select_codes(&holds, self.block.levels()?, among)
    }

    fn select_time(&self, time: &TimePredicate, among: &Selection) -> Result<Selection, Failure> {
        self.has_tested_rows.set(true);
        let times = self.block.timestamps()?;
        let mut held = Selection::none(among.rows());
        for range in time.ranges() {
            let start = times.partition_point(|time| *time < range.first.as_nanos());
            let end = times.partition_point(|time| *time <= range.last.as_nanos());
            held.union(&Selection::range(among.rows(), start..end));
        }
        held.intersect(among);
        Ok(held)
    }

    fn select_id(&self, id: &IdPredicate, among: &Selection) -> Result<Selection, Failure> {
        if id.ids().is_none() {
            return Ok(among.clone());
        }
        self.has_tested_rows.set(true);
        let times = self.block.timestamps()?;
        let sequences = self.block.sequences()?;
        Ok(among.filter(|row| {
            let found = times.get(row).zip(sequences.get(row));
            found.is_some_and(|(time, sequence)| {
                id.matches(EventId {
                    timestamp: Timestamp::from_nanos(*time),
                    sequence: *sequence,
                })
            })
        }))
    }

    /// Those of `among` with a matching value in any column that `reading` admits, the cheapest columns first.
    fn select_in_columns<'t>(
        &self,
        clause: ClauseId,
        predicate: &'t Predicate,
        among: &Selection,
        reading: impl Fn(&str) -> Option<Reading<'t>>,
    ) -> Result<Selection, Failure> {
        let mut held = Selection::none(among.rows());
        let mut open = among.clone();
        for (index, reading) in self.columns_by_cost(predicate, &reading) {
            if open.is_empty() {
                return Ok(held);
            }
            self.budget.check()?;
            let test = self.value_test(predicate, reading);
            let entry = &self.block.directory().columns[index];
            let found = match entry.template_uses() {
                Some(uses) => {
                    let templates = self.clauses.template_test(clause, predicate);
                    texts::select((&test, templates), (self.block, index), uses, &open)?
                }
                None => test.select(self.block.column(index)?, &open)?,
            };
            open.subtract(&found);
            held.union(&found);
        }
        if !open.is_empty() {
            held.union(&self.select_in_rest(predicate, &open, &reading)?);
        }
        Ok(held)
    }

    fn columns_by_cost<'t>(
        &self,
        predicate: &Predicate,
        reading: impl Fn(&str) -> Option<Reading<'t>>,
    ) -> Vec<(usize, Reading<'t>)> {
        let entries = &self.block.directory().columns;
        let mut columns: Vec<(usize, Reading<'t>)> = entries
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((index, reading(&entry.path)?)))
            .filter(|(index, reading)| may_match(&entries[*index], predicate, *reading))
            .collect();
        columns.sort_by_key(|(index, _)| cost_of_column(&entries[*index]));
        columns
    }

    fn value_test<'t>(&'t self, predicate: &'t Predicate, reading: Reading<'t>) -> ValueTest<'t> {
        ValueTest {
            predicate,
            reading,
            keeps_frames: self.clauses.len() > 1,
            budget: self.budget,
            has_tested_rows: &self.has_tested_rows,
        }
    }

    fn select_in_rest<'t>(
        &self,
        predicate: &'t Predicate,
        among: &Selection,
        reading: &impl Fn(&str) -> Option<Reading<'t>>,
    ) -> Result<Selection, Failure> {
        let mut held = Selection::none(among.rows());
        let Some(rest) = self.block.rest()? else {
            return Ok(held);
        };
        let mut open = among.clone();
        for (index, path) in rest.paths().enumerate() {
            if index.is_multiple_of(RARE_FIELDS_PER_CHECK) {
                self.budget.check()?;
            }
            let Some(reading) = reading(path) else {
                continue;
            };
            let test = self.value_test(predicate, reading);
            let found = test.select(&rest.column(index)?, &open)?;
            open.subtract(&found);
            held.union(&found);
        }
        Ok(held)
    }

    fn cost_of_columns(&self, is_reached: impl Fn(&str) -> bool, rows: u64) -> u64 {
        let directory = self.block.directory();
        let columns = directory.columns.iter();
        let reached = columns
            .filter(|entry| is_reached(&entry.path))
            .map(cost_of_column);
        let rest = directory.rest.map_or(0, |rest| u64::from(rest.cells));
        reached.sum::<u64>() + rest + rows / 64
    }
}

/// How many rare fields are looked at between two looks at the budget.
const RARE_FIELDS_PER_CHECK: usize = 64;

pub(crate) fn is_raw_level(path: &str) -> bool {
    path == "level"
}

/// About the nanoseconds it takes to test all values of a column.
pub(crate) fn cost_of_column(entry: &ColumnEntry) -> u64 {
    let values = u64::from(entry.present);
    match entry.encoding {
        Encoding::Const => 1,
        Encoding::Dict => values + 30 * u64::from(entry.dictionary_len),
        Encoding::Int => 2 * values,
        Encoding::Float => 4 * values,
        // Compressed text: it decompresses to some six times as much, at about a nanosecond a byte.
        Encoding::Str => 8 * u64::from(entry.chunk.length) + values,
        // The templates rule out most rows as a rule, and the codes are a small part of the column.
        Encoding::Text => 2 * u64::from(entry.chunk.length) + 2 * values,
        // Rebuilt at worst; ids are mostly asked for as a whole, which compares their bytes.
        Encoding::Hex | Encoding::Ip4 => 4 * values,
        Encoding::Mixed => 8 * u64::from(entry.chunk.length) + 60 * values,
    }
}
