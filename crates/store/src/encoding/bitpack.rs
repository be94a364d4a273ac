//! Packs 64 unsigned numbers of W bits into W words, and back.
//!
//! Value `i` takes the bits from `i * W` on, least significant first, words little-endian: the bits are
//! one run, so a last group of fewer than 64 values is the same run cut off at a whole byte.
#![expect(
    clippy::indexing_slicing,
    reason = "the indices are constants of W within arrays of 64 and W words, once the loops are unrolled; \
              `get` would cost a branch per value"
)]

use super::Corrupt;
use super::cursor::Cursor;

/// Values in a group.
pub(crate) const GROUP: usize = 64;

type Group = [u64; GROUP];

/// How many bits the number needs.
pub(crate) fn bit_width(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// How many bytes `count` packed values take.
pub(crate) fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// The `width` lowest bits set; all for 64.
pub(crate) fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0)
}

/// Appends the lowest `width` bits of each value; higher bits are dropped.
pub(crate) fn pack(values: impl IntoIterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let mut values = values.into_iter();
    let mask = mask(width);
    loop {
        let mut group = [0u64; GROUP];
        let mut count = 0;
        for (slot, value) in group.iter_mut().zip(&mut values) {
            *slot = value & mask;
            count += 1;
        }
        let start = out.len();
        pack_group(&group, width, out);
        out.truncate(start + packed_len(count, width));
        if count < GROUP {
            return;
        }
    }
}

/// Reads `count` values of `width` bits and hands them to `each`, 64 at a time and then the rest.
pub(crate) fn unpack(
    cursor: &mut Cursor<'_>,
    count: usize,
    width: u32,
    each: impl FnMut(&[u64]),
) -> Result<(), Corrupt> {
    if width > u64::BITS {
        return Err(Corrupt("numbers packed in more than 64 bits"));
    }
    unpack_with(unpack_group(width), cursor, count, width, each)
}

/// The same of values of at most 16 bits.
pub(crate) fn unpack_codes(
    cursor: &mut Cursor<'_>,
    count: usize,
    width: u32,
    each: impl FnMut(&[u16]),
) -> Result<(), Corrupt> {
    if width > u16::BITS {
        return Err(Corrupt("codes of more than 16 bits"));
    }
    unpack_with(unpack_code_group(width), cursor, count, width, each)
}

/// The value at an index of `count` packed ones, each of at most 16 bits; `None` past the last.
pub(crate) fn code_at(packed: &[u8], index: usize, count: usize, width: u32) -> Option<u16> {
    /// A code and the bits before it in its first byte.
    const BYTES: usize = 3;
    if index >= count {
        return None;
    }
    let bit = index * width as usize;
    let tail = packed.get(bit / 8..)?;
    let mut word = [0; 4];
    let near = tail.len().min(BYTES);
    word[..near].copy_from_slice(tail.get(..near)?);
    let bits = u64::from(u32::from_le_bytes(word)) >> (bit % 8) & mask(width);
    u16::try_from(bits).ok()
}

/// The value at an index of packed ones, of any width; `None` past the last byte.
pub(crate) fn number_at(packed: &[u8], index: usize, width: u32) -> Option<u64> {
    if width == 0 {
        return Some(0);
    }
    let bit = index.checked_mul(width as usize)?;
    let tail = packed.get(bit / 8..)?;
    // A value and the bits before it in its first byte.
    let mut word = [0; 16];
    let near = tail.len().min((bit % 8 + width as usize).div_ceil(8));
    word.get_mut(..near)?.copy_from_slice(tail.get(..near)?);
    let bits = u128::from_le_bytes(word) >> (bit % 8);
    u64::try_from(bits & u128::from(mask(width))).ok()
}

/// 64 packed values, and what lies behind them: eight values are read from 72 bytes, whatever their width.
type Window = [u8; GROUP * 8 + 8];

/// Unpacks 64 values of one width.
type UnpackGroup<T> = fn(&Window, &mut [T; GROUP]);

