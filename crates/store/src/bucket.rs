//! The bucket as an argument: where closed segments may live beside the local disk, and how it is told what to keep here.
//!
//! A bucket holds whole objects under names; an object is there with all its bytes or not at all. This file must not know
//! what the store keeps in them, nor what network is between.

mod cache;
mod objects;
#[cfg(any(test, feature = "simulation"))]
pub mod simulated;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use cache::RangeCache;
pub(crate) use objects::{Home, Objects, PIECE_BYTES};

/// A flat set of named objects, far away: every call may take long, and fail now and work later. The implementation repeats
/// what is worth repeating and gives up after a time of its own.
///
/// Errors: `NotFound` for an object that is not there, `UnexpectedEof` for a range it does not have; every other kind says
/// that the bucket could not be asked. No error may name a key or a secret.
pub trait Bucket: fmt::Debug + Send + Sync {
    /// Names the bucket for messages.
    fn describe(&self) -> String;

    /// Stores a whole object under a name, in place of what has it.
    fn put(&self, name: &str, content: &dyn Content) -> io::Result<()>;

    /// Reads a range of an object.
    fn read(&self, name: &str, range: Range<u64>) -> io::Result<Bytes>;

    /// Removes an object; it may be gone already.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The objects whose names begin so, in no order.
    fn list(&self, prefix: &str) -> io::Result<Vec<Listed>>;
}

/// What an object is to hold. It may be read more than once, and can end the upload by a failure.
pub trait Content: Send + Sync {
    /// How many bytes there are.
    fn length(&self) -> u64;

    /// Fills `buffer` from `offset`.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// An object that was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// How long a bucket that failed is left alone, unless told otherwise.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A bucket, and how much of it is kept here.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Where the objects are.
    pub bucket: Arc<dyn Bucket>,
    /// The most bytes of whole segments on the local disk, once they are in the bucket: those with the oldest events go first.
    pub local_bytes_max: u64,
    /// The most bytes of ranges read from the bucket that are kept on the local disk.
    pub cache_bytes_max: u64,
    /// The ranges: aligned, and of so many bytes.
    pub piece_bytes: u64,
    /// How often objects that no manifest names are looked for. One that is found so twice is removed.
    pub sweep_interval: Duration,
    /// How long a bucket that could not be asked is not asked again, so that a search which needs a thousand blocks of it waits once.
    pub retry_after: Duration,
}

impl Remote {
    /// A bucket with a server's limits: 20 GiB of segments, 2 GiB of ranges.
    pub fn new(bucket: Arc<dyn Bucket>) -> Remote {
        Remote {
            bucket,
            local_bytes_max: 20 << 30,
            cache_bytes_max: 2 << 30,
            // A block of a source takes about half of it; a smaller one costs round trips, a larger one bytes.
            piece_bytes: 1 << 20,
            sweep_interval: Duration::from_secs(3600),
            retry_after: RETRY_AFTER,
        }
    }
}

/// A failure of the bucket, told from one of the disk on its way through errors of input and output.
#[derive(Debug, thiserror::Error)]
#[error("{name} in {bucket}: {source}")]
pub(crate) struct BucketFailure {
    pub(crate) bucket: String,
    pub(crate) name: String,
    pub(crate) source: io::Error,
}

impl BucketFailure {
    /// Whether this is a failure of a bucket.
    pub(crate) fn is_in(error: &io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(|inner| inner.is::<BucketFailure>())
    }
}
