//! A list of values as it is stored, to be asked for a few of them without making a dictionary of it.

use std::ops::Range;

use cordwood_event::Value;

use super::VALUES_MAX;
use crate::block::TEXT_BYTES_MAX;
use crate::column::ScalarKind;
use crate::encoding::Corrupt;
use crate::encoding::cursor::Cursor;

/// The values of a DICT, sorted.
#[derive(Debug)]
pub(super) struct ListView<'a> {
    /// How many there are of each kind, in their order.
    counts: [usize; ScalarKind::ALL.len()],
    rest: &'a [u8],
}

impl<'a> ListView<'a> {
    pub(super) fn read(list: &'a [u8]) -> Result<ListView<'a>, Corrupt> {
        let mut cursor = Cursor::new(list);
        let mut counts = [0; ScalarKind::ALL.len()];
        let mut left = VALUES_MAX;
        for count in &mut counts {
            *count = cursor.count(left)?;
            left -= *count;
        }
        Ok(ListView {
            counts,
            rest: cursor.take(cursor.remaining())?,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The value of a code; `None` of one past the last, and of damaged bytes.
    pub(super) fn get(&self, code: usize) -> Option<Value> {
        let mut place = code;
        let mut kinds = ScalarKind::ALL.into_iter().zip(self.counts);
        let (kind, place) = kinds.find_map(|(kind, count)| match place.checked_sub(count) {
            None => Some((kind, place)),
            Some(left) => {
                place = left;
                None
            }
        })?;
        self.read_value(kind, place).ok()?
    }

    /// The value that is in some place among those of its kind.
    fn read_value(&self, kind: ScalarKind, place: usize) -> Result<Option<Value>, Corrupt> {
        let [_, bools, ints, floats, strs, jsons] = self.counts;
        let mut cursor = Cursor::new(self.rest);
        let bools = cursor.take(bools)?;
        let mut integer = 0i64;
        for index in 0..ints {
            integer = integer.wrapping_add(cursor.signed()?);
            if kind == ScalarKind::Int && index == place {
                return Ok(Some(Value::Int(integer)));
            }
        }
        let floats = cursor.take(floats * size_of::<f64>())?;
        let text = match kind {
            ScalarKind::Str => place,
            _ => strs + place,
        };
        Ok(match kind {
            ScalarKind::Null => Some(Value::Null),
            ScalarKind::Bool => bools.get(place).map(|byte| Value::Bool(*byte != 0)),
            ScalarKind::Int => None,
            ScalarKind::Float => {
                let bits = floats.as_chunks().0.get(place);
                let float = bits.map(|bits| f64::from_le_bytes(*bits));
                float.filter(|float| float.is_finite()).map(Value::Float)
            }
            ScalarKind::Str | ScalarKind::Json => {
                let range = range_of(&mut cursor, text, strs + jsons)?;
                let text = cursor.take(cursor.remaining())?.get(range);
                let text = text.and_then(|text| str::from_utf8(text).ok());
                text.map(|text| match kind {
                    ScalarKind::Json => Value::Json(text.into()),
                    _ => Value::Str(text.into()),
                })
            }
        })
    }
}

/// Reads the lengths of texts, and says where among their bytes the one at an index is.
fn range_of(cursor: &mut Cursor<'_>, index: usize, texts: usize) -> Result<Range<usize>, Corrupt> {
    let mut end = 0;
    let mut range = 0..0;
    for text in 0..texts {
        let length = cursor.count(TEXT_BYTES_MAX)?;
        if text == index {
            range = end..end + length;
        }
        end += length;
    }
    Ok(range)
}
