//! A run of bytes in pages, each with a checksum of its own, so that any part of the run can be read and verified alone.

use std::ops::Range;

use crate::ReadFailure;
use crate::tokens::ReadPages;

/// Bytes of every page but the last, which may be shorter: what a disk reads at once.
const PAGE_BYTES: usize = 4096;
const CHECKSUM_BYTES: usize = 4;
const PLAIN_BYTES: usize = PAGE_BYTES - CHECKSUM_BYTES;

/// The run in pages.
pub(super) fn of_plain(plain: &[u8]) -> Vec<u8> {
    let pages = plain.len().div_ceil(PLAIN_BYTES);
    let mut bytes = Vec::with_capacity(plain.len() + pages * CHECKSUM_BYTES);
    for page in plain.chunks(PLAIN_BYTES) {
        bytes.extend(crc32c::crc32c(page).to_le_bytes());
        bytes.extend_from_slice(page);
    }
    bytes
}

/// A part of the run that takes so many bytes in pages.
pub(super) fn read(
    pages: &impl ReadPages,
    pages_bytes: u64,
    range: Range<u64>,
) -> Result<Vec<u8>, ReadFailure> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let plain_page = PLAIN_BYTES as u64;
    let skipped = usize::try_from(range.start % plain_page).unwrap_or(0);
    let start = range.start / plain_page * PAGE_BYTES as u64;
    let end = range.end.div_ceil(plain_page) * PAGE_BYTES as u64;
    let bytes = pages.read_pages(start..end.min(pages_bytes))?;
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut plain = Vec::with_capacity(length + PLAIN_BYTES);
    for page in bytes.chunks(PAGE_BYTES) {
        let Some((crc, payload)) = page.split_first_chunk() else {
            return Err(ReadFailure::Checksum);
        };
        if crc32c::crc32c(payload) != u32::from_le_bytes(*crc) {
            return Err(ReadFailure::Checksum);
        }
        plain.extend_from_slice(payload);
    }
    plain.drain(..skipped.min(plain.len()));
    plain.truncate(length);
    match plain.len() == length {
        true => Ok(plain),
        false => Err(ReadFailure::Malformed(
            "posting lists past the end".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_part_comes_back(length in 0usize..20_000, from in 0usize..20_000, to in 0usize..20_000) {
            let plain: Vec<u8> = (0..length).map(|at| (at % 251).to_le_bytes()[0]).collect();
            let pages = Bytes::from(of_plain(&plain));
            let bytes = pages.len() as u64;
            let (from, to) = (from.min(to), from.max(to));
            let part = read(&pages, bytes, from as u64..to as u64);
            match plain.get(from..to) {
                Some(expected) => prop_assert_eq!(part.unwrap(), expected),
                None => prop_assert!(part.is_err() || from == to),
            }
        }

        #[test]
        fn a_damaged_page_is_noticed(length in 1usize..10_000, at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut pages = of_plain(&vec![7; length]);
            let at = at.index(pages.len());
            pages[at] ^= 1 << bit;
            let pages = Bytes::from(pages);
            let bytes = pages.len() as u64;
            let whole = read(&pages, bytes, 0..length as u64);
            prop_assert!(matches!(whole, Err(ReadFailure::Checksum)));
        }
    }
}
