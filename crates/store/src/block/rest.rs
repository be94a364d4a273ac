//! The rarest fields of a block with too many of them: (path, row, value), sorted by path, in one chunk.
//!
//! They are columns to whoever asks; to learn that a field is not among them takes the paths alone.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use cordwood_event::Scalar;

use super::directory::RestEntry;
use super::gather::FieldCells;
use super::{REST_CELLS_MAX, TEXT_BYTES_MAX};
use crate::column::{Column, Presence, Values};
use crate::encoding::cursor::{Cursor, push_count};
use crate::encoding::frame::read_frame;
use crate::encoding::{self, Compressor, Corrupt, Encoding, SharedDictionaries, int};
use crate::tokens::BlockTokens;

/// The rare fields of a block: their paths, and their values once somebody asks for one.
#[derive(Debug)]
pub struct Rest {
    /// Rows of the block.
    rows: usize,
    cell_count: usize,
    paths: Paths,
    /// What follows the paths in the chunk.
    stored_cells: Bytes,
    cells: OnceLock<Cells>,
    /// Cells in the order of their rows; made when a row is asked for.
    by_row: OnceLock<Vec<u32>>,
}

/// The values of all rare fields, by path and within a path by row. Their index is their *cell*.
#[derive(Debug)]
struct Cells {
    /// By path, where its cells end.
    ends: Vec<u32>,
    /// By cell, its row.
    rows: Vec<u32>,
    values: Values,
}

/// Sorted paths in one allocation.
#[derive(Debug)]
struct Paths {
    text: String,
    ends: Vec<u32>,
}

/// The chunk of some fields, sorted by path, each with at least one cell.
pub(super) fn encode(
    fields: &[FieldCells<'_, '_>],
    compressor: &mut Compressor,
    tokens: &mut BlockTokens,
) -> Vec<u8> {
    let mut out = Vec::new();
    push_paths(fields.iter().map(|field| field.path), compressor, &mut out);
    int::encode(
        &lengths(fields.iter().map(|field| field.rows.len())),
        &mut out,
    );
    let rows = fields.iter().flat_map(|field| field.rows);
    int::encode(
        &rows.map(|row| i64::from(*row)).collect::<Vec<i64>>(),
        &mut out,
    );
    let values = fields.iter().flat_map(|field| field.values).copied();
    let encoded = encoding::encode(&values.collect(), compressor, None, tokens);
    out.push(encoded.encoding.code());
    out.extend(encoded.bytes);
    out
}

/// Appends paths: their lengths, the length of all, a frame of their bytes.
pub(super) fn push_paths<'a>(
    paths: impl Iterator<Item = &'a str> + Clone,
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) {
    int::encode(&lengths(paths.clone().map(str::len)), out);
    let text: Vec<u8> = paths.flat_map(str::bytes).collect();
    push_count(out, text.len());
    compressor.push_frame(out, &text);
}

fn lengths(counts: impl Iterator<Item = usize>) -> Vec<i64> {
    counts.map(|count| (count as u64).cast_signed()).collect()
}

impl Rest {
    pub(super) fn decode(bytes: &Bytes, entry: &RestEntry, rows: usize) -> Result<Rest, Corrupt> {
        let (path_count, cell_count) = (entry.paths as usize, entry.cells as usize);
        if path_count > cell_count || cell_count > REST_CELLS_MAX {
            return Err(Corrupt("a rest of too many fields"));
        }
        let mut cursor = Cursor::new(bytes);
        let paths = Paths::decode(&mut cursor, path_count)?;
        Ok(Rest {
            rows,
            cell_count,
            paths,
            stored_cells: bytes.slice_ref(cursor.take(cursor.remaining())?),
            cells: OnceLock::new(),
            by_row: OnceLock::new(),
        })
    }

    fn cells(&self) -> Result<&Cells, Corrupt> {
        if let Some(cells) = self.cells.get() {
            return Ok(cells);
        }
        let cells = Cells::decode(&self.stored_cells, self.len(), self.cell_count, self.rows)?;
        Ok(self.cells.get_or_init(|| cells))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.paths.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.ends.is_empty()
    }

