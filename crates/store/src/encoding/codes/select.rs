//! Which of many packed codes are in a set, without unpacking them: as many as fit in twelve bits are looked up together.

use crate::encoding::Corrupt;
use crate::encoding::bitpack::{GROUP, packed_len, unpack_codes};
use crate::encoding::cursor::Cursor;

/// The bits that are looked up together; a table of so many entries of a byte stays in the first cache.
const TABLE_BITS: usize = 12;
const TABLE: usize = 1 << TABLE_BITS;

/// Wider codes are unpacked.
const WIDTH_MAX: usize = TABLE_BITS;

/// For any few codes side by side, a bit for each that is in the set.
type Table = [u8; TABLE];

/// Packed codes to words of 64 bits, a bit for each code, the first in the lowest.
type SelectGroups = fn(&[u8], &Table, &mut Vec<u64>);

/// The codes of one width looked up together: a part of four.
const fn codes_at_once(width: usize) -> usize {
    match TABLE_BITS / width {
        0 | 1 => 1,
        2 | 3 => 2,
        _ => 4,
    }
}

/// Reads `count` codes of `width` bits, and says of each whether it is one that `holds`: 64 to a word, the first in the lowest
/// bit. Codes past the end of `holds` are not.
pub(super) fn select_packed(
    cursor: &mut Cursor<'_>,
    count: usize,
    width: u32,
    holds: &[bool],
) -> Result<Vec<u64>, Corrupt> {
    let mut words = Vec::with_capacity(count.div_ceil(GROUP));
    let Some(select) = select_groups(width) else {
        unpack_codes(cursor, count, width, |codes| {
            words.push(word_of(codes, holds))
        })?;
        return Ok(words);
    };
    let packed = cursor.take(packed_len(count, width))?;
    select(packed, &table_of(holds, width as usize), &mut words);
    // Whatever is behind the last code was looked up as if it were one.
    words.resize(count.div_ceil(GROUP), 0);
    if let Some(last) = words.last_mut()
        && !count.is_multiple_of(GROUP)
    {
        *last &= (1 << (count % GROUP)) - 1;
    }
    Ok(words)
}

/// Up to 64 codes as the bits of a word.
pub(super) fn word_of<C: Copy + Into<u16>>(codes: &[C], holds: &[bool]) -> u64 {
    let mut word = 0;
    for (place, code) in codes.iter().enumerate() {
        let is_held = holds.get(usize::from((*code).into())) == Some(&true);
        word |= u64::from(is_held) << place;
    }
    word
}

/// The table for as many codes of a width as are looked up together: of twice as many codes, it is that of the lower half beside that
/// of the upper half.
fn table_of(holds: &[bool], width: usize) -> Table {
    let mut table = [0; TABLE];
    for (entry, holds) in table.iter_mut().zip(holds).take(1 << width) {
        *entry = u8::from(*holds);
    }
    let mut codes = 1;
    while codes < codes_at_once(width) {
        let lower = table;
        let entries = 1 << (width * codes);
        let lower = lower.get(..entries).unwrap_or_default();
        for (chunk, upper) in table.chunks_mut(entries).zip(lower) {
            for (entry, lower) in chunk.iter_mut().zip(lower) {
                *entry = lower | upper << codes;
            }
        }
        codes *= 2;
    }
    table
}

/// 64 packed codes, and what lies behind them: eight bytes are read at once, wherever a code begins.
type Window = [u8; WIDTH_MAX * GROUP / 8 + 8];

fn select_groups_of<const W: usize>(packed: &[u8], table: &Table, words: &mut Vec<u64>) {
    let mut rest = packed;
    while !rest.is_empty() {
        words.push(match rest.first_chunk() {
            Some(window) => select_group::<W>(window, table),
            None => {
                let mut window: Window = [0; _];
                let filled = window.iter_mut().zip(rest);
                filled.for_each(|(byte, packed)| *byte = *packed);
                select_group::<W>(&window, table)
            }
        });
        rest = rest.get(W * GROUP / 8..).unwrap_or_default();
    }
}

