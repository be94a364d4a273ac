//! The token map of a segment: its index in memory, its pages in the file.

use std::ops::Range;

use bytes::Bytes;

use super::{Footer, SectionId, Segment, SegmentError, read_section};
use crate::ReadFailure;
use crate::disk::DiskFile;
use crate::tokens::{BlockSet, ReadPages, TokenMap, WordHash};

/// A token map, and where its pages begin.
#[derive(Debug)]
pub(super) struct SegmentTokens {
    map: TokenMap,
    pages_at: u64,
}

impl SegmentTokens {
    /// Reads the index; `None` when the segment has no map.
    pub(super) fn open(
        file: &dyn DiskFile,
        footer: &Footer,
        blocks: usize,
    ) -> Result<Option<SegmentTokens>, SegmentError> {
        let Some(pages) = footer.section(SectionId::TokenPages) else {
            return Ok(None);
        };
        let malformed = |what: &str| SegmentError::Malformed(what.to_owned());
        let index = read_section(file, footer, SectionId::TokenIndex)?;
        let map = TokenMap::open(&index, pages.length).map_err(|corrupt| malformed(corrupt.0))?;
        if map.blocks() as usize != blocks {
            return Err(malformed("its token map is about other blocks"));
        }
        Ok(Some(SegmentTokens {
            map,
            pages_at: pages.offset,
        }))
    }

    pub(super) fn find(&self, word: WordHash, segment: &Segment) -> Result<BlockSet, ReadFailure> {
        self.map.find(word, &self.pages(segment))
    }

    pub(super) fn check(&self, segment: &Segment) -> Result<(), ReadFailure> {
        self.map.each(&self.pages(segment), |_, _| {})
    }

    fn pages<'s>(&self, segment: &'s Segment) -> Pages<'s> {
        Pages {
            segment,
            offset: self.pages_at,
        }
    }
}

struct Pages<'s> {
    segment: &'s Segment,
    offset: u64,
}

impl ReadPages for Pages<'_> {
    fn read_pages(&self, range: Range<u64>) -> Result<Bytes, ReadFailure> {
        let length = usize::try_from(range.end - range.start).unwrap_or(0);
        Ok(self.segment.read(self.offset + range.start, length)?)
    }
}
