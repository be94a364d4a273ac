//! Makes one block of several small ones of a source, or of what deletions leave of one: decodes rows and encodes them again.

use std::collections::HashMap;
use std::sync::Arc;

use cordwood_event::{Batch, BatchBuilder, EventHead, FieldId, Level, Timestamp};

use super::plan::StoredBlock;
use super::purge::DeletedRows;
use crate::block::BlockRow;
use crate::column::Column;
use crate::memtable::MemoryBlock;
use crate::{BlockHandle, Options, ReadError};

/// A block whose rows are wanted, and those of them that are not.
pub(super) type PartOfBlock = (StoredBlock, Option<DeletedRows>);

/// The joined blocks; `None` where one of them cannot be read or they do not fit together.
pub(super) fn join(parts: &[PartOfBlock], options: &Options) -> Option<Vec<Arc<MemoryBlock>>> {
    match rows_of(parts) {
        Ok(rows) => MemoryBlock::seal_rows(rows.block_rows(), options, &options.memory).ok(),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "a damaged block is kept as it is");
            None
        }
    }
}

/// Rows of several blocks, in no order.
struct Rows {
    batch: Batch,
    sequences: Vec<u64>,
}

impl Rows {
    fn block_rows(&self) -> Vec<BlockRow<'_>> {
        let rows = self.batch.events().zip(&self.sequences);
        rows.map(|(event, sequence)| BlockRow {
            event,
            sequence: *sequence,
        })
        .collect()
    }
}

fn rows_of(parts: &[PartOfBlock]) -> Result<Rows, ReadError> {
    let mut builder = BatchBuilder::new();
    let mut sequences = Vec::new();
    for (block, deleted) in parts {
        let is_kept = |row: usize| deleted.as_ref().is_none_or(|deleted| !deleted.goes(row));
        append_rows(&block.handle(), is_kept, &mut builder, &mut sequences)?;
    }
    Ok(Rows {
        batch: builder.finish(),
        sequences,
    })
}

fn append_rows(
    block: &BlockHandle,
    is_kept: impl Fn(usize) -> bool,
    builder: &mut BatchBuilder,
    sequences: &mut Vec<u64>,
) -> Result<(), ReadError> {
    let columns = columns_of(block, builder)?;
    let rest = block.rest()?;
    let mut rest_fields: HashMap<String, FieldId> = HashMap::new();
    let times = block.timestamps()?;
    let levels = block.levels()?;
    let mut shares = shares(
        block.directory().source_bytes,
        u64::from(block.directory().rows),
    );
    for (row, (time, level)) in times.into_iter().zip(levels).enumerate() {
        let source_bytes = shares.next().unwrap_or(0);
        if !is_kept(row) {
            continue;
        }
        builder.begin_event();
        for (index, (field, column)) in columns.iter().enumerate() {
            let value = column.scalar(row);
            let value = value.map_err(|corrupt| block.error_in_column(index, corrupt))?;
            if let Some(value) = value {
                builder.set_field(*field, value);
            }
        }
        if let Some(rest) = rest {
            let rare = rest
                .fields(row)
                .map_err(|corrupt| block.error_in_rest(corrupt))?;
            for (path, value) in rare {
                let known = rest_fields.get(path).copied();
                let field = known.unwrap_or_else(|| builder.field_at(path));
                if known.is_none() {
                    rest_fields.insert(path.to_owned(), field);
                }
                builder.set_field(field, value);
            }
        }
        builder.finish_event(EventHead {
            timestamp: Timestamp::from_nanos(time),
            level: Level::from_code(level),
            source_bytes,
        });
    }
    let kept = block.sequences()?.into_iter().enumerate();
    let kept = kept.filter(|(row, _)| is_kept(*row));
    sequences.extend(kept.map(|(_, sequence)| sequence));
    Ok(())
}

fn columns_of(
    block: &BlockHandle,
    builder: &mut BatchBuilder,
) -> Result<Vec<(FieldId, Column)>, ReadError> {
    let entries = block.directory().columns.iter().enumerate();
    let columns = entries.map(|(index, entry)| {
        let column = block.column(index)?;
        Ok((builder.field_at(&entry.path), column))
    });
    columns.collect()
}

/// A block knows only the bytes of all its events together; each row gets its part, and the sum stays.
fn shares(bytes: u64, rows: u64) -> impl Iterator<Item = u32> {
    let share = bytes.checked_div(rows).unwrap_or(0);
    let larger = bytes.checked_rem(rows).unwrap_or(0);
    (0..rows).map(move |row| u32::try_from(share + u64::from(row < larger)).unwrap_or(u32::MAX))
}
