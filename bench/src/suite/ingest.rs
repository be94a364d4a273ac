//! A corpus sent to a server of its own, and what that took.

use std::thread;
use std::time::{Duration, Instant};

use cordwood_harness::{Api, Sending, Server, ServerOptions, Source};

use crate::load::{self, Body, Encoding, Sent};
use crate::process;

/// The oldest event in the log goes into a segment after ten minutes; by then all have.
const FLUSHED_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What ingest took.
#[derive(Clone, Debug)]
pub(crate) struct Ingest {
    pub(crate) sent: Sent,
    /// From the last acknowledgement until the server had nothing left to do.
    pub(crate) settled: Duration,
    /// Whether all events were in segments when the figures below were taken.
    pub(crate) is_flushed: bool,
    pub(crate) processor_seconds: f64,
    pub(crate) by_thread: Vec<(String, Duration)>,
    pub(crate) memory_peak_bytes: u64,
    /// Resident when all was done.
    pub(crate) memory_idle_bytes: u64,
    pub(crate) disk_bytes: u64,
}

/// When the figures are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// With the last acknowledgement: to see that it works.
    Acknowledged,
    /// When the log holds nothing that is not in a segment too, so that processor time and bytes on disk are those
    /// of the whole way.
    Flushed,
}

/// Where bodies are sent, and how.
#[derive(Clone, Debug)]
pub(super) struct Ingestion {
    pub(super) options: ServerOptions,
    pub(super) connections: usize,
    pub(super) until: Until,
}

impl Ingestion {
    /// Starts a server, sends it all, stops it. The source has the events.
    pub(super) fn measure(
        &self,
        bodies: impl Iterator<Item = anyhow::Result<Body>> + Send,
        encoding: Encoding,
    ) -> anyhow::Result<(Source, Ingest)> {
        let server = Server::start(&self.options)?;
        let source = server.api().create_source("bench")?;
        let sending = Sending {
            source_token: &source.token,
            content_encoding: encoding.name(),
            batch_key: None,
        };
        let sent = load::send(bodies, self.connections, &sending, &|| server.api())?;
        let (settled, is_flushed) = match self.until {
            Until::Acknowledged => (Duration::ZERO, false),
            Until::Flushed => {
                let settled = process::wait_until_idle(server.id())?;
                (settled, wait_until_flushed(&server.api())?)
            }
        };
        let threads = process::processor_time_by_thread(server.id())?;
        let mut by_thread: Vec<_> = threads.into_iter().collect();
        by_thread.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        let processor_seconds = process::processor_seconds(server.id())?;
        let memory = process::memory(server.id())?;
        server.stop()?;
        let ingest = Ingest {
            sent,
            settled,
            is_flushed,
            processor_seconds,
            by_thread,
            memory_peak_bytes: memory.peak_bytes,
            memory_idle_bytes: memory.resident_bytes,
            disk_bytes: process::disk_bytes(&self.options.data_dir)?,
        };
        Ok((source, ingest))
    }
}

/// Whether it came to that.
fn wait_until_flushed(api: &Api) -> anyhow::Result<bool> {
    let deadline = Instant::now() + FLUSHED_TIMEOUT;
    while Instant::now() < deadline {
        if api.metric("cordwood_store_unflushed_bytes")? == 0.0 {
            return Ok(true);
        }
        thread::sleep(Duration::from_secs(1));
    }
    Ok(false)
}
