//! Takes the rows that deletions mean out of blocks on their way into a new segment, and counts what went.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cordwood_event::SourceId;

use super::plan::StoredBlock;
use crate::shared::Shared;
use crate::view::View;
use crate::{Deletion, DeletionId, FindDeleted, Untold};

/// How many events a deletion removed for good, and about how many bytes of them as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Purged {
    events: u64,
    bytes: u64,
}

/// The rows of a block that deletions mean, and which deletion takes how many.
#[derive(Debug)]
pub(super) struct DeletedRows {
    /// By row, whether it goes.
    goes: Vec<bool>,
    by: Vec<(DeletionId, Purged)>,
}

/// The deletions that stand as a merge begins, and what it does for them.
#[derive(Debug)]
pub(super) struct Purge {
    deletions: Arc<Vec<Deletion>>,
    find_deleted: Option<Arc<dyn FindDeleted>>,
    pub(super) purged: BTreeMap<DeletionId, Purged>,
    /// Deletions whose rows cannot be told in some block, which stays as it is.
    pub(super) held_up: BTreeSet<DeletionId>,
    /// Why the bucket did not give a block, if so: what stays in it may go later.
    pub(super) out_of_reach: Option<String>,
}

impl Purge {
    pub(super) fn new(view: &View, shared: &Shared) -> Purge {
        Purge {
            deletions: Arc::clone(&view.deletions),
            find_deleted: shared.find_deleted.get().cloned(),
            purged: BTreeMap::new(),
            held_up: BTreeSet::new(),
            out_of_reach: None,
        }
    }

    /// Every deletion up to this one is carried out in what is written; `None` if none is.
    pub(super) fn reach(&self) -> Option<DeletionId> {
        self.find_deleted.as_ref()?;
        self.deletions.last().map(|deletion| deletion.id)
    }

    /// The rows of a block that go; `None` if it stays as it is.
    pub(super) fn deleted_rows(
        &mut self,
        source: SourceId,
        block: &StoredBlock,
    ) -> Option<DeletedRows> {
        let find_deleted = self.find_deleted.as_ref()?;
        let directory = &block.block().directory;
        let rows = usize::try_from(directory.rows).unwrap_or(usize::MAX);
        let mut deleted: Option<DeletedRows> = None;
        for deletion in self.deletions.iter() {
            let request = &*deletion.request;
            if !request.may_touch(source, directory.timestamps, directory.sequences.0) {
                continue;
            }
            match find_deleted.deleted_rows(request, source, &block.handle()) {
                Ok(found) if found.is_empty() => {}
                Ok(found) => {
                    let deleted = deleted.get_or_insert_with(|| DeletedRows::none(rows));
                    deleted.add(deletion.id, &found, directory.source_bytes);
                }
                Err(Untold::OutOfReach(reason)) => self.out_of_reach = Some(reason),
                Err(Untold::Lasting(reason)) => {
                    let path = block.path();
                    tracing::warn!(path, reason, deletion = %deletion.id, "a block cannot be purged");
                    self.held_up.insert(deletion.id);
                }
            }
        }
        deleted
    }

    /// Takes note that rows are not in what is written.
    pub(super) fn count(&mut self, deleted: &DeletedRows) {
        for (id, of_block) in &deleted.by {
            let purged = self.purged.entry(*id).or_default();
            purged.events += of_block.events;
            purged.bytes += of_block.bytes;
        }
    }

    /// Takes note that rows had to be written all the same.
    pub(super) fn hold_up(&mut self, deleted: &DeletedRows) {
        self.held_up.extend(deleted.by.iter().map(|(id, _)| *id));
    }
}

impl DeletedRows {
    fn none(rows: usize) -> DeletedRows {
        DeletedRows {
            goes: vec![false; rows],
            by: Vec::new(),
        }
    }

    /// A row that several deletions mean counts for the first.
    fn add(&mut self, id: DeletionId, found: &[usize], block_bytes: u64) {
        let mut events = 0;
        for row in found {
            if let Some(goes) = self.goes.get_mut(*row)
                && !std::mem::replace(goes, true)
            {
                events += 1;
            }
        }
        if events > 0 {
            let bytes = u128::from(block_bytes) * u128::from(events);
            let bytes = bytes / self.goes.len().max(1) as u128;
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            self.by.push((id, Purged { events, bytes }));
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        self.goes.iter().all(|goes| *goes)
    }

    pub(super) fn goes(&self, row: usize) -> bool {
        self.goes.get(row).copied().unwrap_or(false)
    }
}

impl Purged {
    pub(super) fn add_to(self, deletion: &mut Deletion) {
        deletion.events_purged += self.events;
        deletion.bytes_purged += self.bytes;
    }
}
