//! Compaction on request: what waits is flushed, all segments that can be are merged, and all that has expired goes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cordwood_store::Store;

use crate::jobs::{in_words, require_whole};
use crate::service::{CATALOG_FILE, STORE_DIR};
use crate::{Caller, Error, Job, Options, Service};

pub use cordwood_store::Compacted;

/// How often progress is taken from the store.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

impl Service {
    /// Starts a compaction, unless one is running.
    pub fn start_compaction(&self, caller: &Caller) -> Result<Job<Compacted>, Error> {
        require_whole(caller)?;
        let store = Arc::clone(&self.store);
        let clock = Arc::clone(&self.options.clock);
        self.compactions.start(clock, move |progress| {
            let before = store.stats().merged_bytes_in;
            let is_done = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let watch = scope.spawn(|| {
                    while !is_done.load(Ordering::Relaxed) {
                        let read = store.stats().merged_bytes_in.saturating_sub(before);
                        progress.bytes_done.store(read, Ordering::Relaxed);
                        std::thread::park_timeout(PROGRESS_INTERVAL);
                    }
                });
                let compacted = compact(&store);
                is_done.store(true, Ordering::Relaxed);
                watch.thread().unpark();
                compacted
            })
        })
    }

    /// The compaction that runs, or the last since the start of the server.
    pub fn compaction(&self, caller: &Caller) -> Result<Option<Job<Compacted>>, Error> {
        require_whole(caller)?;
        Ok(self.compactions.last())
    }
}

fn compact(store: &Store) -> Result<Compacted, String> {
    store.flush().map_err(|error| in_words(&error))?;
    store.compact().map_err(|error| in_words(&error))
}

/// Compacts a data directory that no server uses.
pub fn compact_offline(options: Options) -> Result<Compacted, Error> {
    if !is_data_directory(&options.data_dir) {
        return Err(Error::NotFound {
            kind: "data directory",
            name: options.data_dir.display().to_string(),
            near: Vec::new(),
        });
    }
    let service = Service::open(options)?;
    let compacted = compact(&service.store);
    service.close()?;
    compacted.map_err(|reason| Error::internal("compacting", reason))
}

fn is_data_directory(path: &Path) -> bool {
    path.join(CATALOG_FILE).is_file() && path.join(STORE_DIR).is_dir()
}
