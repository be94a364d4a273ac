//! A copy of the store, made while it takes events in: everything that was acknowledged before it began.
//!
//! What is in the log is flushed first, so that a copy is segments and one manifest: files that never change. The
//! snapshot that a [`Backup`] holds keeps them from being merged away meanwhile.

use std::sync::Arc;

use crate::disk::DiskFile;
use crate::manifest::{self, Manifest};
use crate::segment::{DIRECTORY, Segment};
use crate::{Disk, Error, layout};

/// How much is copied at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// One state of the store, to be copied.
#[derive(Debug)]
pub struct Backup {
    source: Arc<dyn Disk>,
    manifest: Manifest,
    segments: Vec<Arc<Segment>>,
}

impl Backup {
    pub(crate) fn new(
        source: Arc<dyn Disk>,
        manifest: Manifest,
        segments: Vec<Arc<Segment>>,
    ) -> Backup {
        Backup {
            source,
            manifest,
            segments,
        }
    }

    /// How many segments there are to copy.
    pub fn segments(&self) -> u64 {
        self.segments.len() as u64
    }

    /// Bytes of these.
    pub fn bytes(&self) -> u64 {
        self.segments
            .iter()
            .map(|segment| segment.file_bytes())
            .sum()
    }

    /// Events in them.
    pub fn events(&self) -> u64 {
        let totals = self.segments.iter().flat_map(|segment| segment.totals());
        totals.map(|(_, totals)| totals.rows).sum()
    }

    /// Copies the segments to the root of an empty disk; tells `copied` of the bytes of each piece, which can
    /// end it. Without the manifest
    /// of [`finish`](Self::finish) the copy is no data directory that opens.
    pub fn copy_segments(
        &self,
        to: &dyn Disk,
        copied: &dyn Fn(u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _lock = layout::prepare(to)?;
        for segment in &self.segments {
            let path = segment.path();
            let from = self.source.open(path).map_err(Error::io("open", path))?;
            let file = to.create(path).map_err(Error::io("create", path))?;
            copy(path, from.as_ref(), file.as_ref(), copied)?;
        }
        to.sync_dir(DIRECTORY).map_err(Error::io("sync", DIRECTORY))
    }

    /// Writes the manifest, which makes the copy whole.
    pub fn finish(&self, to: &dyn Disk) -> Result<(), Error> {
        if self.manifest.number == 0 {
            // The state of an empty data directory has no file.
            return Ok(());
        }
        manifest::commit(to, &self.manifest)
    }
}

fn copy(
    path: &str,
    from: &dyn DiskFile,
    to: &dyn DiskFile,
    copied: &dyn Fn(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let length = from.length().map_err(Error::io("read", path))?;
    let mut offset = 0;
    while offset < length {
        let piece = PIECE_BYTES.min(length - offset);
        let mut bytes = vec![0; usize::try_from(piece).unwrap_or(0)];
        from.read_at(offset, &mut bytes)
            .map_err(Error::io("read", path))?;
        to.append(&bytes).map_err(Error::io("write", path))?;
        offset += piece;
        copied(piece)?;
    }
    to.sync().map_err(Error::io("sync", path))
}
