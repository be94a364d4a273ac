//! IP4: texts that are IPv4 addresses in their usual spelling, as numbers. Addresses that repeat are listed once.

use super::cursor::{Cursor, push_count};
use super::frame::Compressor;
use super::repeats::{self, Repeats};
use super::{Corrupt, int};
use crate::column::{Packed, PackedTexts, address_of};

const IS_PLAIN: u8 = 0;
const IS_LISTED: u8 = 1;

/// The addresses, if every text is one.
pub(super) fn addresses_of(texts: &[&str]) -> Option<Vec<u32>> {
    let texts = texts.iter().map(|text| text.as_bytes());
    texts.map(address_of).collect()
}

/// Appends the addresses.
pub(super) fn encode(addresses: &[u32], compressor: &mut Compressor, out: &mut Vec<u8>) {
    let Some(repeats) = Repeats::of(addresses.iter().copied(), size_of::<u32>()) else {
        out.push(IS_PLAIN);
        int::encode(&wide(addresses), out);
        return;
    };
    out.push(IS_LISTED);
    push_count(out, repeats.list.len());
    repeats.push_codes(compressor, out);
    int::encode(&wide(&repeats.list), out);
}

fn wide(addresses: &[u32]) -> Vec<i64> {
    addresses.iter().copied().map(i64::from).collect()
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
        _ => return Err(Corrupt("addresses of an unknown kind")),
    };
    let addresses = int::decode(cursor, listed)?.into_iter().map(u32::try_from);
    let addresses = addresses.collect::<Result<_, _>>();
    let addresses = addresses.map_err(|_| Corrupt("an address of more than 32 bits"))?;
    Ok(PackedTexts::new(Packed::Ip4(addresses), codes))
}
