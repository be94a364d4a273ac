//! The catalog: one SQLite connection for changes, one picture in memory for everything read.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use cordwood_event::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::memory::Memory;
use crate::{Error, clients, database};

/// The durable records of a data directory. Shared by all threads. A change returns when it is on
/// disk; a read never waits for a disk.
#[derive(Debug)]
pub struct Catalog {
    connection: Mutex<Connection>,
    memory: RwLock<Memory>,
}

impl Catalog {
    /// Opens the file at `path`; makes it, with one organisation and one client, when it is missing.
    pub fn open(path: &Path, now: Timestamp) -> Result<Catalog, Error> {
        let mut connection = database::open(path)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::database("opening the catalog"))?;
        let (organisation, clients) = clients::load_or_make(&transaction, now)?;
        let memory = Memory::load(&transaction, organisation, clients)?;
        transaction
            .commit()
            .map_err(Error::database("opening the catalog"))?;
        Ok(Catalog {
            connection: Mutex::new(connection),
            memory: RwLock::new(memory),
        })
    }

    /// Copies the records, as they are now, to a file that is not there yet.
    pub fn copy_to(&self, path: &Path) -> Result<(), Error> {
        let copied = self
            .connection()
            .execute("VACUUM INTO ?1", [path.to_string_lossy()]);
        copied
            .map(drop)
            .map_err(Error::database("copying the catalog"))
    }

    /// The picture in memory. Readers see each change whole, and only after it is on disk.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one change: `write` in a transaction and, once that is on disk, `show` in memory.
    /// Changes run one after the other, so memory sees them in the order of the disk.
    pub(crate) fn change<W, T>(
        &self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<W, Error>,
        show: impl FnOnce(&mut Memory, W) -> T,
    ) -> Result<T, Error> {
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::database(doing))?;
        let written = write(&transaction)?;
        transaction.commit().map_err(Error::database(doing))?;
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        Ok(show(&mut memory, written))
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
