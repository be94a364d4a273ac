//! Gathers small batches into larger ones, so that a search of fresh events visits few.
//!
//! Requests of one event are common. Sixteen neighbours below a size become one batch of the next size: each
//! row is copied at most twice, and a source has at most some ninety batches when it is sealed.

use std::sync::Arc;

use cordwood_event::{BatchBuilder, FieldMap};

use super::{HeldBatch, OpenRows, Sequences};
use crate::MemoryBudget;

/// How many batches become one.
const FAN_IN: usize = 16;
/// Batches of so many rows are left alone: visiting them costs more than finding them.
const SMALL_ROWS: [usize; 2] = [FAN_IN, FAN_IN * FAN_IN];

/// The batches with the last of them gathered; `None` if there is nothing to gather.
pub(crate) fn gather_small(open: &[OpenRows], memory: &MemoryBudget) -> Option<Vec<OpenRows>> {
    let mut gathered: Option<Vec<OpenRows>> = None;
    for rows_below in SMALL_ROWS {
        let current = gathered.as_deref().unwrap_or(open);
        let small = current
            .iter()
            .rev()
            .take_while(|rows| rows.batch().len() < rows_below)
            .count();
        if small < FAN_IN {
            continue;
        }
        let (kept, tail) = current.split_at(current.len() - small);
        let mut larger = kept.to_vec();
        larger.push(concatenate(tail, memory));
        gathered = Some(larger);
    }
    gathered
}

fn concatenate(parts: &[OpenRows], memory: &MemoryBudget) -> OpenRows {
    let mut builder = BatchBuilder::new();
    for part in parts {
        let mut fields = FieldMap::default();
        for event in part.batch().events() {
            builder.copy_event(event, &mut fields);
        }
    }
    let batch = builder.finish();
    let reservation = memory.reserve(batch.memory_bytes() as u64);
    let sequences = Sequences::concatenated(parts.iter().map(OpenRows::sequences));
    OpenRows::new(Arc::new(HeldBatch::new(batch, reservation)), sequences)
}
