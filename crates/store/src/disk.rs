//! The disk as an argument: the few operations durability rests on, so that a test can lose power at each of them.
//!
//! Paths are relative to the data directory, with `/` between the parts. This file must not know what the
//! store keeps in its files.

use std::fmt;
use std::io;
use std::ops::Range;

mod file_system;
#[cfg(any(test, feature = "simulation"))]
pub mod simulated;

pub use file_system::FileSystem;

/// A directory tree that can be made durable piece by piece.
///
/// As on a POSIX file system, bytes are durable once their file is synced, and a name (created, renamed,
/// linked or removed) once its directory is.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Names the root for messages.
    fn describe(&self) -> String;

    /// Creates a directory below the root; the root itself with `""`. It may exist already.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// Creates an empty file; `AlreadyExists` if the name is taken.
    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for reading.
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file for reading and appending.
    fn open_for_append(&self, path: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Renames a file, replacing what has the name `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives a file a second name; `AlreadyExists` if it is taken. Atomic.
    fn hard_link(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file's name.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a directory durable; the root is `""`.
    fn sync_dir(&self, path: &str) -> io::Result<()>;

    /// The names of the files in a directory, sorted.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// How many bytes may still be written.
    fn free_bytes(&self) -> io::Result<u64>;

    /// Locks a file, which is created if need be, against other processes until the lock is dropped;
    /// `WouldBlock` if another has it.
    fn lock(&self, path: &str) -> io::Result<Box<dyn DiskLock>>;
}

/// An open file.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Writes at the end. After an error any part of `bytes` may have been written.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;

    /// Fills `buffer` from `offset`; `UnexpectedEof` if the file ends before that.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Says that some bytes will be read soon, so that they can be fetched meanwhile. Need not do anything.
    fn will_need(&self, _range: Range<u64>) {}

    /// The length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Cuts the file to `length` bytes.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Makes the content durable.
    fn sync(&self) -> io::Result<()>;
}

/// Held while a lock is; dropping it releases the lock.
pub trait DiskLock: fmt::Debug + Send + Sync {}

/// Reads a whole file.
pub(crate) fn read_all(file: &dyn DiskFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// Whether the error says that there is no space left, rather than that something is broken.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
