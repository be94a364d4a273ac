//! What can go wrong, by what the caller can do about it.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::bucket::BucketFailure;

/// The store cannot be opened, flushed or closed.
#[derive(Debug, Error)]
pub enum Error {
    /// Another process has the data directory.
    #[error("the data directory {directory} is in use by another process")]
    InUse {
        /// Which directory.
        directory: String,
    },
    /// There is no data directory.
    #[error("there is no data directory at {directory}")]
    NoDataDirectory {
        /// Where it should be.
        directory: String,
    },
    /// A later version of Cordwood wrote the directory.
    #[error(
        "the data directory {directory} has format {found}, this version of Cordwood reads up to format \
         {supported}; start the version that wrote it, or a later one"
    )]
    NewerFormat {
        /// Which directory.
        directory: String,
        /// The directory's format.
        found: u32,
        /// The newest format known here.
        supported: u32,
    },
    /// Opening would lose acknowledged events, so it is refused.
    #[error("{file} in the data directory is damaged: {reason}")]
    Damaged {
        /// Which file, below the data directory.
        file: String,
        /// What is wrong, and what can be done.
        reason: String,
    },
    /// The disk failed.
    #[error("could not {action} {path}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file or directory.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The bucket failed. What it was for is on the local disk, or still in the bucket, and is tried again.
    #[error("could not {action} {file}")]
    Bucket {
        /// What was being done.
        action: &'static str,
        /// With which segment.
        file: String,
        /// What the bucket said.
        source: io::Error,
    },
    /// An earlier failure made writing unsafe; reads go on. A restart checks the log and begins anew.
    #[error("writes are refused since an earlier failure: {reason}")]
    Poisoned {
        /// The failure.
        reason: String,
    },
    /// So many deletions stand that one more would slow down every search.
    #[error("{standing} deletions wait until their events are purged; try again later")]
    TooManyDeletions {
        /// How many.
        standing: u64,
    },
    /// There is no memory for a merge now.
    #[error("the memory for a merge is not to be had now")]
    NoMemory,
    /// There is no space for what a merge would write.
    #[error("a merge needs {needed_bytes} bytes of disk space, {free_bytes} are free")]
    NoSpace {
        /// What is left.
        free_bytes: u64,
        /// What the merge needs, the reserve included.
        needed_bytes: u64,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn bucket(
        action: &'static str,
        file: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> Error {
        let file = file.into();
        move |source| Error::Bucket {
            action,
            file,
            source,
        }
    }

    /// The same for another who asked, with the cause in words.
    pub(crate) fn retold(&self) -> Error {
        match self {
            Error::InUse { directory } => Error::InUse {
                directory: directory.clone(),
            },
            Error::NoDataDirectory { directory } => Error::NoDataDirectory {
                directory: directory.clone(),
            },
            Error::NewerFormat {
                directory,
                found,
                supported,
            } => Error::NewerFormat {
                directory: directory.clone(),
                found: *found,
                supported: *supported,
            },
            Error::Damaged { file, reason } => Error::Damaged {
                file: file.clone(),
                reason: reason.clone(),
            },
            Error::Io {
                action,
                path,
                source,
            } => Error::Io {
                action,
                path: path.clone(),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Error::Bucket {
                action,
                file,
                source,
            } => Error::Bucket {
                action,
                file: file.clone(),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Error::Poisoned { reason } => Error::Poisoned {
                reason: reason.clone(),
            },
            Error::TooManyDeletions { standing } => Error::TooManyDeletions {
                standing: *standing,
            },
            Error::NoMemory => Error::NoMemory,
            Error::NoSpace {
                free_bytes,
                needed_bytes,
            } => Error::NoSpace {
                free_bytes: *free_bytes,
                needed_bytes: *needed_bytes,
            },
            Error::Closed => Error::Closed,
        }
    }

    pub(crate) fn is_disk_full(&self) -> bool {
        matches!(self, Error::Io { source, .. } if crate::disk::is_full(source))
    }
}

/// Nothing of the batch was stored, or nothing that will be seen before a restart: it was not acknowledged.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AppendError {
    /// Too much is waiting to be written or flushed.
    #[error("{reason}; try again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// What is exhausted.
        reason: BusyReason,
        /// When to try again.
        retry_after: Duration,
    },
    /// There is no space for it. Accepted again once there is, without a restart.
    #[error("the disk is full: {free_bytes} bytes are free, {reserve_bytes} are kept in reserve")]
    DiskFull {
        /// What is left.
        free_bytes: u64,
        /// What must be left so that events can still move from the log to segments.
        reserve_bytes: u64,
    },
    /// The body is larger than a log record may be.
    #[error("the body has {bytes} bytes, more than {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// An earlier failure made writing unsafe; reads go on. Needs a look at the disk and a restart.
    #[error("writes are refused since a failure of the disk: {reason}")]
    Poisoned {
        /// The failure.
        reason: String,
    },
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
}

impl AppendError {
    pub(crate) fn busy(reason: BusyReason) -> AppendError {
        let seconds = match reason {
            // Sealing frees all there is in a few seconds: who waited as long would leave the sealers without work.
            BusyReason::Queue | BusyReason::Memory => 1,
            BusyReason::Unflushed => 5,
            BusyReason::BatchKeys => 60,
        };
        AppendError::Busy {
            reason,
            retry_after: Duration::from_secs(seconds),
        }
    }
}

/// What an append would have to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BusyReason {
    /// The memory for fresh events is used up.
    #[error("the memory for events not yet on their way to segments is used up")]
    Memory,
    /// Segments cannot be written as fast as events come.
    #[error("too many events wait to be flushed to segments")]
    Unflushed,
    /// The queue to the log is full.
    #[error("too many requests wait for the log")]
    Queue,
    /// More batch keys within their time of validity than can be remembered.
    #[error("too many batch keys were used within the hour")]
    BatchKeys,
}

/// A block could not be read. What else is in the store can.
#[derive(Debug, Error)]
#[error("{file}: {what} cannot be read")]
pub struct ReadError {
    /// Which file, below the data directory.
    pub file: String,
    /// Which part of it.
    pub what: String,
    /// Why.
    pub source: ReadFailure,
}

/// Why a part of a file cannot be read.
#[derive(Debug, Error)]
pub enum ReadFailure {
    /// The disk failed.
    #[error("the disk failed")]
    Io(#[source] io::Error),
    /// The bucket that holds it cannot be reached, or has no such object.
    #[error("the bucket failed")]
    Bucket(#[source] io::Error),
    /// The bytes are not those that were written.
    #[error("the checksum does not match")]
    Checksum,
    /// The checksum is right and the content is not.
    #[error("malformed: {0}")]
    Malformed(String),
}

/// Why something of a new segment could not be made of what older ones have.
#[derive(Debug, Error)]
pub(crate) enum MergeFailure {
    /// An older segment cannot be read.
    #[error("a segment cannot be read")]
    Read(#[from] ReadFailure),
    /// The new one cannot be written.
    #[error("a segment cannot be written")]
    Write(#[source] io::Error),
}

impl From<io::Error> for ReadFailure {
    fn from(error: io::Error) -> ReadFailure {
        match BucketFailure::is_in(&error) {
            true => ReadFailure::Bucket(error),
            false => ReadFailure::Io(error),
        }
    }
}
