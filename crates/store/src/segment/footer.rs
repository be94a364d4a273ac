//! The head and the foot of a segment file: what sections it has, and where.

use super::{SegmentError, SegmentFile};
use crate::fixed::Fixed;

const MAGIC: [u8; 8] = *b"CwdSeg\r\n";
/// What is written; earlier ones are read.
pub(crate) const VERSION: u32 = 2;
/// The first version whose token maps say how many bits of a hash they have.
pub(crate) const VERSION_OF_HASH_BITS: u32 = 2;

/// The header: magic and version, so that a file can be told from its start.
pub(crate) const HEADER_BYTES: usize = 12;
/// The trailer, the last bytes of the file: length and checksum of the footer, version, magic.
const TRAILER_BYTES: usize = 20;
const SECTION_BYTES: usize = 24;
/// More sections than any version will have; bounds what a reader allocates.
const SECTIONS_MAX: usize = 64;

/// A kind of section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum SectionId {
    /// The encoded blocks, one after the other. Its checksum is not used: every chunk has its own.
    Blocks = 1,
    /// The directories of all blocks.
    Directory = 2,
    /// The pages of the token map. Its checksum is not used: every page has its own.
    TokenPages = 3,
    /// The templates that the directories refer to; left out if there are none.
    Templates = 4,
    /// The leaves of the dictionaries of words, in pages. Its checksum is not used: every page has its own.
    PostingLeaves = 5,
    /// The source and the offset of each block.
    Places = 6,
    /// The number of blocks of the token map, the bits of a hash in it, and the first hash of each page.
    TokenIndex = 7,
    /// Which columns of which blocks have posting lists, and where the leaves are.
    PostingIndex = 8,
    /// The posting lists, in pages as the leaves.
    PostingLists = 9,
}

impl SectionId {
    pub(crate) fn name(self) -> &'static str {
        match self {
            SectionId::Blocks => "blocks",
            SectionId::Directory => "directory",
            SectionId::TokenPages => "token map",
            SectionId::Templates => "table of templates",
            SectionId::Places => "places of blocks",
            SectionId::TokenIndex => "index of the token map",
            SectionId::PostingLeaves => "dictionaries of words",
            SectionId::PostingIndex => "index of the posting lists",
            SectionId::PostingLists => "posting lists",
        }
    }
}

/// Where a section lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) id: u32,
    pub(crate) crc: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// All sections. Those a reader does not know are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Of the format of the segment.
    pub(crate) version: u32,
    pub(crate) sections: Vec<Section>,
}

/// What a file of this version of the format starts with.
pub(crate) fn header(version: u32) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes
}

impl Default for Footer {
    fn default() -> Footer {
        Footer {
            version: VERSION,
            sections: Vec::new(),
        }
    }
}

impl Footer {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for section in &self.sections {
            bytes.extend(section.id.to_le_bytes());
            bytes.extend(section.crc.to_le_bytes());
            bytes.extend(section.offset.to_le_bytes());
            bytes.extend(section.length.to_le_bytes());
        }
        let length = u32::try_from(bytes.len()).expect("a footer has few sections");
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(length.to_le_bytes());
        bytes.extend(crc.to_le_bytes());
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(MAGIC);
        bytes
    }

    /// Reads the footer of a file of `file_bytes`.
    pub(crate) fn read(file: &SegmentFile, file_bytes: u64) -> Result<Footer, SegmentError> {
        let malformed = |what: &str| SegmentError::Malformed(what.to_owned());
        let trailer_at = file_bytes.checked_sub(TRAILER_BYTES as u64);
        let trailer_at = trailer_at.ok_or_else(|| malformed("it is too short"))?;
        let mut trailer = [0; TRAILER_BYTES];
        file.read_at(trailer_at, &mut trailer)?;
        let mut fields = Fixed::new(&trailer);
        let length = fields.u32().unwrap_or(0) as usize;
        let crc = fields.u32().unwrap_or(0);
        let version = fields.u32().unwrap_or(0);
        if fields.rest() != MAGIC {
            return Err(malformed("it does not end as a segment does"));
        }
        if version == 0 {
            return Err(malformed("its version"));
        }
        if version > VERSION {
            return Err(SegmentError::NewerFormat(version));
        }
        let footer_at = trailer_at.checked_sub(length as u64);
        let is_sound =
            length <= SECTIONS_MAX * SECTION_BYTES && length.is_multiple_of(SECTION_BYTES);
        let footer_at = footer_at
            .filter(|_| is_sound)
            .ok_or_else(|| malformed("its footer"))?;
        let mut bytes = vec![0; length];
        file.read_at(footer_at, &mut bytes)?;
        if crc32c::crc32c(&bytes) != crc {
            return Err(SegmentError::Checksum("footer"));
        }
        Footer::parse(version, &bytes, footer_at).ok_or_else(|| malformed("its footer"))
    }

    fn parse(version: u32, bytes: &[u8], footer_at: u64) -> Option<Footer> {
        let mut fields = Fixed::new(bytes);
        let mut sections = Vec::new();
        while !fields.rest().is_empty() {
            let section = Section {
                id: fields.u32()?,
                crc: fields.u32()?,
                offset: fields.u64()?,
                length: fields.u64()?,
            };
            let end = section.offset.checked_add(section.length)?;
            if end > footer_at {
                return None;
            }
            sections.push(section);
        }
        Some(Footer { version, sections })
    }

    pub(crate) fn section(&self, id: SectionId) -> Option<Section> {
        self.sections
            .iter()
            .copied()
            .find(|section| section.id == id as u32)
    }

    /// Where the blocks section ends; 0 if there is none.
    pub(super) fn blocks_end(&self) -> u64 {
        let blocks = self.section(SectionId::Blocks);
        blocks.map_or(0, |section| section.offset + section.length)
    }
}
