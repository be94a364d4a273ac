//! A copy of the store, made while it takes events in: everything that was acknowledged before it began.
//!
//! What is in the log is flushed first, so that a copy is segments and one manifest: files that never change. The
//! snapshot that a [`Backup`] holds keeps them from being merged away meanwhile.

use std::sync::Arc;

use crate::disk::DiskFile;
use crate::manifest::{self, Manifest};
use crate::segment::{DIRECTORY, Keeping, Segment, SegmentFile};
use crate::{Disk, Error, layout};

/// How much is copied at a time: of a bucket, with one request.
const PIECE_BYTES: u64 = 8 << 20;

/// One state of the store, to be copied.
#[derive(Debug)]
pub struct Backup {
    manifest: Manifest,
    segments: Vec<Arc<Segment>>,
}

impl Backup {
    /// The manifest says nothing of a bucket: all is copied, what is there too.
    pub(crate) fn new(manifest: Manifest, segments: Vec<Arc<Segment>>) -> Backup {
        Backup { manifest, segments }
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
            let from = segment.file().map_err(Error::io("open", path))?;
            let file = to.create(path).map_err(Error::io("create", path))?;
            copy(path, &from, file.as_ref(), copied)?;
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
    from: &SegmentFile,
    to: &dyn DiskFile,
    copied: &dyn Fn(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let length = from.length().map_err(Error::io("read", path))?;
    let mut offset = 0;
    while offset < length {
        let piece = PIECE_BYTES.min(length - offset);
        let mut bytes = vec![0; usize::try_from(piece).unwrap_or(0)];
        from.read(offset, &mut bytes, Keeping::PassingBy)
            .map_err(Error::io("read", path))?;
        to.append(&bytes).map_err(Error::io("write", path))?;
        offset += piece;
        copied(piece)?;
    }
    to.sync().map_err(Error::io("sync", path))
}
