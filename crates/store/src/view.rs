//! The one thing readers and writers share: the current state of the store, replaced and never changed under a
//! reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::memtable::Generation;

/// All there is to read at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The sequence number the next event will get. All events below it are visible.
    pub(crate) next_sequence: u64,
    /// Frozen generations, oldest first, and last the active one.
    pub(crate) generations: Vec<Arc<Generation>>,
}

impl View {
    pub(crate) fn new(next_sequence: u64) -> View {
        View {
            next_sequence,
            generations: vec![Arc::new(Generation::default())],
        }
    }

    pub(crate) fn active_mut(&mut self) -> &mut Generation {
        let active = self.generations.last_mut();
        Arc::make_mut(active.expect("there is always an active generation"))
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
