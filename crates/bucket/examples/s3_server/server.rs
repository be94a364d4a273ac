//! An S3 server that keeps objects as files and checks signatures: for the tests, and for trying a bucket out.

use std::net::SocketAddr;
use std::path::Path;
use std::thread::{self, JoinHandle};

use anyhow::Context as _;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::sync::oneshot::{self, Receiver, Sender};

/// The only key the server knows.
pub(crate) const ACCESS_KEY: &str = "cordwood-test";
/// Its secret.
pub(crate) const SECRET_KEY: &str = "not-a-secret-of-anybody";
/// The only bucket there is.
pub(crate) const BUCKET: &str = "logs";

/// A running server; stopped when dropped.
#[derive(Debug)]
pub(crate) struct S3Server {
    address: SocketAddr,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3Server {
    /// Serves a directory on a free port of this machine.
    pub(crate) fn start(root: &Path) -> anyhow::Result<S3Server> {
        S3Server::start_at(root, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// The same, at an address of one's choice.
    pub(crate) fn start_at(root: &Path, address: SocketAddr) -> anyhow::Result<S3Server> {
        std::fs::create_dir_all(root.join(BUCKET))?;
        let files = FileSystem::new(root).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.with_context(|| format!("listen on {address}"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("s3-server".to_owned())
            .spawn(move || runtime.block_on(serve(listener, service, stopped)))?;
        Ok(S3Server {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, service: S3Service, mut stopped: Receiver<()>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((socket, _)) = accepted else { continue };
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(hyper_util::rt::TokioExecutor::new());
                    // A connection that breaks is the client's to notice.
                    let _ = server.serve_connection(TokioIo::new(socket), service).await;
                });
            }
            _ = &mut stopped => return,
        }
    }
}
