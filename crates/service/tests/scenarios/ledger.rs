//! A data directory and the service on it, opened and reopened, for one scenario.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use cordwood_catalog::Catalog;
use cordwood_event::Timestamp;
use cordwood_service::{
    Access, Caller, ClientId, Clock, CreatedSource, NewApiToken, NewSource, Options, Outbound,
    Outcome, Payload, Random, Refusal, Scope, Service,
};
use tempfile::TempDir;

/// A clock that moves when told to.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that are never the same and always the same run for run (splitmix64).
#[derive(Debug, Default)]
pub(crate) struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = mixed.to_be_bytes()[0];
        }
    }
}

/// The scenario's world.
pub(crate) struct Ledger {
    dir: TempDir,
    clock: Arc<TestClock>,
    random: Arc<TestRandom>,
    memory_bytes_max: u64,
    service: Option<Service>,
}

impl Ledger {
    pub(crate) fn new() -> Ledger {
        Ledger::with_memory(Options::MEMORY_BYTES_MAX_DEFAULT)
    }

    pub(crate) fn with_memory(memory_bytes_max: u64) -> Ledger {
        let start = Timestamp::parse_rfc3339("2026-03-27T10:00:00Z").unwrap();
        let mut ledger = Ledger {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(TestClock(AtomicI64::new(start.as_nanos()))),
            random: Arc::new(TestRandom::default()),
            memory_bytes_max,
            service: None,
        };
        ledger.reopen();
        ledger
    }

    pub(crate) fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            memory_bytes_max: self.memory_bytes_max,
            query_threads: Some(2),
            clock: self.clock.clone(),
            random: self.random.clone(),
            outbound: Outbound::parse(&["127.0.0.1".to_owned()]).unwrap(),
            ..Options::new(self.dir.path())
        }
    }

    /// Drops the service without closing it and opens it again.
    pub(crate) fn reopen(&mut self) {
        self.service = None;
        self.service = Some(Service::open(self.options()).unwrap());
    }

    /// Ends the service, as a server that shuts down does.
    pub(crate) fn close(&mut self) {
        self.service().close().unwrap();
        self.service = None;
    }

    pub(crate) fn advance(&self, by: Duration) {
        let nanos = i64::try_from(by.as_nanos()).unwrap();
        self.clock.0.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The caller of the command line: all clients, admin.
    pub(crate) fn admin(&self) -> Caller {
        self.admin_of(self.service())
    }

    /// The same of a service that was opened by the test itself.
    pub(crate) fn admin_of(&self, service: &Service) -> Caller {
        let token = std::fs::read_to_string(self.dir().join("cli-token")).unwrap();
        service.authenticate(token.trim()).unwrap()
    }

    /// Makes a client. Tenancy has no use cases yet, so the catalog is asked while nobody has it open.
    pub(crate) fn create_client(&mut self, name: &str) -> ClientId {
        self.service = None;
        let catalog = Catalog::open(&self.dir().join("catalog.db"), self.now()).unwrap();
        let client = catalog.create_client(name, self.now()).unwrap().id;
        drop(catalog);
        self.reopen();
        client
    }

    /// A caller limited to some clients.
    pub(crate) fn caller(&self, access: Access, clients: &[ClientId]) -> Caller {
        let new = NewApiToken {
            name: format!("{access} for {clients:?}"),
            access,
            scope: Scope::Clients(clients.iter().copied().collect()),
            expires_at: None,
        };
        let made = self
            .service()
            .create_api_token(&self.admin(), &new)
            .unwrap();
        self.service().authenticate(made.token.reveal()).unwrap()
    }

    pub(crate) fn create_source(&self, name: &str) -> CreatedSource {
        self.create_source_of(name, None)
    }

    pub(crate) fn create_source_of(&self, name: &str, client: Option<ClientId>) -> CreatedSource {
        let new = NewSource {
            name: name.to_owned(),
            client,
            ..NewSource::default()
        };
        self.service().create_source(&self.admin(), &new).unwrap()
    }

    /// Sends a JSON body.
    pub(crate) fn send(&self, token: &str, body: &str) -> Result<Outcome, Refusal> {
        self.send_payload(token, json(body))
    }

    pub(crate) fn send_payload(&self, token: &str, payload: Payload) -> Result<Outcome, Refusal> {
        let admission = self.service().admit(token, payload.body.len() as u64)?;
        self.service().ingest(admission, payload)
    }
}

/// A JSON body.
pub(crate) fn json(body: &str) -> Payload {
    Payload {
        content_type: Some("application/json".to_owned()),
        body: body.as_bytes().to_vec(),
        ..Payload::default()
    }
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
