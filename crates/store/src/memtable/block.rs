//! A sealed block in memory.

use std::sync::Arc;

use bytes::Bytes;

use super::OpenRows;
use crate::block::{self, BlockDirectory, BlockRow, EncodeError};
use crate::fill::Fill;
use crate::postings::BlockPostings;
use crate::shared::Shared;
use crate::{MemoryBudget, Options, Reservation};

/// An encoded block that is not in a segment yet.
#[derive(Debug)]
pub(crate) struct MemoryBlock {
    pub(crate) directory: Arc<BlockDirectory>,
    pub(crate) bytes: Bytes,
    /// The hashes of the words of all values, rising.
    pub(crate) tokens: Box<[u32]>,
    /// Which texts hold which words.
    pub(crate) postings: BlockPostings,
    reservation: Reservation,
}

impl MemoryBlock {
    /// Encodes rows of one source as blocks, sorted by time across all of them.
    pub(crate) fn seal(
        rows: &[OpenRows],
        shared: &Shared,
    ) -> Result<Vec<Arc<MemoryBlock>>, EncodeError> {
        let mut all = Vec::with_capacity(rows.iter().map(|open| open.batch().len()).sum());
        all.extend(rows.iter().flat_map(rows_of));
        MemoryBlock::seal_rows(all, &shared.options, &shared.memory)
    }

    /// The same of rows in any order; the memory of the blocks counts in `memory`.
    pub(crate) fn seal_rows(
        mut sorted: Vec<BlockRow<'_>>,
        options: &Options,
        memory: &MemoryBudget,
    ) -> Result<Vec<Arc<MemoryBlock>>, EncodeError> {
        // A key lies two steps away, so that it is taken once for each row and not for each comparison.
        sorted.sort_by_cached_key(|row| (row.event.timestamp(), row.sequence));
        let mut blocks = Vec::new();
        let mut rest = &*sorted;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(rows_that_fill(rest, options));
            encode_parted(head, memory, &mut blocks)?;
            rest = tail;
        }
        Ok(blocks)
    }

    fn new(rows: &[BlockRow<'_>], memory: &MemoryBudget) -> Result<MemoryBlock, EncodeError> {
        let encoded = block::encode(rows)?;
        let tokens: Box<[u32]> = encoded.tokens.into();
        let texts = encoded
            .directory
            .columns
            .iter()
            .filter_map(|entry| entry.text.as_ref());
        let tables: usize = texts.map(|text| text.uses.table().memory_bytes()).sum();
        let memory_bytes = encoded.bytes.len()
            + encoded.directory.memory_bytes()
            + tables
            + size_of_val(&*tokens)
            + encoded.postings.memory_bytes();
        Ok(MemoryBlock {
            directory: Arc::new(encoded.directory),
            bytes: encoded.bytes.into(),
            tokens,
            postings: encoded.postings,
            // The rows it stands for take more, and are let go right after.
            reservation: memory.reserve(memory_bytes as u64),
        })
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.reservation.bytes()
    }
}

fn rows_of(open: &OpenRows) -> impl Iterator<Item = BlockRow<'_>> {
    let events = open.batch().events().enumerate();
    events.map(|(row, event)| BlockRow {
        event,
        sequence: open.sequence(row),
    })
}

/// How many rows the next block gets: at least one.
///
/// The limits of [`Options`] are what a full block comes nearest to, not what it may never pass: rows come in batches, and two
/// bodies may be a little less than a block. The rows are divided evenly among as many blocks as are then nearest to full,
/// three quarters to one and a half times, so that no source leaves a small block behind at every sealing.
fn rows_that_fill(rows: &[BlockRow<'_>], options: &Options) -> usize {
    let fills = rows.iter().map(|row| Fill::of_event(row.event));
    let blocks = fills.fold(Fill::default(), Fill::plus).blocks(options);
    let blocks = usize::try_from(blocks.max(1)).unwrap_or(usize::MAX);
    let bytes_of = |row: &BlockRow<'_>| row.event.source_bytes().max(1);
    let event_bytes: usize = rows.iter().map(bytes_of).sum();
    let mut taken_bytes = 0;
    let share = rows.iter().take_while(|row| {
        let is_within = taken_bytes * blocks < event_bytes;
        taken_bytes += bytes_of(row);
        is_within
    });
    share.count().clamp(1, rows.len())
}

/// Encodes rows, cut in two as long as they are too much for one block.
fn encode_parted(
    rows: &[BlockRow<'_>],
    memory: &MemoryBudget,
    blocks: &mut Vec<Arc<MemoryBlock>>,
) -> Result<(), EncodeError> {
    match MemoryBlock::new(rows, memory) {
        Ok(block) => {
            blocks.push(Arc::new(block));
            Ok(())
        }
        Err(EncodeError::TooManyRows | EncodeError::TooMuchText | EncodeError::TooManyFields)
            if rows.len() > 1 =>
        {
            let (head, tail) = rows.split_at(rows.len() / 2);
            encode_parted(head, memory, blocks)?;
            encode_parted(tail, memory, blocks)
        }
        Err(error) => Err(error),
    }
}
