//! What a question would do, found out without reading an event: what pruning leaves of its sources, step by step, and what
//! the rest would cost.

mod blocks;
mod columns;
mod matches;
mod survey;

use std::time::Duration;

use cordwood_event::{SourceId, Timestamp};
use cordwood_query::TimeBounds;

use crate::Incomplete;

/// A part of what is stored in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The segments that hold the blocks which are on disk.
    pub segments: u64,
    /// Blocks.
    pub blocks: u64,
    /// Events in them.
    pub rows: u64,
    /// Bytes they take, encoded.
    pub bytes: u64,
}

/// What may rule a block out, in the order in which it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pruning {
    /// A clause on `_source` that does not hold for the source.
    Source,
    /// The range of time, what has expired, the cursor, or an `_id`.
    Time,
    /// Events newer than the snapshot of the cursor, or of another number than an `_id`.
    Snapshot,
    /// The token map of the segment: a word is not in the block.
    TokenMap,
    /// Deletions that take all of the block.
    Deletions,
    /// The least and the greatest number of a column, and which levels occur.
    MinMax,
    /// The columns there are: no event has a field that is needed.
    Fields,
    /// The values that are counted of a column: none of them matches.
    Dictionaries,
}

impl Pruning {
    /// All steps, in order.
    pub const ALL: [Pruning; 8] = [
        Pruning::Source,
        Pruning::Time,
        Pruning::Snapshot,
        Pruning::TokenMap,
        Pruning::Deletions,
        Pruning::MinMax,
        Pruning::Fields,
        Pruning::Dictionaries,
    ];
}

/// A step of pruning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruningStep {
    /// What was asked.
    pub by: Pruning,
    /// What there was before; in the first step all of the sources asked for.
    pub before: Scope,
    /// What was left.
    pub after: Scope,
}

/// How a clause is decided in the blocks that the range and the snapshot of the question leave: the numbers of blocks add up
/// to these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClausePlan {
    /// The clause, in canonical text.
    pub clause: String,
    /// Blocks without a word it needs, as the token maps say.
    pub blocks_without_words: u64,
    /// Blocks for no event of which it holds, as their directories say: ranges, levels, fields, counts of values.
    pub blocks_with_none: u64,
    /// Blocks for every event of which it holds, as their directories say.
    pub blocks_with_all: u64,
    /// Blocks in which the templates of their texts decide it.
    pub blocks_by_templates: u64,
    /// Blocks in which it is left to be evaluated, if the other clauses leave any event to ask.
    pub blocks_open: u64,
    /// The bytes of the columns it would be evaluated on, in blocks that are read.
    pub bytes: u64,
}

/// Where a stage is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagePlace {
    /// It is a part of the filter.
    Filter,
    /// On each event where it lies.
    Row,
    /// In each block by itself; what the blocks give is merged.
    Block,
    /// On events one after the other, in their order.
    InOrder,
    /// On the table that came of the stages before.
    Table,
}

/// A stage of the question, as it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagePlan {
    /// The stage, in canonical text.
    pub stage: String,
    /// Where it is done.
    pub place: StagePlace,
}

/// What pruning leaves, by the way it is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Counted from directories, without being read.
    pub counted: Scope,
    /// Counted from the templates of their texts, without being read.
    pub by_templates: Scope,
    /// To be evaluated, all of them if the question does not stop early. Its bytes are those of the columns that the filter
    /// and the stages read.
    pub read: Scope,
    /// Events in memory that are no block yet, looked at one by one.
    pub open_rows: u64,
}

/// How many events match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchBounds {
    /// At least so many.
    pub at_least: u64,
    /// At most so many.
    pub at_most: u64,
}

/// What answering is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Events that match, among all blocks that are left: where a clause is not counted, a tenth of the events is taken to
    /// meet it.
    pub matches: u64,
    /// Blocks read until the answer is known.
    pub blocks: u64,
    /// Events looked at in them, and in memory.
    pub rows: u64,
    /// Bytes read, those of the events given back among them.
    pub bytes: u64,
    /// The time of one thread.
    pub cpu: Duration,
}

/// What a question would do.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryPlan {
    /// The range of the request, narrowed by the filter's clauses on time.
    pub range: TimeBounds,
    /// The sources in which anything can match.
    pub sources: Vec<SourceId>,
    /// The stages, in the order in which they are run.
    pub stages: Vec<StagePlan>,
    /// What rules blocks out, in order.
    pub steps: Vec<PruningStep>,
    /// The clauses of the filter, in their order.
    pub clauses: Vec<ClausePlan>,
    /// What is left after the last step.
    pub left: Left,
    /// Whether the question stops as soon as it has the first rows asked for.
    pub stops_early: bool,
    /// What directories say of the number of matching events.
    pub matches: MatchBounds,
    /// What answering is expected to take.
    pub estimate: Estimate,
    /// What an answer would lack, as far as that is known; and why the plan itself is not whole, if it was cut short.
    pub incomplete: Vec<Incomplete>,
    /// How long planning took.
    pub elapsed: Duration,
}

impl QueryPlan {
    /// Where the range begins; `None`: with the first event.
    pub fn starts_at(&self) -> Option<Timestamp> {
        (self.range.first != Timestamp::MIN).then_some(self.range.first)
    }

    /// Where it ends; `None`: with the last event.
    pub fn ends_at(&self) -> Option<Timestamp> {
        (self.range.last != Timestamp::MAX).then_some(self.range.last)
    }

    /// Whether nothing has to be read and no event looked at.
    pub fn is_from_metadata(&self) -> bool {
        self.left.read.blocks == 0 && self.left.open_rows == 0
    }
}
