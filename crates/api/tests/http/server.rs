//! A server for a test: its own data directory, its own port, gone with the test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use cordwood_api::{Edge, EdgeOptions};
use cordwood_catalog::Catalog;
use cordwood_event::Timestamp;
use cordwood_service::{Clock, Options, Service};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Answer, send};

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) edge: Arc<Edge>,
    pub(crate) source_token: String,
    pub(crate) api_token: String,
    dir: TempDir,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Server {
    /// A server that is ready.
    pub(crate) fn start() -> Server {
        Server::with(&EdgeOptions::default())
    }

    /// A server that is ready, with these bounds.
    pub(crate) fn with(options: &EdgeOptions) -> Server {
        Server::opened(options, |options| options)
    }

    /// A server that is ready, on a clock of the test.
    pub(crate) fn on_clock(clock: Arc<dyn Clock>) -> Server {
        Server::opened(&EdgeOptions::default(), |options| Options {
            clock,
            ..options
        })
    }

    fn opened(options: &EdgeOptions, with: impl FnOnce(Options) -> Options) -> Server {
        let mut server = Server::unopened(options);
        let options = with(Options::new(server.dir.path()));
        server.open(options);
        server
    }

    /// A server that is ready and has another client, with this number.
    pub(crate) fn with_client(name: &str) -> (Server, u64) {
        let mut server = Server::unopened(&EdgeOptions::default());
        // Clients have no use cases yet, so the catalog is asked while nobody has it open.
        let catalog = Catalog::open(&server.dir.path().join("catalog.db"), Timestamp::MIN).unwrap();
        let client = catalog.create_client(name, Timestamp::MIN).unwrap().id;
        drop(catalog);
        let options = Options::new(server.dir.path());
        server.open(options);
        (server, client.0)
    }

    fn open(&mut self, options: Options) {
        let service = Service::open(options).unwrap();
        let first = service.first_start().unwrap();
        self.source_token = first.source_token.reveal().to_owned();
        let token = std::fs::read_to_string(&first.cli_token_path).unwrap();
        self.api_token = token.trim().to_owned();
        self.edge.open(Arc::new(service));
    }

    /// A server that listens and whose service is not open yet.
    pub(crate) fn unopened(options: &EdgeOptions) -> Server {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.unwrap();
        let address = listener.local_addr().unwrap();
        let edge = Edge::new(options);
        let (stop, stopping) = oneshot::channel::<()>();
        let serving = cordwood_api::serve(listener, Arc::clone(&edge), async {
            let _ = stopping.await;
        });
        let serving = runtime.spawn(async { serving.await.unwrap() });
        Server {
            address,
            edge,
            source_token: "none yet".into(),
            api_token: "none yet".into(),
            dir: TempDir::new().unwrap(),
            runtime,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    /// Sends a request with these header lines.
    pub(crate) fn send(&self, request_line: &str, headers: &[&str], body: &[u8]) -> Answer {
        send(self.address, request_line, headers, body)
    }

    /// Sends an ingest request with the token of the first source.
    pub(crate) fn ingest(&self, headers: &[&str], body: &[u8]) -> Answer {
        let authorization = format!("Authorization: Bearer {}", self.source_token);
        let headers: Vec<&str> = [&*authorization]
            .into_iter()
            .chain(headers.iter().copied())
            .collect();
        self.send("POST /", &headers, body)
    }

    /// Sends a REST request with the API token of the command line.
    pub(crate) fn rest(&self, request_line: &str, body: &str) -> Answer {
        let authorization = format!("Authorization: Bearer {}", self.api_token);
        let headers = [&*authorization, "Content-Type: application/json"];
        self.send(request_line, &headers, body.as_bytes())
    }

    /// Asks the server to stop; it finishes what is in flight.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until it has stopped.
    pub(crate) fn wait(&mut self) {
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if let Some(service) = self.edge.service() {
            let _ = service.close();
        }
    }
}
