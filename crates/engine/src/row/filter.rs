//! A filter on a row, whatever the row lies in.

use std::cell::RefCell;

use cordwood_event::{Level, Scalar};
use cordwood_query::{
    Clause, CompiledClause, FieldName, Filter, IdPredicate, Reach, SourcePredicate, Target,
    TimePredicate,
};

use super::{FieldSet, Row, raw_level};
use crate::SearchedSource;
use crate::clauses::{Clauses, Compiler};
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
    pub(crate) fn new(filter: &Filter, compiler: &Compiler, fields: &mut FieldSet) -> RowFilter {
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
            clauses: Clauses::new(compiler.clauses(&clauses)),
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
    let asked = Asked {
        row,
        field,
        failure: RefCell::new(None),
    };
    let holds = clause.holds_for(&asked);
    asked.failure.into_inner().map_or(Ok(holds), Err)
}

/// A row as the language asks it about one clause.
struct Asked<'a> {
    row: &'a dyn Row,
    /// What the clause reads.
    field: usize,
    /// Why the row could not answer.
    failure: RefCell<Option<Failure>>,
}

impl Asked<'_> {
    fn any(&self, holds: &mut dyn FnMut(Datum<'_>) -> bool) -> bool {
        let mut held = false;
        let visited = self
            .row
            .each(self.field, &mut |datum| held = held || holds(datum));
        self.note(visited);
        held
    }

    fn note(&self, visited: Result<(), Failure>) {
        if let Err(failure) = visited {
            self.failure.replace(Some(failure));
        }
    }
}

impl cordwood_query::Row for Asked<'_> {
    fn level(&self) -> Option<Level> {
        self.row.level()
    }

    fn any_raw_level(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        self.any(&mut |datum| is_scalar_and(datum, holds))
    }

    fn any_field(&self, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
        let mut held = false;
        let visited = self
            .row
            .each_stored(&mut |_, datum| held = held || is_scalar_and(datum, holds));
        self.note(visited);
        held
    }

    /// The row has found out already what the field reaches.
    fn any_value(
        &self,
        _field: &FieldName,
        holds: &mut dyn FnMut(Reach<'_>, Scalar<'_>) -> bool,
    ) -> bool {
        self.any(&mut |datum| is_scalar_and(datum, &mut |scalar| holds(Reach::Whole, scalar)))
    }

    fn meets_time(&self, predicate: &TimePredicate) -> bool {
        self.row.time().is_some_and(|time| predicate.matches(time))
    }

    fn meets_source(&self, predicate: &SourcePredicate) -> bool {
        match self.row.source() {
            Some((id, name)) => predicate.matches(id, name),
            // Of a source in a table only the name is left.
            None => self.any(&mut |datum| match datum {
                Datum::Scalar(Scalar::Str(name)) => predicate.matches_text(name),
                _ => false,
            }),
        }
    }

    fn meets_id(&self, predicate: &IdPredicate) -> bool {
        predicate.matches(self.row.id())
    }
}

/// Asks of it as a scalar; of a time, its text.
fn is_scalar_and(datum: Datum<'_>, holds: &mut dyn FnMut(Scalar<'_>) -> bool) -> bool {
    match datum {
        Datum::Scalar(scalar) => holds(scalar),
        Datum::Time(time) => holds(Scalar::Str(&time.to_string())),
    }
}
