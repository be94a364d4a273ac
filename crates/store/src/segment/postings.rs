//! The posting lists of a segment: their index in memory, dictionaries and lists in the file; and those of a segment in the making.

use std::collections::BTreeMap;
use std::io;

use super::pages::SectionPages;
use super::sections::Sections;
use super::{
    BlockSource, Footer, Section, SectionId, Segment, SegmentError, SegmentFile, SegmentId,
    read_section,
};
use crate::postings::{self, ListPlace, PostingsIndex, PostingsInput, PostingsPages, WordLists};
use crate::tokens::BlockTarget;
use crate::{MergeFailure, ReadFailure};

/// Posting lists, and where their sections are.
#[derive(Debug)]
pub(super) struct SegmentPostings {
    index: PostingsIndex,
    leaves: Section,
    lists: Section,
}

impl SegmentPostings {
    /// Reads the index; `None` when the segment has no lists.
    pub(super) fn open(
        file: &SegmentFile,
        footer: &Footer,
        blocks: usize,
    ) -> Result<Option<SegmentPostings>, SegmentError> {
        if footer.section(SectionId::PostingIndex).is_none() {
            return Ok(None);
        }
        let section = |id: SectionId| {
            let missing = || SegmentError::Malformed(format!("no {}", id.name()));
            footer.section(id).ok_or_else(missing)
        };
        let bytes = read_section(file, footer, SectionId::PostingIndex)?;
        let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        let index = PostingsIndex::decode(&bytes, blocks);
        Ok(Some(SegmentPostings {
            index: index.map_err(|corrupt| SegmentError::Malformed(corrupt.0.to_owned()))?,
            leaves: section(SectionId::PostingLeaves)?,
            lists: section(SectionId::PostingLists)?,
        }))
    }

    pub(super) fn find(
        &self,
        path: &str,
        word: &str,
        segment: &Segment,
    ) -> Result<WordLists, ReadFailure> {
        self.index.find(path, word, &self.pages(segment))
    }

    pub(super) fn read(
        &self,
        place: ListPlace,
        segment: &Segment,
    ) -> Result<Vec<u32>, ReadFailure> {
        self.index.read(place, &self.pages(segment))
    }

    pub(super) fn check(&self, segment: &Segment) -> Result<(), ReadFailure> {
        self.index.check(&self.pages(segment))
    }

    fn pages<'s>(&self, segment: &'s Segment) -> PostingsPages<SectionPages<'s>> {
        let of_section = |section: &Section| SectionPages {
            segment,
            offset: section.offset,
        };
        PostingsPages {
            leaves: of_section(&self.leaves),
            leaves_bytes: self.leaves.length,
            lists: of_section(&self.lists),
            lists_bytes: self.lists.length,
        }
    }
}

/// Writes the lists of a segment of these blocks. A block that comes from a segment without lists has none; if lists cannot be read,
/// the new segment has none.
pub(super) fn write_postings(
    blocks: &[&BlockSource],
    sections: &mut Sections<'_>,
) -> io::Result<()> {
    let mut older: BTreeMap<SegmentId, (&Segment, Vec<BlockTarget>)> = BTreeMap::new();
    let mut inputs = Vec::new();
    for (number, block) in (0u32..).zip(blocks) {
        match block {
            BlockSource::Memory(block) => {
                inputs.push(PostingsInput::Block(&block.postings, number));
            }
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
    let with_lists = older.values().filter_map(|(segment, targets)| {
        let postings = segment.postings.as_ref()?;
        Some((&postings.index, postings.pages(segment), targets))
    });
    let with_lists: Vec<_> = with_lists.collect();
    let segments = with_lists.iter();
    inputs.extend(
        segments.map(|(index, pages, targets)| PostingsInput::Segment(index, pages, targets)),
    );
    sections.begin();
    match postings::merge(&inputs, sections) {
        Ok(Some(dictionaries)) => {
            sections.end(SectionId::PostingLists);
            sections.push(SectionId::PostingLeaves, &dictionaries.leaves)?;
            sections.push(SectionId::PostingIndex, &dictionaries.index)
        }
        Ok(None) => Ok(()),
        Err(MergeFailure::Read(error)) => {
            tracing::warn!(%error, "a segment is written without posting lists");
            Ok(())
        }
        Err(MergeFailure::Write(error)) => Err(error),
    }
}
