//! Writes a segment, whole and durable, block by block: from memory, or byte by byte from older segments.
//!
//! Everything a segment has beside its blocks is made in [`SegmentWriter::finish`] of what was pushed.

use std::io;
use std::sync::Arc;

use cordwood_event::SourceId;

use super::footer::{self, HEADER_BYTES, Section, SectionId};
use super::postings::write_postings;
use super::sections::Sections;
use super::tokens::write_map;
use super::{DIRECTORY, Segment, SegmentId};
use crate::block::{BlockDirectory, encode_directories};
use crate::disk::DiskFile;
use crate::memtable::MemoryBlock;
use crate::{Disk, Error};

/// How much of a block is copied at a time: a block can be large, and a merge has little memory.
const COPY_BYTES: u64 = 1 << 20;

/// Where a block comes from.
#[derive(Clone, Debug)]
pub(crate) enum BlockSource {
    /// Encoded just now.
    Memory(Arc<MemoryBlock>),
    /// The block at an index of an older segment.
    Segment(Arc<Segment>, usize),
}

/// A block that is in the new segment; its number there is its index among those written.
struct WrittenBlock {
    source: SourceId,
    offset: u64,
    directory: Arc<BlockDirectory>,
    /// Where its words and its posting lists are.
    from: BlockSource,
}

/// A segment in the making. It has a file and is in no manifest; dropped unfinished, it is removed.
pub(crate) struct SegmentWriter<'d> {
    disk: &'d dyn Disk,
    path: String,
    file: Box<dyn DiskFile>,
    offset: u64,
    blocks: Vec<WrittenBlock>,
    is_finished: bool,
}

impl<'d> SegmentWriter<'d> {
    pub(crate) fn create(disk: &'d dyn Disk, id: SegmentId) -> Result<SegmentWriter<'d>, Error> {
        let path = id.path();
        let file = disk.create(&path).map_err(Error::io("create", &*path))?;
        let writer = SegmentWriter {
            disk,
            file,
            path,
            offset: HEADER_BYTES as u64,
            blocks: Vec::new(),
            is_finished: false,
        };
        writer.append(&footer::header(footer::VERSION))?;
        Ok(writer)
    }

    /// Adds a block; blocks come ordered by source.
    pub(crate) fn push(&mut self, source: SourceId, block: &BlockSource) -> Result<(), Error> {
        let directory = match block {
            BlockSource::Memory(block) => {
                self.append(&block.bytes)?;
                Arc::clone(&block.directory)
            }
            BlockSource::Segment(segment, index) => self.copy(segment, *index)?,
        };
        let offset = self.offset;
        self.offset += directory.encoded_bytes();
        self.blocks.push(WrittenBlock {
            source,
            offset,
            directory,
            from: block.clone(),
        });
        Ok(())
    }

    /// Whether no block was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Bytes that are damaged are copied as they are, and their checksums too: what reads them sees it.
    fn copy(&self, segment: &Arc<Segment>, index: usize) -> Result<Arc<BlockDirectory>, Error> {
        let block = segment.blocks.get(index);
        let block = block.expect("a merge copies blocks that are there");
        let length = block.directory.encoded_bytes();
        let mut copied = 0;
        while copied < length {
            let piece = usize::try_from(COPY_BYTES.min(length - copied)).unwrap_or(0);
            let bytes = segment.read(block.offset + copied, piece);
            self.append(&bytes.map_err(Error::io("read", segment.path()))?)?;
            copied += piece as u64;
        }
        Ok(Arc::clone(&block.directory))
    }

    /// Writes all that a segment has beside its blocks; on return it is durable.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.write_sections()
            .and_then(|()| self.file.sync())
            .and_then(|()| self.disk.sync_dir(DIRECTORY))
            .map_err(Error::io("write", &*self.path))?;
        self.is_finished = true;
        Ok(())
    }

    /// What stands behind the blocks.
    fn write_sections(&self) -> io::Result<()> {
        let mut sections = Sections::new(self.file.as_ref(), self.offset);
        let directories = self.blocks.iter().map(|block| block.directory.as_ref());
        let directories = encode_directories(directories);
        sections.push(SectionId::Directory, &directories.bytes)?;
        let mut places = Vec::with_capacity(16 * self.blocks.len());
        for block in &self.blocks {
            places.extend(block.source.0.to_le_bytes());
            places.extend(block.offset.to_le_bytes());
        }
        sections.push(SectionId::Places, &places)?;
        if !directories.templates.is_empty() {
            sections.push(SectionId::Templates, &directories.templates.encode())?;
        }
        let blocks: Vec<&BlockSource> = self.blocks.iter().map(|block| &block.from).collect();
        write_map(&blocks, &mut sections)?;
        write_postings(&blocks, &mut sections)?;
        sections.finish(Section {
            id: SectionId::Blocks as u32,
            crc: 0,
            offset: HEADER_BYTES as u64,
            length: self.offset - HEADER_BYTES as u64,
        })
    }

    fn append(&self, bytes: &[u8]) -> Result<(), Error> {
        let appended = self.file.append(bytes);
        appended.map_err(Error::io("write", &*self.path))
    }
}

impl Drop for SegmentWriter<'_> {
    fn drop(&mut self) {
        if !self.is_finished {
            // Should it stay, it is in no manifest, and the next start removes it.
            let _: io::Result<()> = self.disk.remove(&self.path);
        }
    }
}

/// Orders fresh blocks by source and by the time of their first event, so that a source lies in one piece.
pub(crate) fn sort_fresh(blocks: &mut [(SourceId, Arc<MemoryBlock>)]) {
    blocks.sort_by_key(|(source, block)| {
        let directory = &block.directory;
        (*source, directory.timestamps, directory.sequences)
    });
}