    /// The path of a field, escaped.
    pub fn path(&self, index: usize) -> Option<&str> {
        self.paths.get(index)
    }

    /// All paths, sorted; a field's index is its place here.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.paths.get(index).unwrap_or_default())
    }

    /// The index of the field of a path, escaped.
    pub fn path_index(&self, path: &str) -> Option<usize> {
        let mut range = 0..self.len();
        while !range.is_empty() {
            let middle = range.start + range.len() / 2;
            match self.paths.get(middle)?.cmp(path) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
            }
        }
        None
    }

    /// A field as a column.
    pub fn column(&self, index: usize) -> Result<Column, Corrupt> {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        for (row, value) in self.values_of(index)? {
            rows.push(row);
            values.push(value?);
        }
        Ok(Column {
            presence: Arc::new(Presence::of_rows(self.rows, rows)),
            values: Values::of_scalars(&values),
        })
    }

    /// The rows that have a field, rising, and their values: cheaper than the column, for fields in a few rows.
    pub fn values_of(
        &self,
        index: usize,
    ) -> Result<impl Iterator<Item = (usize, Result<Scalar<'_>, Corrupt>)>, Corrupt> {
        let cells = self.cells()?;
        let range = cells.range_of(index);
        let range = range.ok_or(Corrupt("no rare field of this index"))?;
        let rows = cells.rows.get(range.clone()).unwrap_or_default();
        let values = range.map(|cell| cells.values.scalar(cell));
        Ok(rows.iter().map(|row| *row as usize).zip(values))
    }

    /// The values of all fields at once, by cell: for a test that any field may pass.
    pub fn values(&self) -> Result<&Values, Corrupt> {
        Ok(&self.cells()?.values)
    }

    /// The index of the field and the row of a cell.
    pub fn place_of(&self, cell: usize) -> Result<Option<(usize, usize)>, Corrupt> {
        let cells = self.cells()?;
        let row = cells.rows.get(cell).map(|row| *row as usize);
        Ok(row.map(|row| (cells.path_of(cell), row)))
    }

    /// The fields of one row. The first call orders all cells by row.
    pub fn fields(&self, row: usize) -> Result<Vec<(&str, Scalar<'_>)>, Corrupt> {
        let cells = self.cells()?;
        let by_row = self.by_row.get_or_init(|| cells.by_row(self.rows));
        let row_of = |cell: &u32| cells.rows.get(*cell as usize).map(|row| *row as usize);
        let start = by_row.partition_point(|cell| row_of(cell) < Some(row));
        let of_row = by_row
            .iter()
            .skip(start)
            .take_while(|cell| row_of(cell) == Some(row));
        let field = |cell: &u32| {
            let cell = *cell as usize;
            let path = self.paths.get(cells.path_of(cell)).unwrap_or_default();
            Ok((path, cells.values.scalar(cell)?))
        };
        of_row.map(field).collect()
    }
}

impl Cells {
    fn decode(
        stored: &Bytes,
        path_count: usize,
        cell_count: usize,
        rows: usize,
    ) -> Result<Cells, Corrupt> {
        let mut cursor = Cursor::new(stored);
        let ends = ends_of(&int::decode(&mut cursor, path_count)?, cell_count)?;
        let cell_rows = decode_rows(&mut cursor, &ends, cell_count, rows)?;
        let encoding = Encoding::from_code(cursor.byte()?);
        let encoding = encoding.ok_or(Corrupt("an unknown encoding"))?;
        let values = stored.slice_ref(cursor.take(cursor.remaining())?);
        let no_lists = SharedDictionaries::default();
        Ok(Cells {
            ends,
            rows: cell_rows,
            values: encoding::decode(encoding, &values, cell_count, &no_lists)?,
        })
    }

