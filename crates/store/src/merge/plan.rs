//! What a merge writes: per UTC day one segment, of blocks that are copied and small ones that are joined. Which rows are
//! deleted it need not know: that is seen as they are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use cordwood_event::SourceId;

use super::choose::day_of;
use crate::eviction::{Evictions, is_dead};
use crate::fill::Fill;
use crate::segment::{BlockSource, Segment, SegmentBlock};
use crate::{BlockHandle, Options, Retention};

/// A block with less than this part of the rows and of the bytes that fill one is joined with others of its source.
const SMALL_PART: u64 = 4;

/// A block of an old segment.
#[derive(Clone, Debug)]
pub(super) struct StoredBlock {
    segment: Arc<Segment>,
    index: usize,
}

/// What becomes of blocks of one source.
#[derive(Debug)]
pub(super) enum Step {
    /// Copied byte by byte, unless rows of it are deleted.
    Copy(StoredBlock),
    /// Decoded, and encoded again as one.
    Join(Vec<StoredBlock>),
}

/// A segment to be written.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Ordered by source, then by the time of the first event.
    pub(super) steps: Vec<(SourceId, Step)>,
}

impl StoredBlock {
    pub(super) fn new(segment: &Arc<Segment>, index: usize) -> StoredBlock {
        StoredBlock {
            segment: Arc::clone(segment),
            index,
        }
    }

    pub(super) fn block(&self) -> &SegmentBlock {
        let block = self.segment.blocks.get(self.index);
        block.expect("a plan names blocks that are there")
    }

    pub(super) fn handle(&self) -> BlockHandle {
        BlockHandle::in_segment(&self.segment, self.block(), self.index)
    }

    pub(super) fn path(&self) -> &str {
        self.segment.path()
    }

    fn is_small(&self, options: &Options) -> bool {
        self.fill().is_below_part(SMALL_PART, options)
    }

    fn fill(&self) -> Fill {
        Fill::of_block(&self.block().directory)
    }
}

impl From<StoredBlock> for BlockSource {
    fn from(block: StoredBlock) -> BlockSource {
        BlockSource::Segment(block.segment, block.index)
    }
}

/// The segments to write in place of `inputs`; none if everything in them is dead.
pub(super) fn outputs_of(
    inputs: &[Arc<Segment>],
    (retention, evictions): (&Retention, &Evictions),
    options: &Options,
) -> Vec<Output> {
    let mut days: BTreeMap<i64, BTreeMap<SourceId, Vec<StoredBlock>>> = BTreeMap::new();
    for segment in inputs {
        for (index, block) in segment.blocks.iter().enumerate() {
            if is_dead(block, retention, evictions) {
                continue;
            }
            let sources = days.entry(day_of(block.start())).or_default();
            let stored = StoredBlock::new(segment, index);
            sources.entry(block.source).or_default().push(stored);
        }
    }
    let outputs = days.into_values().map(|sources| {
        let mut output = Output::default();
        for (source, blocks) in sources {
            let steps = steps_of(blocks, options).into_iter();
            output.steps.extend(steps.map(|step| (source, step)));
        }
        output
    });
    outputs.collect()
}

/// Small blocks gather, in order of time, until they fill one; a group stands where its first block does.
fn steps_of(mut blocks: Vec<StoredBlock>, options: &Options) -> Vec<Step> {
    blocks.sort_by_key(|stored| {
        let directory = &stored.block().directory;
        (directory.timestamps, directory.sequences)
    });
    let mut steps: Vec<Step> = Vec::new();
    let mut group: Option<(usize, Fill)> = None;
    for stored in blocks {
        if !stored.is_small(options) {
            steps.push(Step::Copy(stored));
            continue;
        }
        let fill = stored.fill();
        let grown = group.map(|(at, group)| (at, group.plus(fill)));
        let room = grown.filter(|(_, grown)| grown.fits(options));
        let open = room.and_then(|(at, _)| steps.get_mut(at));
        if let Some(Step::Join(joined)) = open {
            joined.push(stored);
            group = room;
        } else {
            group = Some((steps.len(), fill));
            steps.push(Step::Join(vec![stored]));
        }
    }
    // A small block that found no other stays as it is.
    let settled = steps.into_iter().map(|step| match step {
        Step::Join(mut alone) if alone.len() == 1 => match alone.pop() {
            Some(block) => Step::Copy(block),
            None => Step::Join(alone),
        },
        step => step,
    });
    settled.collect()
}
