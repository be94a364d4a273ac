//! How many rows of a block have each value of a column: what a question about few different values needs of it.
//!
//! Blocks of a segment share the lists of values, one for each path. The counts of a block are about a list that holds at
//! least its own values.

use std::collections::HashMap;
use std::sync::Arc;
use std::vec;

use cordwood_event::Scalar;

use super::serial::{narrow, next, push, signed, within};
use super::{ColumnEntry, MISSING};
use crate::block::ROWS_MAX;
use crate::column::{Column, Dictionary, Values};
use crate::encoding::cursor::{Cursor, push_count};
use crate::encoding::frame::read_frame;
use crate::encoding::{Compressor, Corrupt, Encoding, compare, dictionary, int};

/// Most values of a column that are counted.
const VALUES_MAX: usize = 256;

/// Fewest rows there are for each value that is counted. A count takes a byte or so, and never more than 17 bits.
const ROWS_PER_VALUE_MIN: usize = 32;

/// Fewest rows there are for each byte of the values. Other blocks have the same values as a rule, and share them.
const ROWS_PER_BYTE_MIN: usize = 2;

/// Most bytes of the lists of a segment, so that damaged bytes do not ask for more memory than there is.
const LISTS_BYTES_MAX: usize = 1 << 30;

/// The values of a column and how many rows of its block have each.
#[derive(Clone, Debug)]
pub struct ValueCounts {
    list: Arc<Dictionary>,
    counted: Box<[CountedValue]>,
}

/// One value and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedValue {
    /// The index of the value in [`ValueCounts::list`].
    pub value: u32,
    /// How many rows have it.
    pub rows: u32,
}

/// The same values, whatever list they are in, and the same counts.
impl PartialEq for ValueCounts {
    fn eq(&self, other: &ValueCounts) -> bool {
        self.scalars().eq(other.scalars()) && self.rows_of_each().eq(other.rows_of_each())
    }
}

impl ValueCounts {
    /// The counts of a column with these values, sorted and distinct, if they are few and short for so many rows.
    pub(crate) fn of(values: &[Scalar<'_>], rows: &[u32]) -> Option<ValueCounts> {
        let present: usize = rows.iter().map(|rows| *rows as usize).sum();
        let bytes_of = |value: &Scalar<'_>| match value {
            Scalar::Str(text) | Scalar::Json(text) => text.len(),
            _ => 1,
        };
        let bytes: usize = values.iter().map(bytes_of).sum();
        if values.len() > VALUES_MAX
            || values.len() * ROWS_PER_VALUE_MIN > present
            || bytes * ROWS_PER_BYTE_MIN > present
        {
            return None;
        }
        let counted = (0..).zip(rows);
        Some(ValueCounts {
            list: Arc::new(dictionary::of_values(values).ok()?),
            counted: counted
                .map(|(value, rows)| CountedValue { value, rows: *rows })
                .collect(),
        })
    }

    /// Values, sorted and distinct, those of the column among them.
    pub fn list(&self) -> &Arc<Dictionary> {
        &self.list
    }

    /// The values of the column and no others.
    pub(crate) fn dictionary(&self) -> Result<Arc<Dictionary>, Corrupt> {
        if self.counted.len() == self.list.len() {
            return Ok(Arc::clone(&self.list));
        }
        let values: Vec<Scalar<'_>> = self.scalars().collect();
        dictionary::of_values(&values).map(Arc::new)
    }

    /// The values of the column, in the order of the list.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = CountedValue> {
        self.counted.iter().copied()
    }

    /// The same as they are.
    pub fn scalars(&self) -> impl Iterator<Item = Scalar<'_>> + Clone {
        let values = self.counted.iter();
        values.map(|counted| {
            self.list
                .get(counted.value as usize)
                .unwrap_or(Scalar::Null)
        })
    }

    fn rows_of_each(&self) -> impl Iterator<Item = u32> {
        self.counted.iter().map(|counted| counted.rows)
    }

    /// Whether a column has these values in so many rows.
    pub(crate) fn counts_column(&self, column: &Column) -> Result<bool, Corrupt> {
        Ok(match &column.values {
            Values::Const(value) => {
                let rows = self.rows_of_each().map(|rows| rows as usize);
                self.scalars().eq([value.as_scalar()]) && rows.eq([column.presence.present()])
            }
            Values::Dict { values, codes } => {
                self.scalars().eq(values.iter()) && self.rows_of_each().eq(codes.count()?)
            }
            _ => false,
        })
    }

    /// The memory it takes, in bytes; the list, which columns of a segment share, left out.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<ValueCounts>() + size_of_val(&*self.counted)
    }
}

