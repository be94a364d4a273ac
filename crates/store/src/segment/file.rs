//! The bytes of a segment, wherever they are: in its file, or in an object of the bucket but for what is kept here.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::SegmentId;
use super::head::Head;
use crate::bucket::{BucketFailure, RangeCache};
use crate::disk::DiskFile;

/// A segment's bytes, to be read.
#[derive(Debug)]
pub(crate) enum SegmentFile {
    /// All of it is on the local disk.
    Local(Box<dyn DiskFile>),
    /// Its blocks are in the bucket.
    Away(Away),
}

/// A segment of which the local disk has the head only.
#[derive(Debug)]
pub(crate) struct Away {
    pub(super) id: SegmentId,
    pub(super) head: Head,
    /// `None` when the store was opened without a bucket.
    pub(super) cache: Option<Arc<RangeCache>>,
}

/// Whether what is read of a bucket will be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// A search: ranges are kept for the next.
    Cached,
    /// A copy of everything, which would leave nothing in the cache that a search needs.
    PassingBy,
}

impl SegmentFile {
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, SegmentFile::Local(_))
    }

    /// The length in bytes.
    pub(crate) fn length(&self) -> io::Result<u64> {
        match self {
            SegmentFile::Local(file) => file.length(),
            SegmentFile::Away(away) => Ok(away.head.segment_bytes()),
        }
    }

    /// Fills `buffer` from `offset`.
    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read(offset, buffer, Keeping::Cached)
    }

    /// The same, for who says whether it is worth keeping.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8], keeping: Keeping) -> io::Result<()> {
        match self {
            SegmentFile::Local(file) => file.read_at(offset, buffer),
            SegmentFile::Away(away) => away.read(offset, buffer, keeping),
        }
    }

    /// Says that some bytes will be read soon.
    pub(super) fn will_need(&self, range: Range<u64>) {
        match self {
            SegmentFile::Local(file) => file.will_need(range),
            // Fetching from the bucket costs money: only what is asked for is.
            SegmentFile::Away(_) => {}
        }
    }
}

impl Away {
    fn read(&self, offset: u64, buffer: &mut [u8], keeping: Keeping) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        for part in self.head.parts(offset..end) {
            let start = to_index(part.range.start - offset);
            let length = to_index(part.range.end - part.range.start);
            let target = buffer.get_mut(start..start + length);
            let target = target.ok_or(io::ErrorKind::UnexpectedEof)?;
            match part.head_offset {
                Some(head_offset) => self.head.read_at(head_offset, target)?,
                None => self.read_remote(part.range.start, target, keeping)?,
            }
        }
        Ok(())
    }

    fn read_remote(&self, offset: u64, buffer: &mut [u8], keeping: Keeping) -> io::Result<()> {
        let Some(cache) = &self.cache else {
            return Err(io::Error::other(BucketFailure {
                bucket: "a bucket".to_owned(),
                name: self.id.file_name(),
                source: io::Error::other("the configuration names none"),
            }));
        };
        match keeping {
            Keeping::Cached => cache.read_at(self.id, self.head.segment_bytes(), offset, buffer),
            Keeping::PassingBy => {
                let range = offset..offset + buffer.len() as u64;
                buffer.copy_from_slice(&cache.objects().read(self.id, range)?);
                Ok(())
            }
        }
    }
}

fn to_index(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
