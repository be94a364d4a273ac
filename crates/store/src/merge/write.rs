//! Writes one segment of a merge: blocks copied, blocks joined, and rows that are deleted left out.

use std::sync::Arc;

use cordwood_event::SourceId;

use super::join::{PartOfBlock, join};
use super::plan::{Output, Step, StoredBlock};
use super::purge::Purge;
use super::{Merger, STAND_BACK};
use crate::Error;
use crate::segment::{BlockSource, Segment, SegmentWriter};

impl Merger {
    /// The segment; `None` if every row that would be in it is deleted.
    pub(super) fn write(
        &self,
        output: Output,
        purge: &mut Purge,
    ) -> Result<Option<Arc<Segment>>, Error> {
        let shared = &self.shared;
        let id = self.chain.take_segment_id();
        let mut writer = SegmentWriter::create(shared.disk.as_ref(), id)?;
        for (source, step) in output.steps {
            if shared.sealing.waiting_jobs() > 0 {
                shared.merge.stand_back(STAND_BACK);
            }
            if shared.merge.is_closed() {
                return Err(Error::Closed);
            }
            let (is_joined, blocks) = match step {
                Step::Copy(block) => (false, vec![block]),
                Step::Join(blocks) => (true, blocks),
            };
            let parts = parts_of(source, blocks, purge);
            let has_deleted = parts.iter().any(|(_, deleted)| deleted.is_some());
            if is_joined || has_deleted {
                self.rewrite(&mut writer, source, parts, purge)?;
            } else {
                copy(&mut writer, source, parts)?;
            }
        }
        if writer.is_empty() {
            return Ok(None);
        }
        writer.finish()?;
        Segment::open_written(id, &self.files).map(Some)
    }

    /// Writes rows of some blocks as one. What cannot be is written block by block, and the damaged ones as they are.
    fn rewrite(
        &self,
        writer: &mut SegmentWriter<'_>,
        source: SourceId,
        parts: Vec<PartOfBlock>,
        purge: &mut Purge,
    ) -> Result<(), Error> {
        if let Some(joined) = join(&parts, &self.shared.options) {
            for block in joined {
                writer.push(source, &BlockSource::Memory(block))?;
            }
            let deleted = parts.iter().filter_map(|(_, deleted)| deleted.as_ref());
            deleted.for_each(|deleted| purge.count(deleted));
            return Ok(());
        }
        let is_alone = parts.len() == 1;
        for (block, deleted) in parts {
            match deleted {
                Some(deleted) if !is_alone => {
                    self.rewrite(writer, source, vec![(block, Some(deleted))], purge)?;
                }
                deleted => {
                    deleted.iter().for_each(|deleted| purge.hold_up(deleted));
                    writer.push(source, &block.into())?;
                }
            }
        }
        Ok(())
    }
}

/// The blocks with what is deleted in each, without those of which nothing is left.
fn parts_of(source: SourceId, blocks: Vec<StoredBlock>, purge: &mut Purge) -> Vec<PartOfBlock> {
    let mut parts = Vec::with_capacity(blocks.len());
    for block in blocks {
        match purge.deleted_rows(source, &block) {
            Some(deleted) if deleted.is_everything() => purge.count(&deleted),
            deleted => parts.push((block, deleted)),
        }
    }
    parts
}

fn copy(
    writer: &mut SegmentWriter<'_>,
    source: SourceId,
    parts: Vec<PartOfBlock>,
) -> Result<(), Error> {
    let mut blocks = parts.into_iter();
    blocks.try_for_each(|(block, _)| writer.push(source, &block.into()))
}
