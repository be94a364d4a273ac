//! The segment files that are open: a bounded number, because a process may have about a thousand.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::SegmentId;
use crate::Disk;
use crate::disk::DiskFile;

/// Leaves most of the usual limit of 1024 to connections.
const FILES_MAX: usize = 128;

/// Opens segment files and keeps the most recently used open.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    disk: Arc<dyn Disk>,
    /// Most recently used last.
    open: Mutex<VecDeque<(SegmentId, Arc<dyn DiskFile>)>>,
}

impl OpenFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> OpenFiles {
        OpenFiles {
            disk,
            open: Mutex::default(),
        }
    }

    /// The file of a segment.
    pub(crate) fn get(&self, id: SegmentId) -> io::Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.find(id) {
            return Ok(file);
        }
        let file: Arc<dyn DiskFile> = self.disk.open(&id.path())?.into();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push_back((id, Arc::clone(&file)));
        if open.len() > FILES_MAX {
            open.pop_front();
        }
        Ok(file)
    }

    /// Removes the file of a segment.
    pub(super) fn remove(&self, id: SegmentId) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(found, _)| *found != id);
        drop(open);
        self.disk.remove(&id.path())
    }

    fn find(&self, id: SegmentId) -> Option<Arc<dyn DiskFile>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let index = open.iter().rposition(|(found, _)| *found == id)?;
        let entry = open.remove(index)?;
        let file = Arc::clone(&entry.1);
        open.push_back(entry);
        Some(file)
    }
}