/// Eight codes fill whole bytes, so that the places of bits are the same in every eight.
fn select_group<const W: usize>(packed: &Window, table: &Table) -> u64 {
    let mut word = 0;
    for index in 0..GROUP / 8 {
        let lower = word_at(packed, index * W);
        // The upper four begin within a byte if they are of odd width.
        let upper = word_at(packed, index * W + W / 2) >> (W % 2 * 4);
        let eight = select_four::<W>(lower, table) | select_four::<W>(upper, table) << 4;
        word |= eight << (index * 8);
    }
    word
}

fn word_at(packed: &Window, start: usize) -> u64 {
    let bytes = packed.get(start..).and_then(<[u8]>::first_chunk);
    u64::from_le_bytes(bytes.copied().unwrap_or_default())
}

/// Four codes in the lowest bits of a word.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "no index has more than twelve bits, which is what a table has entries for; `get` would cost a branch for each"
)]
fn select_four<const W: usize>(packed: u64, table: &Table) -> u64 {
    let at_once = const { codes_at_once(W) };
    let mask = (1 << (W * at_once)) - 1;
    let mut bits = 0;
    let mut place = 0;
    while place < 4 {
        let index = (packed >> (place * W)) as usize & mask & (TABLE - 1);
        bits |= u64::from(table[index]) << place;
        place += at_once;
    }
    bits
}

/// `None` of codes that are too wide for it, or that have no bits.
fn select_groups(width: u32) -> Option<SelectGroups> {
    Some(match width {
        1 => select_groups_of::<1>,
        2 => select_groups_of::<2>,
        3 => select_groups_of::<3>,
        4 => select_groups_of::<4>,
        5 => select_groups_of::<5>,
        6 => select_groups_of::<6>,
        7 => select_groups_of::<7>,
        8 => select_groups_of::<8>,
        9 => select_groups_of::<9>,
        10 => select_groups_of::<10>,
        11 => select_groups_of::<11>,
        12 => select_groups_of::<12>,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::encoding::codes;
    use crate::encoding::cursor::Cursor;
    use crate::encoding::frame::Compressor;

    /// Codes below a bound, of any width, as they may be packed, in runs or entropy coded.
    fn codes_below() -> impl Strategy<Value = (u16, Vec<u16>)> {
        prop_oneof![1u16..300, 1u16..5000].prop_flat_map(|bound| {
            let runs = vec((0..bound, 1usize..150), 0..30);
            let runs = runs.prop_map(|runs| {
                let runs = runs.into_iter();
                runs.flat_map(|(code, length)| vec![code; length]).collect()
            });
            let skewed = vec(prop_oneof![9 => Just(0), 1 => 0..bound], 0..2000);
            (
                Just(bound),
                prop_oneof![vec(0..bound, 0..300), runs, skewed],
            )
        })
    }

    proptest! {
        #[test]
        fn what_is_selected_is_what_is_asked_for(
            (bound, codes) in codes_below(), every in 1u16..6, known in 0u16..5000,
        ) {
            let mut out = Vec::new();
            codes::encode(&codes, bound.into(), &mut Compressor::new(), &mut out);
            // Codes past the end of the set are not in it.
            let holds: Vec<bool> = (0..bound.min(known)).map(|code| code % every == 0).collect();
            let mut cursor = Cursor::new(&out);
            let words = codes::select(&mut cursor, (codes.len(), bound.into()), &holds).unwrap();
            prop_assert_eq!(cursor.finish(), Ok(()));
            let mut expected = vec![0u64; codes.len().div_ceil(64)];
            for (index, code) in codes.iter().enumerate() {
                let is_held = holds.get(usize::from(*code)) == Some(&true);
                expected[index / 64] |= u64::from(is_held) << (index % 64);
            }
            prop_assert_eq!(words, expected);
        }

        #[test]
        fn damaged_bytes_never_panic(
            bytes in vec(any::<u8>(), 0..100), count in 0usize..300, bound in 0usize..70_000,
            holds in vec(any::<bool>(), 0..300),
        ) {
            if let Ok(words) = codes::select(&mut Cursor::new(&bytes), (count, bound), &holds) {
                prop_assert_eq!(words.len(), count.div_ceil(64));
            }
        }
    }
}
