//! The rows that are grouped, and what came of them as columns.

use std::fmt;
use std::sync::Arc;

use cordwood_engine::{Cell, SearchRequest, Staged, StagedAnswer, StagedRequest, Table};
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::common::{exec_err, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;

use super::Grouping;
use crate::columns::UTC;
use crate::scan::{Asked, cut_of};

/// Rows of a snapshot and how they are grouped.
#[derive(Debug)]
pub(crate) struct GroupedRows {
    pub(crate) asked: Arc<Asked>,
    /// Exactly the rows that are grouped.
    pub(crate) search: SearchRequest,
    pub(crate) grouping: Grouping,
}

impl fmt::Display for GroupedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LogStats: {}, filter={}",
            self.grouping, self.search.filter
        )
    }
}

impl GroupedRows {
    /// Has the engine group the rows; `None` where its answer is not that of SQL. Blocks the caller.
    pub(super) fn compute(
        &self,
        schema: &SchemaRef,
        memory: &MemoryReservation,
    ) -> Result<Option<RecordBatch>> {
        let request = StagedRequest {
            search: self.search.clone(),
            stages: vec![self.grouping.stage()],
            rows_max: usize::MAX,
        };
        let answer = self.asked.engine.run_stages(&self.asked.snapshot, &request);
        let answer = answer.map_err(|error| DataFusionError::External(Box::new(error)))?;
        let StagedAnswer {
            result: Staged::Table(table),
            approximate,
            mut account,
            ..
        } = answer
        else {
            return internal_err!("statistics are a table");
        };
        let cut = cut_of(&account);
        let is_right = approximate.is_empty() && self.grouping.is_right(&table, schema);
        if !is_right {
            // Whoever reads the rows again says so again.
            account.incomplete.clear();
        }
        self.asked.ledger.add(account);
        match cut {
            Some(cut) => Err(cut.into()),
            None if is_right => batch_of(&table, schema, memory).map(Some),
            None => Ok(None),
        }
    }
}

impl Grouping {
    /// Whether the table has what SQL would: no sum beyond the range of floats, and no two groups that are one.
    fn is_right(&self, table: &Table, schema: &SchemaRef) -> bool {
        let keys = self.by.len();
        let is_out_of_range = |row: &[Cell], (sum, count): &(usize, usize)| {
            let is_null = row.get(keys + sum) == Some(&Cell::Null);
            is_null && row.get(keys + count) != Some(&Cell::Int(0))
        };
        let fields = schema.fields().iter().take(keys);
        let is_float: Vec<bool> = fields
            .map(|field| *field.data_type() == DataType::Float64)
            .collect();
        table.rows.iter().all(|row| {
            let mut ranged = self.ranged.iter();
            let mut keys = row.iter().zip(&is_float);
            !ranged.any(|ranged| is_out_of_range(row, ranged))
                && keys.all(|(key, is_float)| !is_float || is_exact_float(key))
        })
    }
}

/// Whether no other number is the same float.
fn is_exact_float(key: &Cell) -> bool {
    const EXACT_MAX: u128 = 1 << 53;
    match key {
        Cell::Int(integer) => integer.unsigned_abs() < EXACT_MAX,
        _ => true,
    }
}

fn batch_of(table: &Table, schema: &SchemaRef, memory: &MemoryReservation) -> Result<RecordBatch> {
    memory.try_grow(bytes_of(table))?;
    let mut arrays = Vec::with_capacity(schema.fields().len());
    for (index, field) in schema.fields().iter().enumerate() {
        let cells = table
            .rows
            .iter()
            .map(|row| row.get(index).unwrap_or(&Cell::Null));
        let array = array_of(field.data_type(), cells)?;
        memory.try_grow(array.get_array_memory_size())?;
        arrays.push(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(table.rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
    memory.shrink(bytes_of(table));
    Ok(batch)
}

/// About what a table takes; texts are counted with the arrays made of them.
fn bytes_of(table: &Table) -> usize {
    let row = size_of::<Vec<Cell>>() + table.columns.len() * size_of::<Cell>();
    table.rows.len() * row
}

fn array_of<'c>(data_type: &DataType, cells: impl Iterator<Item = &'c Cell>) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Int64 => Arc::new(collected::<_, Int64Array>(cells, |cell| match cell {
            Cell::Int(integer) => Some(wrapped(*integer)),
            _ => None,
        })?),
        DataType::Float64 => Arc::new(collected::<_, Float64Array>(cells, |cell| match cell {
            Cell::Int(integer) => Some(nearest(*integer)),
            Cell::Float(float) => Some(*float),
            _ => None,
        })?),
        DataType::Boolean => Arc::new(collected::<_, BooleanArray>(cells, |cell| match cell {
            Cell::Bool(boolean) => Some(*boolean),
            _ => None,
        })?),
        DataType::Utf8 => Arc::new(collected::<_, StringArray>(cells, |cell| match cell {
            Cell::Str(text) => Some(&**text),
            _ => None,
        })?),
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => {
            let times = collected::<_, TimestampNanosecondArray>(cells, |cell| match cell {
                Cell::Time(time) => Some(time.as_nanos()),
                _ => None,
            })?;
            Arc::new(times.with_timezone(UTC))
        }
        other => return internal_err!("the engine computes no {other}"),
    })
}

/// The values of cells, of which each is null or of the kind that `value` takes.
fn collected<'c, T, A: FromIterator<Option<T>>>(
    cells: impl Iterator<Item = &'c Cell>,
    value: impl Fn(&'c Cell) -> Option<T>,
) -> Result<A> {
    cells
        .map(|cell| match (cell, value(cell)) {
            (Cell::Null, _) => Ok(None),
            (_, Some(value)) => Ok(Some(value)),
            (other, None) => exec_err!("a value of another kind than its column: {other:?}"),
        })
        .collect()
}

/// Sums of integers wrap, as DataFusion's do.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower bits are what wrapping leaves"
)]
fn wrapped(integer: i128) -> i64 {
    integer as i64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a column of floats has the nearest one"
)]
fn nearest(integer: i128) -> f64 {
    integer as f64
}
