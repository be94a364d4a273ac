//! The chain of manifests as the threads of an open store go on with it: one commit after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Manifest, commit, list_manifests, path_of};
use crate::deletion::STANDING_MAX;
use crate::segment::SegmentId;
use crate::{Deletion, DeletionId, DeletionRequest, DeletionState, Disk, Error, log};

/// Manifests that are kept: the newest, and the one before it in case the newest goes bad before its log is gone.
const MANIFESTS_KEPT: usize = 2;

/// What was committed last, or may have been. The flusher adds segments, the merger replaces them; whoever writes a large file
/// does so before it comes here.
#[derive(Debug)]
pub(crate) struct Chain {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    newest: Manifest,
    /// Whether the last commit succeeded: after one that failed, the disk may hold a manifest that is not this one.
    is_certain: bool,
}

impl Chain {
    pub(crate) fn new(newest: Manifest) -> Chain {
        Chain {
            state: Mutex::new(State {
                newest,
                is_certain: true,
            }),
        }
    }

    /// A number for a segment. It is used once, whatever becomes of it.
    pub(crate) fn take_segment_id(&self) -> SegmentId {
        let newest = &mut self.lock().newest;
        let id = SegmentId(newest.next_segment);
        newest.next_segment += 1;
        id
    }

    /// Commits a change of the newest manifest. After an error it may be committed or not: the next commit says what
    /// holds, so files that only this one names must stay until then.
    pub(crate) fn commit(
        &self,
        disk: &dyn Disk,
        change: impl FnOnce(&mut Manifest),
    ) -> Result<(), Error> {
        let mut state = self.lock();
        let mut next = state.newest.clone();
        change(&mut next);
        // From here on the number is taken, even if the commit fails.
        state.newest.number += 1;
        next.number = state.newest.number;
        state.is_certain = false;
        commit(disk, &next)?;
        state.newest = next;
        state.is_certain = true;
        // What cannot be removed now is removed at the next start.
        if let Err(error) = remove_below_floor(disk, &state.newest) {
            tracing::warn!(%error, "could not remove flushed log files");
        }
        Ok(())
    }

    /// Commits a deletion.
    pub(crate) fn add_deletion(
        &self,
        disk: &dyn Disk,
        request: DeletionRequest,
        events_hidden: Option<u64>,
    ) -> Result<Deletion, Error> {
        let mut deletion = Deletion {
            id: DeletionId(0),
            request: Arc::new(request),
            state: DeletionState::Hidden,
            events_hidden,
            events_purged: 0,
            bytes_purged: 0,
        };
        let standing = self.lock().newest.standing_deletions().count();
        if standing >= STANDING_MAX {
            return Err(Error::TooManyDeletions {
                standing: standing as u64,
            });
        }
        self.commit(disk, |next| {
            deletion.id = DeletionId(next.next_deletion);
            next.next_deletion += 1;
            next.deletions.push(deletion.clone());
        })?;
        Ok(deletion)
    }

    /// What was committed last.
    pub(crate) fn newest(&self) -> Manifest {
        self.lock().newest.clone()
    }

    /// The segments that were committed last.
    pub(crate) fn segment_ids(&self) -> Vec<SegmentId> {
        let newest = self.lock();
        newest
            .newest
            .segments
            .iter()
            .map(|entry| entry.id)
            .collect()
    }

    /// Removes what commits have left over because it could not be removed then.
    pub(crate) fn remove_surplus(&self, disk: &dyn Disk) -> Result<(), Error> {
        remove_below_floor(disk, &self.lock().newest)
    }

    /// All deletions there are records of.
    pub(crate) fn deletions(&self) -> Vec<Deletion> {
        self.lock().newest.deletions.clone()
    }

    /// What was committed last, unless the disk may hold a manifest that says otherwise.
    pub(crate) fn newest_if_certain(&self) -> Option<Manifest> {
        let state = self.lock();
        state.is_certain.then(|| state.newest.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A manifest takes the place of another in one assignment; the numbers count up on their own.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes log files below the floor, and all but the newest manifests.
pub(crate) fn remove_below_floor(disk: &dyn Disk, manifest: &Manifest) -> Result<(), Error> {
    let names = disk.list(log::DIRECTORY);
    let names = names.map_err(Error::io("list", log::DIRECTORY))?;
    let numbers = names.iter().filter_map(|name| log::file_number(name));
    for number in numbers.filter(|number| *number < manifest.log_floor) {
        let path = log::file_name(number);
        disk.remove(&path).map_err(Error::io("remove", path))?;
    }
    let manifests = list_manifests(disk)?;
    let surplus = manifests.len().saturating_sub(MANIFESTS_KEPT);
    for number in manifests.into_iter().take(surplus) {
        let path = path_of(number);
        disk.remove(&path).map_err(Error::io("remove", path))?;
    }
    Ok(())
}
