//! The life of the server: serve until told to stop, finish what is in flight, and end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::edge::Edge;
use crate::router::router;

/// What is still in flight this long after the stop is cut off: a sender that dribbles its body must
/// not keep the process alive, and will send again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The server could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the server stopped listening")]
pub struct ServeError(#[from] io::Error);

/// Serves `edge` on `listener` until `stop` is done and all requests in flight are answered.
pub async fn serve(
    listener: TcpListener,
    edge: Arc<Edge>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    // An answer is written whole: waiting for more to send with it would only delay it.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let (stopped, has_stopped) = tokio::sync::oneshot::channel();
    let tailed = Arc::clone(&edge);
    let stop = async move {
        stop.await;
        tailed.ending.cancel();
        // They would never end by themselves.
        if let Some(service) = tailed.service() {
            service.end_tails();
        }
        let _ = stopped.send(());
    };
    let called = Arc::clone(&edge);
    let server = axum::serve(listener, router(edge)).with_graceful_shutdown(stop);
    let served = async {
        server.await?;
        // Calls of agents outlive their connections until they are written in the audit log.
        called.agents.idle().await;
        Ok(())
    };
    let too_long = async {
        let _ = has_stopped.await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        served = served => served,
        () = too_long => {
            tracing::warn!("requests still in flight are cut off");
            Ok(())
        }
    }
}