/// Appends, for columns of these paths (each an index below `paths`), the lists of all values and the counts of each.
pub(super) fn push_counts(
    columns: &[&ColumnEntry],
    path_ids: &[i64],
    paths: usize,
    out: &mut Vec<u8>,
) {
    push(out, columns, |entry| i64::from(entry.values.is_some()));
    let mut by_path: Vec<Vec<&ValueCounts>> = vec![Vec::new(); paths];
    let counted = columns.iter().zip(path_ids);
    let counted = counted.filter_map(|(entry, path)| Some((entry.values.as_deref()?, *path)));
    let counted: Vec<(&ValueCounts, i64)> = counted.collect();
    for (counts, path) in &counted {
        let path = usize::try_from(*path).ok();
        if let Some(of_path) = path.and_then(|path| by_path.get_mut(path)) {
            of_path.push(counts);
        }
    }
    let mut lists = Vec::new();
    let mut places: HashMap<*const Dictionary, Vec<i64>> = HashMap::new();
    for of_path in &by_path {
        let list = list_of(of_path);
        dictionary::push_list(&list, &mut lists);
        for counts in of_path {
            let places = places.entry(Arc::as_ptr(&counts.list));
            places.or_insert_with(|| places_in(&list, &counts.list));
        }
    }
    push_count(out, lists.len());
    Compressor::new().push_frame(out, &lists);
    let place = |counts: &ValueCounts, counted: &CountedValue| {
        let places = places.get(&Arc::as_ptr(&counts.list));
        let place = places.and_then(|places| places.get(counted.value as usize));
        place.copied().unwrap_or(0)
    };
    let mut gaps = Vec::new();
    let mut rows = Vec::new();
    for (counts, _) in &counted {
        let mut least = 0;
        for counted in counts.iter() {
            let place = place(counts, &counted);
            gaps.push(place - least);
            least = place + 1;
        }
        let written = counts.counted.len() - 1;
        rows.extend(counts.rows_of_each().take(written).map(i64::from));
    }
    int::encode(&gaps, out);
    int::encode(&rows, out);
}

/// The values of all columns of a path, sorted, each once.
fn list_of<'v>(columns: &[&'v ValueCounts]) -> Vec<Scalar<'v>> {
    let mut is_used: HashMap<*const Dictionary, (&Dictionary, Vec<bool>)> = HashMap::new();
    for counts in columns {
        let list = &counts.list;
        let entry = is_used.entry(Arc::as_ptr(list));
        let (_, is_used) = entry.or_insert_with(|| (list, vec![false; list.len()]));
        for counted in counts.iter() {
            if let Some(is_used) = is_used.get_mut(counted.value as usize) {
                *is_used = true;
            }
        }
    }
    let used = is_used.values().flat_map(|(list, is_used)| {
        let values = list.iter().zip(is_used);
        values.filter_map(|(value, is_used)| is_used.then_some(value))
    });
    let mut values: Vec<Scalar<'v>> = used.collect();
    values.sort_unstable_by(|a, b| compare(*a, *b));
    values.dedup_by(|a, b| compare(*a, *b).is_eq());
    values
}

/// Where in `list` each value of another list is; anywhere for those that it lacks, which no column has.
fn places_in(list: &[Scalar<'_>], other: &Dictionary) -> Vec<i64> {
    let place = |value: Scalar<'_>| list.binary_search_by(|known| compare(*known, value));
    let places = other.iter().map(place);
    places.map(|place| signed(place.unwrap_or(0))).collect()
}

/// Gives the columns their counts. They have their paths and how many different values they hold.
pub(super) fn decode_counts(
    cursor: &mut Cursor<'_>,
    columns: &mut [ColumnEntry],
    path_ids: &[i64],
    paths: usize,
) -> Result<(), Corrupt> {
    let is_counted = int::decode(cursor, columns.len())?;
    let length = cursor.count(LISTS_BYTES_MAX)?;
    let lists = read_frame(cursor, length)?;
    let mut lists_cursor = Cursor::new(&lists);
    let read = |_| dictionary::read_list(&mut lists_cursor, length).map(Arc::new);
    let lists: Vec<Arc<Dictionary>> = (0..paths).map(read).collect::<Result<_, Corrupt>>()?;
    lists_cursor.finish()?;
    let counted = columns.iter_mut().zip(path_ids).zip(is_counted);
    let counted = counted.filter(|(_, is_counted)| *is_counted != 0);
    let mut counted: Vec<(&mut ColumnEntry, i64)> =
        counted.map(|((entry, path), _)| (entry, *path)).collect();
    let mut total = 0;
    for (entry, _) in &counted {
        total += value_count(entry)?;
    }
    let mut gaps = int::decode(cursor, total)?.into_iter();
    let mut rows = int::decode(cursor, total - counted.len())?.into_iter();
    for (entry, path) in &mut counted {
        let list = usize::try_from(*path).ok().and_then(|path| lists.get(path));
        let list = Arc::clone(list.ok_or(MISSING)?);
        let counted = decode_column(entry, &list, &mut gaps, &mut rows)?;
        entry.values = Some(Arc::new(ValueCounts { list, counted }));
    }
    Ok(())
}

/// How many different values a column has, if its directory may count them.
fn value_count(entry: &ColumnEntry) -> Result<usize, Corrupt> {
    match entry.encoding {
        Encoding::Const => Ok(1),
        Encoding::Dict if (1..=VALUES_MAX).contains(&usize::from(entry.dictionary_len)) => {
            Ok(usize::from(entry.dictionary_len))
        }
        _ => Err(MISSING),
    }
}

fn decode_column(
    entry: &ColumnEntry,
    list: &Dictionary,
    gaps: &mut vec::IntoIter<i64>,
    rows: &mut vec::IntoIter<i64>,
) -> Result<Box<[CountedValue]>, Corrupt> {
    let last = value_count(entry)? - 1;
    let mut least = 0;
    let mut left = entry.present;
    let mut counted = Vec::with_capacity(last + 1);
    for index in 0..=last {
        let value = least + within(next(gaps)?, list.len())?;
        if value >= list.len() {
            return Err(MISSING);
        }
        least = value + 1;
        let of_value = match index == last {
            true => left,
            false => narrow(next(rows)?, 0, ROWS_MAX)?,
        };
        left = left.checked_sub(of_value).ok_or(MISSING)?;
        counted.push(CountedValue {
            value: u32::try_from(value).map_err(|_| MISSING)?,
            rows: of_value,
        });
    }
    Ok(counted.into())
}
