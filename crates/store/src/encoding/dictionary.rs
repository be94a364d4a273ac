//! CONST and DICT: the distinct values of a column, sorted, and for DICT a code per row.
//!
//! The list of values lies in the column's own chunk, or, when it is short, with those of other columns
//! in one frame of the block: thirty lists of ten words compress to nothing only together.

mod list_view;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use cordwood_event::{Scalar, Value};

use super::cursor::{Cursor, push_count, push_signed, push_varint};
use super::distinct::Distinct;
use super::frame::{Compressor, read_frame, read_header, view_frame};
use super::{Corrupt, codes};
use crate::block::{COLUMNS_MAX, TEXT_BYTES_MAX};
use crate::column::{DictCodes, Dictionary, ScalarKind, Values};
use list_view::ListView;

/// Longest list that goes to the shared frame, which whoever reads any such column must decompress.
const SHARED_LIST_BYTES_MAX: usize = 4 << 10;

/// Most values in a list.
const VALUES_MAX: usize = 4096;

const PAST_END: Corrupt = Corrupt("a code past the last value of its list");

/// In the chunk: the list follows here, or lies in the shared frame at this offset plus one.
const PLACED_HERE: u64 = 0;

/// The short lists of values of a block, decompressed.
#[derive(Debug, Default)]
pub(crate) struct SharedDictionaries {
    lists: Vec<u8>,
}

