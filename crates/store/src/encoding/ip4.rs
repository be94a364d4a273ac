//! IP4: texts that are IPv4 addresses in their usual spelling, as numbers. Addresses that repeat are listed once.

use std::borrow::Cow;

use super::cursor::{Cursor, push_count};
use super::frame::Compressor;
use super::int::IntView;
use super::repeats::{self, Repeats};
use super::{Corrupt, int};
use crate::column::{Packed, PackedTexts, address_of};

const IS_PLAIN: u8 = 0;
const IS_LISTED: u8 = 1;

const UNKNOWN_KIND: Corrupt = Corrupt("addresses of an unknown kind");
const TOO_LONG: Corrupt = Corrupt("an address of more than 32 bits");

/// The addresses, if every text is one.
pub(super) fn addresses_of(texts: &[&str]) -> Option<Vec<u32>> {
    let texts = texts.iter().map(|text| text.as_bytes());
    texts.map(address_of).collect()
}

/// Appends the addresses. With `codes`, they are distinct and the codes say which is where.
pub(super) fn encode(
    addresses: &[u32],
    codes: Option<&[u16]>,
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) {
    let Repeats { list, codes } = Repeats::of(addresses.to_vec(), codes, size_of::<u32>());
    match codes {
        Some(codes) => {
            out.push(IS_LISTED);
            push_count(out, list.len());
            repeats::push_codes(&codes, list.len(), compressor, out);
        }
        None => out.push(IS_PLAIN),
    }
    let list: Vec<i64> = list.into_iter().map(i64::from).collect();
    int::encode(&list, out);
}

/// Reads the texts at some of `count` ranks, in the order asked for.
pub(super) fn decode_few(
    cursor: &mut Cursor<'_>,
    (count, ranks): (usize, &[usize]),
) -> Result<Vec<String>, Corrupt> {
    let (listed, slots) = match cursor.byte()? {
        IS_PLAIN => (count, Cow::Borrowed(ranks)),
        IS_LISTED => {
            let listed = cursor.count(count)?;
            let slots = repeats::decode_few(cursor, (count, listed), ranks)?;
            (listed, Cow::Owned(slots))
        }
        _ => return Err(UNKNOWN_KIND),
    };
    let addresses = IntView::read(cursor, listed)?;
    let address = |slot: &usize| {
        let address = u32::try_from(addresses.at(*slot)?);
        address.map_err(|_| TOO_LONG)
    };
    let addresses: Vec<u32> = slots.iter().map(address).collect::<Result<_, _>>()?;
    let texts = PackedTexts::new(Packed::Ip4(addresses), None);
    let texts = (0..slots.len()).map(|index| texts.text(index));
    let texts: Option<Vec<String>> = texts.collect();
    texts.ok_or(Corrupt("a rank past the last address"))
}

/// Reads `count` addresses.
pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<PackedTexts, Corrupt> {
    let (listed, codes) = match cursor.byte()? {
        IS_PLAIN => (count, None),
        IS_LISTED => {
            let listed = cursor.count(count)?;
            let codes = repeats::decode(cursor, count, listed)?;
            (listed, Some(codes))
        }
        _ => return Err(UNKNOWN_KIND),
    };
    let addresses = int::decode(cursor, listed)?.into_iter().map(u32::try_from);
    let addresses = addresses.collect::<Result<_, _>>();
    let addresses = addresses.map_err(|_| TOO_LONG)?;
    Ok(PackedTexts::new(Packed::Ip4(addresses), codes))
}
