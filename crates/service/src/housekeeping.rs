//! The thread that now and then writes what memory knows better than the disk, says what has expired, removes exports
//! and silences that have, and has events of deleted sources deleted.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cordwood_catalog::Catalog;
use cordwood_store::Store;

use crate::exports::Exports;
use crate::retention::retention;
use crate::silences::forget_ended;
use crate::{Clock, Error, deleted_sources};

/// How much counted usage a crash may lose, in time.
const INTERVAL: Duration = Duration::from_secs(5);

/// How many intervals go by before the store is told again what has expired or was deleted: a minute.
const INTERVALS_PER_EXPIRY: u64 = 12;

/// The thread, stopped and joined when this is dropped.
#[derive(Debug)]
pub(crate) struct Housekeeping {
    running: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Housekeeping {
    pub(crate) fn start(
        catalog: Arc<Catalog>,
        store: Arc<Store>,
        exports: Arc<Exports>,
        clock: Arc<dyn Clock>,
    ) -> Result<Housekeeping, Error> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("housekeeping".to_owned())
            .spawn(move || {
                let mut is_failing = false;
                let mut is_store_failing = false;
                let mut is_forgetting_failing = false;
                let mut intervals = 0u64;
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    is_failing = !write_usage(&catalog, is_failing);
                    intervals += 1;
                    if intervals.is_multiple_of(INTERVALS_PER_EXPIRY) {
                        let now = clock.now();
                        exports.expire();
                        store.set_retention(retention(&catalog, now));
                        let is_done =
                            deleted_sources::delete_events(&catalog, &store, now, is_store_failing);
                        is_store_failing = !is_done;
                        let is_done = forget_ended(&catalog, now, is_forgetting_failing);
                        is_forgetting_failing = !is_done;
                    }
                }
            })
            .map_err(|error| Error::internal("starting a thread", error))?;
        Ok(Housekeeping {
            running: Mutex::new(Some((stop, thread))),
        })
    }

    /// Stops the thread and waits for it.
    pub(crate) fn stop(&self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = running {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the housekeeping thread panicked");
            }
        }
    }
}

/// Writes usage; returns whether that went well. A failure that lasts, as a full disk does, is said once.
fn write_usage(catalog: &Catalog, was_failing: bool) -> bool {
    let written = catalog.write_usage();
    if let (Err(error), false) = (&written, was_failing) {
        let error: &dyn std::error::Error = error;
        tracing::warn!(error, "usage could not be written, will try again");
    }
    written.is_ok()
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.stop();
    }
}