impl SharedDictionaries {
    /// Appends the frame that [`decode`](Self::decode) reads.
    pub(crate) fn encode(lists: &[u8], compressor: &mut Compressor, out: &mut Vec<u8>) {
        push_count(out, lists.len());
        compressor.push_frame(out, lists);
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<SharedDictionaries, Corrupt> {
        let mut cursor = Cursor::new(bytes);
        let length = cursor.count(COLUMNS_MAX * SHARED_LIST_BYTES_MAX)?;
        let lists = read_frame(&mut cursor, length)?;
        cursor.finish()?;
        Ok(SharedDictionaries { lists })
    }

    fn list(&self, offset: usize, length: usize) -> Result<&[u8], Corrupt> {
        let end = offset.checked_add(length);
        let list = end.and_then(|end| self.lists.get(offset..end));
        list.ok_or(Corrupt("a dictionary past the end of the shared frame"))
    }
}

/// Appends a DICT chunk.
pub(crate) fn encode_column(
    distinct: &Distinct<'_>,
    compressor: &mut Compressor,
    shared: Option<&mut Vec<u8>>,
    out: &mut Vec<u8>,
) {
    encode_values(&distinct.values, compressor, shared, out);
    codes::encode(&distinct.codes, distinct.values.len(), compressor, out);
}

/// Appends a list of values, or where it was put.
pub(crate) fn encode_values(
    values: &[Scalar<'_>],
    compressor: &mut Compressor,
    shared: Option<&mut Vec<u8>>,
    out: &mut Vec<u8>,
) {
    let list = list_of(values);
    match shared {
        Some(shared) if list.len() <= SHARED_LIST_BYTES_MAX => {
            push_varint(out, shared.len() as u64 + 1);
            push_count(out, list.len());
            shared.extend(list);
        }
        _ => {
            push_varint(out, PLACED_HERE);
            push_count(out, list.len());
            compressor.push_frame(out, &list);
        }
    }
}

/// The values, which are sorted and distinct, as a dictionary in memory.
pub(crate) fn of_values(values: &[Scalar<'_>]) -> Result<Dictionary, Corrupt> {
    let mut list = Vec::new();
    push_list(values, &mut list);
    read_list(&mut Cursor::new(&list), values.len())
}

fn list_of(values: &[Scalar<'_>]) -> Vec<u8> {
    let mut list = Vec::new();
    push_list(values, &mut list);
    list
}

/// Appends counts per kind; booleans, integers, floats; the lengths of the texts; the texts.
pub(crate) fn push_list(values: &[Scalar<'_>], list: &mut Vec<u8>) {
    for kind in ScalarKind::ALL {
        let of_kind = values
            .iter()
            .filter(|value| ScalarKind::of(**value) == kind);
        push_count(list, of_kind.count());
    }
    let mut previous = 0i64;
    for value in values {
        match *value {
            Scalar::Bool(boolean) => list.push(boolean.into()),
            Scalar::Int(integer) => {
                push_signed(list, integer.wrapping_sub(previous));
                previous = integer;
            }
            Scalar::Float(float) => list.extend(float.to_le_bytes()),
            Scalar::Str(text) | Scalar::Json(text) => push_count(list, text.len()),
            Scalar::Null => {}
        }
    }
    for value in values {
        if let Scalar::Str(text) | Scalar::Json(text) = value {
            list.extend_from_slice(text.as_bytes());
        }
    }
}

/// Reads the value of a CONST chunk.
pub(crate) fn decode_const(
    cursor: &mut Cursor<'_>,
    shared: &SharedDictionaries,
) -> Result<Value, Corrupt> {
    let values = decode_values(cursor, shared)?;
    match (values.len(), values.get(0)) {
        (1, Some(value)) => Ok(value.to_value()),
        _ => Err(Corrupt("a constant of several values")),
    }
}

/// Reads a DICT chunk of `count` values; `cursor` is within `bytes`. The codes stay packed.
pub(crate) fn decode_column(
    bytes: &Bytes,
    mut cursor: Cursor<'_>,
    count: usize,
    shared: &SharedDictionaries,
) -> Result<Values, Corrupt> {
    let values = decode_values(&mut cursor, shared)?;
    codes_of(bytes, cursor, count, Arc::new(values))
}

/// The same of a chunk whose values are known: its list is not looked at.
pub(crate) fn decode_column_of(
    bytes: &Bytes,
    count: usize,
    values: Arc<Dictionary>,
) -> Result<Values, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    skip_values(&mut cursor)?;
    codes_of(bytes, cursor, count, values)
}

/// Reads the values of a few ranks of a DICT chunk of `count` values.
pub(super) fn decode_few(
    mut cursor: Cursor<'_>,
    (count, ranks): (usize, &[usize]),
    shared: &SharedDictionaries,
) -> Result<Vec<Value>, Corrupt> {
    let placement = cursor.varint()?;
    let length = cursor.count(TEXT_BYTES_MAX * 2)?;
    let list = match placement {
        PLACED_HERE => view_frame(&mut cursor, length)?,
        _ => Cow::Borrowed(shared.list(offset_of(placement)?, length)?),
    };
    let list = ListView::read(&list)?;
    let codes = codes::decode_few(&mut cursor, (count, list.len()), ranks)?;
    cursor.finish()?;
    let value = |code: u16| list.get(usize::from(code)).ok_or(PAST_END);
    codes.into_iter().map(value).collect()
}

/// Reads the codes of a few ranks of a DICT chunk of `count` values, which are known to be so many different ones: its list is not
/// looked at.
pub(crate) fn decode_few_codes(
    bytes: &[u8],
    (count, ranks): (usize, &[usize]),
    values: usize,
) -> Result<Vec<u16>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    skip_values(&mut cursor)?;
    let codes = codes::decode_few(&mut cursor, (count, values), ranks)?;
    cursor.finish()?;
    Ok(codes)
}

fn skip_values(cursor: &mut Cursor<'_>) -> Result<(), Corrupt> {
    let placement = cursor.varint()?;
    cursor.count(TEXT_BYTES_MAX * 2)?;
    if placement == PLACED_HERE {
        let (length, _) = read_header(cursor)?;
        cursor.take(length)?;
    }
    Ok(())
}

fn codes_of(
    bytes: &Bytes,
    mut cursor: Cursor<'_>,
    count: usize,
    values: Arc<Dictionary>,
) -> Result<Values, Corrupt> {
    let codes = bytes.slice_ref(cursor.take(cursor.remaining())?);
    let codes = DictCodes::new(codes, count, values.len());
    Ok(Values::Dict { values, codes })
}

/// Whether the list of a CONST or DICT chunk lies in the shared frame.
pub(crate) fn is_shared(bytes: &[u8]) -> bool {
    let placement = Cursor::new(bytes).varint();
    placement.is_ok_and(|placement| placement != PLACED_HERE)
}

fn decode_values(
    cursor: &mut Cursor<'_>,
    shared: &SharedDictionaries,
) -> Result<Dictionary, Corrupt> {
    let placement = cursor.varint()?;
    let length = cursor.count(TEXT_BYTES_MAX * 2)?;
    if placement == PLACED_HERE {
        return parse_list(&read_frame(cursor, length)?);
    }
    parse_list(shared.list(offset_of(placement)?, length)?)
}

/// Where in the shared frame a list lies that is not in its chunk.
fn offset_of(placement: u64) -> Result<usize, Corrupt> {
    let offset = placement.checked_sub(1).map(usize::try_from);
    let offset = offset.and_then(Result::ok);
    offset.ok_or(Corrupt("a dictionary past the end of memory"))
}

fn parse_list(list: &[u8]) -> Result<Dictionary, Corrupt> {
    let mut cursor = Cursor::new(list);
    let dictionary = read_list(&mut cursor, VALUES_MAX)?;
    cursor.finish()?;
    if dictionary.is_empty() {
        return Err(Corrupt("a dictionary of no values"));
    }
    Ok(dictionary)
}

/// Reads a list of at most so many values.
pub(crate) fn read_list(cursor: &mut Cursor<'_>, values_max: usize) -> Result<Dictionary, Corrupt> {
    let mut counts = [0usize; ScalarKind::ALL.len()];
    let mut left = values_max;
    for count in &mut counts {
        *count = cursor.count(left)?;
        left -= *count;
    }
    let [_, bools, ints, floats, strs, jsons] = counts;
    let bools = cursor.take(bools)?.iter().map(|byte| *byte != 0).collect();
    let ints = parse_ints(cursor, ints)?;
    let floats = parse_floats(cursor, floats)?;
    let text_ends = parse_ends(cursor, strs + jsons)?;
    let text = cursor.take(text_ends.last().map_or(0, |end| *end as usize))?;
    let text = std::str::from_utf8(text).map_err(|_| Corrupt("text that is not UTF-8"))?;
    let dictionary = Dictionary::new(counts, (bools, ints, floats), text.into(), text_ends);
    dictionary.ok_or(Corrupt("a dictionary whose parts do not fit together"))
}

fn parse_ints(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<i64>, Corrupt> {
    let mut previous = 0i64;
    let mut next = || {
        previous = previous.wrapping_add(cursor.signed()?);
        Ok(previous)
    };
    (0..count).map(|_| next()).collect()
}

fn parse_floats(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<f64>, Corrupt> {
    let bytes = cursor.take(count * 8)?.as_chunks().0;
    let floats: Vec<f64> = bytes
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect();
    super::float::all_finite(floats)
}

fn parse_ends(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<u32>, Corrupt> {
    let mut end = 0usize;
    let mut next = || {
        end += cursor.count(TEXT_BYTES_MAX)?;
        u32::try_from(end).map_err(|_| Corrupt("a dictionary of too much text"))
    };
    (0..count).map(|_| next()).collect()
}
