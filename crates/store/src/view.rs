//! The one thing readers and writers share: the current state of the store, replaced and never changed under a
//! reader.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::eviction::Evictions;
use crate::memtable::Generation;
use crate::segment::{Segment, SegmentId};
use crate::{Deletion, Missing};

/// All there is to read at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The sequence number the next event will get. All events below it are visible.
    pub(crate) next_sequence: u64,
    /// Frozen generations, oldest first, and last the active one.
    pub(crate) generations: Vec<Arc<Generation>>,
    /// Segments that can be read, oldest first.
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    /// What is in segments that cannot.
    pub(crate) missing: Arc<Vec<Missing>>,
    /// Deletions whose events may be among all this.
    pub(crate) deletions: Arc<Vec<Deletion>>,
    /// What was evicted and may be among all this.
    pub(crate) evictions: Arc<Evictions>,
}

impl View {
    pub(crate) fn new(
        next_sequence: u64,
        segments: Vec<Arc<Segment>>,
        missing: Vec<Missing>,
        deletions: Vec<Deletion>,
        evictions: Evictions,
    ) -> View {
        View {
            next_sequence,
            segments: Arc::new(segments),
            missing: Arc::new(missing),
            deletions: Arc::new(deletions),
            evictions: Arc::new(evictions),
            generations: vec![Arc::new(Generation::new(0))],
        }
    }

    pub(crate) fn active(&self) -> &Generation {
        let active = self.generations.last();
        active.expect("there is always an active generation")
    }

    /// Freezes the active generation.
    pub(crate) fn begin_generation(&mut self, id: u64) {
        self.generations.push(Arc::new(Generation::new(id)));
    }

    pub(crate) fn active_mut(&mut self) -> &mut Generation {
        let active = self.generations.last_mut();
        Arc::make_mut(active.expect("there is always an active generation"))
    }

    pub(crate) fn generation(&self, id: u64) -> Option<&Generation> {
        let generation = self.generations.iter().find(|found| found.id == id);
        generation.map(Arc::as_ref)
    }

    /// Puts a segment in place of the generation it was made of, which is given back to be dropped.
    pub(crate) fn replace_generation(
        &mut self,
        id: u64,
        segment: Arc<Segment>,
    ) -> Option<Arc<Generation>> {
        let index = self.generations.iter().position(|found| found.id == id)?;
        Arc::make_mut(&mut self.segments).push(segment);
        Some(self.generations.remove(index))
    }

    /// Puts segments in place of those they were merged of.
    pub(crate) fn replace_segments(
        &mut self,
        merged: &BTreeSet<SegmentId>,
        written: Vec<Arc<Segment>>,
    ) {
        let segments = Arc::make_mut(&mut self.segments);
        segments.retain(|segment| !merged.contains(&segment.id()));
        segments.extend(written);
    }

    pub(crate) fn generation_mut(&mut self, id: u64) -> Option<&mut Generation> {
        let generation = self.generations.iter_mut().find(|found| found.id == id);
        generation.map(Arc::make_mut)
    }
}

/// Where the current view is published.
#[derive(Debug)]
pub(crate) struct Published {
    current: Mutex<Arc<View>>,
}

impl Published {
    pub(crate) fn new(view: View) -> Published {
        Published {
            current: Mutex::new(Arc::new(view)),
        }
    }

    /// The current view, for ever.
    pub(crate) fn get(&self) -> Arc<View> {
        Arc::clone(&self.lock())
    }

    /// Changes the view; readers see all of the change or nothing. What is let go is dropped by the caller,
    /// after the lock.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        let mut current = self.lock();
        change(Arc::make_mut(&mut current))
    }

    fn lock(&self) -> MutexGuard<'_, Arc<View>> {
        // A view is valid between any two statements of an update, so a panic elsewhere in it costs nothing.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
