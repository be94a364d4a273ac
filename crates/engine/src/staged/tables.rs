//! Stages on a table.

use std::collections::HashSet;
use std::sync::Arc;

use cordwood_query::{FieldName, SortKey, Stage};

use super::local::{LocalStage, pass};
use super::patterns;
use super::pipeline::{aggregation, local_stage, top_of};
use super::range::{Lasting, Timechart, fields_in};
use crate::budget::{Budget, Cut};
use crate::clauses::Compiler;
use crate::evaluate::Failure;
use crate::groups::Groups;
use crate::key::Key;
use crate::row::{FieldSet, Row};
use crate::sorting::sort_by;
use crate::table::SortValue;
use crate::{Cell, Incomplete, Table};

/// How many rows are looked at between two looks at the budget.
const ROWS_PER_CHECK: usize = 1024;

/// The table after a stage.
pub(super) fn apply(
    stage: &Stage,
    mut table: Table,
    compiler: &Compiler,
    range: Lasting,
    budget: &Budget,
) -> Result<Table, Incomplete> {
    match stage {
        Stage::Limit(limit) => {
            let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
            table.rows.truncate(limit);
        }
        Stage::Fields(names) => table = keep_columns(table, names),
        Stage::Sort(keys) => sort(&mut table, keys, budget)?,
        Stage::Dedup(by) => dedup(&mut table, by, budget).map_err(incomplete)?,
        Stage::Where(_) | Stage::Parse { .. } => {
            let mut fields = FieldSet::default();
            if let Some(local) = local_stage(stage, compiler, &mut fields) {
                table = pass_rows(&table, &local, &fields, budget).map_err(incomplete)?;
            }
        }
        Stage::Stats { .. }
        | Stage::Timechart { .. }
        | Stage::Top { .. }
        | Stage::Patterns { .. } => {
            table = group(stage, &table, compiler, range, budget)?;
        }
    }
    match budget.interrupted() {
        Some(cut) => Err(cut.into()),
        None => Ok(table),
    }
}

fn incomplete(failure: Failure) -> Incomplete {
    match failure {
        Failure::Cut(cut) => cut.into(),
        Failure::Unreadable(_) | Failure::OutOfReach(_) => Incomplete::Cancelled,
    }
}

fn keep_columns(table: Table, names: &[FieldName]) -> Table {
    let indices: Vec<Option<usize>> = names
        .iter()
        .map(|name| {
            table
                .columns
                .iter()
                .position(|column| column == name.as_str())
        })
        .collect();
    let kept = |row: Vec<Cell>| {
        let cells = indices
            .iter()
            .map(|index| index.and_then(|index| row.get(index)).cloned());
        cells.map(|cell| cell.unwrap_or(Cell::Null)).collect()
    };
    Table {
        columns: names.iter().map(|name| name.as_str().to_owned()).collect(),
        rows: table.rows.into_iter().map(kept).collect(),
        more: table.more,
    }
}

fn sort(table: &mut Table, keys: &[SortKey], budget: &Budget) -> Result<(), Cut> {
    let mut fields = FieldSet::default();
    let keys: Vec<(usize, SortKey)> = keys
        .iter()
        .map(|key| (fields.named(&key.field), key.clone()))
        .collect();
    let rows = std::mem::take(&mut table.rows);
    let columns = fields_in(table, &fields);
    let mut keyed: Vec<(Vec<SortValue>, Vec<Cell>)> = Vec::with_capacity(rows.len());
    for (index, cells) in rows.into_iter().enumerate() {
        if index.is_multiple_of(ROWS_PER_CHECK) {
            budget.check()?;
        }
        let values = sort_values(&columns.row(index, &cells), &keys).unwrap_or_default();
        keyed.push((values, cells));
    }
    sort_by(&mut keyed, budget, |(a, _), (b, _)| compare(a, b, &keys))?;
    table.rows = keyed.into_iter().map(|(_, cells)| cells).collect();
    Ok(())
}

/// What a row is sorted by: of an array, its first element.
pub(super) fn sort_values(
    row: &dyn Row,
    keys: &[(usize, SortKey)],
) -> Result<Vec<SortValue>, Failure> {
    let value_of = |(field, _): &(usize, SortKey)| {
        let mut value = None;
        row.each(*field, &mut |datum| {
            datum.each_leaf(&mut |leaf| {
                value.get_or_insert_with(|| SortValue::of_leaf(leaf));
            });
        })?;
        Ok(value.unwrap_or(SortValue::Null))
    };
    keys.iter().map(value_of).collect()
}

