//! A run of bytes in pages, each with a checksum of its own, so that any part of the run can be read and verified alone.

use std::io::{self, Write};
use std::ops::Range;

use crate::ReadFailure;
use crate::tokens::ReadPages;

/// Bytes of every page but the last, which may be shorter: what a disk reads at once.
const PAGE_BYTES: usize = 4096;
const CHECKSUM_BYTES: usize = 4;
const PLAIN_BYTES: usize = PAGE_BYTES - CHECKSUM_BYTES;

/// Cuts a run into pages, each of which is written when it is full.
#[derive(Debug)]
pub(super) struct PagesWriter<W> {
    out: W,
    /// The page being filled, behind the place of its checksum.
    page: Vec<u8>,
    full_pages: u64,
}

impl<W: Write> PagesWriter<W> {
    pub(super) fn new(out: W) -> PagesWriter<W> {
        PagesWriter {
            out,
            page: vec![0; CHECKSUM_BYTES],
            full_pages: 0,
        }
    }

    /// How long the run is so far.
    pub(super) fn plain_bytes(&self) -> u64 {
        self.full_pages * PLAIN_BYTES as u64 + (self.page.len() - CHECKSUM_BYTES) as u64
    }

    pub(super) fn push(&mut self, mut plain: &[u8]) -> io::Result<()> {
        while !plain.is_empty() {
            let room = PAGE_BYTES - self.page.len();
            let (head, rest) = plain.split_at(room.min(plain.len()));
            self.page.extend_from_slice(head);
            plain = rest;
            if self.page.len() == PAGE_BYTES {
                self.write_page()?;
                self.full_pages += 1;
            }
        }
        Ok(())
    }

    fn write_page(&mut self) -> io::Result<()> {
        if let Some((checksum, payload)) = self.page.split_first_chunk_mut() {
            *checksum = crc32c::crc32c(payload).to_le_bytes();
        }
        self.out.write_all(&self.page)?;
        self.page.truncate(CHECKSUM_BYTES);
        Ok(())
    }

    /// Writes the last page, and gives back what the pages went to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        if self.page.len() > CHECKSUM_BYTES {
            self.write_page()?;
        }
        Ok(self.out)
    }
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
    let checksums = pages_bytes.div_ceil(PAGE_BYTES as u64) * CHECKSUM_BYTES as u64;
    if range.end > pages_bytes.saturating_sub(checksums) {
        let past_end = "posting lists past the end".to_owned();
        return Err(ReadFailure::Malformed(past_end));
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
        false => Err(ReadFailure::Malformed("a page cut off".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    /// The run in pages, pushed so many bytes at a time.
    fn of_plain(plain: &[u8], at_a_time: usize) -> Vec<u8> {
        let mut writer = PagesWriter::new(Vec::new());
        for part in plain.chunks(at_a_time) {
            writer.push(part).unwrap();
        }
        assert_eq!(writer.plain_bytes(), plain.len() as u64);
        writer.finish().unwrap()
    }

    proptest! {
        #[test]
        fn every_part_comes_back(
            length in 0usize..20_000, from in 0usize..20_000, to in 0usize..20_000, at_a_time in 1usize..9_000,
        ) {
            let plain: Vec<u8> = (0..length).map(|at| (at % 251).to_le_bytes()[0]).collect();
            let pages = Bytes::from(of_plain(&plain, at_a_time));
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
            let mut pages = of_plain(&vec![7; length], length);
            let at = at.index(pages.len());
            pages[at] ^= 1 << bit;
            let pages = Bytes::from(pages);
            let bytes = pages.len() as u64;
            let whole = read(&pages, bytes, 0..length as u64);
            prop_assert!(matches!(whole, Err(ReadFailure::Checksum)));
        }
    }
}
