//! The rarest fields of a block with too many of them: (path, row, value), sorted by path, in one chunk.
//!
//! They are columns to whoever asks, at a cost that grows with the chunk and not with the number of columns.

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

/// The rare fields of a block, decoded.
#[derive(Debug)]
pub struct Rest {
    /// Rows of the block.
    rows: usize,
    paths: Paths,
    /// By path, where its cells end.
    cell_ends: Vec<u32>,
    /// By cell, its row; rising within a path.
    cell_rows: Vec<u32>,
    /// By cell.
    values: Values,
    /// Cells in the order of their rows; made when a row is asked for.
    by_row: OnceLock<Vec<u32>>,
}

/// Sorted paths in one allocation.
#[derive(Debug)]
struct Paths {
    text: String,
    ends: Vec<u32>,
}

/// The chunk of some fields, sorted by path, each with at least one cell.
pub(super) fn encode(fields: &[FieldCells<'_, '_>], compressor: &mut Compressor) -> Vec<u8> {
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
    let values: Vec<Scalar<'_>> = fields
        .iter()
        .flat_map(|field| field.values)
        .copied()
        .collect();
    let encoded = encoding::encode(&values, compressor, None);
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
        let cell_ends = ends_of(&int::decode(&mut cursor, path_count)?, cell_count)?;
        let cell_rows = decode_rows(&mut cursor, &cell_ends, cell_count, rows)?;
        let encoding = Encoding::from_code(cursor.byte()?);
        let encoding = encoding.ok_or(Corrupt("an unknown encoding"))?;
        let values = bytes.slice_ref(cursor.take(cursor.remaining())?);
        let values = encoding::decode(
            encoding,
            &values,
            cell_count,
            &SharedDictionaries::default(),
        )?;
        Ok(Rest {
            rows,
            paths,
            cell_ends,
            cell_rows,
            values,
            by_row: OnceLock::new(),
        })
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
        let cells = self
            .cells_of(index)
            .ok_or(Corrupt("no rare field of this index"))?;
        let cell_rows = self.cell_rows.get(cells.clone()).unwrap_or_default();
        let rows = cell_rows.iter().map(|row| *row as usize);
        let values: Result<Vec<Scalar<'_>>, Corrupt> =
            cells.map(|cell| self.values.scalar(cell)).collect();
        Ok(Column {
            presence: Arc::new(Presence::of_rows(self.rows, rows)),
            values: Values::of_scalars(&values?),
        })
    }

    /// The fields of one row. The first call orders all cells by row.
    pub fn fields(&self, row: usize) -> Result<Vec<(&str, Scalar<'_>)>, Corrupt> {
        let by_row = self.by_row.get_or_init(|| {
            let mut cells: Vec<u32> = (0u32..).take(self.cell_rows.len()).collect();
            cells.sort_by_key(|cell| self.row_of(*cell));
            cells
        });
        let start = by_row.partition_point(|cell| self.row_of(*cell) < row);
        let of_row = by_row
            .iter()
            .skip(start)
            .take_while(|cell| self.row_of(**cell) == row);
        let field = |cell: &u32| {
            let index = self.cell_ends.partition_point(|end| end <= cell);
            let path = self.paths.get(index).unwrap_or_default();
            Ok((path, self.values.scalar(*cell as usize)?))
        };
        of_row.map(field).collect()
    }

    fn row_of(&self, cell: u32) -> usize {
        self.cell_rows
            .get(cell as usize)
            .map_or(usize::MAX, |row| *row as usize)
    }

    fn cells_of(&self, index: usize) -> Option<std::ops::Range<usize>> {
        let start = match index.checked_sub(1) {
            Some(previous) => *self.cell_ends.get(previous)? as usize,
            None => 0,
        };
        Some(start..*self.cell_ends.get(index)? as usize)
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
