//! Turns rows of events into columns of values, in time linear in the number of values and of field names.

use std::collections::HashMap;

use cordwood_event::{Batch, EventRef, Scalar};

use super::{COLUMNS_MAX, EncodeError, REST_CELLS_MAX, TEXT_BYTES_MAX};

/// A row to encode.
#[derive(Clone, Copy, Debug)]
pub struct BlockRow<'a> {
    /// The event.
    pub event: EventRef<'a>,
    /// Its sequence number.
    pub sequence: u64,
}

/// The values of one field, and the rows they stand in, rising.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldCells<'g, 'a> {
    pub(super) path: &'a str,
    pub(super) rows: &'g [u32],
    pub(super) values: &'g [Scalar<'a>],
}

/// All values of some rows, field by field.
#[derive(Debug)]
pub(super) struct Gathered<'a> {
    paths: Vec<&'a str>,
    /// By field, the range of its cells.
    ranges: Vec<(usize, usize)>,
    rows: Vec<u32>,
    values: Vec<Scalar<'a>>,
}

impl<'a> Gathered<'a> {
    pub(super) fn of(rows: &[BlockRow<'a>]) -> Gathered<'a> {
        let mut fields = Fields::default();
        for row in rows {
            fields.count(row.event);
        }
        let mut end = 0;
        let mut ranges: Vec<(usize, usize)> = Vec::with_capacity(fields.counts.len());
        for count in &fields.counts {
            ranges.push((end, end));
            end += count;
        }
        let mut gathered = Gathered {
            paths: fields.paths,
            ranges,
            rows: vec![0; end],
            values: vec![Scalar::Null; end],
        };
        for ((number, row), batch) in (0u32..).zip(rows).zip(&fields.batch_of_row) {
            let columns = fields.columns.get(*batch).map_or(&[][..], Vec::as_slice);
            for (field, value) in row.event.fields() {
                if let Some(column) = columns.get(field.index()) {
                    gathered.put(*column as usize, number, value);
                }
            }
        }
        gathered
    }

    /// A second value of one row and field would be a broken promise of the batch; the last one stays.
    fn put(&mut self, column: usize, row: u32, value: Scalar<'a>) {
        let Some((start, end)) = self.ranges.get_mut(column) else {
            return;
        };
        let last = end.checked_sub(1).filter(|last| *last >= *start);
        let slot = match last {
            Some(last) if self.rows.get(last) == Some(&row) => last,
            _ => {
                *end += 1;
                *end - 1
            }
        };
        if let (Some(row_slot), Some(value_slot)) =
            (self.rows.get_mut(slot), self.values.get_mut(slot))
        {
            *row_slot = row;
            *value_slot = finite(value);
        }
    }

    /// The fields that get a column, and the rarest that share a chunk, each sorted by path.
    pub(super) fn split(&self) -> (Vec<FieldCells<'_, 'a>>, Vec<FieldCells<'_, 'a>>) {
        let mut columns: Vec<_> = (0..self.paths.len())
            .filter_map(|field| self.field(field))
            .collect();
        let mut rest = Vec::new();
        if columns.len() > COLUMNS_MAX {
            columns.select_nth_unstable_by(COLUMNS_MAX, |a, b| {
                b.rows
                    .len()
                    .cmp(&a.rows.len())
                    .then_with(|| a.path.cmp(b.path))
            });
            rest = columns.split_off(COLUMNS_MAX);
        }
        columns.sort_unstable_by_key(|field| field.path);
        rest.sort_unstable_by_key(|field| field.path);
        (columns, rest)
    }

    fn field(&self, field: usize) -> Option<FieldCells<'_, 'a>> {
        let (start, end) = *self.ranges.get(field)?;
        Some(FieldCells {
            path: self.paths.get(field)?,
            rows: self.rows.get(start..end)?,
            values: self.values.get(start..end)?,
        })
    }

    /// Refuses what a reader would refuse.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        let text = |value: &Scalar<'_>| match value {
            Scalar::Str(text) | Scalar::Json(text) => text.len(),
            _ => 0,
        };
        let path_bytes: usize = self.paths.iter().map(|path| path.len()).sum();
        let text_bytes: usize = self.values.iter().map(text).sum();
        if path_bytes + text_bytes > TEXT_BYTES_MAX {
            return Err(EncodeError::TooMuchText);
        }
        if self.paths.len() > COLUMNS_MAX && self.values.len() > REST_CELLS_MAX {
            return Err(EncodeError::TooManyFields);
        }
        Ok(())
    }
}

/// The numbers given to field paths, looked up once per field of each batch.
#[derive(Default)]
struct Fields<'a> {
    paths: Vec<&'a str>,
    counts: Vec<usize>,
    by_path: HashMap<&'a str, u32, rapidhash::fast::RandomState>,
    batches: HashMap<*const Batch, usize, rapidhash::fast::RandomState>,
    /// By batch and then field id, the column; `UNKNOWN` until it is met.
    columns: Vec<Vec<u32>>,
    batch_of_row: Vec<usize>,
}

const UNKNOWN: u32 = u32::MAX;

impl<'a> Fields<'a> {
    fn count(&mut self, event: EventRef<'a>) {
        let batch = event.batch();
        let known = self.batches.len();
        let index = *self
            .batches
            .entry(std::ptr::from_ref(batch))
            .or_insert(known);
        if index == known {
            self.columns.push(vec![UNKNOWN; batch.paths().len()]);
        }
        self.batch_of_row.push(index);
        for (field, _) in event.fields() {
            let columns = self.columns.get_mut(index);
            let Some(column) = columns.and_then(|columns| columns.get_mut(field.index())) else {
                continue;
            };
            if *column == UNKNOWN
                && let Some(path) = batch.paths().get(field.index())
            {
                *column = number_of(&mut self.by_path, path);
                if *column as usize == self.paths.len() {
                    self.paths.push(path);
                    self.counts.push(0);
                }
            }
            if let Some(count) = self.counts.get_mut(*column as usize) {
                *count += 1;
            }
        }
    }
}

fn number_of<'a>(
    by_path: &mut HashMap<&'a str, u32, rapidhash::fast::RandomState>,
    path: &'a str,
) -> u32 {
    let next = u32::try_from(by_path.len()).unwrap_or(UNKNOWN);
    *by_path.entry(path).or_insert(next)
}

/// Events hold finite floats; should another come, it is kept as the text a decoder would have made of it,
/// rather than make the block unreadable.
fn finite(value: Scalar<'_>) -> Scalar<'_> {
    match value {
        Scalar::Float(float) if float.is_nan() => Scalar::Str("NaN"),
        Scalar::Float(f64::INFINITY) => Scalar::Str("Infinity"),
        Scalar::Float(f64::NEG_INFINITY) => Scalar::Str("-Infinity"),
        value => value,
    }
}
