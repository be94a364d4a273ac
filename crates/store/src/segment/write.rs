//! Writes a segment, whole and durable.

use std::io;
use std::sync::Arc;

use cordwood_event::SourceId;

use super::footer::{self, Footer, HEADER_BYTES, Section, SectionId};
use super::{DIRECTORY, SegmentId};
use crate::block::encode_directories;
use crate::disk::DiskFile;
use crate::memtable::MemoryBlock;
use crate::{Disk, Error};

/// The blocks of a segment in the making.
pub(crate) struct SegmentContent {
    blocks: Vec<(SourceId, Arc<MemoryBlock>)>,
}

impl SegmentContent {
    /// Orders blocks by source and by the time of their first event, so that a source lies in one piece.
    pub(crate) fn new(mut blocks: Vec<(SourceId, Arc<MemoryBlock>)>) -> SegmentContent {
        blocks.sort_by_key(|(source, block)| {
            let directory = &block.directory;
            (*source, directory.timestamps, directory.sequences)
        });
        SegmentContent { blocks }
    }
}

/// Writes a segment; on return it is durable. After an error nothing of it is left, if the disk lets it be removed;
/// what stays is removed at the next start.
pub(crate) fn write_segment(
    disk: &dyn Disk,
    id: SegmentId,
    content: &SegmentContent,
) -> Result<(), Error> {
    let path = id.path();
    let file = disk.create(&path).map_err(Error::io("create", &*path))?;
    let written = write_content(file.as_ref(), content)
        .and_then(|()| file.sync())
        .and_then(|()| disk.sync_dir(DIRECTORY));
    if let Err(error) = written {
        // Should it stay, it is in no manifest.
        let _ = disk.remove(&path);
        return Err(Error::io("write", path)(error));
    }
    Ok(())
}

fn write_content(file: &dyn DiskFile, content: &SegmentContent) -> io::Result<()> {
    let mut places = Vec::new();
    let mut offset = HEADER_BYTES as u64;
    file.append(&footer::header())?;
    for (source, block) in &content.blocks {
        file.append(&block.bytes)?;
        places.extend(source.0.to_le_bytes());
        places.extend(offset.to_le_bytes());
        offset += block.bytes.len() as u64;
    }
    let blocks = Section {
        id: SectionId::Blocks as u32,
        crc: 0,
        offset: HEADER_BYTES as u64,
        length: offset - HEADER_BYTES as u64,
    };
    let blocks_in_order = content.blocks.iter().map(|(_, block)| &*block.directory);
    let directories = encode_directories(blocks_in_order);
    let mut tail = Tail {
        offset,
        bytes: Vec::new(),
        sections: vec![blocks],
    };
    tail.push(SectionId::Directory, &directories.bytes);
    if !directories.templates.is_empty() {
        tail.push(SectionId::Templates, &directories.templates.encode());
    }
    tail.push(SectionId::Places, &places);
    let footer = Footer {
        sections: tail.sections,
    };
    tail.bytes.extend(footer.to_bytes());
    file.append(&tail.bytes)
}

/// The sections behind the blocks.
struct Tail {
    /// Where the next section begins.
    offset: u64,
    bytes: Vec<u8>,
    sections: Vec<Section>,
}

impl Tail {
    fn push(&mut self, id: SectionId, bytes: &[u8]) {
        self.sections.push(section_at(id, self.offset, bytes));
        self.bytes.extend_from_slice(bytes);
        self.offset += bytes.len() as u64;
    }
}

fn section_at(id: SectionId, offset: u64, bytes: &[u8]) -> Section {
    Section {
        id: id as u32,
        crc: crc32c::crc32c(bytes),
        offset,
        length: bytes.len() as u64,
    }
}
