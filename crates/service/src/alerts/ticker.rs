//! The thread that has alerts checked.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Error, Service};

/// How often it is looked which alerts are due. Checks are ten seconds apart at least; a tick without any takes microseconds.
const TICK: Duration = Duration::from_secs(1);

/// The thread, if it was started; stopped and joined when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Ticker {
    running: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

impl Ticker {
    /// Starts the thread. It holds the service no longer than a round takes.
    pub(super) fn start(&self, service: Weak<Service>) -> Result<(), Error> {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || {
                let mut is_failing = false;
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    let Some(service) = service.upgrade() else {
                        return;
                    };
                    let round = service.check_alerts();
                    if let Err(error) = &round
                        && !is_failing
                    {
                        let error: &dyn std::error::Error = error;
                        tracing::warn!(error, "alerts could not be checked, will try again");
                    }
                    is_failing = round.is_err();
                }
            })
            .map_err(|error| Error::internal("starting a thread", error))?;
        let running = self.running.lock();
        *running.unwrap_or_else(PoisonError::into_inner) = Some((stop, thread));
        Ok(())
    }

    /// Stops the thread and waits for it, unless it is the one that asks: when it held the service last.
    pub(super) fn stop(&self) {
        let running = self.running.lock();
        let running = running.unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            drop(stop);
            let is_other = thread.thread().id() != thread::current().id();
            if is_other && thread.join().is_err() {
                tracing::error!("the thread that checks alerts panicked");
            }
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}
