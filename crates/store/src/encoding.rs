//! How the values of a column become bytes: one file per encoding, chosen here from exact counts.
//!
//! `docs/format.md` says what the bytes are. Decoding takes bytes nobody vouches for: it never panics,
//! and allocates in proportion to the rows and texts that can be there. Nothing here knows blocks,
//! files or events.

pub(crate) mod bitpack;
mod choose;
pub(crate) mod codes;
mod collected;
pub(crate) mod cursor;
pub(crate) mod dictionary;
mod distinct;
mod few;
mod float;
pub(crate) mod frame;
mod hex;
pub(crate) mod int;
mod ip4;
mod mixed;
mod presence;
mod repeats;
mod template;
pub(crate) mod text;
mod timestamps;

#[cfg(test)]
pub(crate) mod tests;

use bytes::Bytes;

use crate::column::{Presence, Values};

pub(crate) use choose::encode;
pub(crate) use collected::{Collected, Collectible};
use cursor::Cursor;
pub(crate) use dictionary::{
    SharedDictionaries, decode_column_of as decode_dict_of, decode_few_codes,
};
pub(crate) use distinct::compare;
pub(crate) use few::decode_few;
pub(crate) use frame::Compressor;
pub(crate) use presence::encode as encode_presence;
pub(crate) use template::{EncodedText, Slots, decode_codes};
pub use template::{SlotFrame, SlotIndex, SlotRun, SlotValues};
pub(crate) use timestamps::encode as encode_timestamps;

/// Bytes that no encoder wrote; says what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged block: {0}")]
pub struct Corrupt(pub &'static str);

/// How the values of a column are encoded. 4 is TS, which only the times of a block use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// One value for all rows.
    Const = 1,
    /// Codes into a sorted list of distinct values.
    Dict = 2,
    /// Bit-packed integers.
    Int = 3,
    /// Floats, as scaled integers where they are short decimals.
    Float = 5,
    /// Texts in compressed frames.
    Str = 6,
    /// A kind per value, and the values of each kind by themselves.
    Mixed = 7,
    /// Texts that differ in hex digits only, as bytes.
    Hex = 8,
    /// Texts that are IPv4 addresses, as numbers.
    Ip4 = 9,
    /// Texts as templates and slots.
    Text = 10,
}

impl Encoding {
    /// The number on disk.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The inverse of [`Encoding::code`].
    pub fn from_code(code: u8) -> Option<Encoding> {
        match code {
            1 => Some(Encoding::Const),
            2 => Some(Encoding::Dict),
            3 => Some(Encoding::Int),
            5 => Some(Encoding::Float),
            6 => Some(Encoding::Str),
            7 => Some(Encoding::Mixed),
            8 => Some(Encoding::Hex),
            9 => Some(Encoding::Ip4),
            10 => Some(Encoding::Text),
            _ => None,
        }
    }
}

/// Whether decoding takes the shared dictionaries of the block.
pub(crate) fn needs_dictionaries(encoding: Encoding, bytes: &[u8]) -> bool {
    matches!(encoding, Encoding::Const | Encoding::Dict) && dictionary::is_shared(bytes)
}

/// Decodes `count` values that are not TEXT, for which the directory is needed.
pub(crate) fn decode(
    encoding: Encoding,
    bytes: &Bytes,
    count: usize,
    shared: &SharedDictionaries,
) -> Result<Values, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let values = match encoding {
        Encoding::Const => Values::Const(dictionary::decode_const(&mut cursor, shared)?),
        Encoding::Dict => {
            return dictionary::decode_column(bytes, cursor, count, shared);
        }
        Encoding::Int => Values::Int(int::decode(&mut cursor, count)?),
        Encoding::Float => Values::Float(float::decode(&mut cursor, count)?),
        Encoding::Str => Values::Str(text::decode(bytes, &mut cursor, count)?),
        Encoding::Mixed => Values::Mixed(mixed::decode(bytes, &mut cursor, count)?),
        Encoding::Hex => Values::Packed(hex::decode(&mut cursor, count)?),
        Encoding::Ip4 => Values::Packed(ip4::decode(&mut cursor, count)?),
        Encoding::Text => return Err(Corrupt("templates where there can be none")),
    };
    cursor.finish()?;
    Ok(values)
}

/// The times of `rows` rows, rising.
pub(crate) fn decode_timestamps(bytes: &[u8], rows: usize) -> Result<Vec<i64>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let times = timestamps::decode(&mut cursor, rows)?;
    cursor.finish()?;
    if times.is_sorted() {
        Ok(times)
    } else {
        Err(Corrupt("times out of order"))
    }
}

/// The times of a few of `rows` rows, in the order asked for.
pub(crate) fn decode_few_timestamps(
    bytes: &[u8],
    rows: usize,
    wanted: &[usize],
) -> Result<Vec<i64>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let times = timestamps::decode_few(&mut cursor, rows, wanted)?;
    cursor.finish()?;
    Ok(times)
}

/// The sequence numbers of a few of `rows` rows, in the order asked for.
pub(crate) fn decode_few_sequences(
    bytes: &[u8],
    rows: usize,
    wanted: &[usize],
) -> Result<Vec<u64>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let sequences = int::IntView::read(&mut cursor, rows)?;
    cursor.finish()?;
    let sequences = wanted.iter().map(|row| sequences.at(*row));
    sequences
        .map(|sequence| sequence.map(i64::cast_unsigned))
        .collect()
}

/// Appends sequence numbers: INT of the same 64 bits.
pub(crate) fn encode_sequences(sequences: &[u64], out: &mut Vec<u8>) {
    let signed: Vec<i64> = sequences
        .iter()
        .map(|number| number.cast_signed())
        .collect();
    int::encode(&signed, out);
}

/// The sequence numbers of `rows` rows.
pub(crate) fn decode_sequences(bytes: &[u8], rows: usize) -> Result<Vec<u64>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let signed = int::decode(&mut cursor, rows)?;
    cursor.finish()?;
    Ok(signed.into_iter().map(i64::cast_unsigned).collect())
}

/// Codes of levels: "none" and the six.
pub(crate) const LEVEL_CODES: usize = 7;

/// Appends level codes.
pub(crate) fn encode_levels(levels: &[u16], compressor: &mut Compressor, out: &mut Vec<u8>) {
    codes::encode(levels, LEVEL_CODES, compressor, out);
}

/// The level codes of `rows` rows.
pub(crate) fn decode_levels(bytes: &[u8], rows: usize) -> Result<Vec<u8>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let levels = codes::decode(&mut cursor, rows, LEVEL_CODES)?;
    cursor.finish()?;
    Ok(levels
        .into_iter()
        .map(|code| code.to_le_bytes()[0])
        .collect())
}

/// A map of the present ones among `rows` rows.
pub(crate) fn decode_presence(bytes: &[u8], rows: usize) -> Result<Presence, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let presence = presence::decode(&mut cursor, rows)?;
    cursor.finish()?;
    Ok(presence)
}
