//! A filter on a row, whatever the row lies in.

use cordwood_event::{Scalar, SourceId, Timestamp};
use cordwood_query::{Clause, CompiledClause, Filter, Predicate, Target};

use super::{FieldSet, Row, raw_level};
use crate::SearchedSource;
use crate::clauses::Clauses;
use crate::condition::{ClauseId, Condition};
use crate::datum::Datum;
use crate::evaluate::Failure;

/// A compiled filter.
#[derive(Clone, Debug)]
pub(crate) struct RowFilter {
    condition: Condition,
    clauses: Clauses,
    /// The field that each clause reads.
    fields: Vec<usize>,
}

impl RowFilter {
    pub(crate) fn new(filter: &Filter, now: Timestamp, fields: &mut FieldSet) -> RowFilter {
        let (condition, clauses) = Condition::of(filter);
        let field_of = |clause: &&Clause| {
            let target = match &clause.target {
                Target::Level => raw_level(),
                target => target.clone(),
            };
            fields.index(target)
        };
        RowFilter {
            fields: clauses.iter().map(field_of).collect(),
            clauses: Clauses::new(clauses.iter().map(|clause| clause.compile(now)).collect()),
            condition,
        }
    }

    /// What is left of the filter for rows of one source.
    pub(crate) fn in_source(&self, source: &SearchedSource) -> Condition {
        self.condition
            .decide(&mut |ClauseId(index)| match self.clauses.get(index) {
                Some(CompiledClause::Source(test)) => Some(test.matches(source.id, &source.name)),
                _ => None,
            })
    }

    pub(crate) fn clauses(&self) -> &Clauses {
        &self.clauses
    }

    pub(crate) fn holds(&self, row: &dyn Row) -> Result<bool, Failure> {
        self.condition_holds(&self.condition, row)
    }

    fn condition_holds(&self, condition: &Condition, row: &dyn Row) -> Result<bool, Failure> {
        match condition {
            Condition::Constant(held) => Ok(*held),
            Condition::Not(term) => Ok(!self.condition_holds(term, row)?),
            Condition::And(terms) => {
                for term in terms {
                    if !self.condition_holds(term, row)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Condition::Or(terms) => {
                for term in terms {
                    if self.condition_holds(term, row)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Condition::Clause(ClauseId(index)) => {
                match self.clauses.get(*index).zip(self.fields.get(*index)) {
                    Some((clause, field)) => clause_holds(clause, *field, row),
                    None => Ok(false),
                }
            }
        }
    }
}

fn clause_holds(clause: &CompiledClause, field: usize, row: &dyn Row) -> Result<bool, Failure> {
    let mut holds = false;
    match clause {
        CompiledClause::Field(_, predicate) => {
            row.each(field, &mut |datum| holds |= matches(predicate, datum))?;
        }
        CompiledClause::AnyField(predicate, level) => {
            holds = row.level().is_some_and(|name| level.holds(name));
            row.each_stored(&mut |_, datum| holds |= matches_anywhere(predicate, datum))?;
        }
        CompiledClause::Level(level) => {
            holds = level.matches(row.level(), None);
            if let Some(raw) = level.raw() {
                row.each(field, &mut |datum| holds |= matches(raw, datum))?;
            }
        }
        CompiledClause::Time(time) => holds = row.time().is_some_and(|at| time.matches(at)),
        CompiledClause::Id(id) => holds = id.matches(row.id()),
        CompiledClause::Source(source) => match row.source() {
            Some((id, name)) => holds = source.matches(id, name),
            // Of a source in a table only the name is left; no source has the number 0.
            None => row.each(field, &mut |datum| {
                if let Datum::Scalar(Scalar::Str(name)) = datum {
                    holds |= source.matches(SourceId(0), name);
                }
            })?,
        },
    }
    Ok(holds)
}

fn matches(predicate: &Predicate, datum: Datum<'_>) -> bool {
    match datum {
        Datum::Scalar(scalar) => predicate.matches(scalar),
        Datum::Time(time) => predicate.matches_text(&time.to_string()),
    }
}

fn matches_anywhere(predicate: &Predicate, datum: Datum<'_>) -> bool {
    match datum {
        Datum::Scalar(scalar) => predicate.matches_anywhere(scalar),
        Datum::Time(time) => predicate.matches_text(&time.to_string()),
    }
}