/// How two rows stand by their sort values.
pub(super) fn compare(
    a: &[SortValue],
    b: &[SortValue],
    keys: &[(usize, SortKey)],
) -> std::cmp::Ordering {
    let pairs = a.iter().zip(b).zip(keys);
    let orders = pairs.map(|((a, b), (_, key))| a.compare_towards(b, key.direction));
    orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

/// The values of some fields of a row, to tell rows apart.
pub(super) fn identity(row: &dyn Row, by: &[usize]) -> Result<Vec<Vec<Key>>, Failure> {
    let of_field = |field: &usize| {
        let mut keys = Vec::new();
        row.each(*field, &mut |datum| {
            datum.each_leaf(&mut |leaf| keys.push(Key::of(leaf)))
        })?;
        Ok(keys)
    };
    by.iter().map(of_field).collect()
}

fn dedup(table: &mut Table, by: &[FieldName], budget: &Budget) -> Result<(), Failure> {
    let mut fields = FieldSet::default();
    let by: Vec<usize> = by.iter().map(|name| fields.named(name)).collect();
    let rows = std::mem::take(&mut table.rows);
    let columns = fields_in(table, &fields);
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for (index, cells) in rows.into_iter().enumerate() {
        check(index, budget)?;
        if seen.insert(identity(&columns.row(index, &cells), &by)?) {
            kept.push(cells);
        }
    }
    table.rows = kept;
    Ok(())
}

fn pass_rows(
    table: &Table,
    stage: &LocalStage,
    fields: &FieldSet,
    budget: &Budget,
) -> Result<Table, Failure> {
    let columns = fields_in(table, fields);
    let mut names = table.columns.clone();
    if let LocalStage::Parse { pattern, .. } = stage {
        names.extend(
            pattern
                .names()
                .filter(|name| !table.columns.iter().any(|column| column == name))
                .map(str::to_owned),
        );
    }
    let mut rows = Vec::new();
    for (index, cells) in table.rows.iter().enumerate() {
        check(index, budget)?;
        let mut added = Vec::new();
        if pass(
            std::slice::from_ref(stage),
            &columns.row(index, cells),
            &mut added,
        )? {
            let mut cells = cells.clone();
            cells.resize(names.len(), Cell::Null);
            for field in added {
                let column = names.iter().position(|name| **name == *field.name);
                if let Some(cell) = column.and_then(|column| cells.get_mut(column)) {
                    *cell = field.value;
                }
            }
            rows.push(cells);
        }
    }
    Ok(Table {
        columns: names,
        rows,
        more: table.more,
    })
}

fn group(
    stage: &Stage,
    table: &Table,
    compiler: &Compiler,
    range: Lasting,
    budget: &Budget,
) -> Result<Table, Incomplete> {
    let mut fields = FieldSet::default();
    let aggregation = Arc::new(aggregation(stage, compiler, &mut fields));
    let mut groups = Groups::new(&aggregation);
    let columns = fields_in(table, &fields);
    for (index, cells) in table.rows.iter().enumerate() {
        check(index, budget).map_err(incomplete)?;
        groups.add(&columns.row(index, cells)).map_err(incomplete)?;
    }
    groups.ensure_whole();
    let keys = aggregation.keys.len();
    let groups = of_top(groups, top_of(stage), budget)?;
    let mut grouped = groups.into_table(range.seconds(), budget)?;
    if let Some(patterns) = aggregation.patterns() {
        return Ok(patterns::folded(grouped, patterns, budget)?);
    }
    if let (Some(timechart), Some(times)) = (Timechart::of(stage), range.times) {
        timechart.fill(&mut grouped, times, budget)?;
    }
    order_groups(&mut grouped, (keys, top_of(stage)), budget)?;
    Ok(grouped)
}

/// The groups that `top` may keep; else all.
pub(super) fn of_top(groups: Groups, top: Option<u64>, budget: &Budget) -> Result<Groups, Cut> {
    match top {
        Some(limit) => groups.greatest(rows_of(limit), budget),
        None => Ok(groups),
    }
}

/// Orders rows by their keys; for `top`, those with the greatest counts, which stand in the last column, come first and
/// the others are dropped.
pub(super) fn order_groups(
    table: &mut Table,
    (keys, top): (usize, Option<u64>),
    budget: &Budget,
) -> Result<(), Cut> {
    let count = |row: &Vec<Cell>| match row.last() {
        Some(Cell::Int(count)) => *count,
        _ => 0,
    };
    table.sort_by_keys(keys, budget)?;
    if let Some(limit) = top {
        sort_by(&mut table.rows, budget, |a, b| count(b).cmp(&count(a)))?;
        table.rows.truncate(rows_of(limit));
    }
    Ok(())
}

fn rows_of(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn check(index: usize, budget: &Budget) -> Result<(), Failure> {
    if index.is_multiple_of(ROWS_PER_CHECK) {
        budget.check()?;
    }
    Ok(())
}
