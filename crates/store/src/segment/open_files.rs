//! The segment files that are open: a bounded number, because a process may have about a thousand.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::Away;
use super::head::Head;
use super::{SegmentFile, SegmentId};
use crate::Disk;
use crate::bucket::RangeCache;

/// Leaves most of the usual limit of 1024 to connections.
const FILES_MAX: usize = 128;

/// Opens segment files and keeps the most recently used open.
#[derive(Debug)]
pub(crate) struct OpenFiles {
    disk: Arc<dyn Disk>,
    /// Where the blocks of segments are that are not here.
    cache: Option<Arc<RangeCache>>,
    /// Most recently used last.
    open: Mutex<VecDeque<(SegmentId, Arc<SegmentFile>)>>,
}

impl OpenFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>, cache: Option<Arc<RangeCache>>) -> OpenFiles {
        OpenFiles {
            disk,
            cache,
            open: Mutex::default(),
        }
    }

    /// The range cache of the bucket, if there is one.
    pub(crate) fn cache(&self) -> Option<&Arc<RangeCache>> {
        self.cache.as_ref()
    }

    /// The bytes of a segment: its file, or where that is gone, its head and the bucket.
    pub(crate) fn get(&self, id: SegmentId) -> io::Result<Arc<SegmentFile>> {
        if let Some(file) = self.find(id) {
            return Ok(file);
        }
        let file = Arc::new(self.open(id)?);
        let mut open = self.lock();
        open.push_back((id, Arc::clone(&file)));
        if open.len() > FILES_MAX {
            open.pop_front();
        }
        Ok(file)
    }

    fn open(&self, id: SegmentId) -> io::Result<SegmentFile> {
        match self.disk.open(&id.path()) {
            Ok(file) => Ok(SegmentFile::Local(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A segment without a head was never meant to be away: its file is what is missing.
                let head = Head::open(self.disk.as_ref(), id);
                let head = head.map_err(|of_head| match of_head.kind() {
                    io::ErrorKind::NotFound => error,
                    _ => of_head,
                })?;
                Ok(SegmentFile::Away(Away {
                    id,
                    head,
                    cache: self.cache.clone(),
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Removes the file of a segment, which is read from the bucket from now on. Who has it open may go on.
    pub(crate) fn send_away(&self, id: SegmentId) -> io::Result<()> {
        let removed = self.disk.remove(&id.path());
        self.close(id);
        removed
    }

    /// Has the file of a segment opened anew.
    pub(crate) fn close(&self, id: SegmentId) {
        self.lock().retain(|(found, _)| *found != id);
    }

    /// Removes all that the disk has of a segment.
    pub(super) fn remove(&self, id: SegmentId) -> io::Result<()> {
        self.close(id);
        if let Some(cache) = &self.cache {
            cache.forget(id);
        }
        for path in [id.path(), id.head_path()] {
            match self.disk.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn find(&self, id: SegmentId) -> Option<Arc<SegmentFile>> {
        let mut open = self.lock();
        let index = open.iter().rposition(|(found, _)| *found == id)?;
        let entry = open.remove(index)?;
        let file = Arc::clone(&entry.1);
        open.push_back(entry);
        Some(file)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(SegmentId, Arc<SegmentFile>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
