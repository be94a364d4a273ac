//! What all handlers share: the service, once it is open, and the lanes into it.

use std::sync::{Arc, OnceLock};

use cordwood_service::{Error, Random, Service, SystemRandom};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::metrics::Counters;
use crate::offload::{Lane, LaneLimits};
use crate::request_id::RequestIds;

/// How much the edges take in at once, and where randomness comes from.
#[derive(Clone, Debug)]
pub struct EdgeOptions {
    /// Bodies being decoded and stored at once, and those that wait for a place.
    pub ingest: LaneLimits,
    /// Searches running at once, and those that wait for a place.
    pub query: LaneLimits,
    /// Everything else: sources, tokens, authentication.
    pub manage: LaneLimits,
    /// Calls of agents under way, each until it is written in the audit log; `running` is how many are written at once.
    pub agents: LaneLimits,
    /// For request ids.
    pub random: Arc<dyn Random>,
}

impl Default for EdgeOptions {
    /// Ingest is wide because its requests wait together for one fsync; search, because the engine has
    /// short questions done before long ones, but only of those that are let in. Of agents there are as many
    /// calls as sessions, each of which may hold an answer of 200 KB; one at a time is written, because the
    /// catalog has one writer.
    fn default() -> EdgeOptions {
        EdgeOptions {
            ingest: LaneLimits {
                running: 64,
                waiting: 1024,
            },
            query: LaneLimits {
                running: 32,
                waiting: 64,
            },
            manage: LaneLimits {
                running: 16,
                waiting: 1024,
            },
            agents: LaneLimits {
                running: 1,
                waiting: 255,
            },
            random: Arc::new(SystemRandom),
        }
    }
}

/// The state behind the router. Made before the service is open, so that `/health` can tell of a
/// start that takes long.
#[derive(Debug)]
pub struct Edge {
    service: OnceLock<Arc<Service>>,
    pub(crate) ingest: Lane,
    pub(crate) query: Lane,
    pub(crate) manage: Lane,
    pub(crate) agents: Lane,
    pub(crate) counters: Counters,
    pub(crate) request_ids: RequestIds,
    /// Conversations with agents end when it is cancelled: they would never end by themselves.
    pub(crate) ending: CancellationToken,
}

impl Edge {
    /// An edge without a service: everything but `/health` and `/metrics` answers 503.
    pub fn new(options: &EdgeOptions) -> Arc<Edge> {
        Arc::new(Edge {
            service: OnceLock::new(),
            ingest: Lane::new(options.ingest),
            query: Lane::new(options.query),
            manage: Lane::new(options.manage),
            agents: Lane::new(options.agents),
            counters: Counters::default(),
            request_ids: RequestIds::new(&*options.random),
            ending: CancellationToken::new(),
        })
    }

    /// Serves from now on. Only the first service counts.
    pub fn open(&self, service: Arc<Service>) {
        let _ = self.service.set(service);
    }

    /// The service, if it is open.
    pub fn service(&self) -> Option<&Arc<Service>> {
        self.service.get()
    }

    pub(crate) fn ready(&self) -> Result<Arc<Service>, Failure> {
        self.service.get().cloned().ok_or(Failure::starting())
    }

    /// What the service makes of a request about its records.
    pub(crate) async fn managed<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Service) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let service = self.ready()?;
        Ok(self.manage.run(move || ask(&service)).await??)
    }
}
