//! Backup while serving: a directory that is a data directory itself, with all that was acknowledged before it began.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cordwood_catalog::Catalog;
use cordwood_store::disk::FileSystem;
use cordwood_store::{self as store, Store};

use crate::jobs::{Progress, in_words, require_whole};
use crate::service::{CATALOG_FILE, STORE_DIR};
use crate::{Caller, Error, InvalidValue, Job, Service};

/// Written last: a directory without it is a backup that was cut short.
pub const BACKUP_MARKER: &str = "backup-complete";

/// What a backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Where it is, on the machine of the server.
    pub directory: PathBuf,
    /// Segments copied.
    pub segments: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Events in them.
    pub events: u64,
}

impl Service {
    /// Starts a backup to a directory on the machine of the server, which must be empty or not there yet. The server writes it,
    /// because only it can hold on to files while it takes events in and merges.
    pub fn start_backup(&self, caller: &Caller, directory: &Path) -> Result<Job<BackedUp>, Error> {
        require_whole(caller)?;
        let directory = directory.to_owned();
        check_empty(&directory)?;
        let (store, catalog) = (Arc::clone(&self.store), Arc::clone(&self.catalog));
        let clock = Arc::clone(&self.options.clock);
        self.backups.start(clock, move |progress| {
            let backed_up = back_up(&store, &catalog, &directory, progress);
            backed_up.map_err(|error| in_words(&error))
        })
    }

    /// The backup that runs, or the last since the start of the server.
    pub fn backup(&self, caller: &Caller) -> Result<Option<Job<BackedUp>>, Error> {
        require_whole(caller)?;
        Ok(self.backups.last())
    }
}

fn check_empty(directory: &Path) -> Result<(), Error> {
    let refuse = |message: String| {
        Err(Error::InvalidValues(vec![InvalidValue::new(
            "directory",
            message,
        )]))
    };
    if !directory.is_absolute() {
        return refuse("must be an absolute path on the machine of the server".to_owned());
    }
    match fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => refuse("must be empty".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => refuse(format!("cannot be used: {error}")),
    }
}

#[derive(Debug, thiserror::Error)]
enum BackupError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Catalog(#[from] cordwood_catalog::Error),
    #[error("could not write {path}")]
    Io { path: PathBuf, source: io::Error },
}

/// The catalog is copied after the segments and before the manifest: it knows every source that has events, and without a
/// manifest the copy does not open.
fn back_up(
    store: &Store,
    catalog: &Catalog,
    directory: &Path,
    progress: &Progress,
) -> Result<BackedUp, BackupError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    make_private(directory).map_err(io(directory))?;
    let backup = store.begin_backup()?;
    let disk = FileSystem::new(directory.join(STORE_DIR));
    backup.copy_segments(&disk, &|bytes| {
        progress.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        match progress.is_stopped.load(Ordering::Relaxed) {
            true => Err(store::Error::Closed),
            false => Ok(()),
        }
    })?;
    let catalog_path = directory.join(CATALOG_FILE);
    catalog.copy_to(&catalog_path)?;
    sync(&catalog_path).map_err(io(&catalog_path))?;
    backup.finish(&disk)?;
    let marker = directory.join(BACKUP_MARKER);
    File::create_new(&marker)
        .and_then(|file| file.sync_all())
        .and_then(|()| sync(directory))
        .and_then(|()| directory.parent().map_or(Ok(()), sync))
        .map_err(io(&marker))?;
    Ok(BackedUp {
        directory: directory.to_owned(),
        segments: backup.segments(),
        bytes: backup.bytes(),
        events: backup.events(),
    })
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn make_private(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
