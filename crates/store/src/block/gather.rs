//! Turns rows of events into columns of values, in time linear in the number of values and of field names.
//!
//! Rows are gone through twice: to count fields, which does not look at texts; then a few events at a time, so that the texts of
//! these events, which lie side by side, are met together and once, and yet the values of one field one after the other, which
//! are of one kind mostly.

mod fields;

use std::hash::BuildHasher;

use cordwood_event::{EventRef, Scalar, ValueRef};

use super::{COLUMNS_MAX, EncodeError, REST_CELLS_MAX, TEXT_BYTES_MAX};
use crate::column::ScalarKind;
use crate::encoding::{Collected, Collectible};
use crate::value_key::ValueKey;
use fields::{Field, Fields};

/// A row to encode.
#[derive(Clone, Copy, Debug)]
pub struct BlockRow<'a> {
    /// The event.
    pub event: EventRef<'a>,
    /// Its sequence number.
    pub sequence: u64,
}

/// A field that gets a column: its values, and the rows they stand in.
#[derive(Debug)]
pub(super) struct FieldColumn<'a> {
    pub(super) path: &'a str,
    /// A bit for each row, the first the lowest of the first number.
    pub(super) rows: Vec<u64>,
    pub(super) values: Collected<'a>,
    /// Those of the events at hand. Their texts are looked at only when all of these events are known, so that memory brings many
    /// at the same time.
    fresh: Vec<ValueRef<'a>>,
    /// Which of the events at hand have one.
    fresh_rows: u64,
}

/// So few that their texts and values are in the cache nearest to the core together, and as many as a number has bits.
const EVENTS_AT_ONCE: usize = u64::BITS as usize;

/// The values of a rare field, and the rows they stand in, rising.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldCells<'g, 'a> {
    pub(super) path: &'a str,
    pub(super) rows: &'g [u32],
    pub(super) values: &'g [Scalar<'a>],
}

/// All values of some rows, field by field.
#[derive(Debug)]
pub(super) struct Gathered<'a> {
    /// Sorted by path.
    pub(super) columns: Vec<FieldColumn<'a>>,
    rare: RareFields<'a>,
    text_bytes: usize,
}

/// Fields beyond [`COLUMNS_MAX`], sorted by path, their cells in two allocations: there may be millions of them.
#[derive(Debug)]
struct RareFields<'a> {
    paths: Vec<&'a str>,
    /// By field, the range of its cells.
    ranges: Vec<(usize, usize)>,
    rows: Vec<u32>,
    values: Vec<Scalar<'a>>,
}

