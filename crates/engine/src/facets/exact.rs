//! The facet of one field over all events that match, counted by stages.

use cordwood_query::{Aggregate, FieldName, Function, GroupKey, Stage};
use cordwood_store::column::ScalarKind;

use super::{Asking, Coverage, Distinct, Facet, is_whole};
use crate::value_tally::VALUES_MAX;
use crate::{Cell, Error, FieldKinds, Staged, StagedRequest, SurveyedField, Table, ValueCount};

impl Asking<'_> {
    /// The facet of the level or of the source, of which there are few.
    pub(super) fn of_head(&mut self, name: &str) -> Result<Facet, Error> {
        let stage = Stage::Stats {
            aggregates: vec![computed(Function::Count(None))],
            by: vec![GroupKey::Field(FieldName::new(name))],
        };
        let table = self.run(vec![stage], VALUES_MAX)?;
        let mut values = values_of(&table);
        let events = values.iter().map(|value| value.events).sum();
        let distinct = values.len();
        values.sort_by_key(|value| std::cmp::Reverse(value.events));
        values.truncate(self.request.values_max);
        Ok(Facet {
            name: name.into(),
            kinds: FieldKinds::from_iter([ScalarKind::Str]),
            is_in_conflict: false,
            coverage: Coverage {
                events,
                of: self.matching(),
            },
            looked_at: self.matching(),
            distinct: match is_whole(distinct) {
                true => Distinct::Exactly(distinct as u64),
                false => Distinct::AtLeast(distinct as u64),
            },
            values,
            numbers: None,
        })
    }

    /// The facet of a field with any number of values.
    pub(super) fn of_all_matches(
        &mut self,
        name: &str,
        field: &SurveyedField,
    ) -> Result<Facet, Error> {
        let named = FieldName::new(name);
        let functions = [
            Function::Count(Some(named.clone())),
            Function::CountDistinct(named.clone()),
            Function::Min(named.clone()),
            Function::Max(named.clone()),
        ];
        let stage = Stage::Stats {
            aggregates: functions.into_iter().map(computed).collect(),
            by: Vec::new(),
        };
        let (totals, is_estimated) = self.run_estimating(vec![stage], 1)?;
        let mut totals = totals
            .rows
            .into_iter()
            .next()
            .unwrap_or_default()
            .into_iter();
        let [events, distinct] = [totals.next(), totals.next()].map(count_of);
        let ends = (totals.next(), totals.next());
        // Events without the field are a group too.
        let limit = self.request.values_max + 1;
        let stage = Stage::Top {
            limit: limit as u64,
            by: vec![named],
        };
        let mut values = values_of(&self.run(vec![stage], limit)?);
        values.truncate(self.request.values_max);
        Ok(Facet {
            name: name.into(),
            kinds: field.kinds,
            is_in_conflict: field.is_in_conflict(),
            coverage: Coverage {
                events,
                of: self.matching(),
            },
            looked_at: self.matching(),
            distinct: match is_estimated {
                true => Distinct::About(distinct),
                false => Distinct::Exactly(distinct),
            },
            values,
            numbers: match ends {
                (Some(least), Some(greatest)) if are_numbers(field) && events > 0 => {
                    Some((least, greatest))
                }
                _ => None,
            },
        })
    }

    fn run(&mut self, stages: Vec<Stage>, rows_max: usize) -> Result<Table, Error> {
        self.run_estimating(stages, rows_max)
            .map(|(table, _)| table)
    }

    /// The table that stages make of the events that match, and whether some of it is estimated.
    fn run_estimating(
        &mut self,
        stages: Vec<Stage>,
        rows_max: usize,
    ) -> Result<(Table, bool), Error> {
        let staged = StagedRequest {
            search: self.request.search.clone(),
            stages,
            rows_max,
        };
        let answer = self.engine.run_stages(self.snapshot, &staged)?;
        self.account.include(&answer.account);
        let table = match answer.result {
            Staged::Table(table) => table,
            Staged::Events { .. } => Table::default(),
        };
        Ok((table, !answer.approximate.is_empty()))
    }
}

fn computed(function: Function) -> Aggregate {
    Aggregate {
        function,
        condition: None,
        name: String::new(),
    }
}

/// Whether every value of a field is a number.
fn are_numbers(field: &SurveyedField) -> bool {
    let numbers = [ScalarKind::Int, ScalarKind::Float];
    field.kinds != FieldKinds::default() && field.kinds.are_within(&numbers)
}

/// The rows of a table of values and their counts, without that of the events that have none.
fn values_of(table: &Table) -> Vec<ValueCount> {
    let rows = table.rows.iter();
    let counted = rows.filter_map(|row| match row.as_slice() {
        [value, count] if *value != Cell::Null => Some(ValueCount {
            value: value.clone(),
            events: count_of(Some(count.clone())),
        }),
        _ => None,
    });
    counted.collect()
}

fn count_of(cell: Option<Cell>) -> u64 {
    match cell {
        Some(Cell::Int(count)) => u64::try_from(count).unwrap_or(u64::MAX),
        _ => 0,
    }
}
