//! The service itself: what it holds, how it opens and closes.

use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use cordwood_catalog::Catalog;
use cordwood_engine::{self as engine, Engine};
use cordwood_event::Timestamp;
use cordwood_store::disk::FileSystem;
use cordwood_store::{self as store, MemoryBudget, Store};

use crate::alerts::Alerts;
use crate::channels::{self, Delivery, Outward};
use crate::decoding::Replay;
use crate::deleted_sources;
use crate::exports::{self, Exports};
use crate::housekeeping::Housekeeping;
use crate::incidents::{self, Explaining};
use crate::jobs::Jobs;
use crate::metrics::Counters;
use crate::patterns::Learning;
use crate::retention::retention;
use crate::silences;
use crate::start::{self, FirstStart, Replayed};
use crate::tails::Tails;
use crate::what_changed;
use crate::{BackedUp, Compacted, Error, Options};

/// Cordwood without its edges. Shared by all threads; every function blocks until it is done,
/// except [`admit`](Service::admit) and [`authenticate`](Service::authenticate), which never wait
/// for a disk.
#[derive(Debug)]
pub struct Service {
    pub(crate) options: Options,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) store: Arc<Store>,
    pub(crate) engine: Arc<Engine>,
    #[cfg(feature = "sql")]
    pub(crate) statements: cordwood_sql::Sql,
    pub(crate) memory: MemoryBudget,
    pub(crate) counters: Counters,
    pub(crate) compactions: Jobs<Compacted>,
    pub(crate) backups: Jobs<BackedUp>,
    pub(crate) tails: Tails,
    pub(crate) exports: Arc<Exports>,
    pub(crate) alerts: Alerts,
    pub(crate) outward: Arc<Outward>,
    pub(crate) delivery: Delivery,
    pub(crate) explaining: Explaining,
    first_start: Option<FirstStart>,
    replayed: Replayed,
    housekeeping: Housekeeping,
    pub(crate) patterns: Learning,
    /// Held so that no second process opens the directory; the system lets go of it when we die.
    _lock: File,
}

impl Service {
    /// Opens the data directory, replays what a crash left, and makes what a first start needs.
    pub fn open(options: Options) -> Result<Service, Error> {
        let lock = lock(&options.data_dir)?;
        let now = options.clock.now();
        let catalog_path = options.data_dir.join(CATALOG_FILE);
        let catalog = Catalog::open(&catalog_path, now)
            .map_err(|error| Error::internal("opening the catalog", error))?;
        let catalog = Arc::new(catalog);
        let memory = MemoryBudget::new(options.memory_bytes_max);
        let (store, recovery) = open_store(&options, &memory)?;
        let store = Arc::new(store);
        store.set_retention(retention(&catalog, now));
        let engine = Arc::new(start_engine(&options, &memory)?);
        store.purge_with(Arc::new(engine.deleted_rows()));
        deleted_sources::delete_events(&catalog, &store, now, false);
        silences::forget_ended(&catalog, now, false);
        let means = exports::Means {
            engine: Arc::clone(&engine),
            store: Arc::clone(&store),
            memory: memory.clone(),
            clock: Arc::clone(&options.clock),
            random: Arc::clone(&options.random),
            data_dir: options.data_dir.clone(),
            disk_bytes_max: options.exports_bytes_max,
        };
        let exports = Arc::new(Exports::start(means)?);
        let patterns = Learning::start(&catalog, &store, &engine)?;
        let explaining = Explaining::start(incidents::Means {
            comparing: what_changed::Means {
                engine: Arc::clone(&engine),
                store: Arc::clone(&store),
                patterns: Arc::clone(patterns.registry()),
                clock: Arc::clone(&options.clock),
            },
            catalog: Arc::clone(&catalog),
        })?;
        let outward = Arc::new(Outward::new(&options, &catalog)?);
        let mut service = Service {
            delivery: Delivery::start(channels::Means {
                catalog: Arc::clone(&catalog),
                outward: Arc::clone(&outward),
                clock: Arc::clone(&options.clock),
            })?,
            outward,
            patterns,
            explaining,
            tails: Tails::start(&memory, Arc::clone(&catalog), Arc::clone(&options.clock))?,
            housekeeping: Housekeeping::start(
                Arc::clone(&catalog),
                Arc::clone(&store),
                Arc::clone(&exports),
                Arc::clone(&options.clock),
            )?,
            exports,
            alerts: Alerts::default(),
            #[cfg(feature = "sql")]
            statements: cordwood_sql::Sql::new(
                Arc::clone(&engine),
                memory.clone(),
                engine_clock(&options),
            ),
            options,
            catalog,
            store,
            engine,
            memory,
            counters: Counters::default(),
            compactions: Jobs::new("compaction"),
            backups: Jobs::new("backup"),
            first_start: None,
            replayed: recovery.into(),
            _lock: lock,
        };
        service.skip_ids_of_unknown_sources()?;
        service.first_start = start::make_what_is_missing(&service)?;
        Ok(service)
    }