fn unpack_with<T: Copy + Default>(
    unpack_group: UnpackGroup<T>,
    cursor: &mut Cursor<'_>,
    count: usize,
    width: u32,
    mut each: impl FnMut(&[T]),
) -> Result<(), Corrupt> {
    let mut bytes = cursor.take(packed_len(count, width))?;
    let mut group = [T::default(); GROUP];
    let mut left = count;
    while left > 0 {
        match bytes.first_chunk() {
            Some(window) => unpack_group(window, &mut group),
            None => {
                let mut window = [0u8; GROUP * 8 + 8];
                window[..bytes.len()].copy_from_slice(bytes);
                unpack_group(&window, &mut group);
            }
        }
        each(&group[..left.min(GROUP)]);
        left = left.saturating_sub(GROUP);
        bytes = bytes.get(width as usize * 8..).unwrap_or_default();
    }
    Ok(())
}

/// Eight values fill W whole bytes, so that the places of bits are known where the loop over them is unrolled, as in [`unpack_words`].
/// What is written beyond these bytes, the next eight overwrite.
fn pack_words<const W: usize>(values: &Group, out: &mut Vec<u8>) {
    let mut packed: Window = [0; GROUP * 8 + 8];
    for (index, values) in values.as_chunks::<8>().0.iter().enumerate() {
        let Some(eight) = packed[index * W..].first_chunk_mut::<72>() else {
            return;
        };
        let mut open = 0;
        for (place, value) in values.iter().enumerate() {
            let bit = place * W;
            let (word, shift) = (bit / 64, bit % 64);
            open |= value << shift;
            if shift + W >= 64 {
                put_word(eight, word, open);
                open = match shift + W {
                    64 => 0,
                    _ => value >> (64 - shift),
                };
            }
        }
        put_word(eight, W / 8, open);
    }
    out.extend_from_slice(&packed[..W * 8]);
}

fn put_word(bytes: &mut [u8; 72], word: usize, bits: u64) {
    bytes[word * 8..word * 8 + 8].copy_from_slice(&bits.to_le_bytes());
}

fn unpack_numbers<const W: usize>(packed: &Window, numbers: &mut Group) {
    unpack_words::<W, u64>(packed, numbers, |bits| bits);
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a code has at most 16 bits, checked"
)]
fn unpack_codes_of<const W: usize>(packed: &Window, codes: &mut [u16; GROUP]) {
    unpack_words::<W, u16>(packed, codes, |bits| bits as u16);
}

/// Eight values fill whole bytes, so that the places of bits are the same in every eight, and known where the loop over them
/// is unrolled: one over all 64 is too long for that, and finds each place out anew.
fn unpack_words<const W: usize, T>(
    packed: &Window,
    values: &mut [T; GROUP],
    value_of: impl Fn(u64) -> T,
) {
    let mask = u64::MAX >> (64 - W);
    for (index, values) in values.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let Some(eight) = packed[index * W..].first_chunk() else {
            return;
        };
        for (place, value) in values.iter_mut().enumerate() {
            let bit = place * W;
            let (byte, shift) = (bit / 8, bit % 8);
            let mut bits = word_at(eight, byte) >> shift;
            if shift + W > 64 {
                bits |= u64::from(eight[byte + 8]) << (64 - shift);
            }
            *value = value_of(bits & mask);
        }
    }
}

fn word_at(bytes: &[u8; 72], start: usize) -> u64 {
    let word = bytes[start..].first_chunk();
    u64::from_le_bytes(word.copied().unwrap_or_default())
}

macro_rules! for_each_width {
    ($width:expr, $function:ident, $none:expr) => {
        for_each_width!(@ $width, $function, $none,
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
            33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61
            62 63 64)
    };
    (@ $width:expr, $function:ident, $none:expr, $($bits:literal)*) => {
        match $width {
            $($bits => $function::<$bits>,)*
            _ => $none,
        }
    };
}

fn pack_group(values: &Group, width: u32, out: &mut Vec<u8>) {
    let pack: fn(&Group, &mut Vec<u8>) = for_each_width!(width, pack_words, |_, _| {});
    pack(values, out);
}

fn unpack_group(width: u32) -> UnpackGroup<u64> {
    for_each_width!(width, unpack_numbers, |_, values| values.fill(0))
}

fn unpack_code_group(width: u32) -> UnpackGroup<u16> {
    for_each_width!(@ width, unpack_codes_of, |_, values| values.fill(0),
        1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}
