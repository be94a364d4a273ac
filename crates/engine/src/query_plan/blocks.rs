//! The blocks of a question, each with what becomes of it, summed up step by step.

use std::collections::HashMap;

use cordwood_store::BlockHandle;

use super::{Pruning, PruningStep, Scope};

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    RuledOut(Pruning),
    Counted,
    ByTemplates,
    Read,
}

struct Surveyed {
    /// A number for its segment, if it is on disk.
    segment: Option<usize>,
    rows: u64,
    bytes: u64,
    fate: Fate,
}

/// All blocks of the sources asked for.
#[derive(Default)]
pub(super) struct SurveyedBlocks {
    /// Numbers by file.
    segments: HashMap<String, usize>,
    blocks: Vec<Surveyed>,
}

impl SurveyedBlocks {
    pub(super) fn add(&mut self, block: &BlockHandle, fate: Fate) {
        let next = self.segments.len();
        let number_of = |file: &str| match self.segments.get(file) {
            Some(segment) => *segment,
            None => *self.segments.entry(file.to_owned()).or_insert(next),
        };
        self.blocks.push(Surveyed {
            segment: block.segment_file().map(number_of),
            rows: block.directory().rows.into(),
            bytes: block.directory().encoded_bytes(),
            fate,
        });
    }

    /// What the blocks of a fate hold together.
    pub(super) fn with(&self, fate: Fate) -> Scope {
        self.scope(|other| other == fate)
    }

    /// What each step found and what it left.
    pub(super) fn steps(&self) -> Vec<PruningStep> {
        let mut before = self.scope(|_| true);
        let steps = Pruning::ALL.map(|by| {
            let after = self.scope(|fate| match fate {
                Fate::RuledOut(other) => other > by,
                Fate::Counted | Fate::ByTemplates | Fate::Read => true,
            });
            let step = PruningStep { by, before, after };
            before = after;
            step
        });
        steps.into()
    }

    fn scope(&self, is_in: impl Fn(Fate) -> bool) -> Scope {
        let mut scope = Scope::default();
        let mut has_segment = vec![false; self.segments.len()];
        for block in self.blocks.iter().filter(|block| is_in(block.fate)) {
            scope.blocks += 1;
            scope.rows += block.rows;
            scope.bytes += block.bytes;
            if let Some(has) = block.segment.and_then(|index| has_segment.get_mut(index)) {
                *has = true;
            }
        }
        scope.segments = has_segment.into_iter().filter(|has| *has).count() as u64;
        scope
    }
}
