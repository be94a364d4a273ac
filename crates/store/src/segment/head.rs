//! The head of a segment: what stays on the local disk when its file goes, all but the blocks.
//!
//! Directories and token map decide which blocks a search needs, and where their chunks lie: with them at hand, it asks the
//! bucket for nothing else, and a start asks it for nothing.

use std::io;
use std::ops::Range;

use super::{DIRECTORY, Footer, SectionId, SegmentError, SegmentFile, SegmentId};
use crate::disk::DiskFile;
use crate::fixed::Fixed;
use crate::{Disk, Error};

const MAGIC: [u8; 8] = *b"CwdHed\r\n";
const VERSION: u32 = 1;
/// Start and length of what is left out, checksum of the head, version, magic.
const TRAILER_BYTES: usize = 32;
/// How much is copied at a time.
const COPY_BYTES: u64 = 1 << 20;

/// A head that was opened and verified.
#[derive(Debug)]
pub(crate) struct Head {
    file: Box<dyn DiskFile>,
    /// The range of the segment that is not in the head.
    blocks: Range<u64>,
    segment_bytes: u64,
}

/// A range of a segment that lies in one place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) range: Range<u64>,
    /// Where it begins in the head; `None` if it is among the blocks.
    pub(super) head_offset: Option<u64>,
}

impl Head {
    pub(super) fn open(disk: &dyn Disk, id: SegmentId) -> io::Result<Head> {
        let file = disk.open(&id.head_path())?;
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its head is damaged");
        let kept_bytes = file.length()?.checked_sub(TRAILER_BYTES as u64);
        let kept_bytes = kept_bytes.ok_or_else(damaged)?;
        let mut trailer = [0; TRAILER_BYTES];
        file.read_at(kept_bytes, &mut trailer)?;
        let mut fields = Fixed::new(&trailer);
        let start = fields.u64().ok_or_else(damaged)?;
        let length = fields.u64().ok_or_else(damaged)?;
        let crc = fields.u32().ok_or_else(damaged)?;
        let is_known = fields.u32() == Some(VERSION) && fields.rest() == MAGIC;
        let end = start.checked_add(length).ok_or_else(damaged)?;
        let segment_bytes = kept_bytes.checked_add(length).ok_or_else(damaged)?;
        // What the trailer says is verified here, what the sections say by their own checksums.
        let found = crc32c::crc32c(trailer.get(..16).unwrap_or_default());
        if !is_known || start > kept_bytes || found != crc {
            return Err(damaged());
        }
        Ok(Head {
            file,
            blocks: start..end,
            segment_bytes,
        })
    }

    pub(super) fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, buffer)
    }

    /// A range of the segment, part by part.
    pub(super) fn parts(&self, range: Range<u64>) -> impl Iterator<Item = Part> {
        parts(range, self.blocks.clone())
    }
}

fn parts(range: Range<u64>, blocks: Range<u64>) -> impl Iterator<Item = Part> {
    let left_out = blocks.end - blocks.start;
    let clip = |from: u64, to: u64| range.start.max(from)..range.end.min(to);
    let before = clip(0, blocks.start);
    let within = clip(blocks.start, blocks.end);
    let behind = clip(blocks.end, u64::MAX);
    let parts = [
        (Some(before.start), before),
        (None, within),
        (Some(behind.start.saturating_sub(left_out)), behind),
    ];
    let parts = parts.map(|(head_offset, range)| Part { range, head_offset });
    parts.into_iter().filter(|part| !part.range.is_empty())
}

/// Writes the head of a segment whose file is here; on return it is durable.
pub(crate) fn write(disk: &dyn Disk, id: SegmentId, segment: &SegmentFile) -> Result<(), Error> {
    let path = id.head_path();
    let segment_bytes = segment.length().map_err(Error::io("read", id.path()))?;
    let blocks = blocks_of(segment, segment_bytes).map_err(|error| Error::Damaged {
        file: id.path(),
        reason: error.to_string(),
    })?;
    let draft = id.draft_path();
    super::write_draft(disk, &draft, &path, |file| {
        for range in [0..blocks.start, blocks.end..segment_bytes] {
            copy(segment, range, file)?;
        }
        file.append(&trailer(&blocks))
    })
}

fn blocks_of(segment: &SegmentFile, segment_bytes: u64) -> Result<Range<u64>, SegmentError> {
    let footer = Footer::read(segment, segment_bytes)?;
    let blocks = footer.section(SectionId::Blocks);
    // Without blocks there is nothing to leave out.
    Ok(blocks.map_or(0..0, |section| {
        section.offset..section.offset + section.length
    }))
}

fn copy(from: &SegmentFile, mut range: Range<u64>, to: &dyn DiskFile) -> io::Result<()> {
    while !range.is_empty() {
        let piece = COPY_BYTES.min(range.end - range.start);
        let mut bytes = vec![0; usize::try_from(piece).unwrap_or(0)];
        from.read_at(range.start, &mut bytes)?;
        to.append(&bytes)?;
        range.start += piece;
    }
    Ok(())
}

fn trailer(blocks: &Range<u64>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TRAILER_BYTES);
    bytes.extend(blocks.start.to_le_bytes());
    bytes.extend((blocks.end - blocks.start).to_le_bytes());
    let crc = crc32c::crc32c(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(MAGIC);
    bytes
}

/// The segments that have a head, and the leftovers of heads and segments that were never finished.
pub(crate) fn list_heads(disk: &dyn Disk) -> Result<(Vec<SegmentId>, Vec<String>), Error> {
    let names = disk.list(DIRECTORY).map_err(Error::io("list", DIRECTORY))?;
    let heads = names.iter().filter_map(|name| SegmentId::of_head(name));
    let heads = heads.collect();
    let drafts = names.iter().filter(|name| name.ends_with(super::DRAFT));
    let drafts = drafts.map(|name| format!("{DIRECTORY}/{name}")).collect();
    Ok((heads, drafts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parts;

    proptest! {
        /// Every byte of a range is in one part, in order, where a naive look finds it.
        #[test]
        fn parts_are_the_range(
            start in 0u64..40, length in 0u64..40, from in 0u64..40, count in 0u64..40,
        ) {
            let blocks = start..start + length;
            let mut expected = Vec::new();
            for byte in from..from + count {
                let behind = if byte < blocks.start { byte } else { byte.wrapping_sub(length) };
                expected.push((byte, (!blocks.contains(&byte)).then_some(behind)));
            }
            let mut found = Vec::new();
            for part in parts(from..from + count, blocks) {
                let offset = part.range.start;
                found.extend(part.range.map(|byte| {
                    (byte, part.head_offset.map(|head| head + byte - offset))
                }));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