    /// Events whose source the catalog does not know are those of deleted sources, or of a catalog that
    /// was lost or put back from a backup. Nobody finds them; their ids must not be given out again.
    fn skip_ids_of_unknown_sources(&self) -> Result<(), Error> {
        let stored = self.store.snapshot().sources();
        match stored.last_key_value() {
            Some((last, _)) if self.catalog.source(*last).is_none() => self
                .catalog
                .skip_source_ids(*last)
                .map_err(|error| Error::internal("skipping the ids of sources", error)),
            _ => Ok(()),
        }
    }

    /// What the first start made; `None` on every later one.
    pub fn first_start(&self) -> Option<&FirstStart> {
        self.first_start.as_ref()
    }

    /// What recovery found.
    pub fn replayed(&self) -> &Replayed {
        &self.replayed
    }

    /// Writes out what is held back for later and closes the files. Later writes are refused.
    pub fn close(&self) -> Result<(), Error> {
        self.alerts.stop();
        self.housekeeping.stop();
        self.patterns.stop();
        self.explaining.stop();
        self.tails.stop();
        self.exports.stop();
        self.delivery.stop();
        let closed = self.store.close();
        self.compactions.stop();
        self.backups.stop();
        self.catalog
            .write_usage()
            .map_err(|error| Error::internal("writing usage", error))?;
        closed.map_err(|error| Error::internal("closing the store", error))
    }

    /// The options it was opened with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.options.clock.now()
    }
}

/// The catalog in a data directory.
pub(crate) const CATALOG_FILE: &str = "catalog.db";

/// The store in a data directory.
pub(crate) const STORE_DIR: &str = "store";

/// The file that says the directory is in use.
const LOCK_FILE: &str = "lock";

/// Fresh events get 6/16 of the memory and are flushed at 2/16, the store's own shares of 1 GiB; the rest is for
/// bodies and queries.
fn open_store(options: &Options, memory: &MemoryBudget) -> Result<(Store, store::Recovery), Error> {
    let store_options = store::Options {
        memory: memory.clone(),
        fresh_bytes_max: options.memory_bytes_max / 16 * 6,
        flush_age: options.flush_age,
        flush_sealed_bytes: options.memory_bytes_max / 16 * 2,
        remote: options.remote.clone(),
        ..store::Options::default()
    };
    let disk = Arc::new(FileSystem::new(options.data_dir.join(STORE_DIR)));
    Store::open(store_options, disk, Arc::new(Replay))
        .map_err(|error| Error::internal("opening the store", error))
}

fn start_engine(options: &Options, memory: &MemoryBudget) -> Result<Engine, Error> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    Engine::new(engine::Options {
        threads: options.query_threads.unwrap_or_else(cores),
        memory: memory.clone(),
        clock: engine_clock(options),
    })
    .map_err(|error| Error::internal("starting the engine", error))
}

fn engine_clock(options: &Options) -> engine::Clock {
    let clock = Arc::clone(&options.clock);
    engine::Clock::new(move || clock.instant())
}

/// Makes the directory, for the owner's eyes only, and takes it for this process.
pub(crate) fn lock(data_dir: &Path) -> Result<File, Error> {
    let opening = "opening the data directory";
    make_dir(data_dir).map_err(|error| Error::internal(opening, error))?;
    let path = data_dir.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| Error::internal(opening, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse),
        Err(TryLockError::Error(error)) => Err(Error::internal(opening, error)),
    }
}

fn make_dir(data_dir: &Path) -> std::io::Result<()> {
    if data_dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data_dir)
}