    fn range_of(&self, index: usize) -> Option<Range<usize>> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)? as usize,
            None => 0,
        };
        Some(start..*self.ends.get(index)? as usize)
    }

    fn path_of(&self, cell: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= cell)
    }

    /// All cells in the order of their rows: a counting sort.
    fn by_row(&self, rows: usize) -> Vec<u32> {
        let mut starts = vec![0usize; rows + 1];
        for row in &self.rows {
            if let Some(next) = starts.get_mut(*row as usize + 1) {
                *next += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut sorted = vec![0u32; self.rows.len()];
        for (cell, row) in (0u32..).zip(&self.rows) {
            if let Some(start) = starts.get_mut(*row as usize)
                && let Some(slot) = sorted.get_mut(*start)
            {
                *slot = cell;
                *start += 1;
            }
        }
        sorted
    }
}

impl Paths {
    fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Paths, Corrupt> {
        let paths = read_paths(cursor, count)?;
        let is_sorted = (1..count).all(|index| paths.get(index - 1) < paths.get(index));
        if is_sorted {
            Ok(paths)
        } else {
            Err(Corrupt("paths out of order"))
        }
    }

    fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)? as usize,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)? as usize)
    }
}

fn read_paths(cursor: &mut Cursor<'_>, count: usize) -> Result<Paths, Corrupt> {
    let lengths = int::decode(cursor, count)?;
    let length = cursor.count(TEXT_BYTES_MAX)?;
    let ends = ends_of(&lengths, length)?;
    let text = String::from_utf8(read_frame(cursor, length)?);
    let text = text.map_err(|_| Corrupt("text that is not UTF-8"))?;
    let paths = Paths { text, ends };
    if (0..count).all(|index| paths.get(index).is_some()) {
        Ok(paths)
    } else {
        Err(Corrupt("a path cut within a character"))
    }
}

/// Reads the paths that [`push_paths`] wrote, in the order it wrote them.
pub(super) fn decode_paths(
    cursor: &mut Cursor<'_>,
    count: usize,
) -> Result<Vec<Arc<str>>, Corrupt> {
    let paths = read_paths(cursor, count)?;
    Ok((0..count)
        .filter_map(|index| paths.get(index))
        .map(Arc::from)
        .collect())
}

/// The running sums of lengths, which must come to `total`.
fn ends_of(lengths: &[i64], total: usize) -> Result<Vec<u32>, Corrupt> {
    const WRONG_LENGTHS: Corrupt = Corrupt("lengths that do not add up");
    let mut ends = Vec::with_capacity(lengths.len());
    let mut end = 0usize;
    for length in lengths {
        let length = usize::try_from(*length).map_err(|_| WRONG_LENGTHS)?;
        end = end
            .checked_add(length)
            .filter(|end| *end <= total)
            .ok_or(WRONG_LENGTHS)?;
        ends.push(u32::try_from(end).map_err(|_| WRONG_LENGTHS)?);
    }
    if end == total {
        Ok(ends)
    } else {
        Err(WRONG_LENGTHS)
    }
}

/// Rows rise within a path and lie within the block.
fn decode_rows(
    cursor: &mut Cursor<'_>,
    cell_ends: &[u32],
    cell_count: usize,
    rows: usize,
) -> Result<Vec<u32>, Corrupt> {
    const WRONG_ROW: Corrupt = Corrupt("a rare field in a row that is not there");
    let decoded = int::decode(cursor, cell_count)?;
    let narrow = |row: i64| u32::try_from(row).ok().filter(|row| (*row as usize) < rows);
    let cell_rows: Option<Vec<u32>> = decoded.into_iter().map(narrow).collect();
    let cell_rows = cell_rows.ok_or(WRONG_ROW)?;
    let mut start = 0;
    for end in cell_ends {
        let of_path = cell_rows.get(start..*end as usize).ok_or(WRONG_ROW)?;
        if of_path.is_empty() || !of_path.is_sorted_by(|a, b| a < b) {
            return Err(Corrupt("a rare field of rows out of order"));
        }
        start = *end as usize;
    }
    Ok(cell_rows)
}
