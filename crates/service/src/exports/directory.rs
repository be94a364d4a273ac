//! The directory of exports: for each a record and, once it is done, a file.
//!
//! A file has its own name only when it is whole and durable. What a crash leaves, records of exports that were not over and
//! files without a record, is put right at the next start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::export::{Export, ExportState};
use super::stored;
use cordwood_event::Timestamp;

/// The directory in the data directory.
const DIRECTORY: &str = "exports";
/// The ending of records.
const RECORD: &str = "json";
/// The ending of files that are whole.
const FILE: &str = "export";
/// The ending of what is being written.
const DRAFT: &str = "draft";

/// So much of the disk is left to what takes events in.
const DISK_FREE_BYTES_MIN: u64 = 1 << 30;

const INTERRUPTED: &str = "the server ended before the export did; start it again";

/// The directory, made.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn open(data_dir: &Path) -> io::Result<Directory> {
        let directory = data_dir.join(DIRECTORY);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory)?;
        Ok(Directory(directory))
    }

    /// The exports there are. Those that a crash cut short are said to have failed, and what belongs to none is removed.
    pub(super) fn recover(&self, now: Timestamp) -> io::Result<BTreeMap<String, Export>> {
        let mut exports = BTreeMap::new();
        for path in self.paths()? {
            if path
                .extension()
                .is_some_and(|extension| extension == RECORD)
                && let Some(export) = stored::decode(&fs::read(&path)?)
                && path == self.path(&export.id, RECORD)
            {
                exports.insert(export.id.clone(), export);
            }
        }
        for export in exports.values_mut() {
            if !export.state.is_over() {
                export.error = Some(INTERRUPTED.to_owned());
                export.end(ExportState::Failed, now);
                self.write_record(export)?;
            }
        }
        exports.retain(|_, export| match export.state {
            ExportState::Done => self.path(&export.id, FILE).is_file(),
            _ => true,
        });
        for path in self.paths()? {
            if !exports.values().any(|export| self.belongs(&path, export)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(exports)
    }

    fn belongs(&self, path: &Path, export: &Export) -> bool {
        let is_file = export.state == ExportState::Done && path == self.path(&export.id, FILE);
        is_file || path == self.path(&export.id, RECORD)
    }

    fn paths(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.0)?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }

    fn path(&self, id: &str, ending: &str) -> PathBuf {
        self.0.join(format!("{id}.{ending}"))
    }

    /// Writes the record of an export, whole or not at all.
    pub(super) fn write_record(&self, export: &Export) -> io::Result<()> {
        let draft = self.path(&export.id, "record-draft");
        let mut file = private(&draft)?;
        file.write_all(&stored::encode(export))?;
        file.sync_all()?;
        fs::rename(&draft, self.path(&export.id, RECORD))?;
        self.sync()
    }

    /// A new file for an export to be written to.
    pub(super) fn draft(&self, id: &str) -> io::Result<File> {
        private(&self.path(id, DRAFT))
    }

    /// Gives a draft, which is durable, the name of the file.
    pub(super) fn publish(&self, id: &str) -> io::Result<()> {
        fs::rename(self.path(id, DRAFT), self.path(id, FILE))?;
        self.sync()
    }

    /// Opens the file of an export.
    pub(super) fn file(&self, id: &str) -> io::Result<File> {
        File::open(self.path(id, FILE))
    }

    /// Removes what was written of an export that ended without a file.
    pub(super) fn remove_draft(&self, id: &str) -> io::Result<()> {
        remove(&self.path(id, DRAFT))
    }

    /// Removes an export; its record last, so that a crash leaves nothing that nobody knows of.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        for ending in [DRAFT, FILE, RECORD] {
            remove(&self.path(id, ending))?;
        }
        self.sync()
    }

    /// How much the disk has room for without coming near to what takes events in.
    pub(super) fn bytes_free(&self) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.0)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        Ok(free.saturating_sub(DISK_FREE_BYTES_MIN))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// An empty file for its owner's eyes only.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
