//! A batch of events, as decoded from one request: row by row, with no allocation per value.
//!
//! Field paths are interned once per batch; a row is a run of 16-byte cells; text lies in one
//! arena. The store copies cells into columns, live tail and fresh events are matched right here.

use std::ops::Range;

use crate::{Level, Scalar, Timestamp};

/// A field of a batch: an index into [`Batch::paths`], of no meaning outside that batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

impl FieldId {
    /// As an index into [`Batch::paths`].
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An immutable batch of events. Built by a [`BatchBuilder`](crate::BatchBuilder).
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) paths: Vec<Box<str>>,
    pub(crate) text: String,
    pub(crate) cells: Vec<Cell>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) first_cell: u32,
    pub(crate) cell_count: u32,
    pub(crate) source_bytes: u32,
    pub(crate) level: Option<Level>,
    pub(crate) timestamp: Timestamp,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) field: FieldId,
    pub(crate) kind: CellKind,
    /// The value itself, or offset << 32 | length of its text in the arena.
    pub(crate) bits: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    Null,
    Bool,
    Int,
    Float,
    Str,
    Json,
}

impl Batch {
    /// The number of events.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The paths of all fields, by [`FieldId`]; escaped as [`mod@crate::path`] says.
    pub fn paths(&self) -> &[Box<str>] {
        &self.paths
    }

    /// The event in row `row`; panics past the end, as a slice would.
    pub fn event(&self, row: usize) -> EventRef<'_> {
        EventRef {
            batch: self,
            row: &self.rows[row],
        }
    }

    /// All events, in the order they came.
    pub fn events(&self) -> impl ExactSizeIterator<Item = EventRef<'_>> + Clone {
        self.rows.iter().map(|row| EventRef { batch: self, row })
    }

    /// The memory the batch holds, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let paths: usize = self
            .paths
            .iter()
            .map(|path| path.len() + size_of::<Box<str>>())
            .sum();
        paths
            + self.text.capacity()
            + self.cells.capacity() * size_of::<Cell>()
            + self.rows.capacity() * size_of::<Row>()
    }

    #[inline]
    pub(crate) fn scalar(&self, cell: &Cell) -> Scalar<'_> {
        match cell.kind {
            CellKind::Null => Scalar::Null,
            CellKind::Bool => Scalar::Bool(cell.bits != 0),
            CellKind::Int => Scalar::Int(cell.bits.cast_signed()),
            CellKind::Float => Scalar::Float(f64::from_bits(cell.bits)),
            CellKind::Str => Scalar::Str(self.text_at(cell.bits)),
            CellKind::Json => Scalar::Json(self.text_at(cell.bits)),
        }
    }

    #[inline]
    fn text_at(&self, bits: u64) -> &str {
        self.text
            .get(text_place(bits))
            .expect("the builder wrote whole strings")
    }
}

/// Where the text of a cell lies in the arena.
#[inline]
pub(crate) fn text_place(bits: u64) -> Range<usize> {
    let start = (bits >> 32) as usize;
    start..start + (bits & 0xffff_ffff) as usize
}

/// One event of a batch.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    batch: &'a Batch,
    row: &'a Row,
}

impl<'a> EventRef<'a> {
    /// The batch it belongs to, whose paths name its fields.
    pub fn batch(self) -> &'a Batch {
        self.batch
    }

    /// The event's time.
    pub fn timestamp(self) -> Timestamp {
        self.row.timestamp
    }

    /// The normalised level. The field `level` holds the raw value where that differs from the name.
    pub fn level(self) -> Option<Level> {
        self.row.level
    }

    /// How many bytes of the request the event took.
    pub fn source_bytes(self) -> usize {
        self.row.source_bytes as usize
    }

    /// The fields in the order sent, each at most once. Neither the parsed `dt`, nor a `level` equal to its
    /// normalised name, is among them.
    #[inline]
    pub fn fields(self) -> impl ExactSizeIterator<Item = (FieldId, Scalar<'a>)> + Clone {
        self.values().map(|(field, value)| (field, value.scalar()))
    }

    /// The same, where it is too early to look at texts.
    #[inline]
    pub fn values(self) -> impl ExactSizeIterator<Item = (FieldId, ValueRef<'a>)> + Clone {
        let batch = self.batch;
        let cells = self.cells().iter();
        cells.map(move |cell| (cell.field, ValueRef { batch, cell }))
    }

    /// Which fields [`fields`](Self::fields) gives, without a look at their values.
    #[inline]
    pub fn field_ids(self) -> impl ExactSizeIterator<Item = FieldId> + Clone {
        self.cells().iter().map(|cell| cell.field)
    }

    /// The value at `path` (escaped form), if the event has it. Linear in the number of fields.
    pub fn get(self, path: &str) -> Option<Scalar<'a>> {
        self.fields()
            .find(|(field, _)| &*self.batch.paths[field.index()] == path)
            .map(|(_, value)| value)
    }

    #[inline]
    fn cells(self) -> &'a [Cell] {
        let first = self.row.first_cell as usize;
        &self.batch.cells[first..first + self.row.cell_count as usize]
    }
}

/// A value of an event, which may not have been looked at.
#[derive(Clone, Copy, Debug)]
pub struct ValueRef<'a> {
    batch: &'a Batch,
    cell: &'a Cell,
}

impl<'a> ValueRef<'a> {
    /// The value.
    #[inline]
    pub fn scalar(self) -> Scalar<'a> {
        self.batch.scalar(self.cell)
    }

    /// How many bytes of text it has, JSON or not. Memory does not have to bring the text for that.
    #[inline]
    pub fn text_bytes(self) -> usize {
        match self.cell.kind {
            CellKind::Str | CellKind::Json => text_place(self.cell.bits).len(),
            CellKind::Null | CellKind::Bool | CellKind::Int | CellKind::Float => 0,
        }
    }

    /// The bytes of a text as [`Scalar::Str`] has them; `None` for any other value.
    #[inline]
    pub fn str_bytes(self) -> Option<&'a [u8]> {
        match self.cell.kind {
            CellKind::Str => self.batch.text.as_bytes().get(text_place(self.cell.bits)),
            _ => None,
        }
    }
}
