//! The account of a search: whether the answer is complete, over what range, and what was read for it.

use std::fmt;
use std::time::Duration;

use cordwood_event::SourceId;
use cordwood_query::TimeBounds;

use crate::budget::Cut;
use crate::narrow::Pruned;

/// Why an answer may lack events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incomplete {
    /// The deadline passed; [`Account::covered`] says how far the search came, and
    /// [`SearchAnswer::next`](crate::SearchAnswer::next) goes on from there.
    Deadline,
    /// The caller gave up. What had been found is not fetched any more.
    Cancelled,
    /// The memory a search may take was not to be had.
    Memory,
    /// The groups took more memory than a question may keep: what is there counts a part of the events.
    Groups {
        /// How many groups there were then.
        groups: u64,
        /// How many bytes one question may keep.
        bytes_max: u64,
    },
    /// By the arrays that are grouped by, events are in so many groups that it would take no end.
    Combinations,
    /// The rows that a stage has to remember took more memory than a question may keep.
    Kept {
        /// How many bytes one question may keep.
        bytes_max: u64,
    },
    /// The events that were asked for take more memory than one answer may, and no page follows: the rest is left out.
    Answer {
        /// How many bytes one answer may take.
        bytes_max: u64,
    },
    /// A timechart would have more rows than one may have; later intervals without events are left out.
    Rows {
        /// How many it may have.
        rows_max: u64,
    },
    /// A block could not be read; the others were searched.
    Unreadable {
        /// The source whose block it is.
        source: SourceId,
        /// The times its events lie between.
        range: TimeBounds,
        /// How many events it holds.
        rows: u64,
        /// What failed.
        detail: String,
    },
    /// The query of a deletion cannot be read, so that all events it might mean are left out.
    Deletion {
        /// The source it is about.
        source: SourceId,
        /// The times it is about.
        range: TimeBounds,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the store is damaged or gone.
    Missing {
        /// The source whose events it held.
        source: SourceId,
        /// The file, below the data directory.
        file: String,
        /// The times its events lie between.
        range: TimeBounds,
        /// How many events of the source it held.
        rows: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<Cut> for Incomplete {
    fn from(cut: Cut) -> Incomplete {
        match cut {
            Cut::Deadline => Incomplete::Deadline,
            Cut::Cancelled => Incomplete::Cancelled,
            Cut::Combinations => Incomplete::Combinations,
        }
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Incomplete::Deadline => f.write_str("the time for the search ran out"),
            Incomplete::Cancelled => f.write_str("the search was cancelled"),
            Incomplete::Memory => f.write_str(
                "the memory for the search ran out; ask for less, or when others ask for less",
            ),
            Incomplete::Groups { groups, bytes_max } => write!(
                f,
                "the memory for one question, {bytes_max} bytes, ran out at {groups} groups"
            ),
            Incomplete::Combinations => f.write_str(
                "by the arrays they are grouped by, events are in too many groups; group by one of these fields, or not by it",
            ),
            Incomplete::Kept { bytes_max } => write!(
                f,
                "the memory for one question, {bytes_max} bytes, ran out for the rows it has to remember"
            ),
            Incomplete::Answer { bytes_max } => write!(
                f,
                "the events take more than {bytes_max} bytes, the most of one answer; ask for fewer, or for `fields` of them"
            ),
            Incomplete::Rows { rows_max } => {
                write!(
                    f,
                    "the timechart has more than {rows_max} rows; take longer intervals"
                )
            }
            Incomplete::Unreadable {
                source,
                range,
                rows,
                detail,
            } => write!(
                f,
                "{rows} events of source {source} between {} and {} could not be read: {detail}",
                range.first, range.last
            ),
            Incomplete::Deletion {
                source,
                range,
                reason,
            } => write!(
                f,
                "events of source {source} between {} and {} are hidden by a deletion that is not understood: {reason}",
                range.first, range.last
            ),
            Incomplete::Missing {
                source,
                file,
                range,
                rows,
                reason,
            } => write!(
                f,
                "{rows} events of source {source} between {} and {} are missing with {file}: {reason}",
                range.first, range.last
            ),
        }
    }
}

/// What became of the blocks of the searched sources. Every block is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockCounts {
    /// All blocks of the searched sources.
    pub total: u64,
    /// Outside the range of time, or beyond the cursor.
    pub pruned_by_time: u64,
    /// Written after the snapshot the cursor holds or before what came since, or shut out by an `_id`.
    pub pruned_by_sequence: u64,
    /// A word the filter needs is not in the block, as the token map of its segment says.
    pub pruned_by_tokens: u64,
    /// All events in it are deleted or evicted.
    pub pruned_by_deletion: u64,
    /// The smallest and largest number of a column exclude a match.
    pub pruned_by_statistics: u64,
    /// A field the filter needs does not occur.
    pub pruned_by_absent_column: u64,
    /// No constant or dictionary of the block holds a value that matches.
    pub pruned_by_dictionary: u64,
    /// Match as a whole, and were counted without being read.
    pub counted_whole: u64,
    /// Cannot improve on what was found; not looked at.
    pub beyond_limit: u64,
    /// Evaluated row by row.
    pub read: u64,
    /// Could not be read.
    pub unreadable: u64,
    /// Not reached before the search was cut short.
    pub unreached: u64,
}

impl BlockCounts {
    /// Counts a block that something ruled out.
    pub(crate) fn count_pruned(&mut self, by: Pruned) {
        let counter = match by {
            Pruned::Time => &mut self.pruned_by_time,
            Pruned::Sequence => &mut self.pruned_by_sequence,
            Pruned::Tokens => &mut self.pruned_by_tokens,
            Pruned::Deletion => &mut self.pruned_by_deletion,
            Pruned::Statistics => &mut self.pruned_by_statistics,
            Pruned::AbsentColumn => &mut self.pruned_by_absent_column,
            Pruned::Dictionary => &mut self.pruned_by_dictionary,
        };
        *counter += 1;
    }

    /// All blocks ruled out by what is known about them.
    pub fn pruned(&self) -> u64 {
        self.pruned_by_time
            + self.pruned_by_sequence
            + self.pruned_by_tokens
            + self.pruned_by_deletion
            + self.pruned_by_statistics
            + self.pruned_by_absent_column
            + self.pruned_by_dictionary
    }
}

/// What a search did, and what its answer may lack.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Why the answer may lack events; empty when it is complete.
    pub incomplete: Vec<Incomplete>,
    /// The range searched: that of the request, narrowed by the filter's clauses on time.
    pub range: TimeBounds,
    /// The part of it in which no event can have been missed, but for the unreadable blocks named.
    pub covered: TimeBounds,
    /// How many events were looked at, one by one or on encoded columns.
    pub rows_scanned: u64,
    /// How many bytes of blocks were read.
    pub bytes_scanned: u64,
    /// The blocks.
    pub blocks: BlockCounts,
    /// How many segments hold those blocks that are on disk.
    pub segments: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Account {
    /// Takes in what another question for the same answer read, and what it may lack. Blocks are those of the first: a block
    /// that two questions ask of is one block.
    pub fn include(&mut self, other: &Account) {
        self.rows_scanned += other.rows_scanned;
        self.bytes_scanned += other.bytes_scanned;
        self.elapsed += other.elapsed;
        for incomplete in &other.incomplete {
            if !self.incomplete.contains(incomplete) {
                self.incomplete.push(incomplete.clone());
            }
        }
    }

    /// Whether nothing can have been missed.
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }
}
