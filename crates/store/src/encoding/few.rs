//! The values of a few ranks of a column, straight from its bytes: for one row of a block, decoding whole columns would take most
//! of the time.
//!
//! Of what is damaged in other values nothing is noticed here; the checksum of the chunk tells.

use bytes::Bytes;
use cordwood_event::{Scalar, Value};

use super::cursor::Cursor;
use super::int::IntView;
use super::{Corrupt, Encoding, SharedDictionaries, decode, dictionary, float, hex, ip4, text};

/// Reads the values at some of `count` ranks, which are not TEXT, in the order asked for.
pub(crate) fn decode_few(
    encoding: Encoding,
    bytes: &Bytes,
    (count, ranks): (usize, &[usize]),
    shared: &SharedDictionaries,
) -> Result<Vec<Value>, Corrupt> {
    let mut cursor = Cursor::new(bytes);
    let as_values = |texts: Vec<String>| {
        let texts = texts.into_iter();
        texts.map(|text| Value::Str(text.into())).collect()
    };
    let values = match encoding {
        Encoding::Const => {
            let value = dictionary::decode_const(&mut cursor, shared)?;
            vec![value; ranks.len()]
        }
        Encoding::Dict => return dictionary::decode_few(cursor, (count, ranks), shared),
        Encoding::Int => {
            let integers = IntView::read(&mut cursor, count)?;
            let integers = ranks.iter().map(|rank| integers.at(*rank));
            integers
                .map(|integer| integer.map(Value::Int))
                .collect::<Result<_, _>>()?
        }
        Encoding::Float => {
            let floats = float::decode_few(&mut cursor, (count, ranks))?;
            floats.into_iter().map(Value::Float).collect()
        }
        Encoding::Str => as_values(text::decode_few(&mut cursor, (count, ranks))?),
        Encoding::Hex => as_values(hex::decode_few(&mut cursor, (count, ranks))?),
        Encoding::Ip4 => as_values(ip4::decode_few(&mut cursor, (count, ranks))?),
        Encoding::Mixed => {
            let all = decode(encoding, bytes, count, shared)?;
            let values = ranks.iter().map(|rank| all.scalar(*rank));
            return values.map(|value| value.map(Scalar::to_value)).collect();
        }
        Encoding::Text => return Err(Corrupt("templates where there can be none")),
    };
    cursor.finish()?;
    Ok(values)
}
