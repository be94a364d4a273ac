//! The objects of one data directory: their names, and what is asked of the bucket about them.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use super::{BucketFailure, Content, Listed, Remote};
use crate::segment::SegmentId;

/// How much is read at a time where a whole object is.
pub(crate) const PIECE_BYTES: u64 = 8 << 20;

/// Where the objects of a data directory lie in the bucket: chosen at random, so that directories which share a bucket, and
/// copies of one directory, do not take each other's objects for their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home(pub(crate) u64);

/// A bucket as the store uses it.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) remote: Remote,
    home: OnceLock<Home>,
    /// Objects that nobody needs any more.
    doomed: Mutex<Vec<SegmentId>>,
}

impl Home {
    /// A new one.
    pub(crate) fn choose() -> Home {
        Home(RandomState::new().hash_one("home"))
    }

    /// What the names of its objects begin with.
    pub(crate) fn prefix(self) -> String {
        format!("{:016x}/", self.0)
    }

    fn name_of(self, id: SegmentId) -> String {
        format!("{}{}", self.prefix(), id.file_name())
    }

    /// The segment in the object of this name.
    pub(crate) fn segment_of(self, name: &str) -> Option<SegmentId> {
        SegmentId::of_file(name.strip_prefix(&self.prefix())?)
    }
}

impl Objects {
    pub(crate) fn new(remote: Remote, home: Option<Home>) -> Objects {
        Objects {
            remote,
            home: home.map_or_else(OnceLock::new, OnceLock::from),
            doomed: Mutex::default(),
        }
    }

    pub(crate) fn home(&self) -> Option<Home> {
        self.home.get().copied()
    }

    /// Takes note of a home that a manifest names.
    pub(crate) fn settle(&self, home: Home) {
        let _ = self.home.set(home);
    }

    /// Stores a segment.
    pub(crate) fn put(&self, id: SegmentId, content: &dyn Content) -> io::Result<()> {
        self.of(id, |name| self.remote.bucket.put(name, content))
    }

    /// Reads a range of a segment's object.
    pub(crate) fn read(&self, id: SegmentId, range: Range<u64>) -> io::Result<Bytes> {
        let length = range.end.saturating_sub(range.start);
        self.of(id, |name| {
            let bytes = self.remote.bucket.read(name, range)?;
            match bytes.len() as u64 == length {
                true => Ok(bytes),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        })
    }

    /// Reads the whole object of a segment, piece after piece; its checksum.
    pub(crate) fn read_all(
        &self,
        id: SegmentId,
        length: u64,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<u32> {
        let mut crc = 0u32;
        let mut offset = 0;
        while offset < length {
            let end = length.min(offset + PIECE_BYTES);
            let piece = self.read(id, offset..end)?;
            crc = crc32c::crc32c_append(crc, &piece);
            take(&piece)?;
            offset = end;
        }
        Ok(crc)
    }

    pub(crate) fn remove(&self, id: SegmentId) -> io::Result<()> {
        self.of(id, |name| self.remote.bucket.remove(name))
    }

    /// The segments that have an object, with its length.
    pub(crate) fn list(&self) -> io::Result<Vec<(SegmentId, u64)>> {
        let Some(home) = self.home() else {
            return Ok(Vec::new());
        };
        let listed = self.remote.bucket.list(&home.prefix());
        let listed = listed.map_err(|error| self.failure("the list of objects".into(), error))?;
        let segments = listed
            .iter()
            .filter_map(|Listed { name, bytes }| Some((home.segment_of(name)?, *bytes)));
        Ok(segments.collect())
    }

    /// Has the object of a segment removed by the one who speaks with the bucket at leisure.
    pub(crate) fn doom(&self, id: SegmentId) {
        let mut doomed = self.doomed.lock().unwrap_or_else(PoisonError::into_inner);
        doomed.push(id);
    }

    /// What was doomed since this was asked last.
    pub(crate) fn take_doomed(&self) -> Vec<SegmentId> {
        let mut doomed = self.doomed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut doomed)
    }

    fn of<T>(&self, id: SegmentId, ask: impl FnOnce(&str) -> io::Result<T>) -> io::Result<T> {
        let Some(home) = self.home() else {
            let error = io::Error::other("no manifest says where its objects are");
            return Err(self.failure(id.file_name(), error));
        };
        let name = home.name_of(id);
        ask(&name).map_err(|error| self.failure(name, error))
    }

    fn failure(&self, name: String, source: io::Error) -> io::Error {
        let kind = source.kind();
        let bucket = self.remote.bucket.describe();
        io::Error::new(
            kind,
            BucketFailure {
                bucket,
                name,
                source,
            },
        )
    }
}
