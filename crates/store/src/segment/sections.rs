//! What stands behind the blocks of a segment in the making: sections that are written as they are made, so that none is in memory whole.

use std::io::{self, Write};

use super::footer::{Footer, Section, SectionId};
use crate::disk::DiskFile;

/// So much is written at once.
const PIECE_BYTES: usize = 1 << 20;

/// Sections, one after the other.
pub(super) struct Sections<'f> {
    file: &'f dyn DiskFile,
    /// Where what waits to be written goes in the file.
    offset: u64,
    waiting: Vec<u8>,
    /// Where the section at hand begins, and the checksum of what there is of it.
    begins_at: u64,
    crc: u32,
    footer: Footer,
}

impl<'f> Sections<'f> {
    /// Behind so many bytes of a file.
    pub(super) fn new(file: &'f dyn DiskFile, offset: u64) -> Sections<'f> {
        Sections {
            file,
            offset,
            waiting: Vec::new(),
            begins_at: offset,
            crc: 0,
            footer: Footer::default(),
        }
    }

    /// What is written from here on is a section of its own. What was written before and not ended is of no meaning.
    pub(super) fn begin(&mut self) {
        self.begins_at = self.offset + self.waiting.len() as u64;
        self.crc = 0;
    }

    /// All that was written since it began is the section.
    pub(super) fn end(&mut self, id: SectionId) {
        let end = self.offset + self.waiting.len() as u64;
        self.footer.sections.push(Section {
            id: id as u32,
            crc: self.crc,
            offset: self.begins_at,
            length: end - self.begins_at,
        });
    }

    /// Writes a whole section.
    pub(super) fn push(&mut self, id: SectionId, bytes: &[u8]) -> io::Result<()> {
        self.begin();
        self.write_all(bytes)?;
        self.end(id);
        Ok(())
    }

    /// Writes the footer, which names the blocks too.
    pub(super) fn finish(mut self, blocks: Section) -> io::Result<()> {
        self.footer.sections.insert(0, blocks);
        self.waiting.extend(self.footer.to_bytes());
        self.flush()
    }
}

impl Write for Sections<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.append(&self.waiting)?;
        self.offset += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}
