//! The token map of a segment: its index in memory, its pages in the file; and the one of a segment in the making.

use std::collections::BTreeMap;
use std::io;

use super::footer::VERSION_OF_HASH_BITS;
use super::pages::SectionPages;
use super::sections::Sections;
use super::{
    BlockSource, Footer, SectionId, Segment, SegmentError, SegmentFile, SegmentId, read_section,
};
use crate::tokens::{self, BlockSet, BlockTarget, MapInput, TokenMap, WordHash, map_blocks};
use crate::{MergeFailure, ReadFailure};

/// A token map, and where its pages begin.
#[derive(Debug)]
pub(super) struct SegmentTokens {
    map: TokenMap,
    pages_at: u64,
}

impl SegmentTokens {
    /// Reads the index; `None` when the segment has no map.
    pub(super) fn open(
        file: &SegmentFile,
        footer: &Footer,
        blocks: usize,
    ) -> Result<Option<SegmentTokens>, SegmentError> {
        let Some(pages) = footer.section(SectionId::TokenPages) else {
            return Ok(None);
        };
        let malformed = |what: &str| SegmentError::Malformed(what.to_owned());
        let index = read_section(file, footer, SectionId::TokenIndex)?;
        let index = index_of_version(footer.version, index);
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

    fn pages<'s>(&self, segment: &'s Segment) -> SectionPages<'s> {
        SectionPages {
            segment,
            offset: self.pages_at,
        }
    }
}

/// The index as segments have it now. Earlier ones did not say how many bits of a hash they have: it was all 32.
fn index_of_version(version: u32, mut index: Vec<u8>) -> Vec<u8> {
    const BLOCKS_BYTES: usize = 4;
    const HASH_BITS: u8 = 32;
    if version < VERSION_OF_HASH_BITS && index.len() >= BLOCKS_BYTES {
        index.insert(BLOCKS_BYTES, HASH_BITS);
    }
    index
}

/// Writes the map of a segment of these blocks. There is none if a block comes from a segment whose map cannot be read: one without
/// its words would lose answers.
pub(super) fn write_map(blocks: &[&BlockSource], sections: &mut Sections<'_>) -> io::Result<()> {
    sections.begin();
    let listed = blocks.iter().map(|words| match words {
        BlockSource::Memory(block) => Some(&*block.tokens),
        BlockSource::Segment(..) => None,
    });
    let index = match listed.collect::<Option<Vec<&[u32]>>>() {
        Some(lists) => Some(map_blocks(&lists, sections)?),
        None => merge_maps(blocks, sections)?,
    };
    match index {
        Some(index) => {
            sections.end(SectionId::TokenPages);
            sections.push(SectionId::TokenIndex, &index)
        }
        None => Ok(()),
    }
}

/// Writes the pages of the map, and gives its index.
fn merge_maps(blocks: &[&BlockSource], sections: &mut Sections<'_>) -> io::Result<Option<Vec<u8>>> {
    let mut older: BTreeMap<SegmentId, (&Segment, Vec<BlockTarget>)> = BTreeMap::new();
    let mut inputs = Vec::new();
    for (number, words) in (0u32..).zip(blocks) {
        match words {
            BlockSource::Memory(block) => inputs.push(MapInput::Block(&block.tokens, number)),
            BlockSource::Segment(segment, index) => {
                let (_, targets) = older
                    .entry(segment.id())
                    .or_insert_with(|| (segment, vec![None; segment.blocks.len()]));
                if let Some(target) = targets.get_mut(*index) {
                    *target = Some(number);
                }
            }
        }
    }
    let maps = older.values().map(|(segment, targets)| {
        let tokens = segment.tokens.as_ref()?;
        Some((&tokens.map, tokens.pages(segment), targets))
    });
    let Some(maps) = maps.collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let mapped = maps.iter();
    inputs.extend(mapped.map(|(map, pages, targets)| MapInput::Map(map, pages, targets)));
    let count = u32::try_from(blocks.len()).expect("a segment has fewer than 2^32 blocks");
    match tokens::merge(&inputs, count, sections) {
        Ok(index) => Ok(Some(index)),
        Err(MergeFailure::Read(error)) => {
            tracing::warn!(%error, "a segment is written without a token map");
            Ok(None)
        }
        Err(MergeFailure::Write(error)) => Err(error),
    }
}
