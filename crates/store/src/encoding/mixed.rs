//! MIXED: a kind per value, then the values of each kind encoded by themselves.

use bytes::Bytes;
use cordwood_event::Scalar;

use super::cursor::Cursor;
use super::frame::Compressor;
use super::{Corrupt, codes, float, int, text};
use crate::column::{Mixed, ScalarKind};

const KINDS: usize = ScalarKind::ALL.len();
const BOOLEANS: usize = 2;

/// Appends the values.
pub(crate) fn encode(values: &[Scalar<'_>], compressor: &mut Compressor, out: &mut Vec<u8>) {
    let kinds: Vec<u16> = values
        .iter()
        .map(|value| ScalarKind::of(*value) as u16)
        .collect();
    codes::encode(&kinds, KINDS, compressor, out);
    let (mut bools, mut ints, mut floats) = (Vec::new(), Vec::new(), Vec::new());
    let (mut strs, mut jsons) = (Vec::new(), Vec::new());
    for value in values {
        match *value {
            Scalar::Null => {}
            Scalar::Bool(boolean) => bools.push(u16::from(boolean)),
            Scalar::Int(integer) => ints.push(integer),
            Scalar::Float(float) => floats.push(float),
            Scalar::Str(text) => strs.push(text),
            Scalar::Json(text) => jsons.push(text),
        }
    }
    if !bools.is_empty() {
        codes::encode(&bools, BOOLEANS, compressor, out);
    }
    if !ints.is_empty() {
        int::encode(&ints, out);
    }
    if !floats.is_empty() {
        float::encode(&floats, compressor, out);
    }
    for texts in [strs, jsons] {
        if !texts.is_empty() {
            text::encode(&texts, compressor, out);
        }
    }
}

/// Reads `count` values; `cursor` is within `bytes`.
pub(crate) fn decode(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    count: usize,
) -> Result<Mixed, Corrupt> {
    let kinds: Vec<ScalarKind> = codes::decode(cursor, count, KINDS)?
        .into_iter()
        .filter_map(|code| ScalarKind::ALL.get(usize::from(code)).copied())
        .collect();
    let count_of = |kind| kinds.iter().filter(|other| **other == kind).count();
    let [_, bools, ints, floats, strs, jsons] = ScalarKind::ALL.map(count_of);
    let mut mixed = Mixed::of_kinds(kinds);
    if bools > 0 {
        let codes = codes::decode(cursor, bools, BOOLEANS)?;
        mixed.bools = codes.into_iter().map(|code| code == 1).collect();
    }
    if ints > 0 {
        mixed.ints = int::decode(cursor, ints)?;
    }
    if floats > 0 {
        mixed.floats = float::decode(cursor, floats)?;
    }
    if strs > 0 {
        mixed.strs = text::decode(bytes, cursor, strs)?;
    }
    if jsons > 0 {
        mixed.jsons = text::decode(bytes, cursor, jsons)?;
    }
    Ok(mixed)
}
