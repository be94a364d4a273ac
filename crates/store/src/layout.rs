//! The data directory: what lies where, its format, and its lock.

use std::io;

use crate::disk::{DiskLock, read_all};
use crate::{Disk, Error, log, manifest, segment};

/// The format of data directories that this version writes, and the newest it reads.
pub(crate) const FORMAT: u32 = 1;
const VERSION_FILE: &str = "VERSION";
const VERSION_DRAFT: &str = "VERSION.draft";
const LOCK_FILE: &str = "LOCK";
/// Where damaged bytes are set aside, for somebody to look at.
pub(crate) const QUARANTINE: &str = "quarantine";

/// Locks the data directory and checks its format; makes it one if it is empty.
pub(crate) fn prepare(disk: &dyn Disk) -> Result<Box<dyn DiskLock>, Error> {
    disk.create_dir("")
        .map_err(Error::io("create", disk.describe()))?;
    let lock = lock(disk)?;
    match read_format(disk)? {
        Some(found) => check_format(disk, found)?,
        None => write_format(disk)?,
    }
    for directory in [
        log::DIRECTORY,
        segment::DIRECTORY,
        manifest::DIRECTORY,
        QUARANTINE,
    ] {
        disk.create_dir(directory)
            .map_err(Error::io("create", directory))?;
    }
    // What a killed process wrote and did not sync can be seen but still be lost: nothing may be built on it before
    // it is durable.
    for directory in ["", log::DIRECTORY, segment::DIRECTORY, manifest::DIRECTORY] {
        disk.sync_dir(directory)
            .map_err(Error::io("sync", directory))?;
    }
    Ok(lock)
}

/// Locks the data directory.
pub(crate) fn lock(disk: &dyn Disk) -> Result<Box<dyn DiskLock>, Error> {
    disk.lock(LOCK_FILE).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => Error::InUse {
            directory: disk.describe(),
        },
        _ => Error::io("lock", LOCK_FILE)(error),
    })
}

/// The format of the data directory, if it says one.
pub(crate) fn read_format(disk: &dyn Disk) -> Result<Option<u32>, Error> {
    let read = disk
        .open(VERSION_FILE)
        .and_then(|file| read_all(file.as_ref()));
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", VERSION_FILE)(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let found = text.trim_end().parse().ok();
    found.map(Some).ok_or_else(|| Error::Damaged {
        file: VERSION_FILE.to_owned(),
        reason: format!("it should hold the number of the format, such as {FORMAT}"),
    })
}

/// Refuses formats this version does not know.
pub(crate) fn check_format(disk: &dyn Disk, found: u32) -> Result<(), Error> {
    if found > FORMAT {
        return Err(Error::NewerFormat {
            directory: disk.describe(),
            found,
            supported: FORMAT,
        });
    }
    Ok(())
}

fn write_format(disk: &dyn Disk) -> Result<(), Error> {
    // A leftover of a start that was cut short.
    let _ = disk.remove(VERSION_DRAFT);
    disk.create(VERSION_DRAFT)
        .and_then(|file| {
            file.append(format!("{FORMAT}\n").as_bytes())?;
            file.sync()
        })
        .and_then(|()| disk.rename(VERSION_DRAFT, VERSION_FILE))
        .map_err(Error::io("write", VERSION_FILE))
}