impl<'a> Gathered<'a> {
    pub(super) fn of(rows: &[BlockRow<'a>]) -> Result<Gathered<'a>, EncodeError> {
        let fields = Fields::of(rows);
        let cells: usize = fields.as_slice().iter().map(|field| field.count).sum();
        if fields.as_slice().len() > COLUMNS_MAX && cells > REST_CELLS_MAX {
            return Err(EncodeError::TooManyFields);
        }
        let mut gathered = Gathered::with_room(rows.len(), fields.as_slice());
        let mut numbered = (0u32..).zip(rows).zip(fields.slots_of_rows());
        for _ in 0..rows.len().div_ceil(EVENTS_AT_ONCE) {
            for ((number, row), slots) in numbered.by_ref().take(EVENTS_AT_ONCE) {
                for (field, value) in row.event.values() {
                    if let Some(slot) = slots.get(field.index()) {
                        gathered.put(*slot as usize, number, value);
                    }
                }
            }
            gathered.columns.iter_mut().for_each(FieldColumn::collect);
        }
        if gathered.text_bytes > TEXT_BYTES_MAX {
            return Err(EncodeError::TooMuchText);
        }
        Ok(gathered)
    }

    /// The fields without their values.
    fn with_room(rows: usize, fields: &[Field<'a>]) -> Gathered<'a> {
        let (with_column, rare) = fields.split_at(fields.len().min(COLUMNS_MAX));
        let column = |field: &Field<'a>| FieldColumn {
            path: field.path,
            rows: Vec::with_capacity(rows.div_ceil(EVENTS_AT_ONCE)),
            values: Collected::with_capacity(field.count),
            fresh: Vec::with_capacity(field.count.min(EVENTS_AT_ONCE)),
            fresh_rows: 0,
        };
        Gathered {
            columns: with_column.iter().map(column).collect(),
            rare: RareFields::with_room(rare),
            text_bytes: fields.iter().map(|field| field.path.len()).sum(),
        }
    }

    #[inline]
    fn put(&mut self, slot: usize, row: u32, value: ValueRef<'a>) {
        self.text_bytes += value.text_bytes();
        match self.columns.get_mut(slot) {
            Some(column) => column.put(row, value),
            None => self
                .rare
                .put(slot - self.columns.len(), row, value.scalar_to_keep()),
        }
    }

    /// The fields that share a chunk, sorted by path.
    pub(super) fn rare(&self) -> Vec<FieldCells<'_, 'a>> {
        let fields = self.rare.paths.iter().zip(&self.rare.ranges);
        let cells = fields.filter_map(|(path, (start, end))| {
            Some(FieldCells {
                path,
                rows: self.rare.rows.get(*start..*end)?,
                values: self.rare.values.get(*start..*end)?,
            })
        });
        cells.collect()
    }
}

impl<'a> FieldColumn<'a> {
    /// A second value of one row would be a broken promise of the batch; the first one stays.
    #[inline]
    fn put(&mut self, row: u32, value: ValueRef<'a>) {
        let bit = 1 << (row % u64::BITS);
        if self.fresh_rows & bit == 0 {
            self.fresh_rows |= bit;
            self.fresh.push(value);
        }
    }

    fn collect(&mut self) {
        self.rows.push(self.fresh_rows);
        self.fresh_rows = 0;
        self.values.extend(self.fresh.drain(..));
    }
}

impl<'a> RareFields<'a> {
    fn with_room(fields: &[Field<'a>]) -> RareFields<'a> {
        let mut cells = 0;
        let mut range = |field: &Field<'a>| {
            let start = cells;
            cells += field.count;
            (start, start)
        };
        RareFields {
            paths: fields.iter().map(|field| field.path).collect(),
            ranges: fields.iter().map(&mut range).collect(),
            rows: vec![0; cells],
            values: vec![Scalar::Null; cells],
        }
    }

    /// The same as of a column.
    fn put(&mut self, field: usize, row: u32, value: Scalar<'a>) {
        let Some((start, end)) = self.ranges.get_mut(field) else {
            return;
        };
        let cells = self.rows.get(*start..*end).unwrap_or_default();
        if cells.last() == Some(&row) {
            return;
        }
        if let (Some(row_slot), Some(value_slot)) =
            (self.rows.get_mut(*end), self.values.get_mut(*end))
        {
            *row_slot = row;
            *value_slot = value;
            *end += 1;
        }
    }
}

impl<'a> Collectible<'a> for ValueRef<'a> {
    #[inline]
    fn key(&self, hasher: &impl BuildHasher) -> ValueKey {
        match self.str_bytes() {
            Some(text) => ValueKey::of_text(text, ScalarKind::Str, hasher),
            None => ValueKey::of(self.scalar_to_keep(), hasher),
        }
    }

    /// Events hold finite floats; should another come, it is kept as the text a decoder would have made of it,
    /// rather than make the block unreadable.
    #[inline]
    fn scalar_to_keep(self) -> Scalar<'a> {
        match self.scalar() {
            Scalar::Float(float) if float.is_nan() => Scalar::Str("NaN"),
            Scalar::Float(f64::INFINITY) => Scalar::Str("Infinity"),
            Scalar::Float(f64::NEG_INFINITY) => Scalar::Str("-Infinity"),
            value => value,
        }
    }
}
