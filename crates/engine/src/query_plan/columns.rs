//! Which chunks of a block a question would read, and about how long it would take.

use std::collections::HashSet;

use cordwood_query::{CompiledClause, Target};
use cordwood_store::Encoding;
use cordwood_store::block::{BlockDirectory, Chunk, ColumnEntry};

use crate::evaluate::{Reading, cost_of_column, is_raw_level};
use crate::narrow::may_match;

/// Chunks of one block, each once. An upper bound: evaluation stops where no row is left, and reads no slots where
/// templates decide.
pub(super) struct ChunksRead<'a> {
    directory: &'a BlockDirectory,
    seen: HashSet<(u32, u32)>,
    pub(super) bytes: u64,
    /// About the nanoseconds that going through the columns of stages takes.
    pub(super) nanos: u64,
}

impl<'a> ChunksRead<'a> {
    pub(super) fn of(directory: &'a BlockDirectory) -> ChunksRead<'a> {
        ChunksRead {
            directory,
            seen: HashSet::new(),
            bytes: 0,
            nanos: 0,
        }
    }

    /// What evaluating a clause reads.
    pub(super) fn add_clause(&mut self, clause: &CompiledClause) {
        match clause {
            CompiledClause::Source(_) => {}
            CompiledClause::Time(_) => self.add(self.directory.timestamp),
            CompiledClause::Id(_) => self.add_ids(),
            CompiledClause::Level(level) => {
                self.add(self.directory.level);
                if level.raw().is_some() {
                    self.add_columns(|entry| is_raw_level(&entry.path));
                }
            }
            CompiledClause::Field(field, predicate) => self.add_columns(|entry| {
                let reading = field.reach(&entry.path).map(Reading::Field);
                reading.is_some_and(|reading| may_match(entry, predicate, reading))
            }),
            CompiledClause::AnyField(predicate, _) => {
                self.add(self.directory.level);
                self.add_columns(|entry| may_match(entry, predicate, Reading::Anywhere));
            }
        }
    }

    /// What stages on rows read, which is no more than this for stages on columns.
    pub(super) fn add_targets(&mut self, targets: &[Target]) {
        self.add_ids();
        self.add(self.directory.level);
        for target in targets {
            match target {
                Target::Field(field) => {
                    self.add_timed_columns(|entry| field.reach(&entry.path).is_some());
                }
                Target::Level => self.add_timed_columns(|entry| is_raw_level(&entry.path)),
                Target::AnyField => self.add_timed_columns(|_| true),
                Target::Time | Target::Source | Target::Id => {}
            }
        }
    }

    /// The times and sequence numbers of the rows.
    pub(super) fn add_ids(&mut self) {
        self.add(self.directory.timestamp);
        self.add(self.directory.sequence);
    }

    pub(super) fn add_times(&mut self) {
        self.add(self.directory.timestamp);
    }

    pub(super) fn add_sequences(&mut self) {
        self.add(self.directory.sequence);
    }

    /// The whole block.
    pub(super) fn add_all(&mut self) {
        self.directory.chunks().for_each(|chunk| self.add(chunk));
    }

    fn add_timed_columns(&mut self, is_read: impl Fn(&ColumnEntry) -> bool) {
        let columns = self.directory.columns.iter();
        let nanos = columns.filter(|entry| is_read(entry)).map(cost_of_column);
        self.nanos += nanos.sum::<u64>();
        self.add_columns(is_read);
    }

    /// Columns, and the fields that have none of their own, where any may lie.
    fn add_columns(&mut self, is_read: impl Fn(&ColumnEntry) -> bool) {
        let directory = self.directory;
        for entry in directory.columns.iter().filter(|entry| is_read(entry)) {
            entry.chunks().for_each(|chunk| self.add(chunk));
            let presence = entry.presence.map(usize::from);
            let presence = presence.and_then(|index| directory.presences.get(index));
            presence
                .copied()
                .into_iter()
                .for_each(|chunk| self.add(chunk));
            if matches!(entry.encoding, Encoding::Const | Encoding::Dict) {
                let dictionaries = directory.dictionaries;
                dictionaries.into_iter().for_each(|chunk| self.add(chunk));
            }
        }
        let rest = directory.rest.map(|rest| rest.chunk);
        rest.into_iter().for_each(|chunk| self.add(chunk));
    }

    fn add(&mut self, chunk: Chunk) {
        if self.seen.insert((chunk.offset, chunk.length)) {
            self.bytes += u64::from(chunk.length);
        }
    }
}
