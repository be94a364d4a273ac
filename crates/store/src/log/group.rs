//! The bytes of the records that are written and synced together.

use std::borrow::Cow;
use std::io;
use std::ops::Range;

use super::file::Marker;
use super::record::LoggedRecord;
use crate::disk::DiskFile;

/// A body up to this size is copied behind its head, so that many small requests are one write. A larger one is written
/// from where it lies: a call of the system costs less than a copy of it.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// More is not kept for the next group: that many small requests at once are rare.
const BUFFER_BYTES_KEPT: usize = 4 << 20;

/// Records, one after the other.
#[derive(Debug, Default)]
pub(super) struct GroupBytes {
    /// All of them but the large bodies.
    buffer: Vec<u8>,
    large: Vec<LargeBody>,
    bytes: usize,
}

#[derive(Debug)]
struct LargeBody {
    /// How much of the buffer stands before it.
    buffered_before: usize,
    bytes: Vec<u8>,
}

impl GroupBytes {
    /// Adds a record of a file with this marker.
    pub(super) fn push(&mut self, record: LoggedRecord<'_>, marker: Marker) {
        let before = self.buffer.len();
        record.write_head(marker, &mut self.buffer);
        let body = record.body.bytes;
        self.bytes += self.buffer.len() - before + body.len();
        if body.len() <= COPIED_BYTES_MAX {
            self.buffer.extend_from_slice(&body);
            return;
        }
        self.large.push(LargeBody {
            buffered_before: self.buffer.len(),
            bytes: Cow::into_owned(body),
        });
    }

    /// How many bytes the records take in all.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes the records at the end of `file`. After an error any part of them may have been written.
    pub(super) fn append_to(&self, file: &dyn DiskFile) -> io::Result<()> {
        let mut written = 0;
        for body in &self.large {
            self.append_buffered(written..body.buffered_before, file)?;
            file.append(&body.bytes)?;
            written = body.buffered_before;
        }
        self.append_buffered(written..self.buffer.len(), file)
    }

    fn append_buffered(&self, range: Range<usize>, file: &dyn DiskFile) -> io::Result<()> {
        match self.buffer.get(range) {
            Some(bytes) if !bytes.is_empty() => file.append(bytes),
            _ => Ok(()),
        }
    }

    /// Lets go of the records.
    pub(super) fn clear(&mut self) {
        self.large.clear();
        self.bytes = 0;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
    }
}
