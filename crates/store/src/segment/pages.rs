//! The pages of a section, wherever the file is.

use std::ops::Range;

use bytes::Bytes;

use super::Segment;
use crate::ReadFailure;
use crate::tokens::ReadPages;

/// A section of pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct SectionPages<'s> {
    pub(super) segment: &'s Segment,
    /// Where it begins in the file.
    pub(super) offset: u64,
}

impl ReadPages for SectionPages<'_> {
    fn read_pages(&self, range: Range<u64>) -> Result<Bytes, ReadFailure> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0);
        let offset = self.offset.saturating_add(range.start);
        Ok(self.segment.read(offset, length)?)
    }
}
